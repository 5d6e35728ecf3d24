//! JSON Schema 2020-12, the keywords people write for models: types, values, bounds, properties, items, combinations,
//! references within the document, common formats.
//!
//! A keyword that would decide and is not known here makes the schema unusable rather than weaker. Work is bounded by steps
//! and depth, whatever the schema refers to.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::pattern::Pattern;

mod array;
mod combine;
mod format;
mod object;
mod scalar;
mod value;

/// Subschemas applied, pairs of items compared and errors found, over all instances of a text.
const MAX_STEPS: u32 = 200_000;
const MAX_DEPTH: u32 = 100;

/// Keywords that decide and are not implemented.
const UNSUPPORTED: [&str; 6] =
    ["$dynamicRef", "$recursiveRef", "dependencies", "extends", "unevaluatedItems", "unevaluatedProperties"];

/// Keywords that decide, by the kind of value they take. Those with a subschema are checked when it is applied.
const OBJECTS: [&str; 4] = ["dependentRequired", "dependentSchemas", "patternProperties", "properties"];
const ARRAYS: [&str; 6] = ["allOf", "anyOf", "enum", "oneOf", "prefixItems", "required"];
const STRINGS: [&str; 3] = ["$ref", "format", "pattern"];
const NUMBERS: [&str; 13] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
];

/// The schema itself cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaFault(String);

/// One schema, and the work it may still cause.
pub(crate) struct Validator<'s> {
    root: &'s Value,
    steps: u32,
    depth: u32,
    /// Each pattern of the schema, compiled once.
    patterns: HashMap<&'s str, Pattern>,
}

/// Errors of a keyword, in order.
type Errors = Result<Vec<String>, SchemaFault>;

impl<'s> Validator<'s> {
    pub(crate) fn new(schema: &'s Value) -> Self {
        Self { root: schema, steps: 0, depth: 0, patterns: HashMap::new() }
    }

    /// What is wrong with the instance, outermost first; empty when it is valid.
    pub(crate) fn validate(&mut self, instance: &Value) -> Errors {
        self.errors(self.root, instance)
    }

    /// Applies one subschema.
    fn errors(&mut self, schema: &'s Value, instance: &Value) -> Errors {
        self.spend(1)?;
        let keywords = match schema {
            Value::Bool(true) => return Ok(Vec::new()),
            Value::Bool(false) => return Ok(vec!["False boolean schema.".to_owned()]),
            Value::Object(keywords) => keywords,
            _ => return Err(SchemaFault::new("a schema must be an object or a boolean")),
        };
        refuse_unusable(keywords)?;
        if self.depth == MAX_DEPTH {
            return Err(SchemaFault::new("the schema nests too deeply"));
        }
        self.depth += 1;
        let errors = self.keyword_errors(keywords, instance)?;
        self.depth -= 1;
        self.spend(errors.len())?;
        Ok(errors)
    }

    fn keyword_errors(&mut self, keywords: &'s Map<String, Value>, instance: &Value) -> Errors {
        let mut errors = self.reference(keywords, instance)?;
        errors.extend(value::errors(keywords, instance));
        errors.extend(self.combined(keywords, instance)?);
        match instance {
            Value::Object(members) => errors.extend(self.object(keywords, members)?),
            Value::Array(items) => errors.extend(self.array(keywords, items)?),
            Value::Number(number) => errors.extend(scalar::number(keywords, number)),
            Value::String(text) => errors.extend(self.string(keywords, text)?),
            Value::Null | Value::Bool(_) => {}
        }
        Ok(errors)
    }

    /// `$ref` to a place in the same document.
    fn reference(&mut self, keywords: &'s Map<String, Value>, instance: &Value) -> Errors {
        let Some(reference) = keywords.get("$ref") else { return Ok(Vec::new()) };
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let target = pointer.and_then(|pointer| self.root.pointer(pointer));
        let target = target.ok_or_else(|| SchemaFault(format!("Unresolved $ref {reference}.")))?;
        Ok(under("A subschema had errors.", self.errors(target, instance)?))
    }

    fn pattern(&mut self, source: &'s str) -> Result<Pattern, SchemaFault> {
        if let Some(pattern) = self.patterns.get(source) {
            return Ok(pattern.clone());
        }
        let pattern = Pattern::new(source, "u").map_err(|error| SchemaFault(error.to_string()))?;
        self.patterns.insert(source, pattern.clone());
        Ok(pattern)
    }

    fn spend(&mut self, steps: usize) -> Result<(), SchemaFault> {
        self.steps = self.steps.saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
        if self.steps > MAX_STEPS { Err(SchemaFault::new("the schema takes too many steps")) } else { Ok(()) }
    }
}

impl SchemaFault {
    fn new(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl fmt::Display for SchemaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A keyword that would be passed over in silence makes the schema unusable.
fn refuse_unusable(keywords: &Map<String, Value>) -> Result<(), SchemaFault> {
    let unusable = keywords.iter().find_map(|(keyword, value)| {
        let is_in = |list: &[&str]| list.contains(&keyword.as_str());
        let wrong = if is_in(&UNSUPPORTED) {
            "is not supported"
        } else if is_in(&OBJECTS) && !value.is_object() {
            "must be an object"
        } else if is_in(&ARRAYS) && !value.is_array() {
            "must be an array"
        } else if is_in(&STRINGS) && !value.is_string() {
            "must be a string"
        } else if is_in(&NUMBERS) && !value.is_number() {
            "must be a number"
        } else {
            return None;
        };
        Some(SchemaFault(format!("the keyword \"{keyword}\" {wrong}")))
    });
    unusable.map_or(Ok(()), Err)
}

/// The errors of a subschema under what they mean here; nothing when there are none.
fn under(heading: impl Into<String>, errors: Vec<String>) -> Vec<String> {
    if errors.is_empty() { errors } else { std::iter::once(heading.into()).chain(errors).collect() }
}

/// A keyword's bound, where it is a number.
fn bound(keywords: &Map<String, Value>, keyword: &str) -> Option<f64> {
    keywords.get(keyword)?.as_f64()
}

#[cfg(test)]
mod tests;
