//! The rule that `alluppercase` and `alllowercase` share: no ASCII letter of the other case. Text without letters passes.

use serde_json::json;

use super::{CheckError, Finding, Parameters, Scene};
use crate::js;
use crate::text::NoText;

/// The case that is asked for, and what breaks it.
pub(super) struct LetterCase {
    pub(super) wanted: &'static str,
    pub(super) other: &'static str,
    pub(super) is_other: fn(&char) -> bool,
}

impl LetterCase {
    pub(super) fn check(&self, scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
        let (text, not) = (scene.text()?, parameters.not());
        let Self { wanted, other, is_other } = self;
        if text.is_empty() {
            let reason = "Missing text to analyze";
            let data = json!({
                "explanation": format!("An error occurred while checking {wanted}: {reason}"),
                "not": not,
                "textExcerpt": js::excerpt_or_none(&text),
            });
            return Ok(Finding::failed(CheckError::new(reason), data));
        }
        let holds = !text.chars().any(|c| is_other(&c));
        let explanation = match (holds, not) {
            (true, false) => format!("All alphabetic characters in the text are {wanted}."),
            (true, true) => {
                format!("All alphabetic characters in the text are {wanted} when they should not be.")
            }
            (false, false) => format!("The text contains {other} characters."),
            (false, true) => format!("The text contains {other} characters as expected."),
        };
        let verdict = holds != not;
        let excerpt = js::excerpt(&text);
        let data =
            json!({"verdict": verdict, "not": not, "explanation": explanation, "textExcerpt": excerpt});
        Ok(Finding::new(verdict, data))
    }
}
