//! The few conversions of JavaScript that checks are defined by: truth, text, lengths in UTF-16 units, white space.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// Units of text that reports repeat.
const EXCERPT_UNITS: usize = 100;

/// `Boolean(value)`; `None` stands for `undefined`.
pub(crate) fn truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(_) | Value::Object(_)) => true,
    }
}

/// `String(value)`, with objects and arrays as JSON.
pub(crate) fn to_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        Value::Number(number) => number_text(number).into(),
        other => other.to_string().into(),
    }
}

/// `1.0` is `1`.
pub(crate) fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 1e21 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

/// Whether the number is whole, however it is written (`Number.isInteger`).
pub(crate) fn is_integer(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.is_finite() && number.fract() == 0.0)
}

/// `text.length`.
pub(crate) fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// What `trim` and `\s` take for white space.
pub(crate) fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// The first 100 UTF-16 units, and `...` if there are more. A pair of units is not torn.
pub(crate) fn excerpt(text: &str) -> String {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > EXCERPT_UNITS {
            return format!("{}...", &text[..at]);
        }
    }
    text.to_owned()
}

/// The excerpt of a report about text that could not be judged.
pub(crate) fn excerpt_or_none(text: &str) -> String {
    if text.is_empty() { "No text available".to_owned() } else { excerpt(text) }
}

/// An object without its undefined members.
pub(crate) fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let defined = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(defined.collect::<Map<String, Value>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn truth() {
        for (value, expected) in [
            (json!(null), false),
            (json!(false), false),
            (json!(0), false),
            (json!(0.0), false),
            (json!(""), false),
            (json!("no"), true),
            (json!(-1), true),
            (json!([]), true),
            (json!({}), true),
        ] {
            assert_eq!(truthy(Some(&value)), expected, "{value}");
        }
        assert!(!truthy(None));
    }

    #[test]
    fn excerpts_count_utf16_units_and_do_not_tear_pairs() {
        assert_eq!(excerpt(&"x".repeat(100)), "x".repeat(100));
        assert_eq!(excerpt(&"x".repeat(101)), format!("{}...", "x".repeat(100)));
        assert_eq!(excerpt(&format!("{}😀", "x".repeat(99))), format!("{}...", "x".repeat(99)));
        assert_eq!(excerpt_or_none(""), "No text available");
    }

    #[test]
    fn numbers_and_spaces() {
        assert_eq!(to_text(&json!(2.0)), "2");
        assert_eq!(to_text(&json!(2.5)), "2.5");
        assert!(is_integer(&json!(2.0)) && !is_integer(&json!(2.5)) && !is_integer(&json!("2")));
        assert_eq!(utf16_len("😀é"), 3);
        assert!(is_space('\u{feff}') && is_space('\u{a0}') && !is_space('\u{85}'));
    }

    #[test]
    fn undefined_members_are_left_out() {
        let value = object([("a", Some(json!(null))), ("b", None), ("c", Some(json!(1)))]);
        assert_eq!(value, json!({"a": null, "c": 1}));
    }
}
