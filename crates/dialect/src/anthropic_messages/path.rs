//! Where in a body something is, and typed reading with errors that say so: ``` `messages.1.content.0.source` must be
//! an object ```. Paths cost nothing until an error needs one.

use std::fmt;

use serde_json::{Map, Number, Value};
use tidegate_core::ApiError;

/// A place in the body being read, in Anthropic's spelling.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Member(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    pub(super) fn member<'b>(&'b self, name: &'b str) -> Path<'b> {
        Path::Member(self, name)
    }

    pub(super) fn item(&self, index: usize) -> Path<'_> {
        Path::Item(self, index)
    }

    /// The 400 for this place; `problem` goes on after the path (`must be a string`).
    pub(super) fn wrong(&self, problem: &str) -> ApiError {
        ApiError::bad_request(self.to_string(), format!("`{self}` {problem}"))
    }

    pub(super) fn missing(&self) -> ApiError {
        self.wrong("is required")
    }

    pub(super) fn unknown(&self) -> ApiError {
        self.wrong("is not a member that is known here")
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Member(Path::Root, name) => f.write_str(name),
            Path::Member(parent, name) => write!(f, "{parent}.{name}"),
            Path::Item(parent, index) => write!(f, "{parent}.{index}"),
        }
    }
}

pub(super) fn string(value: Value, at: &Path<'_>) -> Result<String, ApiError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(at.wrong("must be a string")),
    }
}

pub(super) fn boolean(value: &Value, at: &Path<'_>) -> Result<bool, ApiError> {
    value.as_bool().ok_or_else(|| at.wrong("must be true or false"))
}

pub(super) fn unsigned(value: &Value, at: &Path<'_>) -> Result<u64, ApiError> {
    value.as_u64().ok_or_else(|| at.wrong("must be a whole number, 0 or more"))
}

pub(super) fn number(value: Value, at: &Path<'_>) -> Result<Number, ApiError> {
    match value {
        Value::Number(number) => Ok(number),
        _ => Err(at.wrong("must be a number")),
    }
}

pub(super) fn object(value: Value, at: &Path<'_>) -> Result<Map<String, Value>, ApiError> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(at.wrong("must be an object")),
    }
}

pub(super) fn list(value: Value, at: &Path<'_>) -> Result<Vec<Value>, ApiError> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(at.wrong("must be a list")),
    }
}

/// A member that must be there.
pub(super) fn required<T>(found: Option<T>, name: &str, at: &Path<'_>) -> Result<T, ApiError> {
    found.ok_or_else(|| at.member(name).missing())
}
