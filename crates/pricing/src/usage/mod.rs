//! Usage objects as providers return them, read into disjoint quantities. One file per family of shapes; which one an
//! object is of is told by the names of its members, and those of no two families are the same.

mod anthropic;
mod bedrock;
mod cohere;
mod count;
mod gemini;
mod openai;
pub(crate) mod split;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tidegate_catalog::Endpoint;

use crate::class::Class;
use crate::names::Platform;
use crate::quantities::Quantities;

/// A usage object, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    pub quantities: Quantities,
    /// The service class, where the object names it.
    pub class: Option<Class>,
    /// The region for prices, where the object names it (`inference_geo:us`).
    pub region: Option<Box<str>>,
}

/// How to read what the object leaves open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// What undetailed tokens are.
    prompt: Kind,
    answer: Kind,
    reasoning_beside: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Text,
    Audio,
    Image,
}

/// A usage object that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageError(String);

impl Reading {
    /// As a provider (id or alias) counts at an endpoint.
    pub fn of(provider: &str, endpoint: Endpoint) -> Self {
        let (prompt, answer) = match endpoint {
            Endpoint::ImagesGenerations | Endpoint::ImagesEdits | Endpoint::ImagesVariations => {
                (Kind::Text, Kind::Image)
            }
            Endpoint::AudioSpeech => (Kind::Text, Kind::Audio),
            Endpoint::AudioTranscriptions | Endpoint::AudioTranslations => (Kind::Audio, Kind::Text),
            _ => (Kind::Text, Kind::Text),
        };
        Self { prompt, answer, reasoning_beside: Platform::of(provider).habits.reasoning_beside }
    }
}

impl Measured {
    /// Reads a usage object (`usage`, `usageMetadata`, `meta`'s billed units, `usage_info`).
    ///
    /// # Errors
    /// Not an object, no member that counts anything, or a count that is not a whole number of zero or more.
    pub fn read(usage: &Value, reading: Reading) -> Result<Self, UsageError> {
        let members = usage.as_object().ok_or_else(|| UsageError("usage is not an object".to_owned()))?;
        let has = |names: &[&str]| {
            names.iter().any(|name| members.get(*name).is_some_and(|value| !value.is_null()))
        };
        if has(&["promptTokenCount", "candidatesTokenCount", "totalTokenCount"]) {
            typed::<gemini::Metadata>(members).map(gemini::Metadata::measured)
        } else if has(&["inputTokens", "outputTokens"]) {
            typed::<bedrock::TokenUsage>(members).map(bedrock::TokenUsage::measured)
        } else if has(&["billed_units"]) {
            typed::<cohere::Meta>(members).map(cohere::Meta::measured)
        } else if has(&["pages_processed"]) {
            typed::<openai::Pages>(members).map(openai::Pages::measured)
        } else if has(&["seconds"]) && !has(&["input_tokens", "prompt_tokens"]) {
            typed::<openai::Duration>(members).map(openai::Duration::measured)
        } else if has(&anthropic::TELLING) && !has(&["prompt_tokens"]) {
            typed::<anthropic::Usage>(members).map(anthropic::Usage::measured)
        } else if has(&[
            "prompt_tokens",
            "completion_tokens",
            "total_tokens",
            "input_tokens",
            "output_tokens",
        ]) {
            typed::<openai::Usage>(members).map(|usage| usage.measured(reading))
        } else {
            Err(UsageError("usage has no count that is known".to_owned()))
        }
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

fn typed<T: DeserializeOwned>(members: &Map<String, Value>) -> Result<T, UsageError> {
    T::deserialize(members).map_err(|error| UsageError(format!("usage: {error}")))
}
