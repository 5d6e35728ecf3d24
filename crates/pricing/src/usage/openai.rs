//! The shapes of OpenAI and of all who follow it: chat, responses, realtime, images, transcriptions, embeddings.
//! DeepSeek, Moonshot, xAI and Perplexity add members of their own.

use serde::Deserialize;

use super::count::{Count, Seconds};
use super::split::{AnswerSide, CachedBy, PromptSide};
use super::{Kind, Measured, Reading};
use crate::meter::Meter;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    prompt_tokens: Count,
    completion_tokens: Count,
    total_tokens: Count,
    prompt_tokens_details: Option<Prompt>,
    completion_tokens_details: Option<Answer>,
    input_tokens: Count,
    output_tokens: Count,
    input_tokens_details: Option<Prompt>,
    output_tokens_details: Option<Answer>,
    /// Realtime and transcriptions leave out an "s".
    input_token_details: Option<Prompt>,
    output_token_details: Option<Answer>,
    /// DeepSeek.
    prompt_cache_hit_tokens: Count,
    /// Moonshot.
    cached_tokens: Count,
    /// Perplexity: beside the completion.
    reasoning_tokens: Count,
    citation_tokens: Count,
    num_search_queries: Count,
    search_context_size: Option<Box<str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Prompt {
    cached_tokens: Count,
    cache_write_tokens: Count,
    audio_tokens: Count,
    image_tokens: Count,
    video_tokens: Count,
    cached_tokens_details: Option<CachedTokens>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CachedTokens {
    audio_tokens: Count,
    image_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    text_tokens: Count,
    reasoning_tokens: Count,
    audio_tokens: Count,
    image_tokens: Count,
    video_tokens: Count,
}

impl Usage {
    pub(super) fn measured(self, reading: Reading) -> Measured {
        let mut measured = Measured::default();
        let quantities = &mut measured.quantities;
        let completion = self.completion_tokens.or(self.output_tokens);
        let rest = self.total_tokens.0.map(|total| total.saturating_sub(completion.or_zero()));
        let prompt = self.prompt_tokens.or(self.input_tokens).0.or(rest);
        let details = self.prompt_tokens_details.or(self.input_tokens_details).or(self.input_token_details);
        let cached = Count::or(self.prompt_cache_hit_tokens, self.cached_tokens);
        if let Some(total) = prompt {
            prompt_side(total, details, cached, reading).put(quantities);
        }
        let details =
            self.completion_tokens_details.or(self.output_tokens_details).or(self.output_token_details);
        if let Some(total) = completion.0 {
            let totals = (prompt.unwrap_or(0), self.total_tokens.0);
            answer_side(total, details, totals, self.reasoning_tokens, reading).put(quantities);
        }
        if self.citation_tokens.or_zero() > 0 {
            quantities.put(Meter::Citation, self.citation_tokens.or_zero());
        }
        let searches = self.num_search_queries.or_zero();
        if searches > 0 || self.search_context_size.is_some() {
            quantities.fee_per_request = self.search_context_size.is_some();
            quantities.put(Meter::WebSearch, searches);
            quantities.keys.search_context = self.search_context_size;
        }
        measured
    }
}

fn prompt_side(total: u64, details: Option<Prompt>, cached: Count, reading: Reading) -> PromptSide {
    let Some(details) = details else {
        let all = |kind| if reading.prompt == kind { total } else { 0 };
        let cached = cached.or_zero();
        return PromptSide {
            total,
            cached,
            audio: all(Kind::Audio),
            image: all(Kind::Image),
            ..PromptSide::default()
        };
    };
    PromptSide {
        total,
        cached: details.cached_tokens.or(cached).or_zero(),
        written: details.cache_write_tokens.or_zero(),
        written_1h: 0,
        audio: details.audio_tokens.or_zero(),
        image: details.image_tokens.or_zero(),
        video: details.video_tokens.or_zero(),
        cached_by: details.cached_tokens_details.map(|by| CachedBy {
            audio: by.audio_tokens.or_zero(),
            image: by.image_tokens.or_zero(),
            video: 0,
        }),
    }
}

/// `totals` are the prompt's, and that of everything.
fn answer_side(
    total: u64,
    details: Option<Answer>,
    totals: (u64, Option<u64>),
    beside: Count,
    reading: Reading,
) -> AnswerSide {
    let details = details.unwrap_or_default();
    let detailed = [details.text_tokens, details.audio_tokens, details.image_tokens]
        .iter()
        .any(|count| count.or_zero() > 0);
    let all = |kind| if reading.answer == kind && !detailed { total } else { 0 };
    let inside = details.reasoning_tokens.or_zero();
    let sum = totals.0.saturating_add(total);
    let is_beside = inside > total
        || match totals.1 {
            Some(everything) if inside > 0 && everything == sum.saturating_add(inside) => true,
            Some(everything) if everything == sum => false,
            _ => reading.reasoning_beside,
        };
    AnswerSide {
        total,
        audio: details.audio_tokens.or_zero().max(all(Kind::Audio)),
        image: details.image_tokens.or_zero().max(all(Kind::Image)),
        video: details.video_tokens.or_zero(),
        reasoning_inside: if is_beside { 0 } else { inside },
        reasoning_beside: beside.0.or(is_beside.then_some(inside)),
    }
}

/// A transcription that is billed by its length.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Duration {
    seconds: Seconds,
}

impl Duration {
    pub(super) fn measured(self) -> Measured {
        let mut measured = Measured::default();
        // One summand needs no more digits than it has.
        let _ = measured.quantities.put_decimal(Meter::AudioInHour, self.seconds.0);
        measured
    }
}

/// Mistral's OCR.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pages {
    pages_processed: Count,
}

impl Pages {
    pub(super) fn measured(self) -> Measured {
        let mut measured = Measured::default();
        measured.quantities.put(Meter::Page, self.pages_processed.or_zero());
        measured
    }
}
