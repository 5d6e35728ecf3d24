//! The `usage` objects of both dialects, and the one convention they are brought to.
//!
//! The dialects' decoders read the same objects as part of a whole answer; a table in the tests of [`super`] holds the
//! two to the same counts. Here an answer is not built, and this is several times faster.

use serde::Deserialize;
use tidegate_core::Usage;

use super::lenient::{count, object};

/// How a dialect counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Convention {
    /// Cached tokens are inside the prompt.
    OpenAi,
    /// Cached tokens stand beside the input, and a stream gives the members in several events.
    Anthropic,
}

/// The counts of one answer so far.
#[derive(Debug)]
pub(super) enum Counts {
    OpenAi,
    Anthropic(Box<AnthropicCounts>),
}

impl Counts {
    pub(super) fn new(convention: Convention) -> Self {
        match convention {
            Convention::OpenAi => Self::OpenAi,
            Convention::Anthropic => Self::Anthropic(Box::default()),
        }
    }

    /// Takes the next `usage` object and gives the totals it makes. `None` when the object holds no count.
    pub(super) fn take(&mut self, raw: &str) -> Option<Usage> {
        match self {
            Self::OpenAi => serde_json::from_str::<OpenAiCounts>(raw).ok()?.usage(),
            Self::Anthropic(counts) => {
                counts.update(serde_json::from_str(raw).ok()?);
                counts.usage()
            }
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OpenAiCounts {
    #[serde(deserialize_with = "count")]
    prompt_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    completion_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    total_tokens: Option<u64>,
    #[serde(deserialize_with = "object")]
    prompt_tokens_details: PromptDetails,
    #[serde(deserialize_with = "object")]
    completion_tokens_details: CompletionDetails,
    /// The names of OpenAI's newer API, which some vendors use in this one.
    #[serde(deserialize_with = "count")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    output_tokens: Option<u64>,
    #[serde(deserialize_with = "object")]
    input_tokens_details: PromptDetails,
    #[serde(deserialize_with = "object")]
    output_tokens_details: CompletionDetails,
    /// DeepSeek's place for the cached part, and Moonshot's.
    #[serde(deserialize_with = "count")]
    prompt_cache_hit_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    cached_tokens: Option<u64>,
    /// Perplexity's place for reasoning and searches.
    #[serde(deserialize_with = "count")]
    reasoning_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    num_search_queries: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PromptDetails {
    #[serde(deserialize_with = "count")]
    cached_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    cache_write_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    audio_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    image_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CompletionDetails {
    #[serde(deserialize_with = "count")]
    reasoning_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    audio_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    image_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    accepted_prediction_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    rejected_prediction_tokens: Option<u64>,
}

impl OpenAiCounts {
    fn usage(&self) -> Option<Usage> {
        let (details, made) = (&self.prompt_tokens_details, &self.completion_tokens_details);
        let (prompt, completion) = self.prompt_and_completion()?;
        let cache_read = details
            .cached_tokens
            .or(self.input_tokens_details.cached_tokens)
            .or(self.prompt_cache_hit_tokens)
            .or(self.cached_tokens);
        let cached = cache_read.unwrap_or(0).saturating_add(details.cache_write_tokens.unwrap_or(0));
        let reasoning =
            made.reasoning_tokens.or(self.output_tokens_details.reasoning_tokens).or(self.reasoning_tokens);
        Some(Usage {
            // More cached than read: they were counted beside.
            input: prompt.checked_sub(cached).unwrap_or(prompt),
            cache_read,
            cache_write: details.cache_write_tokens,
            cache_write_1h: None,
            output: self.output(prompt, completion, reasoning.unwrap_or(0)),
            reasoning,
            audio_input: details.audio_tokens,
            audio_output: made.audio_tokens,
            image_input: details.image_tokens,
            image_output: made.image_tokens,
            accepted_prediction: made.accepted_prediction_tokens,
            rejected_prediction: made.rejected_prediction_tokens,
            searches: self.num_search_queries,
            reported_total: self.total_tokens,
        })
    }

    fn prompt_and_completion(&self) -> Option<(u64, u64)> {
        let completion = self.completion_tokens.or(self.output_tokens);
        match (self.prompt_tokens.or(self.input_tokens), completion) {
            (Some(prompt), completion) => Some((prompt, completion.unwrap_or(0))),
            (None, Some(completion)) => {
                Some((self.total_tokens.unwrap_or(0).saturating_sub(completion), completion))
            }
            (None, None) => None,
        }
    }

    /// Completion tokens with reasoning inside: some vendors (xAI, Perplexity) count it beside.
    fn output(&self, prompt: u64, completion: u64, reasoning: u64) -> u64 {
        let both = completion.saturating_add(reasoning);
        let beside = reasoning > completion || self.total_tokens == Some(prompt.saturating_add(both));
        if beside { both } else { completion }
    }
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct AnthropicCounts {
    #[serde(deserialize_with = "count")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    cache_creation_input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    cache_read_input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    output_tokens: Option<u64>,
    #[serde(deserialize_with = "object")]
    cache_creation: CacheCreation,
    #[serde(deserialize_with = "object")]
    output_tokens_details: OutputDetails,
    #[serde(deserialize_with = "object")]
    server_tool_use: ServerToolUse,
    iterations: Option<Vec<Iteration>>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct CacheCreation {
    #[serde(deserialize_with = "count")]
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct OutputDetails {
    #[serde(deserialize_with = "count")]
    thinking_tokens: Option<u64>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct ServerToolUse {
    #[serde(deserialize_with = "count")]
    web_search_requests: Option<u64>,
}

/// One pass of the model within an answer.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Iteration {
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "count")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    cache_creation_input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    cache_read_input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    output_tokens: Option<u64>,
}

impl AnthropicCounts {
    /// The last value of each member wins; a member that an event leaves out keeps its value.
    fn update(&mut self, newer: Self) {
        fn replace(old: &mut Option<u64>, new: Option<u64>) {
            *old = new.or(*old);
        }
        replace(&mut self.input_tokens, newer.input_tokens);
        replace(&mut self.cache_creation_input_tokens, newer.cache_creation_input_tokens);
        replace(&mut self.cache_read_input_tokens, newer.cache_read_input_tokens);
        replace(&mut self.output_tokens, newer.output_tokens);
        replace(
            &mut self.cache_creation.ephemeral_1h_input_tokens,
            newer.cache_creation.ephemeral_1h_input_tokens,
        );
        replace(&mut self.output_tokens_details.thinking_tokens, newer.output_tokens_details.thinking_tokens);
        replace(&mut self.server_tool_use.web_search_requests, newer.server_tool_use.web_search_requests);
        self.iterations = newer.iterations.or(self.iterations.take());
    }

    fn usage(&self) -> Option<Usage> {
        self.input_tokens.or(self.output_tokens)?;
        let mut usage = Usage {
            input: self.input_tokens.unwrap_or(0),
            cache_read: self.cache_read_input_tokens,
            cache_write: self.cache_creation_input_tokens,
            cache_write_1h: self.cache_creation.ephemeral_1h_input_tokens,
            output: self.output_tokens.unwrap_or(0),
            reasoning: self.output_tokens_details.thinking_tokens,
            searches: self.server_tool_use.web_search_requests,
            ..Usage::default()
        };
        self.sum_iterations(&mut usage);
        Some(usage)
    }

    /// With iterations the top-level numbers leave some of them out. An advisor's are another model's.
    fn sum_iterations(&self, usage: &mut Usage) {
        let own = |iteration: &&Iteration| matches!(iteration.kind.as_str(), "message" | "compaction");
        let own: Vec<&Iteration> = self.iterations.iter().flatten().filter(own).collect();
        if own.is_empty() {
            return;
        }
        let sum = |count: fn(&Iteration) -> Option<u64>| {
            own.iter().filter_map(|iteration| count(iteration)).fold(0, u64::saturating_add)
        };
        usage.input = sum(|iteration| iteration.input_tokens);
        usage.output = sum(|iteration| iteration.output_tokens);
        usage.cache_write = usage.cache_write.map(|_| sum(|iteration| iteration.cache_creation_input_tokens));
        usage.cache_read = usage.cache_read.map(|_| sum(|iteration| iteration.cache_read_input_tokens));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openai_counts_cached_tokens_inside_the_prompt() {
        let full = r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
            "prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":10,"audio_tokens":null},
            "completion_tokens_details":{"reasoning_tokens":20,"rejected_prediction_tokens":1},"cost":0.1}"#;
        let expected = Usage {
            input: 30,
            cache_read: Some(60),
            cache_write: Some(10),
            output: 50,
            reasoning: Some(20),
            rejected_prediction: Some(1),
            reported_total: Some(150),
            ..Usage::default()
        };
        assert_eq!(Counts::OpenAi.take(full), Some(expected));
    }

    #[test]
    fn nothing_counted_is_no_usage() {
        for raw in
            ["{}", "[]", "null", r#"{"prompt_tokens":-1}"#, r#"{"total_tokens":5}"#, r#"{"queue_time":0.1}"#]
        {
            assert_eq!(Counts::OpenAi.take(raw), None, "{raw}");
            assert_eq!(Counts::new(Convention::Anthropic).take(raw), None, "{raw}");
        }
    }

    #[test]
    fn anthropic_members_keep_their_last_value() {
        let mut counts = Counts::new(Convention::Anthropic);
        assert_eq!(counts.take("{}"), None);
        counts.take(
            r#"{"input_tokens":25,"cache_creation_input_tokens":6,"cache_read_input_tokens":7,"output_tokens":1,
            "cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":4}}"#,
        );
        let end = counts.take(
            r#"{"output_tokens":48,"input_tokens":30,"output_tokens_details":{"thinking_tokens":5},
            "server_tool_use":{"web_search_requests":2}}"#,
        );
        let expected = Usage {
            input: 30,
            cache_read: Some(7),
            cache_write: Some(6),
            cache_write_1h: Some(4),
            output: 48,
            reasoning: Some(5),
            searches: Some(2),
            ..Usage::default()
        };
        assert_eq!(end, Some(expected));
    }
}
