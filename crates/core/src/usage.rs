//! Token counts in one form, whatever the provider's convention.

use serde::Serialize;

/// What one answer consumed. `None` means that the provider did not say; it is never reported as zero.
///
/// Conventions differ by provider (is the cached part inside the prompt? is reasoning inside the completion?); decoders
/// bring them to this one: **nothing in here is counted twice except where a field says "inside".**
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Input tokens neither read from nor written to the provider's prompt cache.
    pub input: u64,
    /// Input tokens read from the prompt cache.
    pub cache_read: Option<u64>,
    /// Input tokens written to the prompt cache, all lifetimes together.
    pub cache_write: Option<u64>,
    /// The part of `cache_write` with a one-hour lifetime (inside it).
    pub cache_write_1h: Option<u64>,
    /// All generated tokens, reasoning included.
    pub output: u64,
    /// Reasoning tokens (inside `output`).
    pub reasoning: Option<u64>,
    /// Audio tokens of the prompt (inside the input).
    pub audio_input: Option<u64>,
    /// Audio tokens generated (inside `output`).
    pub audio_output: Option<u64>,
    /// Image tokens of the prompt (inside the input).
    pub image_input: Option<u64>,
    /// Image tokens generated (inside `output`).
    pub image_output: Option<u64>,
    /// Predicted tokens that were used, and that were not (both inside `output`).
    pub accepted_prediction: Option<u64>,
    pub rejected_prediction: Option<u64>,
    /// Billed web searches or similar server-side calls.
    pub searches: Option<u64>,
    /// The total as the provider states it, when it states one.
    pub reported_total: Option<u64>,
    /// How fast the answer says that it was served, which decides what tokens cost. `None` where it does not say, or in
    /// words that nobody knows.
    #[serde(skip)]
    pub tier: Option<ServiceTier>,
}

/// The speed or patience that an answer was served with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceTier {
    Standard,
    Batch,
    Flex,
    Priority,
    Fast,
    Ultrafast,
}

impl ServiceTier {
    /// The tier that an answer's `service_tier` or `speed` names, in any case.
    pub fn of_answer(word: &str) -> Option<Self> {
        const WORDS: [(&str, ServiceTier); 10] = [
            ("default", ServiceTier::Standard),
            ("standard", ServiceTier::Standard),
            ("auto", ServiceTier::Standard),
            ("on_demand", ServiceTier::Standard),
            ("normal", ServiceTier::Standard),
            ("batch", ServiceTier::Batch),
            ("flex", ServiceTier::Flex),
            ("priority", ServiceTier::Priority),
            ("fast", ServiceTier::Fast),
            ("ultrafast", ServiceTier::Ultrafast),
        ];
        WORDS.iter().find(|row| row.0.eq_ignore_ascii_case(word)).map(|row| row.1)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Fast => "fast",
            Self::Ultrafast => "ultrafast",
        }
    }

    /// Of an answer with both words: a speed that is not the usual one says more.
    pub fn of_words(tier: Option<&str>, speed: Option<&str>) -> Option<Self> {
        let speed = speed.and_then(Self::of_answer).filter(|speed| *speed != Self::Standard);
        speed.or_else(|| tier.and_then(Self::of_answer))
    }
}

impl Usage {
    /// Everything the model read: uncached, cached and newly cached.
    pub fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read.unwrap_or(0)).saturating_add(self.cache_write.unwrap_or(0))
    }

    pub fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
