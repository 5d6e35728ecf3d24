//! Cohere: the billed units count, not the tokens beside them.

use serde::Deserialize;

use super::Measured;
use super::count::Count;
use super::split::{AnswerSide, PromptSide};
use crate::meter::Meter;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Meta {
    billed_units: Units,
    cached_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Units {
    input_tokens: Count,
    image_tokens: Count,
    output_tokens: Count,
    search_units: Count,
}

impl Meta {
    pub(super) fn measured(self) -> Measured {
        let mut measured = Measured::default();
        let units = self.billed_units;
        let image = units.image_tokens.or_zero();
        if units.input_tokens.0.is_some() || image > 0 {
            let total = units.input_tokens.or_zero().saturating_add(image);
            let cached = self.cached_tokens.or_zero().min(units.input_tokens.or_zero());
            PromptSide { total, cached, image, ..PromptSide::default() }.put(&mut measured.quantities);
        }
        if let Some(total) = units.output_tokens.0 {
            AnswerSide { total, ..AnswerSide::default() }.put(&mut measured.quantities);
        }
        if let Some(searches) = units.search_units.0 {
            measured.quantities.put(Meter::Search, searches);
        }
        measured
    }
}
