//! `wordCount`: words are what white space separates.

use super::count_range::CountRange;
use super::{Finding, Parameters, Scene};
use crate::js;
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let words = CountRange {
        noun: "words",
        count_member: "wordCount",
        min_member: "minWords",
        max_member: "maxWords",
        error_prefix: "An error occurred while processing word count",
        bad_range: "Invalid or missing word count range",
        relevant: |text| text.trim_matches(js::is_space),
        count: |text| text.split(js::is_space).filter(|word| !word.is_empty()).count(),
    };
    words.check(scene, parameters)
}
