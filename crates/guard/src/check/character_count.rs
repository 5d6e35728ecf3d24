//! `characterCount`: UTF-16 units, white space included.

use super::count_range::CountRange;
use super::{Finding, Parameters, Scene};
use crate::js;
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let characters = CountRange {
        noun: "characters",
        count_member: "characterCount",
        min_member: "minCharacters",
        max_member: "maxCharacters",
        error_prefix: "An error occurred while counting characters",
        bad_range: "Invalid or missing character count range",
        relevant: |text| text,
        count: js::utf16_len,
    };
    characters.check(scene, parameters)
}
