//! JSON Schema brought to the subset of OpenAPI that Gemini takes as `parameters` and `responseSchema`.
//!
//! References are written out (a recursive one becomes an open object), unions become `anyOf` standing alone, null
//! types become `nullable`, `allOf` is merged. What the subset cannot say is left out and reported once per keyword;
//! words without effect on the values (`$schema`, `$comment`) go silently. The work is bounded in depth and size.

use serde_json::{Map, Value, json};
use tidegate_core::{ApiError, Verdict, Warnings};

const MAX_DEPTH: usize = 64;
const MAX_SCHEMAS: usize = 10_000;

/// Converts `schema`; `path` is its place in the request, for warnings and errors.
///
/// # Errors
/// A `$ref` to nothing, or a schema too deep or too large when its references are written out.
pub(super) fn convert(schema: &Value, path: &str, warnings: &mut Warnings) -> Result<Value, ApiError> {
    let mut converter =
        Converter { root: schema, path, warnings, references: Vec::new(), depth: 0, schemas: 0 };
    let mut converted = converter.schema(schema).map(Value::Object)?;
    settle_required(&mut converted);
    Ok(converted)
}

/// Whether the schema says that there are no parameters at all.
pub(super) fn is_empty_object(schema: &Value) -> bool {
    let Value::Object(members) = schema else { return true };
    let none =
        |name: &str| members.get(name).is_none_or(|value| value.as_object().is_some_and(Map::is_empty));
    let composed = ["$ref", "anyOf", "oneOf", "allOf"].iter().any(|name| members.contains_key(*name));
    none("properties") && !composed && members.get("type").is_none_or(|kind| kind == "object")
}

struct Converter<'a, 'w> {
    root: &'a Value,
    path: &'w str,
    warnings: &'w mut Warnings,
    /// The references being written out, outermost first.
    references: Vec<&'a str>,
    depth: usize,
    schemas: usize,
}

impl<'a> Converter<'a, '_> {
    fn schema(&mut self, schema: &'a Value) -> Result<Map<String, Value>, ApiError> {
        self.depth += 1;
        self.grow(1)?;
        let mut out = Map::new();
        match schema {
            Value::Object(members) => self.members(members, &mut out)?,
            Value::Bool(true) => {}
            _ => self.left_out("boolean schema"),
        }
        self.depth -= 1;
        Ok(out)
    }

    fn grow(&mut self, schemas: usize) -> Result<(), ApiError> {
        self.schemas = self.schemas.saturating_add(schemas);
        if self.depth <= MAX_DEPTH && self.schemas <= MAX_SCHEMAS {
            return Ok(());
        }
        let message = format!(
            "the schema is too large for Gemini: at most {MAX_DEPTH} levels and {MAX_SCHEMAS} schemas when its \
             references and unions are written out"
        );
        Err(ApiError::bad_request(self.path, message))
    }

    fn members(
        &mut self,
        members: &'a Map<String, Value>,
        out: &mut Map<String, Value>,
    ) -> Result<(), ApiError> {
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            *out = self.referenced(reference)?;
        }
        for (keyword, value) in members {
            self.keyword(keyword, value, out)?;
        }
        self.settle_array(out);
        self.settle_enum(out);
        self.settle_union(out)
    }

    fn keyword(
        &mut self,
        keyword: &str,
        value: &'a Value,
        out: &mut Map<String, Value>,
    ) -> Result<(), ApiError> {
        match keyword {
            "type" => types(value, out),
            "properties" => self.properties(value, out)?,
            "items" if value.is_object() => {
                let items = self.schema(value)?;
                out.insert("items".into(), items.into());
            }
            // Tuples: each place may hold any of the types.
            "items" | "prefixItems" if value.is_array() => {
                self.left_out("prefixItems");
                let variants = self.union(value, &mut Map::new())?;
                out.insert("items".into(), json!({"anyOf": variants}));
            }
            "anyOf" | "oneOf" => {
                let mut variants = self.union(value, out)?;
                match variants.len() {
                    0 => {}
                    1 => merge(out, variants.remove(0)),
                    _ => {
                        out.insert("anyOf".into(), variants.into_iter().map(Value::Object).collect());
                    }
                }
            }
            "allOf" => {
                for variant in value.as_array().into_iter().flatten() {
                    let variant = self.schema(variant)?;
                    merge(out, variant);
                }
            }
            "const" => {
                out.insert("enum".into(), json!([value]));
            }
            "format" => self.format(value, out),
            "examples" => {
                if let Some(first) = value.as_array().and_then(|examples| examples.first()) {
                    out.insert("example".into(), first.clone());
                }
            }
            "title" | "description" | "nullable" | "enum" | "minItems" | "maxItems" | "required"
            | "minProperties" | "maxProperties" | "minLength" | "maxLength" | "pattern" | "minimum"
            | "maximum" | "propertyOrdering" | "default" | "example" => {
                out.insert(keyword.into(), value.clone());
            }
            "$ref" | "$schema" | "$id" | "$anchor" | "$comment" | "$defs" | "definitions" | "deprecated"
            | "readOnly" | "writeOnly" => {}
            "additionalProperties" if *value == Value::Bool(true) => {}
            other => self.left_out(other),
        }
        Ok(())
    }

    fn properties(&mut self, value: &'a Value, out: &mut Map<String, Value>) -> Result<(), ApiError> {
        let mut properties = Map::new();
        for (name, schema) in value.as_object().into_iter().flatten() {
            properties.insert(name.clone(), self.schema(schema)?.into());
        }
        // An object without properties says nothing of them.
        if !properties.is_empty() {
            merge(out, Map::from_iter([("properties".to_owned(), properties.into())]));
        }
        Ok(())
    }

    /// The variants of a union but for null, which makes `out` nullable.
    fn union(
        &mut self,
        value: &'a Value,
        out: &mut Map<String, Value>,
    ) -> Result<Vec<Map<String, Value>>, ApiError> {
        let mut variants = Vec::new();
        for variant in value.as_array().into_iter().flatten() {
            if variant.get("type").is_some_and(|kind| kind == "null") {
                out.insert("nullable".into(), true.into());
            } else {
                variants.push(self.schema(variant)?);
            }
        }
        Ok(variants)
    }

    fn referenced(&mut self, reference: &'a str) -> Result<Map<String, Value>, ApiError> {
        if self.references.contains(&reference) {
            self.left_out("$ref (recursive)");
            return Ok(Map::from_iter([("type".to_owned(), "object".into())]));
        }
        let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let Some(target) = target else {
            let message = format!(
                "`$ref` {reference:?} points to nothing: references must be `#/...` paths inside the schema"
            );
            return Err(ApiError::bad_request(self.path, message));
        };
        self.references.push(reference);
        let out = self.schema(target)?;
        self.references.pop();
        Ok(out)
    }

    /// Gemini refuses formats that it does not know.
    fn format(&mut self, value: &Value, out: &mut Map<String, Value>) {
        match value.as_str() {
            Some("date-time" | "enum" | "float" | "double" | "int32" | "int64") => {
                out.insert("format".into(), value.clone());
            }
            _ => self.left_out("format"),
        }
    }

    /// An array must say what is in it.
    fn settle_array(&mut self, out: &mut Map<String, Value>) {
        let is_array = out.get("type").is_some_and(|kind| kind == "array");
        if is_array && out.get("items").is_none_or(|items| items.as_object().is_some_and(Map::is_empty)) {
            self.warnings.push_note(Verdict::Shaped, self.path, "items");
            out.insert("items".into(), json!({"type": "string"}));
        }
    }

    /// Only strings can be enumerated.
    fn settle_enum(&mut self, out: &mut Map<String, Value>) {
        let Some(Value::Array(mut values)) = out.shift_remove("enum") else { return };
        let given = values.len();
        values.retain(|value| !value.is_null());
        if values.len() < given {
            out.insert("nullable".into(), true.into());
        }
        if values.is_empty() || !values.iter().all(Value::is_string) {
            self.left_out("enum");
            return;
        }
        out.entry("type").or_insert_with(|| "string".into());
        out.insert("enum".into(), values.into());
    }

    /// `anyOf` must stand alone: what is beside it goes into each variant.
    fn settle_union(&mut self, out: &mut Map<String, Value>) -> Result<(), ApiError> {
        let Some(Value::Array(mut variants)) = out.shift_remove("anyOf") else { return Ok(()) };
        let beside = std::mem::take(out);
        if !beside.is_empty() {
            let copied: usize = beside.values().map(size).sum();
            self.grow(copied.saturating_mul(variants.len()))?;
            for variant in variants.iter_mut().filter_map(Value::as_object_mut) {
                merge(variant, beside.clone());
                self.settle_union(variant)?;
            }
        }
        out.insert("anyOf".into(), variants.into());
        Ok(())
    }

    fn left_out(&mut self, keyword: &str) {
        self.warnings.push_note(Verdict::Dropped, self.path, keyword);
    }
}

/// `type` may be a list; its null becomes `nullable`, several others a union.
fn types(value: &Value, out: &mut Map<String, Value>) {
    let Value::Array(kinds) = value else {
        out.insert("type".into(), value.clone());
        return;
    };
    let others: Vec<&Value> = kinds.iter().filter(|kind| *kind != "null").collect();
    if others.len() < kinds.len() {
        out.insert("nullable".into(), true.into());
    }
    match others.as_slice() {
        [] => {}
        [one] => {
            out.insert("type".into(), (*one).clone());
        }
        several => {
            out.insert("anyOf".into(), several.iter().map(|kind| json!({"type": kind})).collect());
        }
    }
}

/// Adds to `out` what `more` demands beside it.
fn merge(out: &mut Map<String, Value>, more: Map<String, Value>) {
    for (keyword, value) in more {
        match (out.get_mut(&keyword), value) {
            (Some(Value::Object(properties)), Value::Object(others)) if keyword == "properties" => {
                properties.extend(others);
            }
            (Some(Value::Array(required)), Value::Array(others)) if keyword == "required" => {
                for name in others {
                    if !required.contains(&name) {
                        required.push(name);
                    }
                }
            }
            (Some(_), _) => {}
            (None, value) => {
                out.insert(keyword, value);
            }
        }
    }
}

/// Names in `required` without a property are refused. Only when all is in place is it known which those are.
fn settle_required(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    if let Some(Value::Array(mut required)) = members.shift_remove("required") {
        let properties = members.get("properties").and_then(Value::as_object);
        required.retain(|name| {
            name.as_str().is_some_and(|name| properties.is_some_and(|all| all.contains_key(name)))
        });
        if !required.is_empty() {
            members.insert("required".into(), required.into());
        }
    }
    let properties = members.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(Map::values_mut).for_each(settle_required);
    members.get_mut("items").into_iter().for_each(settle_required);
    let variants = members.get_mut("anyOf").and_then(Value::as_array_mut);
    variants.into_iter().flatten().for_each(settle_required);
}

/// How many values `value` is made of.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Object(members) => members.values().map(size).sum(),
        Value::Array(items) => items.iter().map(size).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
