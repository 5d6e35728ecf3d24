//! Typed reading of a client's JSON: takes a value out of the document, or refuses it by its place.
//!
//! A place is a chain on the stack and becomes text (`messages[2].content[0].type`) only when there is something to
//! complain about.

use std::fmt;

use serde_json::{Map, Number, Value};
use tidegate_core::ApiError;

/// Where a value stands in the document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    /// A member of the document itself.
    pub(super) fn top(name: &'a str) -> Self {
        Self { parent: None, step: Step::Name(name) }
    }

    pub(super) fn name(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Name(name) }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// 400: this member must be `wanted`, and `value` is not.
    pub(super) fn wrong(&self, wanted: &str, value: &Value) -> ApiError {
        self.refuse(format!("'{self}' must be {wanted}, not {}", kind_of(value)))
    }

    pub(super) fn missing(&self) -> ApiError {
        self.refuse(format!("'{self}' is required"))
    }

    /// 400 with a message of its own.
    pub(super) fn refuse(&self, message: impl Into<String>) -> ApiError {
        ApiError::bad_request(self.to_string(), message)
    }

    pub(super) fn string(&self, value: Value) -> Result<String, ApiError> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(self.wrong("a string", &other)),
        }
    }

    /// A string that is there and not empty.
    pub(super) fn word(&self, value: Option<Value>) -> Result<String, ApiError> {
        match value {
            None | Some(Value::Null) => Err(self.missing()),
            Some(Value::String(text)) if text.is_empty() => {
                Err(self.refuse(format!("'{self}' must not be empty")))
            }
            Some(value) => self.string(value),
        }
    }

    pub(super) fn boolean(&self, value: &Value) -> Result<bool, ApiError> {
        value.as_bool().ok_or_else(|| self.wrong("true or false", value))
    }

    pub(super) fn number(&self, value: Value) -> Result<Number, ApiError> {
        match value {
            Value::Number(number) => Ok(number),
            other => Err(self.wrong("a number", &other)),
        }
    }

    /// A whole number from 0; `100.0` is one, as some clients write it so.
    pub(super) fn count(&self, value: &Value) -> Result<u64, ApiError> {
        whole(value).ok_or_else(|| self.wrong("a whole number from 0", value))
    }

    pub(super) fn small_count(&self, value: &Value) -> Result<u32, ApiError> {
        let count = self.count(value)?;
        u32::try_from(count).map_err(|_| self.refuse(format!("'{self}' is too large: {count}")))
    }

    pub(super) fn list(&self, value: Value) -> Result<Vec<Value>, ApiError> {
        match value {
            Value::Array(items) => Ok(items),
            other => Err(self.wrong("a list", &other)),
        }
    }

    pub(super) fn object(&self, value: Value) -> Result<Map<String, Value>, ApiError> {
        match value {
            Value::Object(members) => Ok(members),
            other => Err(self.wrong("an object", &other)),
        }
    }

    /// A required member that is an object: `image_url` of an image part.
    pub(super) fn required_object(&self, value: Option<Value>) -> Result<Map<String, Value>, ApiError> {
        self.object(value.ok_or_else(|| self.missing())?)
    }

    /// One string or a list of them.
    pub(super) fn strings(&self, value: Value) -> Result<Vec<String>, ApiError> {
        match value {
            Value::String(one) => Ok(vec![one]),
            Value::Array(items) => {
                items.into_iter().enumerate().map(|(i, item)| self.index(i).string(item)).collect()
            }
            other => Err(self.wrong("a string or a list of strings", &other)),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}")?;
        }
        match self.step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Name(name) if self.parent.is_some() => write!(f, ".{name}"),
            Step::Name(name) => f.write_str(name),
        }
    }
}

/// The members of a request body.
///
/// # Errors
/// 400 for bytes that are no JSON, are nested deeper than the parser follows (128), or are no object.
pub(super) fn body(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let refuse = |message: String| {
        Err(ApiError::new(tidegate_core::ErrorKind::BadRequest, tidegate_core::Fault::Caller, 400, message))
    };
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(other) => refuse(format!("the body must be a JSON object, not {}", kind_of(&other))),
        Err(error) => refuse(format!("the body is not valid JSON: {error}")),
    }
}

/// Takes a member out, keeping the order of the others; an explicit null counts as absent.
pub(super) fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    members.shift_remove(name).filter(|value| !value.is_null())
}

/// Takes a member that is a non-empty string; anything else under that name stays where it is.
pub(super) fn take_text(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    match members.get(name) {
        Some(Value::String(text)) if !text.is_empty() => match members.shift_remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        // Beyond 2^53 a float no longer holds each whole number, so none is trusted.
        let exact = float.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&float);
        exact.then_some(float as u64)
    })
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_read_as_clients_write_them() {
        let messages = Place::top("messages");
        let message = messages.index(2);
        let content = message.name("content");
        let part = content.index(0);
        let error = part.name("text").string(json!(7)).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("messages[2].content[0].text"));
        assert_eq!(error.message, "'messages[2].content[0].text' must be a string, not a number");
        assert_eq!(error.status, 400);
    }

    #[test]
    fn counts_are_whole_and_not_negative() {
        let at = Place::top("n");
        for (value, count) in [(json!(3), Some(3)), (json!(3.0), Some(3)), (json!(0), Some(0))] {
            assert_eq!(at.count(&value).ok(), count, "{value}");
        }
        for value in [json!(-1), json!(1.5), json!("3"), json!(null), json!(1e300)] {
            assert!(at.count(&value).is_err(), "{value}");
        }
        assert!(at.small_count(&json!(5_000_000_000u64)).is_err());
    }

    #[test]
    fn bodies_that_are_no_object_say_so() {
        let deep = "[".repeat(200);
        for (text, message) in [
            ("[]", "the body must be a JSON object, not a list"),
            ("{", "the body is not valid JSON: EOF while parsing an object at line 1 column 1"),
            (deep.as_str(), "the body is not valid JSON: recursion limit exceeded at line 1 column 128"),
        ] {
            assert_eq!(body(text.as_bytes()).unwrap_err().message, message);
        }
    }
}
