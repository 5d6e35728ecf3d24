//! `contains`: any, all or none of some words stand in the text, as written and also inside other words.

use serde_json::{Value, json};

use super::found_names::Operator;
use super::{CheckError, Finding, Parameters, Scene};
use crate::js;
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let text = match scene.text() {
        Ok(text) => text,
        Err(no_text) => return Ok(failed(no_text.to_string())),
    };
    let words = match parameters.get("words") {
        Some(Value::Array(words)) => words,
        None => return Ok(failed("Cannot read properties of undefined (reading 'filter')".to_owned())),
        Some(Value::Null) => {
            return Ok(failed("Cannot read properties of null (reading 'filter')".to_owned()));
        }
        Some(_) => return Ok(failed("words.filter is not a function".to_owned())),
    };
    let (found, missing): (Vec<&Value>, Vec<&Value>) =
        words.iter().partition(|word| text.contains(&*js::to_text(word)));
    let written = parameters.get("operator").map_or("undefined".into(), js::to_text);
    let (verdict, explanation) = match Operator::parse(&written) {
        Some(operator) => {
            let verdict = operator.holds(found.len(), missing.len());
            (verdict, operator.explain(verdict, "word"))
        }
        None => (false, format!("Check failed for '{written}' words.")),
    };
    let data = js::object([
        ("explanation", Some(explanation.into())),
        ("foundWords", Some(json!(found))),
        ("missingWords", Some(json!(missing))),
        ("operator", parameters.copy("operator")),
    ]);
    Ok(Finding::new(verdict, data))
}

fn failed(reason: String) -> Finding {
    let data = json!({"explanation": "An error occurred while processing the text.", "error": reason});
    Finding::failed(CheckError::of_type(reason), data)
}
