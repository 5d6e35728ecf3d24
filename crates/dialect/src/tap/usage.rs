//! The `usage` objects of both dialects, and the one convention they are brought to.

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
    /// DeepSeek's place for the cached part.
    #[serde(deserialize_with = "count")]
    prompt_cache_hit_tokens: Option<u64>,
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
        self.prompt_tokens.or(self.completion_tokens).or(self.total_tokens)?;
        let (prompt_details, completion_details) =
            (&self.prompt_tokens_details, &self.completion_tokens_details);
        let cache_read = prompt_details.cached_tokens.or(self.prompt_cache_hit_tokens);
        let cache_write = prompt_details.cache_write_tokens;
        let prompt = self.prompt_tokens.unwrap_or(0);
        let cached = cache_read.unwrap_or(0).saturating_add(cache_write.unwrap_or(0));
        let reasoning = completion_details.reasoning_tokens.or(self.reasoning_tokens);
        Some(Usage {
            input: prompt.saturating_sub(cached),
            cache_read,
            cache_write,
            output: self.output(prompt, reasoning.unwrap_or(0)),
            reasoning,
            audio_input: prompt_details.audio_tokens,
            audio_output: completion_details.audio_tokens,
            image_input: prompt_details.image_tokens,
            image_output: completion_details.image_tokens,
            accepted_prediction: completion_details.accepted_prediction_tokens,
            rejected_prediction: completion_details.rejected_prediction_tokens,
            searches: self.num_search_queries,
            reported_total: self.total_tokens,
            ..Usage::default()
        })
    }

    /// Some vendors (xAI) count reasoning beside the completion; their total gives it away.
    fn output(&self, prompt: u64, reasoning: u64) -> u64 {
        let completion = self.completion_tokens.unwrap_or(0);
        let with_reasoning = completion.saturating_add(reasoning);
        if self.total_tokens == Some(prompt.saturating_add(with_reasoning)) {
            with_reasoning
        } else {
            completion
        }
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
    }

    fn usage(&self) -> Option<Usage> {
        self.input_tokens.or(self.output_tokens)?;
        Some(Usage {
            input: self.input_tokens.unwrap_or(0),
            cache_read: self.cache_read_input_tokens,
            cache_write: self.cache_creation_input_tokens,
            cache_write_1h: self.cache_creation.ephemeral_1h_input_tokens,
            output: self.output_tokens.unwrap_or(0),
            reasoning: self.output_tokens_details.thinking_tokens,
            searches: self.server_tool_use.web_search_requests,
            ..Usage::default()
        })
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
    fn vendors_of_the_openai_dialect() {
        let usage = |raw| Counts::OpenAi.take(raw);
        let plain = Usage { input: 9, output: 1, ..Usage::default() };
        let cases = [
            (r#"{"prompt_tokens":9.0,"completion_tokens":1}"#, Some(plain.clone())),
            (
                r#"{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":[],"total_tokens":"x"}"#,
                Some(plain),
            ),
            (
                r#"{"prompt_tokens":4,"total_tokens":4}"#,
                Some(Usage { input: 4, reported_total: Some(4), ..Usage::default() }),
            ),
            (
                r#"{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":8}"#,
                Some(Usage { input: 1, cache_read: Some(8), output: 1, ..Usage::default() }),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":2,"total_tokens":17,"completion_tokens_details":{"reasoning_tokens":10}}"#,
                Some(Usage {
                    input: 5,
                    output: 12,
                    reasoning: Some(10),
                    reported_total: Some(17),
                    ..Usage::default()
                }),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":2,"reasoning_tokens":1,"num_search_queries":3}"#,
                Some(Usage {
                    input: 5,
                    output: 2,
                    reasoning: Some(1),
                    searches: Some(3),
                    ..Usage::default()
                }),
            ),
            (
                r#"{"prompt_tokens":1,"prompt_cache_hit_tokens":2}"#,
                Some(Usage { cache_read: Some(2), ..Usage::default() }),
            ),
            (r#"{"prompt_tokens":-1}"#, None),
            ("{}", None),
            ("[]", None),
        ];
        for (raw, expected) in cases {
            assert_eq!(usage(raw), expected, "{raw}");
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
