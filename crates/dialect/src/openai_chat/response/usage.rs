//! Token counts. OpenAI counts cached tokens inside the prompt and reasoning inside the completion; vendors that count
//! one of them beside are recognised by their own total.

use serde_json::{Map, Value};
use tidegate_core::Usage;

use super::super::member::whole;

/// `None` when the value holds no counts: `null`, or an object of timings only.
pub(in super::super) fn read_usage(value: &Value) -> Option<Usage> {
    let usage = value.as_object()?;
    let count = |name: &str| usage.get(name).and_then(whole);
    let nested = |outer: &str, name: &str| usage.get(outer)?.get(name).and_then(whole);
    let total = count("total_tokens");
    let completion = count("completion_tokens").or_else(|| count("output_tokens"));
    let prompt = count("prompt_tokens").or_else(|| count("input_tokens"));
    let (prompt, completion) = match (prompt, completion) {
        (None, None) => return None,
        (Some(prompt), completion) => (prompt, completion.unwrap_or(0)),
        (None, Some(completion)) => (total.unwrap_or(0).saturating_sub(completion), completion),
    };
    let cache_read = nested("prompt_tokens_details", "cached_tokens")
        .or_else(|| nested("input_tokens_details", "cached_tokens"))
        .or_else(|| count("prompt_cache_hit_tokens"))
        .or_else(|| count("cached_tokens"));
    let cache_write = nested("prompt_tokens_details", "cache_write_tokens");
    let reasoning = nested("completion_tokens_details", "reasoning_tokens")
        .or_else(|| nested("output_tokens_details", "reasoning_tokens"))
        .or_else(|| count("reasoning_tokens"));
    let cached = cache_read.unwrap_or(0).saturating_add(cache_write.unwrap_or(0));
    Some(Usage {
        // More cached than read: they were counted beside.
        input: prompt.checked_sub(cached).unwrap_or(prompt),
        cache_read,
        cache_write,
        cache_write_1h: None,
        output: output(prompt, completion, reasoning.unwrap_or(0), total),
        reasoning,
        audio_input: nested("prompt_tokens_details", "audio_tokens"),
        audio_output: nested("completion_tokens_details", "audio_tokens"),
        image_input: nested("prompt_tokens_details", "image_tokens"),
        image_output: nested("completion_tokens_details", "image_tokens"),
        accepted_prediction: nested("completion_tokens_details", "accepted_prediction_tokens"),
        rejected_prediction: nested("completion_tokens_details", "rejected_prediction_tokens"),
        searches: count("num_search_queries"),
        reported_total: total,
        tier: None,
    })
}

/// Completion tokens with reasoning inside (xAI and Perplexity count it beside).
fn output(prompt: u64, completion: u64, reasoning: u64, total: Option<u64>) -> u64 {
    let both = completion.saturating_add(reasoning);
    if reasoning > completion || total == Some(prompt.saturating_add(both)) { both } else { completion }
}

/// Only counts that are known; a detail nobody reported is absent, not zero. The members of Anthropic's names are
/// Portkey's, for clients that may see more than OpenAI's.
pub(in super::super) fn write_usage(usage: &Usage, strict: bool) -> Value {
    let mut written = Map::new();
    put(&mut written, "prompt_tokens", Some(usage.prompt()));
    put(&mut written, "completion_tokens", Some(usage.output));
    put(&mut written, "total_tokens", Some(usage.total()));
    let mut prompt = Map::new();
    // Clients of this shape read the member without asking: nothing said of a cache is nothing read from one.
    put(&mut prompt, "cached_tokens", Some(usage.cache_read.unwrap_or(0)));
    put(&mut prompt, "cache_write_tokens", usage.cache_write);
    put(&mut prompt, "audio_tokens", usage.audio_input);
    put(&mut prompt, "image_tokens", usage.image_input);
    put_details(&mut written, "prompt_tokens_details", prompt);
    let mut completion = Map::new();
    put(&mut completion, "reasoning_tokens", usage.reasoning);
    put(&mut completion, "audio_tokens", usage.audio_output);
    put(&mut completion, "image_tokens", usage.image_output);
    put(&mut completion, "accepted_prediction_tokens", usage.accepted_prediction);
    put(&mut completion, "rejected_prediction_tokens", usage.rejected_prediction);
    put_details(&mut written, "completion_tokens_details", completion);
    let has_cache = usage.cache_write.is_some() && usage.prompt() > usage.input;
    if has_cache && !strict {
        put(&mut written, "cache_read_input_tokens", usage.cache_read);
        put(&mut written, "cache_creation_input_tokens", usage.cache_write);
    }
    Value::Object(written)
}

fn put(members: &mut Map<String, Value>, name: &str, count: Option<u64>) {
    if let Some(count) = count {
        members.insert(name.to_owned(), Value::from(count));
    }
}

fn put_details(usage: &mut Map<String, Value>, name: &str, details: Map<String, Value>) {
    if !details.is_empty() {
        usage.insert(name.to_owned(), Value::Object(details));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conventions_of_vendors_come_to_one() {
        for (name, usage, input, cache_read, output, reasoning) in [
            (
                "openai",
                json!({"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17,
                    "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 5}}),
                6,
                Some(4),
                7,
                Some(5),
            ),
            (
                "xai: reasoning beside",
                json!({"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 22,
                    "completion_tokens_details": {"reasoning_tokens": 5}}),
                10,
                None,
                12,
                Some(5),
            ),
            (
                "xai: more cached than read",
                json!({"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 40}}),
                10,
                Some(40),
                1,
                None,
            ),
            (
                "deepseek",
                json!({"prompt_tokens": 10, "completion_tokens": 1, "prompt_cache_hit_tokens": 3, "prompt_cache_miss_tokens": 7}),
                7,
                Some(3),
                1,
                None,
            ),
            (
                "perplexity deep research",
                json!({"prompt_tokens": 10, "completion_tokens": 20, "reasoning_tokens": 500, "num_search_queries": 3}),
                10,
                None,
                520,
                Some(500),
            ),
            ("no prompt", json!({"completion_tokens": 3, "total_tokens": 10}), 7, None, 3, None),
            ("floats", json!({"prompt_tokens": 10.0, "completion_tokens": 3.0}), 10, None, 3, None),
            ("responses' names", json!({"input_tokens": 2, "output_tokens": 3}), 2, None, 3, None),
        ] {
            let got = read_usage(&usage).unwrap();
            assert_eq!(
                (got.input, got.cache_read, got.output, got.reasoning),
                (input, cache_read, output, reasoning),
                "{name}"
            );
        }
        for nothing in [json!(null), json!({}), json!({"queue_time": 0.1}), json!("x")] {
            assert_eq!(read_usage(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn written_usage_counts_the_cache_inside_the_prompt() {
        let usage = Usage {
            input: 3,
            cache_read: Some(10),
            cache_write: Some(5),
            output: 4,
            reasoning: Some(2),
            ..Usage::default()
        };
        assert_eq!(
            write_usage(&usage, true).to_string(),
            concat!(
                r#"{"prompt_tokens":18,"completion_tokens":4,"total_tokens":22,"#,
                r#""prompt_tokens_details":{"cached_tokens":10,"cache_write_tokens":5},"#,
                r#""completion_tokens_details":{"reasoning_tokens":2}}"#
            )
        );
        assert_eq!(write_usage(&usage, false)["cache_creation_input_tokens"], 5);
        assert_eq!(read_usage(&write_usage(&usage, true)), Some(Usage { reported_total: Some(22), ..usage }));
        let bare = Usage { input: 1, output: 2, ..Usage::default() };
        assert_eq!(
            write_usage(&bare, false).to_string(),
            r#"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0}}"#
        );
    }
}
