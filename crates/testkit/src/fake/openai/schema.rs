//! What OpenAI demands of a schema with `strict: true`: each object closed, with every property required.

use super::Refusal;
use serde_json::Value;

pub(super) fn strict(schema: &Value, path: &str) -> Result<(), Refusal> {
    if let Some(properties) = schema["properties"].as_object() {
        if schema["additionalProperties"] != false {
            return Err(invalid(path, "'additionalProperties' is required to be supplied and to be false."));
        }
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(name) = properties.keys().find(|name| !required.iter().any(|r| r == *name)) {
            return Err(invalid(
                path,
                &format!("'required' must include every key in properties. Missing '{name}'."),
            ));
        }
    }
    match schema {
        Value::Object(members) => members.values().try_for_each(|value| strict(value, path)),
        Value::Array(items) => items.iter().try_for_each(|value| strict(value, path)),
        _ => Ok(()),
    }
}

fn invalid(path: &str, what: &str) -> Refusal {
    Refusal::new(400, "invalid_schema", Some(path), format!("Invalid schema: {what}"))
}
