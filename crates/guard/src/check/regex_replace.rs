//! `regexReplace`: what a pattern matches is replaced in each text of the body. The rule is a plain pattern or
//! `/pattern/flags`; without the flag `g`, the first match of each text is replaced.

use serde_json::json;

use super::{CheckError, Finding, Parameters, Scene};
use crate::js;
use crate::pattern::{Pattern, PatternError, ReplacementTooLong};
use crate::text::{self, NoText};

const DEFAULT_REPLACEMENT: &str = "[REDACTED]";

/// All texts of a body after replacement. Longer ones are an error, not a truncated body.
const MAX_REPLACED_BYTES: usize = 64 << 20;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    Ok(replaced(scene, parameters).unwrap_or_else(|Failure { error, verdict }| {
        let explanation = format!("An error occurred while processing the regex: {}", error.message);
        let data = js::object([
            ("explanation", Some(explanation.into())),
            ("regexPattern", parameters.copy("rule")),
        ]);
        Finding { verdict, data, error: Some(error), transformed: None }
    }))
}

/// An error speaks for the body, as in the reference, unless it is a limit of ours: then a replacement that was asked for
/// has not been made, and `failOnError` must be able to stop the body.
struct Failure {
    error: CheckError,
    verdict: bool,
}

fn replaced(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, Failure> {
    let content = scene.content().map_err(Failure::no_text)?;
    let (rule, pattern) =
        parameters.rule().ok_or_else(|| Failure::harmless(CheckError::new("Missing regex pattern")))?;
    if matches!(text::items(content)[..], [] | [""]) {
        return Err(Failure::harmless(CheckError::new("Missing text to match")));
    }
    let pattern = pattern.map_err(Failure::of_pattern)?;
    let replacement = match parameters.get("redactText").filter(|written| js::truthy(Some(written))) {
        Some(written) => js::to_text(written),
        None => DEFAULT_REPLACEMENT.into(),
    };
    let mut room = MAX_REPLACED_BYTES;
    let replaced =
        text::items(content).into_iter().map(|text| pattern.replace(text, &replacement, &mut room));
    let replaced =
        replaced.collect::<Result<Vec<_>, _>>().map_err(|ReplacementTooLong| Failure::too_long())?;
    let transformed = if replaced.iter().any(Option::is_some) {
        Some(text::with_items(scene.body(), scene.side, scene.shape, replaced).map_err(Failure::no_text)?)
    } else {
        None
    };
    let verdict = transformed.is_none() || !parameters.flag("failOnDetection", false);
    let explanation = match &transformed {
        Some(_) => format!("Pattern '{rule}' matched and was replaced with '{replacement}'"),
        None => format!("The regex pattern '{rule}' did not match any text."),
    };
    let data = json!({"regexPattern": rule, "verdict": verdict, "explanation": explanation});
    Ok(Finding { transformed, ..Finding::new(verdict, data) })
}

impl Failure {
    fn harmless(error: CheckError) -> Self {
        Self { error, verdict: true }
    }

    fn no_text(error: NoText) -> Self {
        Self::harmless(CheckError::of_type(error.to_string()))
    }

    fn of_pattern(error: &PatternError) -> Self {
        let verdict = matches!(error, PatternError::Malformed(_));
        Self { error: CheckError::of_syntax(error), verdict }
    }

    fn too_long() -> Self {
        let error = CheckError { name: Some("RangeError"), message: "Invalid string length".to_owned() };
        Self { error, verdict: false }
    }
}

/// A rule may carry flags.
pub(super) fn compile(rule: &str) -> Result<Pattern, PatternError> {
    let (source, flags) = split_rule(rule);
    Pattern::new(source, flags)
}

/// `/pattern/flags`, where the letters are flags; anything else is a pattern as it stands.
fn split_rule(rule: &str) -> (&str, &str) {
    let between = rule.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    let has_flags = |flags: &str| flags.chars().all(|letter| "gimsuy".contains(letter));
    between.filter(|(source, flags)| !source.is_empty() && has_flags(flags)).unwrap_or((rule, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_split_at_their_last_slash() {
        for (rule, expected) in [
            ("a", ("a", "")),
            ("/a/", ("a", "")),
            ("/a/gi", ("a", "gi")),
            ("/a/b/g", ("a/b", "g")),
            ("/a/q", ("/a/q", "")),
            ("//", ("//", "")),
            ("/(", ("/(", "")),
        ] {
            assert_eq!(split_rule(rule), expected);
        }
    }
}
