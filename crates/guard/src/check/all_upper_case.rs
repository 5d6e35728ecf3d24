//! `alluppercase`: no lower-case letter.

use super::letter_case::LetterCase;
use super::{Finding, Parameters, Scene};
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let upper = LetterCase { wanted: "uppercase", other: "lowercase", is_other: char::is_ascii_lowercase };
    upper.check(scene, parameters)
}
