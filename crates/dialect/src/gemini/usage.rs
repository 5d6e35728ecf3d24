//! Token counts of Gemini, brought to the gateway's convention.

use tidegate_core::Usage;

use super::wire::{ModalityCount, UsageMetadata};

/// Gemini counts cached tokens inside the prompt, and thoughts beside the candidates. When its total leaves no room for
/// the thoughts, they were counted inside.
pub(super) fn usage(metadata: &UsageMetadata) -> Usage {
    let prompt = metadata.prompt_token_count.saturating_add(metadata.tool_use_prompt_token_count);
    let thoughts = metadata.thoughts_token_count.unwrap_or(0);
    let candidates = metadata.candidates_token_count;
    let thoughts_inside =
        candidates >= thoughts && metadata.total_token_count == Some(prompt.saturating_add(candidates));
    let cached = metadata.cached_content_token_count;
    Usage {
        input: prompt.saturating_sub(cached.unwrap_or(0)),
        cache_read: cached,
        output: if thoughts_inside { candidates } else { candidates.saturating_add(thoughts) },
        // Counts of zero are left out on this wire.
        reasoning: Some(thoughts),
        audio_input: Some(of_modality(&metadata.prompt_tokens_details, "AUDIO").unwrap_or(0)),
        audio_output: Some(of_modality(&metadata.candidates_tokens_details, "AUDIO").unwrap_or(0)),
        image_input: of_modality(&metadata.prompt_tokens_details, "IMAGE"),
        image_output: of_modality(&metadata.candidates_tokens_details, "IMAGE"),
        reported_total: metadata.total_token_count,
        ..Usage::default()
    }
}

fn of_modality(details: &[ModalityCount], modality: &str) -> Option<u64> {
    details.iter().find(|detail| detail.modality == modality).map(|detail| detail.token_count)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_are_brought_to_one_convention() {
        let none =
            Usage { reasoning: Some(0), audio_input: Some(0), audio_output: Some(0), ..Usage::default() };
        let plain = Usage { input: 31, output: 76, reported_total: Some(107), ..none.clone() };
        for (metadata, expected) in [
            (json!({}), none),
            (
                json!({"promptTokenCount": 31, "candidatesTokenCount": 12, "thoughtsTokenCount": 64,
                       "totalTokenCount": 107}),
                Usage { reasoning: Some(64), ..plain.clone() },
            ),
            (
                json!({"promptTokenCount": 31, "candidatesTokenCount": 76, "thoughtsTokenCount": 64,
                       "totalTokenCount": 107}),
                Usage { reasoning: Some(64), ..plain.clone() },
            ),
            (
                json!({"promptTokenCount": 20, "toolUsePromptTokenCount": 11, "candidatesTokenCount": 76,
                       "totalTokenCount": 107}),
                plain.clone(),
            ),
            (
                json!({"promptTokenCount": 31, "cachedContentTokenCount": 30, "candidatesTokenCount": 76,
                       "totalTokenCount": 107,
                       "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1},
                                               {"modality": "IMAGE", "tokenCount": 30}],
                       "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 70}]}),
                Usage {
                    input: 1,
                    cache_read: Some(30),
                    image_input: Some(30),
                    audio_output: Some(70),
                    ..plain
                },
            ),
        ] {
            let metadata: UsageMetadata = serde_json::from_value(metadata).unwrap();
            assert_eq!(usage(&metadata), expected, "{metadata:?}");
        }
    }
}
