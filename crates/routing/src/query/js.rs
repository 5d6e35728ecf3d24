//! The few conversions of JavaScript that queries rest on. `None` stands for `undefined`.

use std::borrow::Cow;

use serde_json::Value;

/// `===`: numbers by value (`1` and `1.0` are the same), objects and arrays never equal another one.
pub(super) fn strictly_equal(found: Option<&Value>, wanted: &Value) -> bool {
    match (found, wanted) {
        (Some(Value::Number(a)), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Some(Value::Object(_) | Value::Array(_)), _) | (None, _) => false,
        (Some(found), wanted) => found == wanted,
    }
}

/// `parseFloat`: the number that the text starts with, else not a number.
pub(super) fn parse_float(value: Option<&Value>) -> f64 {
    if let Some(Value::Number(number)) = value {
        return number.as_f64().unwrap_or(f64::NAN);
    }
    let text = to_text(value);
    let text = text.trim_start();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with("Infinity") {
        return if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let sign = text.len() - unsigned.len();
    text[..sign + number_length(unsigned.as_bytes())].parse().unwrap_or(f64::NAN)
}

/// Bytes of the decimal number at the start: digits, fraction, exponent.
fn number_length(bytes: &[u8]) -> usize {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    let mut end = whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if end > 0 && matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = if end + 1 + sign <= bytes.len() { digits(end + 1 + sign) } else { 0 };
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// `String(value)`. The depth of arrays is bounded by the JSON parser.
pub(super) fn to_text(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        None => "undefined".into(),
        Some(Value::Null) => "null".into(),
        Some(Value::Bool(flag)) => flag.to_string().into(),
        Some(Value::Number(number)) => number_text(number).into(),
        Some(Value::String(text)) => text.into(),
        Some(Value::Object(_)) => "[object Object]".into(),
        Some(Value::Array(items)) => {
            let texts: Vec<Cow<'_, str>> = items.iter().map(item_text).collect();
            texts.join(",").into()
        }
    }
}

/// `null` in an array is empty text.
fn item_text(item: &Value) -> Cow<'_, str> {
    if item.is_null() { "".into() } else { to_text(Some(item)) }
}

/// `1.0` is `1`.
fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 1e21 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parse_float_reads_what_the_text_starts_with() {
        let cases = [
            (json!(1.5), 1.5),
            (json!("12abc"), 12.0),
            (json!("  -3.25e2x"), -325.0),
            (json!("1e"), 1.0),
            (json!("1e+"), 1.0),
            (json!(".5"), 0.5),
            (json!("5."), 5.0),
            (json!("+7"), 7.0),
            (json!("-Infinity"), f64::NEG_INFINITY),
            (json!([8, 9]), 8.0),
        ];
        for (value, expected) in cases {
            assert_eq!(parse_float(Some(&value)), expected, "{value}");
        }
        for value in
            [json!("abc"), json!(""), json!("."), json!("-"), json!(true), json!(null), json!({}), json!([])]
        {
            assert!(parse_float(Some(&value)).is_nan(), "{value}");
        }
        assert!(parse_float(None).is_nan());
    }

    #[test]
    fn texts() {
        let cases = [
            (json!("a"), "a"),
            (json!(1.0), "1"),
            (json!(0.5), "0.5"),
            (json!(false), "false"),
            (json!(null), "null"),
            (json!([1, null, ["a", "b"]]), "1,,a,b"),
            (json!({"a": 1}), "[object Object]"),
        ];
        for (value, expected) in cases {
            assert_eq!(to_text(Some(&value)), expected);
        }
        assert_eq!(to_text(None), "undefined");
    }

    #[test]
    fn equality_is_by_value_for_scalars_only() {
        assert!(strictly_equal(Some(&json!(1)), &json!(1.0)));
        assert!(!strictly_equal(Some(&json!("1")), &json!(1)));
        assert!(strictly_equal(Some(&json!(null)), &json!(null)));
        assert!(!strictly_equal(None, &json!(null)));
        assert!(!strictly_equal(Some(&json!([1])), &json!([1])));
        assert!(!strictly_equal(Some(&json!({})), &json!({})));
    }
}
