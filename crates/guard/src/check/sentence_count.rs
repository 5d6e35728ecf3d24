//! `sentenceCount`: as many sentences as there are `.`, `!` and `?`. Empty text has none.

use serde_json::{Value, json};

use super::{CheckError, Finding, Parameters, Scene};
use crate::js;
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let (text, not) = (scene.text()?, parameters.not());
    let bounds = (parameters.get("minSentences"), parameters.get("maxSentences"));
    let (Some(Value::Number(min)), Some(Value::Number(max))) = bounds else {
        let reason = "Missing sentence count range";
        let data = js::object([
            ("explanation", Some(format!("An error occurred: {reason}").into())),
            ("minCount", parameters.copy("minSentences")),
            ("maxCount", parameters.copy("maxSentences")),
            ("not", Some(not.into())),
            ("textExcerpt", Some(js::excerpt_or_none(&text).into())),
        ]);
        return Ok(Finding::failed(CheckError::new(reason), data));
    };
    let count = text.matches(['.', '!', '?']).count();
    let is_within = min.as_f64() <= Some(count as f64) && Some(count as f64) <= max.as_f64();
    let place = if is_within { "within" } else { "outside" };
    let surprise = match (is_within, not) {
        (_, false) => "",
        (true, true) => " when it should not be",
        (false, true) => " as expected",
    };
    let (least, most) = (js::number_text(min), js::number_text(max));
    let explanation = format!(
        "The sentence count ({count}) is {place} the specified range of {least} to {most}{surprise}."
    );
    let verdict = is_within != not;
    let data = json!({
        "sentenceCount": count,
        "minCount": min,
        "maxCount": max,
        "not": not,
        "verdict": verdict,
        "explanation": explanation,
        "textExcerpt": js::excerpt(&text),
    });
    Ok(Finding::new(verdict, data))
}
