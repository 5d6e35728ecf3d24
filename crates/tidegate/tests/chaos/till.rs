//! An upstream that answers chats after a moment and adds up what they cost, exactly.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tidegate_core::id;
use tidegate_ledger::Amount;
use tidegate_testkit::{Handler, Reply, Seen};

/// The longest answer that a question of [`question`](crate::crowd::question) allows, in tokens.
pub const LONGEST: u64 = 20;
/// Of gpt-4o: 2.50 USD for a million tokens of prompt, half of that for cached ones, 10 for the answer. All of them are
/// multiples of this many hundred-millionths of a dollar a token.
const UNIT: u64 = 125;

/// Counts when it decides to serve, which is before anybody can hear of it.
#[derive(Debug)]
pub struct Till {
    /// In [`UNIT`].
    taken: AtomicU64,
    served: AtomicU64,
    /// The slowest answer, in milliseconds.
    slowest: u64,
}

impl Till {
    pub fn new(slowest: Duration) -> Self {
        let slowest = u64::try_from(slowest.as_millis()).unwrap();
        Self { taken: AtomicU64::new(0), served: AtomicU64::new(0), slowest }
    }

    pub fn taken(&self) -> Amount {
        let hundred_millionths = self.taken.load(Ordering::SeqCst) * UNIT;
        format!("{}.{:08}", hundred_millionths / 100_000_000, hundred_millionths % 100_000_000)
            .parse()
            .unwrap()
    }

    pub fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
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
        self.taken.fetch_add(2 * (prompt - cached) + cached + 8 * answer, Ordering::SeqCst);
        self.served.fetch_add(1, Ordering::SeqCst);
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
