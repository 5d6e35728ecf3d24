//! `jsonSchema`: JSON in the text matches a schema. Fences count before anything else in the text; of several values, the
//! first valid one counts, else the first.

use serde_json::{Value, json};

use super::{CheckError, Finding, Parameters, Scene};
use crate::found_json::{self, Candidates, Loose};
use crate::schema::{SchemaFault, Validator};
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let (text, not) = (scene.text()?, parameters.not());
    let Some(schema) = parameters.get("schema").filter(|schema| schema.is_object()) else {
        return Ok(failed("Missing or invalid JSON schema".to_owned(), not));
    };
    let found = candidates(&text);
    if !found.seen {
        let data = json!({"explanation": "No valid JSON found in the response.", "not": not});
        return Ok(Finding::new(false, data));
    }
    let (json, errors) = match best_of(found.values, schema) {
        Ok(Some(best)) => best,
        Ok(None) => return Ok(Finding::new(false, Value::Null)),
        Err(fault) => return Ok(failed(fault.to_string(), not)),
    };
    let explanation = match (errors.is_empty(), not) {
        (true, false) => "Successfully validated JSON against the provided schema.",
        (true, true) => "JSON matches the schema when it should not.",
        (false, false) => "Failed to validate JSON against the provided schema.",
        (false, true) => "Successfully validated JSON does not match the schema as expected.",
    };
    let verdict = errors.is_empty() != not;
    let errors: Vec<Value> =
        errors.into_iter().map(|message| json!({"path": "", "message": message})).collect();
    let data = json!({
        "matchedJson": json,
        "not": not,
        "explanation": explanation,
        "validationErrors": errors,
    });
    Ok(Finding::new(verdict, data))
}

fn candidates(text: &str) -> Candidates {
    let fenced = found_json::fenced(text);
    if fenced.seen { fenced } else { found_json::loose(text, Loose::ObjectsAndArrays) }
}

/// The value that counts, with what is wrong with it.
fn best_of(values: Vec<Value>, schema: &Value) -> Result<Option<(Value, Vec<String>)>, SchemaFault> {
    let mut validator = Validator::new(schema);
    let mut first = None;
    for value in values {
        let errors = validator.validate(&value)?;
        if errors.is_empty() {
            return Ok(Some((value, errors)));
        }
        first.get_or_insert((value, errors));
    }
    Ok(first)
}

fn failed(reason: String, not: bool) -> Finding {
    let explanation = "An error occurred while processing the JSON.";
    let data = json!({"explanation": explanation, "error": reason, "not": not});
    Finding::failed(CheckError::new(reason), data)
}
