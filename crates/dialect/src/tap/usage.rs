//! The `usage` objects of both dialects, and the one convention they are brought to.
//!
//! The dialects' decoders read the same objects as part of a whole answer; a table in the tests of [`super`] holds the
//! two to the same counts. Here an answer is not built, and this is several times faster.

use tidegate_core::{ServiceTier, Usage};

use super::scan::{Broken, Scanner};

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

    /// Reads the next `usage` object and gives the totals it makes. `None` when it holds no count.
    pub(super) fn take(&mut self, raw: &mut Scanner<'_>) -> Result<Option<Usage>, Broken> {
        match self {
            Self::OpenAi => Ok(OpenAiCounts::read(raw)?.usage()),
            Self::Anthropic(counts) => {
                counts.update(AnthropicCounts::read(raw)?);
                Ok(counts.usage())
            }
        }
    }
}

#[derive(Default)]
struct OpenAiCounts {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
    /// The names of OpenAI's newer API, which some vendors use in this one.
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: PromptDetails,
    output_tokens_details: CompletionDetails,
    /// DeepSeek's place for the cached part, and Moonshot's.
    prompt_cache_hit_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    /// Perplexity's place for reasoning and searches.
    reasoning_tokens: Option<u64>,
    num_search_queries: Option<u64>,
}

#[derive(Default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    image_tokens: Option<u64>,
}

#[derive(Default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    image_tokens: Option<u64>,
    accepted_prediction_tokens: Option<u64>,
    rejected_prediction_tokens: Option<u64>,
}

impl PromptDetails {
    fn read(&mut self, raw: &mut Scanner<'_>) -> Result<(), Broken> {
        *self = Self::default();
        raw.object(|value, key| {
            let count = match key {
                b"cached_tokens" => &mut self.cached_tokens,
                b"cache_write_tokens" => &mut self.cache_write_tokens,
                b"audio_tokens" => &mut self.audio_tokens,
                b"image_tokens" => &mut self.image_tokens,
                _ => return value.skip(),
            };
            *count = value.count()?;
            Ok(())
        })
    }
}

impl CompletionDetails {
    fn read(&mut self, raw: &mut Scanner<'_>) -> Result<(), Broken> {
        *self = Self::default();
        raw.object(|value, key| {
            let count = match key {
                b"reasoning_tokens" => &mut self.reasoning_tokens,
                b"audio_tokens" => &mut self.audio_tokens,
                b"image_tokens" => &mut self.image_tokens,
                b"accepted_prediction_tokens" => &mut self.accepted_prediction_tokens,
                b"rejected_prediction_tokens" => &mut self.rejected_prediction_tokens,
                _ => return value.skip(),
            };
            *count = value.count()?;
            Ok(())
        })
    }
}

impl OpenAiCounts {
    fn read(raw: &mut Scanner<'_>) -> Result<Self, Broken> {
        let mut counts = Self::default();
        raw.object(|value, key| {
            let count = match key {
                b"prompt_tokens" => &mut counts.prompt_tokens,
                b"completion_tokens" => &mut counts.completion_tokens,
                b"total_tokens" => &mut counts.total_tokens,
                b"prompt_tokens_details" => return counts.prompt_tokens_details.read(value),
                b"completion_tokens_details" => return counts.completion_tokens_details.read(value),
                b"input_tokens" => &mut counts.input_tokens,
                b"output_tokens" => &mut counts.output_tokens,
                b"input_tokens_details" => return counts.input_tokens_details.read(value),
                b"output_tokens_details" => return counts.output_tokens_details.read(value),
                b"prompt_cache_hit_tokens" => &mut counts.prompt_cache_hit_tokens,
                b"cached_tokens" => &mut counts.cached_tokens,
                b"reasoning_tokens" => &mut counts.reasoning_tokens,
                b"num_search_queries" => &mut counts.num_search_queries,
                _ => return value.skip(),
            };
            *count = value.count()?;
            Ok(())
        })?;
        Ok(counts)
    }

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
            tier: None,
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

#[derive(Debug, Default)]
pub(super) struct AnthropicCounts {
    /// Of the whole answer, as far as its iterations do not say more.
    top: Counted,
    /// The part of the cache creation with a lifetime of one hour.
    one_hour: Option<u64>,
    thinking: Option<u64>,
    searches: Option<u64>,
    tier: Option<ServiceTier>,
    speed: Option<ServiceTier>,
    iterations: Vec<Iteration>,
}

/// The members that the object and each of its iterations have.
#[derive(Debug, Default)]
struct Counted {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

/// One pass of the model within an answer.
#[derive(Debug, Default)]
struct Iteration {
    /// Not another model's, as an advisor's is.
    own: bool,
    counted: Counted,
}

impl Counted {
    fn member(&mut self, value: &mut Scanner<'_>, key: &[u8]) -> Result<(), Broken> {
        let count = match key {
            b"input_tokens" => &mut self.input_tokens,
            b"cache_creation_input_tokens" => &mut self.cache_creation_input_tokens,
            b"cache_read_input_tokens" => &mut self.cache_read_input_tokens,
            b"output_tokens" => &mut self.output_tokens,
            _ => return value.skip(),
        };
        *count = value.count()?;
        Ok(())
    }
}

impl Iteration {
    fn read(raw: &mut Scanner<'_>) -> Result<Self, Broken> {
        let mut iteration = Self::default();
        raw.object(|value, key| {
            if key != b"type" {
                return iteration.counted.member(value, key);
            }
            iteration.own = matches!(value.text()?.as_deref(), Some("message" | "compaction"));
            Ok(())
        })?;
        Ok(iteration)
    }
}

impl AnthropicCounts {
    fn read(raw: &mut Scanner<'_>) -> Result<Self, Broken> {
        let mut counts = Self::default();
        raw.object(|value, key| {
            let (within, count) = match key {
                b"cache_creation" => (b"ephemeral_1h_input_tokens".as_slice(), &mut counts.one_hour),
                b"output_tokens_details" => (b"thinking_tokens".as_slice(), &mut counts.thinking),
                b"server_tool_use" => (b"web_search_requests".as_slice(), &mut counts.searches),
                b"iterations" => {
                    counts.iterations.clear();
                    return value.array(|element| {
                        counts.iterations.push(Iteration::read(element)?);
                        Ok(())
                    });
                }
                b"service_tier" => {
                    counts.tier = tier(value)?;
                    return Ok(());
                }
                b"speed" => {
                    counts.speed = tier(value)?;
                    return Ok(());
                }
                _ => return counts.top.member(value, key),
            };
            value.object(|value, key| {
                if key != within {
                    return value.skip();
                }
                *count = value.count()?;
                Ok(())
            })
        })?;
        Ok(counts)
    }

    /// The last value of each member wins; a member that an event leaves out keeps its value.
    fn update(&mut self, newer: Self) {
        fn replace(old: &mut Option<u64>, new: Option<u64>) {
            *old = new.or(*old);
        }
        let top = &mut self.top;
        replace(&mut top.input_tokens, newer.top.input_tokens);
        replace(&mut top.cache_creation_input_tokens, newer.top.cache_creation_input_tokens);
        replace(&mut top.cache_read_input_tokens, newer.top.cache_read_input_tokens);
        replace(&mut top.output_tokens, newer.top.output_tokens);
        replace(&mut self.one_hour, newer.one_hour);
        replace(&mut self.thinking, newer.thinking);
        replace(&mut self.searches, newer.searches);
        self.tier = newer.tier.or(self.tier);
        self.speed = newer.speed.or(self.speed);
        if !newer.iterations.is_empty() {
            self.iterations = newer.iterations;
        }
    }

    fn usage(&self) -> Option<Usage> {
        let top = &self.top;
        top.input_tokens.or(top.output_tokens)?;
        let mut usage = Usage {
            input: top.input_tokens.unwrap_or(0),
            cache_read: top.cache_read_input_tokens,
            cache_write: top.cache_creation_input_tokens,
            cache_write_1h: self.one_hour,
            output: top.output_tokens.unwrap_or(0),
            reasoning: self.thinking,
            searches: self.searches,
            tier: self.speed.filter(|speed| *speed != ServiceTier::Standard).or(self.tier),
            ..Usage::default()
        };
        self.sum_iterations(&mut usage);
        Some(usage)
    }

    /// With iterations the top-level numbers leave some of them out.
    fn sum_iterations(&self, usage: &mut Usage) {
        let own = || self.iterations.iter().filter(|iteration| iteration.own);
        if own().next().is_none() {
            return;
        }
        let sum = |count: fn(&Counted) -> Option<u64>| {
            own().filter_map(|iteration| count(&iteration.counted)).fold(0, u64::saturating_add)
        };
        usage.input = sum(|counted| counted.input_tokens);
        usage.output = sum(|counted| counted.output_tokens);
        usage.cache_write = usage.cache_write.map(|_| sum(|counted| counted.cache_creation_input_tokens));
        usage.cache_read = usage.cache_read.map(|_| sum(|counted| counted.cache_read_input_tokens));
    }
}

/// A tier's word; nothing for other values and words.
pub(super) fn tier(value: &mut Scanner<'_>) -> Result<Option<ServiceTier>, Broken> {
    Ok(value.text()?.as_deref().and_then(ServiceTier::of_answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(counts: &mut Counts, raw: &str) -> Option<Usage> {
        counts.take(&mut Scanner::new(raw.as_bytes())).unwrap()
    }

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
        assert_eq!(take(&mut Counts::OpenAi, full), Some(expected));
    }

    #[test]
    fn nothing_counted_is_no_usage() {
        for raw in
            ["{}", "[]", "null", r#"{"prompt_tokens":-1}"#, r#"{"total_tokens":5}"#, r#"{"queue_time":0.1}"#]
        {
            assert_eq!(take(&mut Counts::OpenAi, raw), None, "{raw}");
            assert_eq!(take(&mut Counts::new(Convention::Anthropic), raw), None, "{raw}");
        }
    }

    #[test]
    fn anthropic_members_keep_their_last_value() {
        let mut counts = Counts::new(Convention::Anthropic);
        assert_eq!(take(&mut counts, "{}"), None);
        take(
            &mut counts,
            r#"{"input_tokens":25,"cache_creation_input_tokens":6,"cache_read_input_tokens":7,"output_tokens":1,
            "cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":4}}"#,
        );
        let end = take(
            &mut counts,
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
