//! `regexMatch`: a JavaScript pattern without flags matches somewhere in the text.

use regex::Captures;
use serde_json::{Map, Value, json};

use super::{CheckError, Finding, Parameters, Scene};
use crate::js;
use crate::pattern::{Pattern, PatternError};
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let text = scene.text()?;
    let Some((rule, pattern)) = parameters.rule() else {
        return Ok(failed(CheckError::new("Missing regex pattern"), &text, parameters));
    };
    if text.is_empty() {
        return Ok(failed(CheckError::new("Missing text to match"), &text, parameters));
    }
    let pattern = match pattern {
        Ok(pattern) => pattern,
        Err(error) => return Ok(failed(CheckError::of_syntax(error), &text, parameters)),
    };
    let (found, not) = (pattern.find(&text), parameters.not());
    let verdict = found.is_some() != not;
    let explanation = match (found.is_some(), not) {
        (true, false) => format!("The regex pattern '{rule}' successfully matched the text."),
        (true, true) => format!("The regex pattern '{rule}' matched the text when it should not have."),
        (false, false) => format!("The regex pattern '{rule}' did not match the text."),
        (false, true) => format!("The regex pattern '{rule}' did not match the text as expected."),
    };
    let data = json!({
        "regexPattern": rule,
        "not": not,
        "verdict": verdict,
        "explanation": explanation,
        "matchDetails": found.map(|captures| details(pattern, &captures, &text)),
        "textExcerpt": js::excerpt(&text),
    });
    Ok(Finding::new(verdict, data))
}

/// A rule is a pattern as it stands.
pub(super) fn compile(rule: &str) -> Result<Pattern, PatternError> {
    Pattern::new(rule, "")
}

/// What matched, where in UTF-16 units, and what each group holds. Named groups that hold nothing are left out.
fn details(pattern: &Pattern, captures: &Captures<'_>, text: &str) -> Value {
    let group = |at: usize| captures.get(at).map(|group| group.as_str());
    let named: Map<String, Value> = pattern
        .group_names()
        .enumerate()
        .filter_map(|(at, name)| Some((name?.to_owned(), group(at)?.into())))
        .collect();
    let start = captures.get(0).map_or(0, |whole| whole.start());
    json!({
        "matchedText": group(0),
        "index": js::utf16_len(&text[..start]),
        "groups": named,
        "captures": (1..captures.len()).map(group).collect::<Vec<_>>(),
    })
}

fn failed(error: CheckError, text: &str, parameters: &Parameters) -> Finding {
    let explanation = format!("An error occurred while processing the regex: {}", error.message);
    let data = js::object([
        ("explanation", Some(explanation.into())),
        ("regexPattern", parameters.copy("rule")),
        ("not", Some(parameters.not().into())),
        ("textExcerpt", Some(js::excerpt_or_none(text).into())),
    ]);
    Finding::failed(error, data)
}
