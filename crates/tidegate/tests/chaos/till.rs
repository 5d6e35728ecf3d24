//! An upstream that answers chats after a moment and adds up what they cost, exactly.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tidegate_core::id;
use tidegate_ledger::Amount;
use tidegate_testkit::{Handler, Reply, Seen};

/// The longest answer that a question of [`question`](crate::crowd::question) allows, in tokens.
pub const LONGEST: u64 = 20;
/// The header that names a question.
pub const QUESTION: &str = "x-question";

/// Counts when it decides to serve, which is before anybody can hear of it.
#[derive(Debug)]
pub struct Till {
    /// In billionths of a dollar.
    taken: AtomicU64,
    served: AtomicU64,
    /// What each question cost that had a name.
    by_question: Mutex<HashMap<String, u64>>,
    /// The slowest answer, in milliseconds.
    slowest: u64,
}

/// Billionths of a dollar for a token of the prompt, one that was cached, and one of the answer.
fn prices(model: &str) -> [u64; 3] {
    match model {
        "gpt-4.1-mini" => [400, 100, 1_600],
        _ => [2_500, 1_250, 10_000],
    }
}

fn usd(billionths: u64) -> Amount {
    format!("{}.{:09}", billionths / 1_000_000_000, billionths % 1_000_000_000).parse().unwrap()
}

impl Till {
    pub fn new(slowest: Duration) -> Self {
        let slowest = u64::try_from(slowest.as_millis()).unwrap();
        Self { taken: AtomicU64::new(0), served: AtomicU64::new(0), by_question: Mutex::default(), slowest }
    }

    pub fn taken(&self) -> Amount {
        usd(self.taken.load(Ordering::SeqCst))
    }

    pub fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }

    /// What each question cost.
    pub fn costs(&self) -> HashMap<String, Amount> {
        let costs = self.by_question.lock().unwrap();
        costs.iter().map(|(name, cost)| (name.clone(), usd(*cost))).collect()
    }
}

impl Handler for Till {
    fn answer(&self, request: &Seen) -> Reply {
        let upto = |most: u64| (id::draw() * (most + 1) as f64) as u64;
        // No more than a byte each, as real tokens.
        let prompt = 10 + upto(40);
        let asked = request.json();
        // As providers do: no longer than it was asked to be.
        let longest = ["max_tokens", "max_completion_tokens"].map(|name| asked[name].as_u64());
        let longest = longest.into_iter().flatten().fold(LONGEST, u64::min);
        let (cached, answer) = (upto(prompt), longest.min(1) + upto(longest.saturating_sub(1)));
        let [whole, half, said] = prices(asked["model"].as_str().unwrap_or_default());
        let cost = whole * (prompt - cached) + half * cached + said * answer;
        self.taken.fetch_add(cost, Ordering::SeqCst);
        self.served.fetch_add(1, Ordering::SeqCst);
        if let Some(name) = request.header(QUESTION) {
            *self.by_question.lock().unwrap().entry(name.to_owned()).or_default() += cost;
        }
        let message = json!({"role": "assistant", "content": "Noon."});
        let body = json!({
            "id": "c", "object": "chat.completion", "created": 1, "model": asked["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer,
                "prompt_tokens_details": {"cached_tokens": cached},
            },
        });
        Reply::json(200, &body).after(Duration::from_millis(upto(self.slowest)))
    }
}
