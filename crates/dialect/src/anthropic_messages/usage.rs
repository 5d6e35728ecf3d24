//! Token counts and stop reasons on Anthropic's wire, both ways.
//!
//! Anthropic counts cached input beside `input_tokens`, thinking inside `output_tokens`. In a stream the members come
//! in several objects, and the last value of each member holds.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tidegate_core::{ServiceTier, Usage};

use crate::chat::{Finish, FinishReason};

/// A `usage` object, or what several of them amount to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens_details: Option<OutputDetails>,
    server_tool_use: Option<ServerToolUse>,
    pub(super) service_tier: Option<String>,
    speed: Option<String>,
    iterations: Option<Vec<Iteration>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ServerToolUse {
    web_search_requests: Option<u64>,
}

/// One pass of the model within an answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Iteration {
    #[serde(rename = "type")]
    kind: String,
    input_tokens: u64,
    output_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
}

impl WireUsage {
    /// Members of a later object replace those seen before.
    pub(super) fn update(&mut self, later: Self) {
        fn replace<T>(place: &mut Option<T>, later: Option<T>) {
            if later.is_some() {
                *place = later;
            }
        }
        replace(&mut self.input_tokens, later.input_tokens);
        replace(&mut self.output_tokens, later.output_tokens);
        replace(&mut self.cache_creation_input_tokens, later.cache_creation_input_tokens);
        replace(&mut self.cache_read_input_tokens, later.cache_read_input_tokens);
        replace(&mut self.cache_creation, later.cache_creation);
        replace(&mut self.output_tokens_details, later.output_tokens_details);
        replace(&mut self.server_tool_use, later.server_tool_use);
        replace(&mut self.service_tier, later.service_tier);
        replace(&mut self.speed, later.speed);
        replace(&mut self.iterations, later.iterations);
    }

    pub(super) fn to_core(&self) -> Usage {
        let mut usage = Usage {
            input: self.input_tokens.unwrap_or(0),
            cache_read: self.cache_read_input_tokens,
            cache_write: self.cache_creation_input_tokens,
            cache_write_1h: self.cache_creation.as_ref().and_then(|write| write.ephemeral_1h_input_tokens),
            output: self.output_tokens.unwrap_or(0),
            reasoning: self.output_tokens_details.as_ref().and_then(|details| details.thinking_tokens),
            searches: self.server_tool_use.as_ref().and_then(|used| used.web_search_requests),
            tier: ServiceTier::of_words(self.service_tier.as_deref(), self.speed.as_deref()),
            ..Usage::default()
        };
        self.sum_iterations(&mut usage);
        usage
    }

    /// With iterations the top-level numbers leave some of them out. An advisor's are another model's: they are not
    /// this answer's.
    fn sum_iterations(&self, usage: &mut Usage) {
        let own = |iteration: &&Iteration| matches!(iteration.kind.as_str(), "message" | "compaction");
        let mut own = self.iterations.iter().flatten().filter(own).peekable();
        if own.peek().is_none() {
            return;
        }
        let sum = own.fold(Iteration::default(), |sum, one| Iteration {
            kind: String::new(),
            input_tokens: sum.input_tokens.saturating_add(one.input_tokens),
            output_tokens: sum.output_tokens.saturating_add(one.output_tokens),
            cache_creation_input_tokens: sum
                .cache_creation_input_tokens
                .saturating_add(one.cache_creation_input_tokens),
            cache_read_input_tokens: sum.cache_read_input_tokens.saturating_add(one.cache_read_input_tokens),
        });
        usage.input = sum.input_tokens;
        usage.output = sum.output_tokens;
        usage.cache_write = usage.cache_write.map(|_| sum.cache_creation_input_tokens);
        usage.cache_read = usage.cache_read.map(|_| sum.cache_read_input_tokens);
    }
}

/// A `usage` object for a client: what is not known is left out, except the two members every client counts on.
pub(super) fn write(usage: Option<&Usage>) -> Value {
    let unknown = Usage::default();
    let usage = usage.unwrap_or(&unknown);
    let mut members = Map::from_iter([("input_tokens".to_owned(), Value::from(usage.input))]);
    let mut add = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    if let Some(write) = usage.cache_write {
        add("cache_creation_input_tokens", write.into());
    }
    if let Some(read) = usage.cache_read {
        add("cache_read_input_tokens", read.into());
    }
    if let (Some(write), Some(hour)) = (usage.cache_write, usage.cache_write_1h) {
        let short = write.saturating_sub(hour);
        add("cache_creation", json!({"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": hour}));
    }
    add("output_tokens", usage.output.into());
    if let Some(reasoning) = usage.reasoning {
        add("output_tokens_details", json!({"thinking_tokens": reasoning}));
    }
    if let Some(searches) = usage.searches {
        add("server_tool_use", json!({"web_search_requests": searches}));
    }
    Value::Object(members)
}

/// What a stop reason means; an unknown word is a plain stop.
pub(super) fn reason_of(word: &str) -> FinishReason {
    match word {
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        _ => FinishReason::Stop,
    }
}

/// The word for a finish: Anthropic's own where the answer was its, as long as it still means the same.
pub(super) fn stop_reason(finish: &Finish) -> &str {
    const OWN: [&str; 8] = [
        "end_turn",
        "stop_sequence",
        "max_tokens",
        "model_context_window_exceeded",
        "tool_use",
        "pause_turn",
        "refusal",
        "compaction",
    ];
    if let Some(raw) = finish.raw.as_deref()
        && OWN.contains(&raw)
        && reason_of(raw) == finish.reason
    {
        return raw;
    }
    match finish.reason {
        FinishReason::Stop if finish.stop_sequence.is_some() => "stop_sequence",
        FinishReason::Stop => "end_turn",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::ContentFilter => "refusal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> WireUsage {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn cached_input_is_counted_beside() {
        let usage = read(json!({
            "input_tokens": 3, "output_tokens": 9, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 7,
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 4},
            "output_tokens_details": {"thinking_tokens": 6}, "server_tool_use": {"web_search_requests": 2},
            "service_tier": "standard", "inference_geo": "us",
        }))
        .to_core();
        assert_eq!(
            usage,
            Usage {
                input: 3,
                cache_read: Some(7),
                cache_write: Some(5),
                cache_write_1h: Some(4),
                output: 9,
                reasoning: Some(6),
                searches: Some(2),
                tier: Some(ServiceTier::Standard),
                ..Usage::default()
            }
        );
        // The answer writes its tier beside.
        assert_eq!(read(write(Some(&usage))).to_core(), Usage { tier: None, ..usage });
    }

    #[test]
    fn what_was_not_said_is_not_zero() {
        let usage = read(json!({"input_tokens": 3, "output_tokens": 4})).to_core();
        assert_eq!((usage.cache_read, usage.reasoning), (None, None));
        assert_eq!(write(Some(&usage)), json!({"input_tokens": 3, "output_tokens": 4}));
        assert_eq!(write(None), json!({"input_tokens": 0, "output_tokens": 0}));
    }

    #[test]
    fn the_last_value_of_each_member_holds() {
        let mut usage = read(json!({"input_tokens": 25, "cache_read_input_tokens": 2, "output_tokens": 1}));
        usage.update(read(json!({"output_tokens": 48})));
        usage.update(read(json!({"input_tokens": 900, "output_tokens": 50})));
        let usage = usage.to_core();
        assert_eq!((usage.input, usage.cache_read, usage.output), (900, Some(2), 50));
    }

    #[test]
    fn iterations_are_summed_without_the_advisor() {
        let usage = read(json!({
            "input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": 0,
            "iterations": [
                {"type": "compaction", "input_tokens": 100, "output_tokens": 10},
                {"type": "message", "input_tokens": 20, "output_tokens": 2, "cache_read_input_tokens": 5},
                {"type": "advisor_message", "input_tokens": 1000, "output_tokens": 1000},
            ],
        }))
        .to_core();
        assert_eq!(
            (usage.input, usage.output, usage.cache_read, usage.cache_write),
            (120, 12, Some(5), None)
        );
    }

    #[test]
    fn stop_reasons_both_ways() {
        for (word, reason, back) in [
            ("end_turn", FinishReason::Stop, "end_turn"),
            ("stop_sequence", FinishReason::Stop, "stop_sequence"),
            ("max_tokens", FinishReason::Length, "max_tokens"),
            ("model_context_window_exceeded", FinishReason::Length, "model_context_window_exceeded"),
            ("tool_use", FinishReason::ToolCalls, "tool_use"),
            ("pause_turn", FinishReason::Stop, "pause_turn"),
            ("refusal", FinishReason::ContentFilter, "refusal"),
            ("compaction", FinishReason::Stop, "compaction"),
            ("new_word", FinishReason::Stop, "end_turn"),
        ] {
            let finish = Finish { reason: reason_of(word), raw: Some(word.into()), stop_sequence: None };
            assert_eq!((finish.reason, stop_reason(&finish)), (reason, back), "{word}");
        }
        let other = |reason, raw: &str, sequence: Option<&str>| Finish {
            reason,
            raw: Some(raw.into()),
            stop_sequence: sequence.map(str::to_owned),
        };
        assert_eq!(stop_reason(&other(FinishReason::Stop, "tool_use", None)), "end_turn");
        assert_eq!(stop_reason(&other(FinishReason::Length, "MAX_TOKENS", None)), "max_tokens");
        assert_eq!(stop_reason(&other(FinishReason::Stop, "stop", Some("x"))), "stop_sequence");
    }
}
