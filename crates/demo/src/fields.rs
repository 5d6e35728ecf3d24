//! Reading members of a JSON request with errors that name them. `null` counts as absent, as at OpenAI.

use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Why the request cannot be served. Always status 400.
#[derive(Debug)]
pub(crate) struct BadRequest {
    pub(crate) message: String,
    /// The member that is wrong (`messages[0].role`), or `body`.
    pub(crate) param: String,
    pub(crate) code: &'static str,
}

/// A JSON object and where it stands in the request (`messages[2]`; empty for the request itself).
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value, path: impl Into<String>) -> Result<Self, BadRequest> {
        let path = path.into();
        match value.as_object() {
            Some(map) => Ok(Self { map, path }),
            None if path.is_empty() => Err(invalid("body", "must be a JSON object")),
            None => Err(invalid(&path, "must be an object")),
        }
    }

    /// The full name of a member, for errors.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, BadRequest> {
        self.get(name)
            .map(|value| value.as_str().ok_or_else(|| invalid(&self.path(name), "must be a string")))
            .transpose()
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<&'a str, BadRequest> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, BadRequest> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(invalid(&self.path(name), "must be true or false")),
        }
    }

    pub(crate) fn count(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<usize>, BadRequest> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_u64().filter(|number| range.contains(number));
        match number.and_then(|number| usize::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => {
                let wanted = format!("must be an integer from {} to {}", range.start(), range.end());
                Err(invalid(&self.path(name), &wanted))
            }
        }
    }

    /// The members of a list with their paths; empty when absent.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<(&'a Value, String)>, BadRequest> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list
                .iter()
                .enumerate()
                .map(|(i, item)| (item, format!("{}[{i}]", self.path(name))))
                .collect()),
            Some(_) => Err(invalid(&self.path(name), "must be a list")),
        }
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<Fields<'a>>, BadRequest> {
        self.get(name).map(|value| Fields::of(value, self.path(name))).transpose()
    }

    /// A string or a list of strings, as a list; empty when absent.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, BadRequest> {
        let wanted = || invalid(&self.path(name), "must be a string or a list of strings");
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(Value::Array(list)) => {
                list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wanted)).collect()
            }
            Some(_) => Err(wanted()),
        }
    }

    pub(crate) fn missing(&self, name: &str) -> BadRequest {
        let path = self.path(name);
        let message = format!("Missing required parameter: '{path}'.");
        BadRequest { message, param: path, code: "missing_required_parameter" }
    }
}

/// The request as JSON, or the 400 that says where it stops being JSON.
pub(crate) fn parse(body: &[u8]) -> Result<Value, BadRequest> {
    serde_json::from_slice(body).map_err(|error| BadRequest {
        message: format!("The body of the request is not valid JSON: {error}"),
        param: "body".to_owned(),
        code: "invalid_json",
    })
}

pub(crate) fn invalid(path: &str, wanted: &str) -> BadRequest {
    let message = format!("Invalid value for '{path}': {wanted}.");
    BadRequest { message, param: path.to_owned(), code: "invalid_value" }
}
