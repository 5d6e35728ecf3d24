//! Records as a busy gateway makes them, for measurements.

use std::sync::Arc;

use tidegate_core::Usage;
use tidegate_records::record::{Bytes, Span, Timing, Who};
use tidegate_records::{Attempt, Cost, IdSource, RequestRecord, Text};

/// What a snapshot of the gateway holds, so that records share it.
pub struct Names {
    users: Vec<Arc<str>>,
    keys: Vec<Arc<str>>,
    models: Vec<Arc<str>>,
}

impl Names {
    pub fn new() -> Self {
        let names = |count: usize, name: &str| (0..count).map(|i| format!("{name}-{i}").into()).collect();
        Self { users: names(5_000, "user"), keys: names(200, "key"), models: names(40, "model") }
    }

    /// As the path of a request builds it: two attempts in one of eight.
    pub fn record(&self, ids: &IdSource, unix_ms: u64, i: usize) -> RequestRecord {
        let model: Text = self.models[i * i % self.models.len()].clone().into();
        let attempt = |status| Attempt {
            provider: "openai".into(),
            target: "targets[0]".into(),
            model: model.clone(),
            status: Some(status),
            duration_us: 812_345,
            first_byte_us: Some(312_345),
            ..Attempt::default()
        };
        let mut attempts = Vec::with_capacity(2);
        if i.is_multiple_of(8) {
            attempts.push(attempt(429));
        }
        attempts.push(attempt(200));
        RequestRecord {
            id: ids.next(unix_ms).bits(),
            who: Who {
                organisation: "org".into(),
                workspace: ["search", "shop", "labs"][i % 3].into(),
                api_key: self.keys[i * 7 % self.keys.len()].clone().into(),
                user: self.users[i * 31 % self.users.len()].clone().into(),
                metadata: vec![("env".into(), "prod".into()), ("team".into(), "search".into())],
                ..Who::default()
            },
            route: "chat_completions".into(),
            method: "POST".into(),
            path: "/v1/chat/completions".into(),
            provider: ["openai", "anthropic", "azure-openai", "gemini"][i % 4].into(),
            virtual_key: "openai-eu".into(),
            config: "pc-main-1".into(),
            config_version: 3,
            mode: "fallback".into(),
            asked_model: model.clone(),
            model,
            stream: i.is_multiple_of(2),
            attempts,
            status: if i.is_multiple_of(29) { 500 } else { 200 },
            end: "ok".into(),
            finish: "stop".into(),
            timing: Timing { total_us: 1_234_567, ttft_us: Some(312_345), chunks: 120, ..Timing::default() },
            usage: Some(Usage { input: 812, output: 120, cache_read: Some(256), ..Usage::default() }),
            cost: Cost { amount: "0.0023425".to_owned().into(), currency: "USD".into(), ..Cost::default() },
            span: Span {
                trace: format!("{:016x}{i:016x}", ids.next(unix_ms).bits()).into(),
                ..Span::default()
            },
            cache: "miss".into(),
            bytes: Bytes { request: 4_096, response: 2_048 },
            client: "openai-python 1.2".into(),
            ..RequestRecord::default()
        }
    }
}
