//! The smallest value that a JSON Schema takes, for tool arguments and structured output.
//!
//! Reads `const`, `enum`, `default`, `examples`, `$ref` (within the document), `anyOf`, `oneOf`, `allOf`, `type`,
//! `properties`, `required`, `minItems`, `items`, `minLength`, `maxLength`, `minimum`, `exclusiveMinimum`, `maximum`,
//! `exclusiveMaximum`, `multipleOf` and the usual string formats. `pattern`, `not`, `if` and the rest are not looked at.

use serde_json::{Map, Number, Value, json};

/// How deep a value may nest, and how many values it may hold.
const MAX_DEPTH: usize = 32;
const MAX_VALUES: usize = 2_000;
/// The longest string made for a `minLength`.
const MAX_LENGTH: u64 = 1_000;

/// No value within the bounds fits the schema (it may need itself).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// The smallest value for `schema`: of an object only the required members.
pub(crate) fn instance(schema: &Value) -> Result<Value, TooLarge> {
    Maker { root: schema, left: MAX_VALUES }.make(schema, MAX_DEPTH)
}

struct Maker<'a> {
    root: &'a Value,
    left: usize,
}

impl<'a> Maker<'a> {
    fn make(&mut self, schema: &'a Value, depth: usize) -> Result<Value, TooLarge> {
        let (Some(left), Some(depth)) = (self.left.checked_sub(1), depth.checked_sub(1)) else {
            return Err(TooLarge);
        };
        self.left = left;
        if let Some(given) = given(schema) {
            return Ok(given.clone());
        }
        if let Some(target) = schema["$ref"].as_str().and_then(|name| self.resolve(name)) {
            return self.make(target, depth);
        }
        if let Some(branch) = ["anyOf", "oneOf"].iter().find_map(|word| schema[*word].get(0)) {
            return self.make(branch, depth);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" => Ok(number(schema, true)),
            "number" => Ok(number(schema, false)),
            "boolean" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            _ => Ok(Value::String(text(schema))),
        }
    }

    /// `#` or a JSON pointer after it.
    fn resolve(&self, name: &str) -> Option<&'a Value> {
        self.root.pointer(name.strip_prefix('#')?)
    }

    fn object(&mut self, schema: &'a Value, depth: usize) -> Result<Value, TooLarge> {
        let mut object = Map::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            if let Value::Object(members) = self.make(part, depth)? {
                object.extend(members);
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let value = match schema["properties"].get(name) {
                Some(property) => self.make(property, depth)?,
                None => Value::String(text(&Value::Null)),
            };
            object.insert(name.to_owned(), value);
        }
        Ok(Value::Object(object))
    }

    fn array(&mut self, schema: &'a Value, depth: usize) -> Result<Value, TooLarge> {
        let wanted = schema["minItems"].as_u64().unwrap_or(0);
        (0..wanted).map(|_| self.make(&schema["items"], depth)).collect::<Result<_, _>>().map(Value::Array)
    }
}

/// A value that the schema itself states.
fn given(schema: &Value) -> Option<&Value> {
    ["const", "default"]
        .iter()
        .find_map(|word| schema.get(*word))
        .or_else(|| ["enum", "examples"].iter().find_map(|word| schema[*word].get(0)))
}

/// The type, guessed from the other words when it is not stated; of a list the first that is not null.
fn kind(schema: &Value) -> &str {
    let stated = match &schema["type"] {
        Value::String(name) => Some(name.as_str()),
        Value::Array(names) => {
            let mut names = names.iter().filter_map(Value::as_str);
            names.clone().find(|name| *name != "null").or_else(|| names.next())
        }
        _ => None,
    };
    let has = |words: &[&str]| words.iter().any(|word| schema.get(*word).is_some());
    match stated {
        Some(name) => name,
        None if has(&["properties", "required", "allOf"]) => "object",
        None if has(&["items", "minItems"]) => "array",
        None if has(&["minimum", "maximum", "exclusiveMinimum", "multipleOf"]) => "number",
        None => "string",
    }
}

fn text(schema: &Value) -> String {
    match schema["format"].as_str() {
        Some("date-time") => return "2026-01-01T00:00:00Z".to_owned(),
        Some("date") => return "2026-01-01".to_owned(),
        Some("time") => return "00:00:00Z".to_owned(),
        Some("email") => return "demo@example.com".to_owned(),
        Some("uri" | "url") => return "https://example.com/".to_owned(),
        Some("uuid") => return "00000000-0000-4000-8000-000000000000".to_owned(),
        _ => {}
    }
    let least = schema["minLength"].as_u64().unwrap_or(0).min(MAX_LENGTH);
    let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
    let wanted = usize::try_from(least.max(4).min(most)).unwrap_or(4);
    "demo".chars().chain(std::iter::repeat('.')).take(wanted).collect()
}

/// Zero when it is in range, else the nearest bound, brought to a multiple.
fn number(schema: &Value, integer: bool) -> Value {
    let bound = |word: &str| schema[word].as_f64();
    let above = bound("exclusiveMinimum").map(|n| n + 1.0);
    let least = [bound("minimum"), above].into_iter().flatten().fold(f64::NEG_INFINITY, f64::max);
    let most = [bound("maximum"), bound("exclusiveMaximum").map(|n| n - 1.0)].into_iter().flatten();
    let most = most.fold(f64::INFINITY, f64::min);
    let mut value = if least > 0.0 { least } else { most.min(0.0) };
    if let Some(step) = bound("multipleOf").filter(|step| *step > 0.0) {
        value = (value / step).ceil() * step;
    }
    if integer {
        value = if least > 0.0 { value.ceil() } else { value.floor() };
    }
    whole(value).unwrap_or_else(|| Number::from_f64(value).map_or(json!(0), Value::Number))
}

/// The number without a fraction, where that loses nothing.
fn whole(value: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (value.fract() == 0.0 && value.abs() <= EXACT).then(|| json!(value as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_the_smallest_value() {
        for (schema, expected) in [
            (json!({}), json!("demo")),
            (json!({"type": "object", "properties": {"a": {"type": "string"}}}), json!({})),
            (
                json!({"type": "object", "required": ["port", "days", "deep"], "properties": {
                    "port": {"type": "string", "enum": ["Brest", "Calais"]},
                    "days": {"type": "integer", "minimum": 1.5},
                    "deep": {"type": ["null", "boolean"]},
                }}),
                json!({"port": "Brest", "days": 2, "deep": false}),
            ),
            (json!({"required": ["x"]}), json!({"x": "demo"})),
            (json!({"type": "array", "minItems": 2, "items": {"type": "null"}}), json!([null, null])),
            (json!({"type": "array", "items": {"type": "null"}}), json!([])),
            (json!({"anyOf": [{"type": "number", "exclusiveMinimum": 3}, {"type": "null"}]}), json!(4)),
            (json!({"type": "number", "maximum": -0.5}), json!(-0.5)),
            (json!({"type": "integer", "minimum": 7, "multipleOf": 5}), json!(10)),
            (json!({"type": "string", "minLength": 6}), json!("demo..")),
            (json!({"type": "string", "maxLength": 2}), json!("de")),
            (json!({"type": "string", "format": "date"}), json!("2026-01-01")),
            (json!({"const": [1]}), json!([1])),
            (json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "boolean"}}}), json!(false)),
            (
                json!({"allOf": [{"required": ["a"]}, {"required": ["b"]}], "required": ["c"]}),
                json!({"a": "demo", "b": "demo", "c": "demo"}),
            ),
        ] {
            assert_eq!(instance(&schema), Ok(expected), "{schema}");
        }
    }

    #[test]
    fn a_schema_without_a_finite_value_is_refused() {
        let endless = json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]});
        let huge = json!({"type": "array", "minItems": 9_000_000_000u64, "items": {"const": 1}});
        let wide =
            json!({"type": "array", "minItems": 99, "items": {"type": "array", "minItems": 99, "items": {}}});
        for schema in [endless, huge, wide] {
            assert_eq!(instance(&schema), Err(TooLarge));
        }
    }
}
