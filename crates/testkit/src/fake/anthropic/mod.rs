//! Anthropic: messages, count_tokens, models.
//!
//! A key is any `x-api-key` or bearer token but [`BAD_KEY`]. Names that start with `claude-opus-4-7`, `claude-sonnet-5`
//! or `claude-fable` are the newest models, which refuse sampling parameters, thinking budgets and prefilled answers.
//! The API version `2026-10-21` refuses sampling parameters for every model, and citations in what a user says;
//! `2023-06-01` is the other version known.
//! Thinking comes with a signature, and a thinking block that comes back with another one is refused.

mod answer;
mod blocks;
mod request;
#[cfg(test)]
mod tests;
mod turns;

use super::shape::{Problem, Violation};
use super::{BAD_KEY, MISSING_MODEL};
use crate::reply::Reply;
use crate::seen::Seen;
use crate::server::Handler;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub struct Anthropic;

impl Handler for Anthropic {
    fn answer(&self, request: &Seen) -> Reply {
        answer(request).unwrap_or_else(Refusal::reply).with_header("request-id", "req_fake")
    }
}

/// The signature that the fake puts on a thought, and expects back.
pub fn signature(thought: &str) -> String {
    super::vector::encode(super::story::id("signed ", thought).as_bytes())
}

fn answer(request: &Seen) -> Result<Reply, Refusal> {
    authorize(request)?;
    let version = Version::of(request)?;
    let path = request.path();
    let path = path.strip_prefix("/v1").unwrap_or(path);
    match (request.method.as_str(), path) {
        ("POST", "/messages") => {
            let request = request::read(&body(request)?, request::Purpose::Answer, version)?;
            known(&request.model)?;
            Ok(answer::answer(&request))
        }
        ("POST", "/messages/count_tokens") => {
            let request = request::read(&body(request)?, request::Purpose::Count, version)?;
            known(&request.model)?;
            Ok(Reply::json(200, &json!({"input_tokens": request.ask.input})))
        }
        ("GET", "/models") => {
            let model = json!({
                "type": "model", "id": "claude-fake", "display_name": "Claude Fake", "created_at": "2026-01-01T00:00:00Z",
            });
            let list = json!({"data": [model], "has_more": false, "first_id": "claude-fake", "last_id": "claude-fake"});
            Ok(Reply::json(200, &list))
        }
        _ => Err(Refusal::new(404, "not_found_error", "Not Found")),
    }
}

fn authorize(request: &Seen) -> Result<(), Refusal> {
    let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    match request.header("x-api-key").or(bearer) {
        None | Some("") => Err(Refusal::new(401, "authentication_error", "x-api-key header is required")),
        Some(BAD_KEY) => Err(Refusal::new(401, "authentication_error", "invalid x-api-key")),
        Some(_) => Ok(()),
    }
}

/// What `anthropic-version` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    June2023,
    October2026,
}

impl Version {
    fn of(request: &Seen) -> Result<Self, Refusal> {
        match request.header("anthropic-version") {
            Some("2023-06-01") => Ok(Self::June2023),
            Some("2026-10-21") => Ok(Self::October2026),
            Some(_) => Err(Refusal::invalid("anthropic-version: is not a valid version")),
            None => Err(Refusal::invalid("anthropic-version: header is required")),
        }
    }
}

fn body(request: &Seen) -> Result<Value, Refusal> {
    if !request.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Refusal::invalid("content-type: must be application/json"));
    }
    serde_json::from_slice(&request.body).map_err(|_| Refusal::invalid("The request body is not valid JSON"))
}

fn known(model: &str) -> Result<(), Refusal> {
    if model == MISSING_MODEL {
        return Err(Refusal::new(404, "not_found_error", format!("model: {model}")));
    }
    Ok(())
}

/// An error answer.
#[derive(Debug, Clone)]
struct Refusal {
    status: u16,
    kind: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    fn reply(self) -> Reply {
        let error = json!({"type": self.kind, "message": self.message});
        Reply::json(self.status, &json!({"type": "error", "error": error, "request_id": "req_fake"}))
    }
}

impl From<Violation> for Refusal {
    fn from(Violation { path, problem }: Violation) -> Self {
        let path = path.replace('[', ".").replace(']', "");
        Self::invalid(match problem {
            Problem::Unknown => format!("{path}: Extra inputs are not permitted"),
            Problem::Missing => format!("{path}: Field required"),
            Problem::Wrong(wanted) => format!("{path}: Input should be {wanted}"),
        })
    }
}
