//! Bounds of numbers; lengths, patterns and formats of strings.

use serde_json::{Map, Number, Value};

use super::{Errors, Validator, bound, format};
use crate::js;

/// How far a quotient may be from a whole number: `0.3` is a multiple of `0.1`.
const MULTIPLE_TOLERANCE: f64 = 1e-9;

/// A keyword, when a value breaks its limit, and how that is said.
type Rule = (&'static str, fn(f64, f64) -> bool, &'static str);

const RULES: [Rule; 5] = [
    ("minimum", |value, least| value < least, "is less than"),
    ("maximum", |value, most| value > most, "is greater than"),
    ("exclusiveMinimum", |value, least| value <= least, "is not greater than"),
    ("exclusiveMaximum", |value, most| value >= most, "is not less than"),
    ("multipleOf", |value, factor| !is_multiple(value, factor), "is not a multiple of"),
];

pub(super) fn number(keywords: &Map<String, Value>, number: &Number) -> Vec<String> {
    let (value, shown) = (number.as_f64().unwrap_or(f64::NAN), js::number_text(number));
    let broken = RULES.into_iter().filter_map(|(keyword, breaks, words)| {
        let limit = bound(keywords, keyword).filter(|limit| breaks(value, *limit))?;
        Some(format!("{shown} {words} {limit}."))
    });
    broken.collect()
}

impl<'s> Validator<'s> {
    pub(super) fn string(&mut self, keywords: &'s Map<String, Value>, text: &str) -> Errors {
        let mut errors = Vec::new();
        let length = text.chars().count();
        if let Some(least) = bound(keywords, "minLength").filter(|least| (length as f64) < *least) {
            errors.push(format!("String is too short ({length} < {least})."));
        }
        if let Some(most) = bound(keywords, "maxLength").filter(|most| length as f64 > *most) {
            errors.push(format!("String is too long ({length} > {most})."));
        }
        if let Some(source) = keywords.get("pattern").and_then(Value::as_str)
            && !self.pattern(source)?.is_match(text)
        {
            errors.push("String does not match pattern.".to_owned());
        }
        if let Some(name) = keywords.get("format").and_then(Value::as_str)
            && !format::matches(name, text)
        {
            errors.push(format!("String does not match format \"{name}\"."));
        }
        Ok(errors)
    }
}

fn is_multiple(value: f64, factor: f64) -> bool {
    let quotient = value / factor;
    (quotient - quotient.round()).abs() < MULTIPLE_TOLERANCE
}
