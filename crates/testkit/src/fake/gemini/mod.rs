//! Gemini: generateContent, streamGenerateContent, countTokens, embedContent, batchEmbedContents, models; under
//! `/v1beta`, `/v1` or `/v1alpha`.
//!
//! A key (header `x-goog-api-key`, or query `key`) is anything but [`BAD_KEY`]. Members may be written in camelCase or
//! snake_case. Models whose names start with `gemini-3` give ids to calls and put a signature on the first call of each
//! step, and refuse a conversation in which it does not come back.

mod answer;
mod case;
mod config;
mod contents;
mod embed;
mod request;
mod schema;
#[cfg(test)]
mod tests;

use super::shape::{Problem, Violation};
use super::{BAD_KEY, MISSING_MODEL};
use crate::reply::Reply;
use crate::seen::Seen;
use crate::server::Handler;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub struct Gemini;

impl Handler for Gemini {
    fn answer(&self, request: &Seen) -> Reply {
        answer(request).unwrap_or_else(Refusal::reply)
    }
}

/// The signature that the fake puts on a call of this function, and expects back.
pub fn signature(function: &str) -> String {
    super::vector::encode(super::story::id("thought ", function).as_bytes())
}

/// What stands for a signature on a call that another model made, as it is or in base64.
pub const NO_SIGNATURE: &str = "skip_thought_signature_validator";

fn answer(request: &Seen) -> Result<Reply, Refusal> {
    authorize(request)?;
    let path = request.path();
    let rest = ["/v1beta", "/v1alpha", "/v1"].iter().find_map(|version| path.strip_prefix(version));
    let rest = rest.ok_or_else(|| Refusal::not_found("Requested entity was not found."))?;
    if request.method == "GET" && rest == "/models" {
        return Ok(models());
    }
    let call = rest.strip_prefix("/models/").and_then(|rest| rest.split_once(':'));
    let (model, method) = call.ok_or_else(|| Refusal::not_found("Requested entity was not found."))?;
    if model == MISSING_MODEL {
        let text =
            format!("models/{model} is not found for API version v1beta, or is not supported for {method}.");
        return Err(Refusal::not_found(&text));
    }
    let body = body(request)?;
    match method {
        "generateContent" => Ok(answer::whole(&request::read(&body, model)?)),
        "streamGenerateContent" => {
            let events = request.query("alt").as_deref() == Some("sse");
            Ok(answer::stream(&request::read(&body, model)?, events))
        }
        "countTokens" => Ok(Reply::json(200, &json!({"totalTokens": request::count(&body, model)?}))),
        "embedContent" => embed::one(&body, model),
        "batchEmbedContents" => embed::batch(&body, model),
        _ => Err(Refusal::not_found("Requested entity was not found.")),
    }
}

fn authorize(request: &Seen) -> Result<(), Refusal> {
    let key = request.header("x-goog-api-key").map(str::to_owned).or_else(|| request.query("key"));
    match key.as_deref() {
        None | Some("" | BAD_KEY) => Err(Refusal {
            reason: Some("API_KEY_INVALID"),
            ..Refusal::invalid("API key not valid. Please pass a valid API key.")
        }),
        Some(_) => Ok(()),
    }
}

/// The body with all its names in camelCase.
fn body(request: &Seen) -> Result<Value, Refusal> {
    let body = serde_json::from_slice(&request.body)
        .map_err(|error| Refusal::invalid(format!("Invalid JSON payload received. {error}")))?;
    Ok(case::camel(body))
}

fn models() -> Reply {
    let model = json!({
        "name": "models/gemini-fake", "displayName": "Gemini Fake", "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536, "supportedGenerationMethods": ["generateContent", "countTokens"],
    });
    Reply::json(200, &json!({"models": [model]}))
}

/// An error answer.
#[derive(Debug, Clone)]
struct Refusal {
    code: u16,
    status: &'static str,
    message: String,
    reason: Option<&'static str>,
}

impl Refusal {
    fn invalid(message: impl Into<String>) -> Self {
        Self { code: 400, status: "INVALID_ARGUMENT", message: message.into(), reason: None }
    }

    fn not_found(message: &str) -> Self {
        Self { code: 404, status: "NOT_FOUND", ..Self::invalid(message) }
    }

    fn reply(self) -> Reply {
        let mut error = json!({"code": self.code, "message": self.message, "status": self.status});
        if let Some(reason) = self.reason {
            let kind = "type.googleapis.com/google.rpc.ErrorInfo";
            error["details"] = json!([{"@type": kind, "reason": reason, "domain": "googleapis.com"}]);
        }
        Reply::json(self.code, &json!({"error": error}))
    }
}

impl From<Violation> for Refusal {
    fn from(Violation { path, problem }: Violation) -> Self {
        let (at, name) = path.rsplit_once('.').map_or(("", path.as_str()), |(at, name)| (at, name));
        Self::invalid(match problem {
            Problem::Unknown if at.is_empty() => {
                format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.")
            }
            Problem::Unknown => {
                format!(
                    "Invalid JSON payload received. Unknown name \"{name}\" at '{at}': Cannot find field."
                )
            }
            Problem::Missing => format!("* {path}: {name} is not specified"),
            Problem::Wrong(wanted) => format!("Invalid value at '{path}', expected {wanted}"),
        })
    }
}
