//! Gemini: thoughts stand beside the candidates, cached tokens are inside the prompt, modalities come as lists.

use serde::Deserialize;

use super::Measured;
use super::count::Count;
use super::split::{AnswerSide, CachedBy, PromptSide};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    prompt_token_count: Count,
    candidates_token_count: Count,
    cached_content_token_count: Count,
    thoughts_token_count: Count,
    tool_use_prompt_token_count: Count,
    prompt_tokens_details: Option<Vec<Part>>,
    cache_tokens_details: Option<Vec<Part>>,
    candidates_tokens_details: Option<Vec<Part>>,
    tool_use_prompt_tokens_details: Option<Vec<Part>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Part {
    modality: Option<Box<str>>,
    token_count: Count,
}

#[derive(Debug, Default)]
struct Parts {
    audio: u64,
    image: u64,
    video: u64,
}

impl Parts {
    fn of<'p>(parts: impl IntoIterator<Item = &'p Part>) -> Self {
        let mut sums = Self::default();
        for part in parts {
            let sum = match part.modality.as_deref() {
                Some("AUDIO") => &mut sums.audio,
                Some("IMAGE" | "DOCUMENT") => &mut sums.image,
                Some("VIDEO") => &mut sums.video,
                _ => continue,
            };
            *sum = sum.saturating_add(part.token_count.or_zero());
        }
        sums
    }
}

impl Metadata {
    pub(super) fn measured(self) -> Measured {
        let mut measured = Measured::default();
        let parts = [&self.prompt_tokens_details, &self.tool_use_prompt_tokens_details];
        let of = Parts::of(parts.into_iter().flatten().flatten());
        let prompt = PromptSide {
            total: self
                .prompt_token_count
                .or_zero()
                .saturating_add(self.tool_use_prompt_token_count.or_zero()),
            cached: self.cached_content_token_count.or_zero(),
            audio: of.audio,
            image: of.image,
            video: of.video,
            cached_by: self.cache_tokens_details.as_ref().map(|parts| {
                let of = Parts::of(parts);
                CachedBy { audio: of.audio, image: of.image, video: of.video }
            }),
            ..PromptSide::default()
        };
        prompt.put(&mut measured.quantities);
        // A blocked answer has no candidates and no count of them.
        if self.candidates_token_count.0.is_some() || self.thoughts_token_count.0.is_some() {
            let of = Parts::of(self.candidates_tokens_details.iter().flatten());
            let answer = AnswerSide {
                total: self.candidates_token_count.or_zero(),
                audio: of.audio,
                image: of.image,
                video: of.video,
                reasoning_inside: 0,
                reasoning_beside: self.thoughts_token_count.0,
            };
            answer.put(&mut measured.quantities);
        }
        measured
    }
}
