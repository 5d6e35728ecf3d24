//! Tokens from usage objects as answers have them.

use serde_json::{Map, Value};
use tidegate_core::Usage;

/// `None`: it counts nothing that is known.
pub(super) fn of(usage: &Map<String, Value>) -> Option<Usage> {
    let count = |names: &[&str]| names.iter().find_map(|name| whole(usage.get(*name)?));
    let detail =
        |groups: &[&str], name: &str| groups.iter().find_map(|group| whole(usage.get(*group)?.get(name)?));
    let prompt =
        count(&["prompt_tokens", "input_tokens", "promptTokenCount", "inputTokens", "prompt_token_count"]);
    let output = count(&[
        "completion_tokens",
        "output_tokens",
        "candidatesTokenCount",
        "outputTokens",
        "candidates_token_count",
    ]);
    if prompt.is_none() && output.is_none() {
        return None;
    }
    let written = count(&["cache_creation_input_tokens", "cacheWriteInputTokens"]);
    let beside = count(&["cache_read_input_tokens", "cacheReadInputTokens"]);
    let inside = detail(&["prompt_tokens_details", "input_tokens_details"], "cached_tokens")
        .or_else(|| count(&["cachedContentTokenCount"]));
    let prompt = prompt.unwrap_or(0);
    let answer = ["completion_tokens_details", "output_tokens_details"];
    Some(Usage {
        // Anthropic counts what was cached beside the rest, others within it.
        input: if beside.is_some() || written.is_some() {
            prompt
        } else {
            prompt.saturating_sub(inside.unwrap_or(0))
        },
        cache_read: beside.or(inside.map(|inside| inside.min(prompt))),
        cache_write: written,
        output: output.unwrap_or(0),
        reasoning: detail(&answer, "reasoning_tokens"),
        audio_input: detail(&["prompt_tokens_details", "input_tokens_details"], "audio_tokens")
            .filter(|audio| *audio > 0),
        audio_output: detail(&answer, "audio_tokens").filter(|audio| *audio > 0),
        reported_total: count(&["total_tokens", "totalTokenCount", "totalTokens"]),
        ..Usage::default()
    })
}

/// A whole number, also one that came as a text or a float: counts of more than any model reads are none.
pub(super) fn whole(value: &Value) -> Option<u64> {
    const MOST: f64 = 1e12;
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    ((0.0..=MOST).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cached_tokens_inside_and_beside() {
        let read = |value: Value| of(value.as_object().unwrap());
        let usage = read(
            json!({"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 40}}),
        );
        let usage = usage.unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.output, usage.prompt()), (60, Some(40), 5, 100));
        let usage =
            read(json!({"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 90})).unwrap();
        assert_eq!((usage.input, usage.prompt()), (10, 100));
        assert_eq!(read(json!({"input_tokens": "7", "output_tokens": 2.0})).unwrap().total(), 9);
        for nothing in
            [json!({}), json!({"input_tokens": -1}), json!({"prompt_tokens": 1e30}), json!({"x": 1})]
        {
            assert_eq!(read(nothing.clone()), None, "{nothing}");
        }
    }
}
