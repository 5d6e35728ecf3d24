//! `endsWith`: the text ends with a suffix, or with the suffix and a full stop.

use serde_json::json;

use super::{CheckError, Finding, Parameters, Scene};
use crate::js;
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let (text, not) = (scene.text()?, parameters.not());
    let Some(suffix) = parameters.text("suffix") else {
        return Ok(failed("Missing or empty suffix", &text, parameters));
    };
    if text.is_empty() {
        return Ok(failed("Missing text to analyze", &text, parameters));
    }
    let is_exact = text.ends_with(suffix);
    let holds = is_exact || text.strip_suffix('.').is_some_and(|text| text.ends_with(suffix));
    let explanation = match (holds, not) {
        (true, true) => format!("The text ends with \"{suffix}\" when it should not."),
        (true, false) if is_exact => format!("The text ends with \"{suffix}\"."),
        (true, false) => format!("The text ends with \"{suffix}\" (including trailing period)."),
        (false, true) => format!("The text does not end with \"{suffix}\" as expected."),
        (false, false) => format!("The text does not end with \"{suffix}\"."),
    };
    let verdict = holds != not;
    let data = json!({
        "suffix": suffix,
        "not": not,
        "verdict": verdict,
        "explanation": explanation,
        "textExcerpt": js::excerpt(&text),
    });
    Ok(Finding::new(verdict, data))
}

fn failed(reason: &str, text: &str, parameters: &Parameters) -> Finding {
    let data = js::object([
        ("explanation", Some(format!("An error occurred while checking suffix: {reason}").into())),
        ("suffix", parameters.copy("suffix")),
        ("not", Some(parameters.not().into())),
        ("textExcerpt", Some(js::excerpt_or_none(text).into())),
    ]);
    Finding::failed(CheckError::new(reason), data)
}
