//! `alllowercase`: no upper-case letter.

use super::letter_case::LetterCase;
use super::{Finding, Parameters, Scene};
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let lower = LetterCase { wanted: "lowercase", other: "uppercase", is_other: char::is_ascii_uppercase };
    lower.check(scene, parameters)
}
