//! JSON that people and programs write in several ways.

use serde_json::{Map, Value};
use tidegate_core::clock::rfc3339_seconds;

/// Words that stand for nothing in some clients.
const NOTHING: [&str; 4] = ["", "None", "null", "undefined"];

/// A text or a number as text; empty for what is neither, or says that there is none. At most `most` bytes.
pub(super) fn word(value: Option<&Value>, most: usize) -> String {
    match value {
        Some(Value::String(text)) if !NOTHING.contains(&text.as_str()) => cut(text, most).to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The longest beginning of at most so many bytes.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// An object, also one that came as its JSON text.
pub(super) fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(members)) => members,
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Map::new(),
    }
}

/// The first member of these names that is not null.
pub(super) fn first<'a>(members: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().filter_map(|name| members.get(*name)).find(|value| !value.is_null())
}

/// Milliseconds as a number or a text (`"0028"`), in microseconds.
pub(super) fn milliseconds(value: Option<&Value>) -> Option<u64> {
    let ms = match value? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // Of a day at most: more is not a time that was measured.
    (0.0..=86_400_000.0).contains(&ms).then_some((ms * 1_000.0) as u64)
}

/// A moment in microseconds since 1970: seconds, milliseconds, microseconds or nanoseconds, told apart by their size, or
/// RFC 3339.
pub(super) fn moment(value: Option<&Value>) -> Option<u64> {
    let number = match value? {
        Value::Number(number) => number.as_u64().map(|whole| scaled(whole as f64, whole)).or_else(|| {
            let part = number.as_f64().filter(|part| *part > 0.0)?;
            Some(scaled(part, part as u64))
        }),
        Value::String(text) => match text.parse::<u64>() {
            Ok(whole) => Some(scaled(whole as f64, whole)),
            Err(_) => rfc3339(text),
        },
        _ => None,
    };
    number.filter(|us| *us > 0)
}

fn scaled(number: f64, whole: u64) -> u64 {
    match number {
        n if n < 1e11 => (n * 1e6) as u64,
        n if n < 1e14 => (n * 1e3) as u64,
        n if n < 1e17 => whole,
        _ => whole / 1_000,
    }
}

/// With the fraction of its second.
fn rfc3339(text: &str) -> Option<u64> {
    let seconds = rfc3339_seconds(text)?;
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits: String =
        fraction.chars().take_while(char::is_ascii_digit).chain("000000".chars()).take(6).collect();
    Some(seconds * 1_000_000 + digits.parse::<u64>().unwrap_or(0))
}

/// Pairs of texts, in their order; other values as JSON, long ones cut as the reference does.
pub(super) fn pairs(members: impl IntoIterator<Item = (String, Value)>) -> Vec<(String, String)> {
    const MOST: usize = 64;
    const LONGEST: usize = 128;
    let pair = |(name, value): (String, Value)| {
        let value = match value {
            Value::String(text) => text,
            Value::Null => return None,
            other => other.to_string(),
        };
        Some((cut(&name, LONGEST).to_owned(), value.chars().take(LONGEST).collect()))
    };
    members.into_iter().filter_map(pair).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_of_every_unit() {
        let at = 1_790_000_000_250_000;
        for value in [
            json!(1_790_000_000.25),
            json!(1_790_000_000_250u64),
            json!(1_790_000_000_250_000u64),
            json!(1_790_000_000_250_000_000u64),
            json!("1790000000250000000"),
            json!("2026-09-21T14:13:20.250000Z"),
            json!("2026-09-21T14:13:20.25Z"),
        ] {
            assert_eq!(moment(Some(&value)), Some(at), "{value}");
        }
        for value in [json!(0), json!("soon"), json!(-5), json!({}), json!(null)] {
            assert_eq!(moment(Some(&value)), None, "{value}");
        }
    }

    #[test]
    fn durations_and_words() {
        for (value, us) in
            [(json!("0028"), Some(28_000)), (json!(1.5), Some(1_500)), (json!("x"), None), (json!(-1), None)]
        {
            assert_eq!(milliseconds(Some(&value)), us, "{value}");
        }
        for (value, want) in
            [(json!("None"), ""), (json!(""), ""), (json!(7), "7"), (json!("aü"), "a"), (json!([]), "")]
        {
            assert_eq!(word(Some(&value), 2), want, "{value}");
        }
    }
}
