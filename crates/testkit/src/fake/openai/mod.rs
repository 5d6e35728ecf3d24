//! OpenAI: chat, completions, embeddings, responses, models, files. Paths with or without `/v1`.
//!
//! A key is any bearer token but [`BAD_KEY`]; a model any name but [`MISSING_MODEL`]. Names that start with `o1`, `o3`,
//! `o4` or `gpt-5` are reasoning models, which refuse `max_tokens`, `stop` and temperatures.

pub(crate) mod answer;
pub(crate) mod chat;
mod completions;
pub(crate) mod embeddings;
mod messages;
pub(crate) mod responses;
mod schema;
mod stored;
#[cfg(test)]
mod tests;

use super::shape::{Problem, Violation};
use super::{BAD_KEY, MISSING_MODEL};
use crate::reply::Reply;
use crate::seen::Seen;
use crate::server::Handler;
use crate::sse;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub struct OpenAi;

impl Handler for OpenAi {
    fn answer(&self, request: &Seen) -> Reply {
        answer(request).unwrap_or_else(Refusal::reply).with_header("x-request-id", "req_fake")
    }
}

fn answer(request: &Seen) -> Result<Reply, Refusal> {
    authorize(request)?;
    let path = request.path();
    let path = path.strip_prefix("/v1").unwrap_or(path);
    match (request.method.as_str(), path) {
        ("POST", "/chat/completions") => chat(&body(request)?),
        ("POST", "/completions") => completions::answer(&body(request)?),
        ("POST", "/embeddings") => embeddings::answer(&body(request)?),
        ("POST", "/responses") => responses::answer(&body(request)?),
        ("POST", "/files") => stored::file(request),
        ("GET", "/models") => Ok(stored::models()),
        ("GET", path) => match path.strip_prefix("/models/") {
            Some(model) => stored::model(model),
            None => Err(Refusal::unknown_url(request)),
        },
        _ => Err(Refusal::unknown_url(request)),
    }
}

fn chat(body: &Value) -> Result<Reply, Refusal> {
    let request = chat::read(body)?;
    known(&request.model)?;
    Ok(if request.ask.stream {
        let mut events: Vec<_> = answer::chunks(&request).iter().map(sse::data).collect();
        events.push(sse::DONE.to_owned());
        Reply::events(events)
    } else {
        Reply::json(200, &answer::whole(&request))
    })
}

fn authorize(request: &Seen) -> Result<(), Refusal> {
    let key = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    match key {
        None | Some("") => Err(Refusal::new(401, "invalid_api_key", None, "You didn't provide an API key.")),
        Some(BAD_KEY) => Err(Refusal::new(401, "invalid_api_key", None, "Incorrect API key provided: bad.")),
        Some(_) => Ok(()),
    }
}

/// The body of a JSON request.
pub(crate) fn body(request: &Seen) -> Result<Value, Refusal> {
    if !request.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Refusal::new(415, "unsupported_media_type", None, "Unsupported content type."));
    }
    serde_json::from_slice(&request.body).map_err(|_| {
        Refusal::new(400, "invalid_json", None, "We could not parse the JSON body of your request.")
    })
}

pub(crate) fn known(model: &str) -> Result<(), Refusal> {
    if model == MISSING_MODEL {
        let message = format!("The model `{model}` does not exist or you do not have access to it.");
        return Err(Refusal::new(404, "model_not_found", None, message));
    }
    Ok(())
}

/// An error answer.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    param: Option<String>,
    message: String,
}

impl Refusal {
    pub(crate) fn new(
        status: u16,
        code: &'static str,
        param: Option<&str>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code, param: param.map(str::to_owned), message: message.into() }
    }

    pub(crate) fn unsupported(param: &str) -> Self {
        let message = format!("Unsupported parameter: '{param}' is not supported with this model.");
        Self::new(400, "unsupported_parameter", Some(param), message)
    }

    fn unknown_url(request: &Seen) -> Self {
        let message = format!("Invalid URL ({} {})", request.method, request.path());
        Self::new(404, "unknown_url", None, message)
    }

    pub(crate) fn reply(self) -> Reply {
        Reply::json(
            self.status,
            &json!({"error": {
                "message": self.message,
                "type": "invalid_request_error",
                "param": self.param,
                "code": self.code,
            }}),
        )
    }
}

impl From<Violation> for Refusal {
    fn from(Violation { path, problem }: Violation) -> Self {
        let (code, message) = match problem {
            Problem::Unknown => ("unknown_parameter", format!("Unknown parameter: '{path}'.")),
            Problem::Missing => {
                ("missing_required_parameter", format!("Missing required parameter: '{path}'."))
            }
            Problem::Wrong(wanted) => {
                ("invalid_value", format!("Invalid value for '{path}': expected {wanted}."))
            }
        };
        Self::new(400, code, Some(&path), message)
    }
}
