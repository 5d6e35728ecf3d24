//! Keywords about objects: which members there must be, may be, and what each must match.

use serde_json::{Map, Value};

use super::{Errors, Validator, bound, under};

type Members = Map<String, Value>;

impl<'s> Validator<'s> {
    pub(super) fn object(&mut self, keywords: &'s Members, members: &Members) -> Errors {
        let mut errors = missing(keywords, members);
        let count = members.len();
        if let Some(least) = bound(keywords, "minProperties").filter(|least| (count as f64) < *least) {
            errors.push(format!("Instance does not have at least {least} properties."));
        }
        if let Some(most) = bound(keywords, "maxProperties").filter(|most| count as f64 > *most) {
            errors.push(format!("Instance does not have at most {most} properties."));
        }
        errors.extend(self.names(keywords, members)?);
        errors.extend(self.dependent(keywords, members)?);
        errors.extend(self.properties(keywords, members)?);
        Ok(errors)
    }

    fn names(&mut self, keywords: &'s Members, members: &Members) -> Errors {
        let Some(schema) = keywords.get("propertyNames") else { return Ok(Vec::new()) };
        let mut errors = Vec::new();
        for name in members.keys() {
            let found = self.errors(schema, &Value::String(name.clone()))?;
            errors.extend(under(format!("Property name \"{name}\" does not match schema."), found));
        }
        Ok(errors)
    }

    /// `dependentRequired` and `dependentSchemas`.
    fn dependent(&mut self, keywords: &'s Members, members: &Members) -> Errors {
        let mut errors = Vec::new();
        for (name, needed) in
            object(keywords, "dependentRequired").filter(|(name, _)| members.contains_key(*name))
        {
            let missing = names_in(needed).filter(|needed| !members.contains_key(*needed));
            errors.extend(
                missing.map(|needed| format!("Instance has \"{name}\" but does not have \"{needed}\".")),
            );
        }
        for (name, schema) in
            object(keywords, "dependentSchemas").filter(|(name, _)| members.contains_key(*name))
        {
            let found = self.errors(schema, &Value::Object(members.clone()))?;
            errors.extend(under(
                format!("Instance has \"{name}\" but does not match dependent schema."),
                found,
            ));
        }
        Ok(errors)
    }

    /// `properties`, `patternProperties`, and `additionalProperties` for the rest.
    fn properties(&mut self, keywords: &'s Members, members: &Members) -> Errors {
        let mut errors = Vec::new();
        for (name, schema) in object(keywords, "properties") {
            if let Some(value) = members.get(name) {
                let found = self.errors(schema, value)?;
                errors.extend(under(format!("Property \"{name}\" does not match schema."), found));
            }
        }
        let mut patterns = Vec::new();
        for (source, schema) in object(keywords, "patternProperties") {
            let pattern = self.pattern(source)?;
            for (name, value) in members.iter().filter(|(name, _)| pattern.is_match(name)) {
                let found = self.errors(schema, value)?;
                let heading = format!(
                    "Property \"{name}\" matches pattern \"{source}\" but does not match associated schema."
                );
                errors.extend(under(heading, found));
            }
            patterns.push(pattern);
        }
        let Some(schema) = keywords.get("additionalProperties") else { return Ok(errors) };
        let named = keywords.get("properties").and_then(Value::as_object);
        for (name, value) in members {
            let is_known = named.is_some_and(|named| named.contains_key(name))
                || patterns.iter().any(|pattern| pattern.is_match(name));
            if !is_known {
                let found = self.errors(schema, value)?;
                let heading = format!("Property \"{name}\" does not match additional properties schema.");
                errors.extend(under(heading, found));
            }
        }
        Ok(errors)
    }
}

fn missing(keywords: &Members, members: &Members) -> Vec<String> {
    let required = keywords.get("required").into_iter().flat_map(names_in);
    required
        .filter(|name| !members.contains_key(*name))
        .map(|name| format!("Instance does not have required property \"{name}\"."))
        .collect()
}

/// The members of a keyword that is an object.
fn object<'k>(keywords: &'k Members, keyword: &str) -> impl Iterator<Item = (&'k String, &'k Value)> {
    keywords.get(keyword).and_then(Value::as_object).into_iter().flatten()
}

/// The texts of a list; other items name nothing.
fn names_in(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
