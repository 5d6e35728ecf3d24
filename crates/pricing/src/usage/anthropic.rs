//! Anthropic's messages: cache reads and writes stand beside `input_tokens`, thinking is inside `output_tokens`.

use serde::Deserialize;

use super::Measured;
use super::count::Count;
use super::split::{AnswerSide, PromptSide};
use crate::class::Class;
use crate::meter::Meter;

/// Members that no other shape has.
pub(super) const TELLING: [&str; 7] = [
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "server_tool_use",
    "service_tier",
    "speed",
    "inference_geo",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    input_tokens: Count,
    output_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
    cache_creation: Option<Lifetimes>,
    server_tool_use: Option<Tools>,
    service_tier: Option<Box<str>>,
    speed: Option<Box<str>>,
    inference_geo: Option<Box<str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Lifetimes {
    ephemeral_5m_input_tokens: Count,
    ephemeral_1h_input_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tools {
    web_search_requests: Count,
}

impl Usage {
    pub(super) fn measured(self) -> Measured {
        let word =
            self.speed.as_deref().filter(|speed| *speed != "standard").or(self.service_tier.as_deref());
        let mut measured = Measured {
            class: word.and_then(Class::of_answer),
            region: self.inference_geo.as_deref().map(|geo| format!("inference_geo:{geo}").into()),
            ..Measured::default()
        };
        let by = self.cache_creation.unwrap_or_default();
        let (short, long) = (by.ephemeral_5m_input_tokens.or_zero(), by.ephemeral_1h_input_tokens.or_zero());
        // Without lifetimes, or with less in them than in the sum, the rest has the short one.
        let written = self.cache_creation_input_tokens.or_zero().max(short.saturating_add(long));
        let cached = self.cache_read_input_tokens.or_zero();
        let total = self.input_tokens.or_zero().saturating_add(cached).saturating_add(written);
        PromptSide { total, cached, written, written_1h: long, ..PromptSide::default() }
            .put(&mut measured.quantities);
        if let Some(total) = self.output_tokens.0 {
            AnswerSide { total, ..AnswerSide::default() }.put(&mut measured.quantities);
        }
        let searches = self.server_tool_use.map_or(0, |tools| tools.web_search_requests.or_zero());
        if searches > 0 {
            measured.quantities.put(Meter::WebSearch, searches);
        }
        measured
    }
}
