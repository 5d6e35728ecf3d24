//! Bedrock's Converse: as Anthropic's messages, in other words.

use serde::Deserialize;

use super::Measured;
use super::count::Count;
use super::split::{AnswerSide, PromptSide};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct TokenUsage {
    input_tokens: Count,
    output_tokens: Count,
    cache_read_input_tokens: Count,
    cache_write_input_tokens: Count,
    cache_details: Option<Vec<Written>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Written {
    ttl: Option<Box<str>>,
    input_tokens: Count,
}

impl TokenUsage {
    pub(super) fn measured(self) -> Measured {
        let mut measured = Measured::default();
        let details = self.cache_details.unwrap_or_default();
        let sum = |long: bool| {
            let of = details.iter().filter(|part| (part.ttl.as_deref() == Some("1h")) == long);
            of.fold(0_u64, |sum, part| sum.saturating_add(part.input_tokens.or_zero()))
        };
        let written_1h = sum(true);
        let written = self.cache_write_input_tokens.or_zero().max(sum(false).saturating_add(written_1h));
        let cached = self.cache_read_input_tokens.or_zero();
        let total = self.input_tokens.or_zero().saturating_add(cached).saturating_add(written);
        PromptSide { total, cached, written, written_1h, ..PromptSide::default() }
            .put(&mut measured.quantities);
        if let Some(total) = self.output_tokens.0 {
            AnswerSide { total, ..AnswerSide::default() }.put(&mut measured.quantities);
        }
        measured
    }
}
