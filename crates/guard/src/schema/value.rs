//! `type`, `const` and `enum`.

use serde_json::{Map, Value};

use crate::js;

pub(super) fn errors(keywords: &Map<String, Value>, instance: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    if let Some(types) = keywords.get("type") {
        let names = match types {
            Value::Array(names) => names.iter().collect(),
            name => vec![name],
        };
        if !names.iter().any(|name| name.as_str().is_some_and(|name| is_type(instance, name))) {
            let expected: Vec<String> =
                names.iter().map(|name| format!("\"{}\"", js::to_text(name))).collect();
            let (found, expected) = (type_name(instance), expected.join(", "));
            errors.push(format!("Instance type \"{found}\" is invalid. Expected {expected}."));
        }
    }
    if let Some(wanted) = keywords.get("const").filter(|wanted| !same(wanted, instance)) {
        errors.push(format!("Instance does not match {wanted}."));
    }
    if let Some(values) = keywords.get("enum") {
        let listed = values.as_array().is_some_and(|values| values.iter().any(|value| same(value, instance)));
        if !listed {
            errors.push(format!("Instance does not match any of {values}."));
        }
    }
    errors
}

/// Equality of JSON Schema: `1` and `1.0` are one number. As deep as the parser lets values be.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn is_type(instance: &Value, name: &str) -> bool {
    type_name(instance) == name || (name == "integer" && js::is_integer(instance))
}

fn type_name(instance: &Value) -> &'static str {
    match instance {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
