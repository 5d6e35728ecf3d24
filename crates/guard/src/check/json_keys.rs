//! `jsonKeys`: any, all or none of some keys are at the top of a JSON value in the text. Of several values, the first that is
//! as asked counts, else the one with most of the keys.

use serde_json::{Value, json};

use super::found_names::Operator;
use super::{CheckError, Finding, Parameters, Scene};
use crate::found_json::{self, Loose};
use crate::js;
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let text = scene.text()?;
    let Some(keys) = parameters.list("keys").filter(|keys| !keys.is_empty()) else {
        return Ok(failed("Missing or invalid keys array", &text, parameters));
    };
    let Some(operator) = parameters.text("operator").and_then(Operator::parse) else {
        let reason = "Invalid or missing operator (must be \"any\", \"all\", or \"none\")";
        return Ok(failed(reason, &text, parameters));
    };
    if text.is_empty() {
        return Ok(failed("Missing text to analyze", &text, parameters));
    }
    let (fenced, loose) = (found_json::fenced(&text), found_json::loose(&text, Loose::Objects));
    if !fenced.seen && !loose.seen {
        let data = json!({
            "explanation": "No valid JSON found in the text.",
            "requiredKeys": keys,
            "operator": operator.as_str(),
            "textExcerpt": js::excerpt(&text),
        });
        return Ok(Finding::new(false, data));
    }
    let best = best_of(fenced.values.into_iter().chain(loose.values), keys, operator);
    let verdict = best.json.is_some() && operator.holds(best.present.len(), best.missing.len());
    let data = json!({
        "matchedJson": best.json,
        "verdict": verdict,
        "explanation": explain(operator, verdict, &best),
        "presentKeys": best.present,
        "missingKeys": best.missing,
        "operator": operator.as_str(),
        "textExcerpt": js::excerpt(&text),
    });
    Ok(Finding::new(verdict, data))
}

/// A value of the text, and which of the keys it has.
struct Match<'k> {
    json: Option<Value>,
    present: Vec<&'k Value>,
    missing: Vec<&'k Value>,
}

fn best_of<'k>(candidates: impl Iterator<Item = Value>, keys: &'k [Value], operator: Operator) -> Match<'k> {
    let mut best = Match { json: None, present: Vec::new(), missing: keys.iter().collect() };
    for json in candidates {
        let (present, missing): (Vec<&Value>, Vec<&Value>) = keys.iter().partition(|key| has_key(&json, key));
        let holds = operator.holds(present.len(), missing.len());
        if holds || present.len() > best.present.len() {
            best = Match { json: Some(json), present, missing };
        }
        if holds {
            break;
        }
    }
    best
}

/// Whether the value has the key itself: a member, or the index of an item.
fn has_key(json: &Value, key: &Value) -> bool {
    let key = js::to_text(key);
    match json {
        Value::Object(members) => members.contains_key(&*key),
        Value::Array(items) => key.parse::<usize>().is_ok_and(|index| index < items.len()),
        _ => false,
    }
}

fn explain(operator: Operator, verdict: bool, best: &Match<'_>) -> String {
    let list = |keys: &[&Value]| keys.iter().map(|key| js::to_text(key)).collect::<Vec<_>>().join(", ");
    let (present, missing) = (list(&best.present), list(&best.missing));
    match (operator, verdict) {
        (Operator::Any, true) => {
            format!("Successfully found at least one required key. Found keys: [{present}].")
        }
        (Operator::Any, false) => format!("Failed to find any required keys. Missing keys: [{missing}]."),
        (Operator::All, true) => format!("Successfully found all required keys. Found keys: [{present}]."),
        (Operator::All, false) => format!("Failed to find all required keys. Missing keys: [{missing}]."),
        (Operator::None, true) => {
            format!("Successfully verified no required keys are present. Missing keys: [{missing}].")
        }
        (Operator::None, false) => {
            format!("Found some keys that should not be present. Found keys: [{present}].")
        }
    }
}

fn failed(reason: &str, text: &str, parameters: &Parameters) -> Finding {
    let data = js::object([
        ("explanation", Some(format!("An error occurred while processing JSON: {reason}").into())),
        ("operator", parameters.copy("operator")),
        ("requiredKeys", parameters.copy("keys")),
        ("textExcerpt", Some(js::excerpt_or_none(text).into())),
    ]);
    Finding::failed(CheckError::new(reason), data)
}
