//! Subschemas applied to the same instance: `not`, `anyOf`, `allOf`, `oneOf`, `if`.

use serde_json::{Map, Value};

use super::{Errors, SchemaFault, Validator, under};

impl<'s> Validator<'s> {
    pub(super) fn combined(&mut self, keywords: &'s Map<String, Value>, instance: &Value) -> Errors {
        let mut errors = Vec::new();
        if let Some(schema) = keywords.get("not")
            && self.errors(schema, instance)?.is_empty()
        {
            errors.push("Instance matched \"not\" schema.".to_owned());
        }
        if let Some(schemas) = keywords.get("anyOf").and_then(Value::as_array) {
            let (valid, found) = self.count_valid(schemas, instance)?;
            if valid == 0 {
                errors.push("Instance does not match any subschemas.".to_owned());
                errors.extend(found);
            }
        }
        if let Some(schemas) = keywords.get("allOf").and_then(Value::as_array) {
            let (_, found) = self.count_valid(schemas, instance)?;
            errors.extend(under("Instance does not match every subschema.", found));
        }
        if let Some(schemas) = keywords.get("oneOf").and_then(Value::as_array) {
            let (valid, found) = self.count_valid(schemas, instance)?;
            if valid != 1 {
                errors.push(format!("Instance does not match exactly one subschema ({valid} matches)."));
                errors.extend(found);
            }
        }
        errors.extend(self.conditional(keywords, instance)?);
        Ok(errors)
    }

    fn conditional(&mut self, keywords: &'s Map<String, Value>, instance: &Value) -> Errors {
        let Some(condition) = keywords.get("if") else { return Ok(Vec::new()) };
        let branch = if self.errors(condition, instance)?.is_empty() { "then" } else { "else" };
        let Some(schema) = keywords.get(branch) else { return Ok(Vec::new()) };
        Ok(under(format!("Instance does not match \"{branch}\" schema."), self.errors(schema, instance)?))
    }

    /// How many subschemas hold, and the errors of the others.
    fn count_valid(
        &mut self,
        schemas: &'s [Value],
        instance: &Value,
    ) -> Result<(usize, Vec<String>), SchemaFault> {
        let mut valid = 0;
        let mut errors = Vec::new();
        for schema in schemas {
            let found = self.errors(schema, instance)?;
            valid += usize::from(found.is_empty());
            errors.extend(found);
        }
        Ok((valid, errors))
    }
}
