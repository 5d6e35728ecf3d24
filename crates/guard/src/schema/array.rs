//! Keywords about arrays: how many items, what each must match, and whether they differ.

use serde_json::{Map, Value};

use super::{Errors, Validator, bound, under, value::same};

const ITEMS: &str = "Items did not match schema.";

impl<'s> Validator<'s> {
    pub(super) fn array(&mut self, keywords: &'s Map<String, Value>, items: &[Value]) -> Errors {
        let mut errors = Vec::new();
        let count = items.len();
        if let Some(least) = bound(keywords, "minItems").filter(|least| (count as f64) < *least) {
            errors.push(format!("Array has too few items ({count} < {least})."));
        }
        if let Some(most) = bound(keywords, "maxItems").filter(|most| count as f64 > *most) {
            errors.push(format!("Array has too many items ({count} > {most})."));
        }
        let prefix = keywords.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (schema, item) in prefix.iter().zip(items) {
            errors.extend(under(ITEMS, self.errors(schema, item)?));
        }
        if let Some(schema) = keywords.get("items") {
            for item in items.iter().skip(prefix.len()) {
                errors.extend(under(ITEMS, self.errors(schema, item)?));
            }
        }
        errors.extend(self.contains(keywords, items)?);
        if keywords.get("uniqueItems") == Some(&Value::Bool(true)) {
            errors.extend(self.duplicates(items)?);
        }
        Ok(errors)
    }

    /// `contains` with `minContains` and `maxContains`.
    fn contains(&mut self, keywords: &'s Map<String, Value>, items: &[Value]) -> Errors {
        let Some(schema) = keywords.get("contains") else { return Ok(Vec::new()) };
        let mut matches = 0u32;
        for item in items {
            matches += u32::from(self.errors(schema, item)?.is_empty());
        }
        let (found, least) = (f64::from(matches), bound(keywords, "minContains").unwrap_or(1.0));
        if found < least {
            return Ok(vec![format!("Array has too few items matching \"contains\" ({found} < {least}).")]);
        }
        let too_many = bound(keywords, "maxContains").filter(|most| found > *most);
        Ok(too_many
            .map(|most| format!("Array has too many items matching \"contains\" ({found} > {most})."))
            .into_iter()
            .collect())
    }

    /// Each pair of equal items.
    fn duplicates(&mut self, items: &[Value]) -> Errors {
        let mut errors = Vec::new();
        for (first, item) in items.iter().enumerate() {
            self.spend(items.len() - first)?;
            let later = items.iter().enumerate().skip(first + 1).filter(|(_, other)| same(item, other));
            errors
                .extend(later.map(|(second, _)| format!("Duplicate items at indexes {first} and {second}.")));
        }
        Ok(errors)
    }
}
