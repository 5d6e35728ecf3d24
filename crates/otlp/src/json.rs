//! How OTLP's JSON differs from what serde would write: ids are hexadecimal, large numbers are texts, and an attribute's
//! value says its type by its name. Writers are not all of one mind, so both numbers and texts are read.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Number, Value};

use crate::message::{self, Any, ArrayValue, KeyValue, KeyValueList};

/// As messages have it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnyValue {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bool_value: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    int_value: Option<Whole>,
    #[serde(skip_serializing_if = "Option::is_none")]
    double_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    array_value: Option<ArrayValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kvlist_value: Option<KeyValueList>,
    /// Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_value: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
struct Whole(#[serde(with = "number")] i64);

impl From<AnyValue> for message::AnyValue {
    fn from(json: AnyValue) -> Self {
        let value = json
            .string_value
            .map(Any::String)
            .or(json.bool_value.map(Any::Bool))
            .or(json.int_value.map(|Whole(number)| Any::Int(number)))
            .or(json.double_value.map(Any::Double))
            .or(json.array_value.map(Any::Array))
            .or(json.kvlist_value.map(Any::List))
            .or(json.bytes_value.map(|text| Any::Bytes(STANDARD.decode(text).unwrap_or_default())));
        Self { value }
    }
}

impl From<message::AnyValue> for AnyValue {
    fn from(any: message::AnyValue) -> Self {
        let mut json = Self::default();
        match any.value {
            None => {}
            Some(Any::String(text)) => json.string_value = Some(text),
            Some(Any::Bool(is)) => json.bool_value = Some(is),
            Some(Any::Int(number)) => json.int_value = Some(Whole(number)),
            Some(Any::Double(number)) => json.double_value = Some(number),
            Some(Any::Array(array)) => json.array_value = Some(array),
            Some(Any::List(list)) => json.kvlist_value = Some(list),
            Some(Any::Bytes(bytes)) => json.bytes_value = Some(STANDARD.encode(bytes)),
        }
        json
    }
}

/// Attributes as an object; of a name that comes twice the last one counts.
pub fn members(attributes: Vec<KeyValue>) -> Map<String, Value> {
    attributes.into_iter().map(|pair| (pair.key, pair.value.map(plain).unwrap_or_default())).collect()
}

/// As plain JSON; bytes as base64.
pub fn plain(any: message::AnyValue) -> Value {
    match any.value {
        None => Value::Null,
        Some(Any::String(text)) => text.into(),
        Some(Any::Bool(is)) => is.into(),
        Some(Any::Int(number)) => number.into(),
        Some(Any::Double(number)) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        Some(Any::Array(array)) => array.values.into_iter().map(plain).collect(),
        Some(Any::List(list)) => Value::Object(members(list.values)),
        Some(Any::Bytes(bytes)) => STANDARD.encode(bytes).into(),
    }
}

/// 64-bit numbers.
pub mod number {
    use super::*;

    pub fn serialize<N: Display, S: Serializer>(number: &N, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, N: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<N, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(D::Error::custom("is no whole number")),
        };
        text.parse().map_err(|_| D::Error::custom("is no whole number"))
    }
}

/// Ids.
pub mod hex {
    use super::*;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::hex_text(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        super::unhex(&text).ok_or_else(|| D::Error::custom("is no hexadecimal id"))
    }
}

/// Numbers of kinds of spans, also by their names.
pub mod kind {
    use super::*;

    pub fn serialize<S: Serializer>(kind: &i32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(*kind)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
        const NAMES: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
        super::named(deserializer, "SPAN_KIND_", &NAMES)
    }
}

/// Numbers of outcomes, also by their names.
pub mod status {
    use super::*;

    pub fn serialize<S: Serializer>(code: &i32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(*code)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
        super::named(deserializer, "STATUS_CODE_", &["UNSET", "OK", "ERROR"])
    }
}

fn named<'de, D: Deserializer<'de>>(deserializer: D, prefix: &str, names: &[&str]) -> Result<i32, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Number(number) => {
            Ok(number.as_i64().and_then(|number| i32::try_from(number).ok()).unwrap_or_default())
        }
        Value::String(text) => {
            let name = text.strip_prefix(prefix).unwrap_or(&text);
            let at = names.iter().position(|known| *known == name);
            at.and_then(|at| i32::try_from(at).ok()).ok_or_else(|| D::Error::custom("is no such word"))
        }
        _ => Err(D::Error::custom("is no number")),
    }
}

/// Small letters.
pub fn hex_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `None`: no hexadecimal digits, or an odd number of them.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| char::from(letter).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
