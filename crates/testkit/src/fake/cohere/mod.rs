//! Cohere: `/v2/chat`, `/v2/embed`, `/v2/rerank`.
//!
//! A key is any bearer token but [`BAD_KEY`]. Members that the schema does not know are refused with 422, everything
//! else that is wrong with 400.

mod answer;
mod chat;
mod retrieval;
#[cfg(test)]
mod tests;

use super::shape::{Problem, Violation};
use super::{BAD_KEY, MISSING_MODEL};
use crate::reply::Reply;
use crate::seen::Seen;
use crate::server::Handler;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub struct Cohere;

impl Handler for Cohere {
    fn answer(&self, request: &Seen) -> Reply {
        answer(request).unwrap_or_else(Refusal::reply).with_header("x-debug-trace-id", "fake")
    }
}

fn answer(request: &Seen) -> Result<Reply, Refusal> {
    match request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
        None | Some("" | BAD_KEY) => return Err(Refusal::new(401, "invalid api token")),
        Some(_) => {}
    }
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|error| Refusal::new(400, format!("invalid request: cannot read JSON: {error}")))?;
    if body["model"] == MISSING_MODEL {
        return Err(Refusal::new(
            404,
            format!("model '{MISSING_MODEL}' not found, make sure the correct model ID was used"),
        ));
    }
    match (request.method.as_str(), request.path()) {
        ("POST", "/v2/chat") => Ok(answer::answer(&chat::read(&body)?)),
        ("POST", "/v2/embed") => retrieval::embed(&body),
        ("POST", "/v2/rerank") => retrieval::rerank(&body),
        _ => Err(Refusal::new(404, "resource not found")),
    }
}

/// An error answer.
#[derive(Debug, Clone)]
struct Refusal {
    status: u16,
    message: String,
}

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, format!("invalid request: {}", message.into()))
    }

    fn reply(self) -> Reply {
        Reply::json(self.status, &json!({"message": self.message, "id": "fake"}))
    }
}

impl From<Violation> for Refusal {
    fn from(Violation { path, problem }: Violation) -> Self {
        match problem {
            Problem::Unknown => {
                Self::new(422, format!("unknown field: parameter '{path}' is not a valid field"))
            }
            Problem::Missing => Self::invalid(format!("{path} is required")),
            Problem::Wrong(wanted) => Self::invalid(format!("{path} must be {wanted}")),
        }
    }
}
