use serde_json::json;

use super::*;

fn read(value: &Value, provider: &str, endpoint: Endpoint) -> String {
    match Measured::read(value, Reading::of(provider, endpoint)) {
        Ok(measured) => {
            let mut parts: Vec<_> =
                measured.quantities.iter().map(|(meter, quantity)| format!("{meter} {quantity}")).collect();
            let inside = measured.quantities.reasoning_inside;
            parts.extend((inside > 0).then(|| format!("({inside} reasoning)")));
            parts.extend(measured.quantities.odd.then(|| "odd".to_owned()));
            parts.join(", ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn shapes_are_told_by_their_members() {
    use Endpoint::{AudioSpeech, AudioTranscriptions, ChatCompletions, ImagesGenerations};
    for (provider, endpoint, usage, expected) in [
        (
            "openai",
            ChatCompletions,
            json!({"prompt_tokens": 10, "completion_tokens": 5}),
            "input 10, output 5",
        ),
        ("openai", ChatCompletions, json!({"prompt_tokens": 10, "completion_tokens": null}), "input 10"),
        (
            "openai",
            ChatCompletions,
            json!({"prompt_tokens": 10.0, "completion_tokens": 5}),
            "input 10, output 5",
        ),
        ("voyage", ChatCompletions, json!({"total_tokens": 7}), "input 7"),
        (
            "openai",
            ChatCompletions,
            json!({"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 8}}),
            "cache_read 2, audio_in 6, audio_cache_read 2, output 5",
        ),
        (
            "moonshot",
            ChatCompletions,
            json!({"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 4}),
            "input 6, cache_read 4, output 5",
        ),
        (
            "openai",
            ChatCompletions,
            json!({"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 40}}),
            "input 10, cache_read 40, output 5, odd",
        ),
        (
            "x-ai",
            ChatCompletions,
            json!({"prompt_tokens": 10, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}),
            "input 10, output 9, reasoning 7",
        ),
        (
            "x-ai",
            ChatCompletions,
            json!({"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 19, "completion_tokens_details": {"reasoning_tokens": 7}}),
            "input 10, output 9, (7 reasoning)",
        ),
        (
            "openai",
            ChatCompletions,
            json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 22, "completion_tokens_details": {"reasoning_tokens": 7}}),
            "input 10, output 5, reasoning 7",
        ),
        (
            "openai",
            ChatCompletions,
            json!({"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 26, "completion_tokens_details": {"reasoning_tokens": 7}}),
            "input 10, output 9, reasoning 7",
        ),
        (
            "perplexity-ai",
            ChatCompletions,
            json!({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "reasoning_tokens": 4, "citation_tokens": 5, "num_search_queries": 6}),
            "input 1, output 2, reasoning 4, citation 5, web_search 6",
        ),
        ("openai", ImagesGenerations, json!({"input_tokens": 2, "output_tokens": 9}), "input 2, image_out 9"),
        (
            "openai",
            ImagesGenerations,
            json!({"input_tokens": 2, "output_tokens": 9, "output_tokens_details": {"text_tokens": 4, "image_tokens": 5}}),
            "input 2, output 4, image_out 5",
        ),
        ("openai", AudioSpeech, json!({"input_tokens": 2, "output_tokens": 9}), "input 2, audio_out 9"),
        (
            "openai",
            AudioTranscriptions,
            json!({"input_tokens": 2, "output_tokens": 9}),
            "audio_in 2, output 9",
        ),
        ("openai", AudioTranscriptions, json!({"type": "duration", "seconds": 12.34}), "audio_in_hour 12.34"),
        (
            "anthropic",
            ChatCompletions,
            json!({"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 4}}),
            "input 1, cache_read 3, cache_write 5, cache_write_1h 4, output 2",
        ),
        (
            "bedrock",
            ChatCompletions,
            json!({"inputTokens": 1, "outputTokens": 2, "cacheWriteInputTokens": 9, "cacheDetails": [{"ttl": "1h", "inputTokens": 4}]}),
            "input 1, cache_write 5, cache_write_1h 4, output 2",
        ),
        (
            "google",
            ChatCompletions,
            json!({"promptTokenCount": 10, "toolUsePromptTokenCount": 5, "cachedContentTokenCount": 6, "candidatesTokenCount": 3,
                "promptTokensDetails": [{"modality": "DOCUMENT", "tokenCount": 4}], "cacheTokensDetails": [{"modality": "DOCUMENT", "tokenCount": 2}],
                "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1}]}),
            "input 7, cache_read 4, image_in 2, image_cache_read 2, output 2, image_out 1",
        ),
        (
            "cohere",
            ChatCompletions,
            json!({"billed_units": {"search_units": 2}, "tokens": {"input_tokens": 9}}),
            "search 2",
        ),
        ("mistral-ai", ChatCompletions, json!({"pages_processed": 3, "doc_size_bytes": 4}), "page 3"),
    ] {
        assert_eq!(read(&usage, provider, endpoint), expected, "{usage}");
    }
}

#[test]
fn what_is_no_count_is_refused() {
    for usage in [
        json!(null),
        json!([]),
        json!({}),
        json!({"tokens": 3}),
        json!({"prompt_tokens": -1}),
        json!({"prompt_tokens": 1.5}),
        json!({"prompt_tokens": "10"}),
        json!({"prompt_tokens": 1e40}),
        json!({"prompt_tokens": 1, "prompt_tokens_details": 3}),
        json!({"seconds": -0.5}),
    ] {
        assert!(Measured::read(&usage, Reading::default()).is_err(), "{usage}");
    }
}

#[test]
fn an_answer_may_name_its_class_and_region() {
    let usage = json!({"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 0, "service_tier": "batch", "inference_geo": "us"});
    let measured = Measured::read(&usage, Reading::default()).unwrap();
    assert_eq!((measured.class, measured.region.as_deref()), (Some(Class::Batch), Some("inference_geo:us")));
    let usage = json!({"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 0, "service_tier": "standard", "speed": "fast"});
    assert_eq!(Measured::read(&usage, Reading::default()).unwrap().class, Some(Class::Fast));
}
