//! The subset of JSON Schema that `parameters` and `responseSchema` are written in.

use super::super::shape::{Kind, Member, check, join, may};
use super::Refusal;
use serde_json::Value;

const TYPES: &[&str] = &["string", "number", "integer", "boolean", "array", "object", "null"];

const MEMBERS: &[Member] = &[
    may("type", Kind::Text),
    may("format", Kind::Text),
    may("title", Kind::Text),
    may("description", Kind::Text),
    may("nullable", Kind::Flag),
    may("enum", Kind::List),
    may("items", Kind::Object),
    may("minItems", Kind::Any),
    may("maxItems", Kind::Any),
    may("properties", Kind::Object),
    may("required", Kind::List),
    may("minProperties", Kind::Any),
    may("maxProperties", Kind::Any),
    may("minLength", Kind::Any),
    may("maxLength", Kind::Any),
    may("pattern", Kind::Text),
    may("minimum", Kind::Number(f64::MIN, f64::MAX)),
    may("maximum", Kind::Number(f64::MIN, f64::MAX)),
    may("anyOf", Kind::List),
    may("propertyOrdering", Kind::List),
    may("default", Kind::Any),
    may("example", Kind::Any),
];

pub(super) fn check_schema(schema: &Value, path: &str) -> Result<(), Refusal> {
    let object = check(schema, path, MEMBERS)?;
    let kind = schema["type"].as_str().map(str::to_lowercase);
    if kind.as_deref().is_some_and(|kind| !TYPES.contains(&kind)) {
        return Err(Refusal::invalid(format!("Invalid value at '{path}.type' (type.googleapis.com/Type)")));
    }
    let properties = schema["properties"].as_object();
    if kind.as_deref() == Some("object") && properties.is_some_and(serde_json::Map::is_empty) {
        return Err(Refusal::invalid(format!("* {path}.properties: should be non-empty for OBJECT type")));
    }
    if object.get("enum").and_then(Value::as_array).is_some_and(|values| !values.iter().all(Value::is_string))
    {
        return Err(Refusal::invalid(format!("Invalid value at '{path}.enum' (TYPE_STRING)")));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let known = name.as_str().is_some_and(|name| properties.is_some_and(|p| p.contains_key(name)));
        if !known {
            return Err(Refusal::invalid(format!("* {path}.required: property is not defined")));
        }
    }
    for (name, property) in properties.into_iter().flatten() {
        check_schema(property, &join(&format!("{path}.properties"), name))?;
    }
    if let Some(items) = object.get("items").filter(|items| !items.is_null()) {
        check_schema(items, &format!("{path}.items"))?;
    }
    for (at, branch) in schema["anyOf"].as_array().into_iter().flatten().enumerate() {
        check_schema(branch, &format!("{path}.anyOf[{at}]"))?;
    }
    Ok(())
}
