//! What the record says beyond Portkey's object: every attempt, tokens by class, how the request ended.

use serde::Serialize;
use tidegate_core::{ServiceTier, Usage};

use crate::body::StoredBodies;
use crate::record::RequestRecord;

/// Text is empty where there is none; times are microseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Detail {
    pub route: String,
    /// Of the request to the gateway.
    pub path: String,
    pub user: String,
    pub session: String,
    pub key_owner: String,
    pub asked_model: String,
    pub attempts: Vec<AttemptLine>,
    /// `ok`, `client_gone`, `upstream_cut`, …
    pub end: String,
    pub error: String,
    pub finish: String,
    pub usage: Option<Usage>,
    pub usage_estimated: bool,
    /// How the answer says that it was served: `standard`, `batch`, `flex`, `priority`, `fast`, `ultrafast`; empty when
    /// it does not say.
    pub service_tier: &'static str,
    /// An exact decimal in `currency`; empty when unknown.
    pub cost: String,
    pub currency: String,
    pub cost_estimated: bool,
    pub unpriced: bool,
    pub saved: String,
    /// Meter and exact decimal.
    pub cost_parts: Vec<(String, String)>,
    pub ttft_us: Option<u64>,
    pub total_us: u64,
    pub waited_us: u64,
    pub stall_us: u64,
    pub chunks: u64,
    pub request_bytes: u64,
    pub response_bytes: u64,
    pub guardrail: String,
    pub limit: String,
    pub limit_outcome: String,
    pub warnings: Vec<String>,
    /// The caller asked for figures only.
    pub private: bool,
    /// Parts of which not everything is shown, and why: `cut`, `binary`, `unreadable`, `failed`.
    pub withheld: Vec<(String, String)>,
}

#[derive(Debug, Clone, Serialize)]
pub struct AttemptLine {
    pub provider: String,
    pub target: String,
    pub virtual_key: String,
    pub model: String,
    pub url: String,
    pub status: Option<u16>,
    /// After the request began.
    pub start_us: u64,
    pub duration_us: u64,
    pub first_byte_us: Option<u64>,
    pub error: String,
    pub reason: String,
    pub circuit: String,
    pub hedge: bool,
    pub retry_after_ms: Option<u64>,
}

impl Detail {
    pub fn of(record: &RequestRecord, bodies: Option<&StoredBodies>) -> Self {
        let attempts = record.attempts.iter().map(|attempt| AttemptLine {
            provider: attempt.provider.to_string(),
            target: attempt.target.to_string(),
            virtual_key: attempt.virtual_key.to_string(),
            model: attempt.model.to_string(),
            url: attempt.url.to_string(),
            status: attempt.status,
            start_us: attempt.start_us,
            duration_us: attempt.duration_us,
            first_byte_us: attempt.first_byte_us,
            error: attempt.error.to_string(),
            reason: attempt.reason.to_string(),
            circuit: attempt.circuit.to_string(),
            hedge: attempt.hedge,
            retry_after_ms: attempt.retry_after_ms,
        });
        let withheld = bodies.into_iter().flat_map(|bodies| &bodies.bodies).filter_map(|body| {
            let why = if body.withheld.is_empty() && body.cut { "cut" } else { &*body.withheld };
            (!why.is_empty()).then(|| (body.part.to_string(), why.to_owned()))
        });
        Self {
            route: record.route.to_string(),
            path: record.path.to_string(),
            user: record.who.user.to_string(),
            session: record.who.session.to_string(),
            key_owner: record.who.key_owner.to_string(),
            asked_model: record.asked_model.to_string(),
            attempts: attempts.collect(),
            end: record.end.to_string(),
            error: record.error.to_string(),
            finish: record.finish.to_string(),
            usage: record.usage.clone(),
            usage_estimated: record.usage_estimated,
            service_tier: record.usage.as_ref().and_then(|usage| usage.tier).map_or("", ServiceTier::word),
            cost: record.cost.amount.to_string(),
            currency: record.cost.currency.to_string(),
            cost_estimated: record.cost.estimate,
            unpriced: record.cost.unpriced,
            saved: record.cost.saved.to_string(),
            cost_parts: record
                .cost
                .parts
                .iter()
                .map(|(meter, amount)| (meter.to_string(), amount.to_string()))
                .collect(),
            ttft_us: record.timing.ttft_us,
            total_us: record.timing.total_us,
            waited_us: record.timing.waited_us,
            stall_us: record.timing.stall_us,
            chunks: record.timing.chunks,
            request_bytes: record.bytes.request,
            response_bytes: record.bytes.response,
            guardrail: record.guardrail.to_string(),
            limit: record.limit.to_string(),
            limit_outcome: record.limit_outcome.to_string(),
            warnings: record.warnings.iter().map(|warning| warning.to_string()).collect(),
            private: record.private,
            withheld: withheld.collect(),
        }
    }
}
