//! Ollama's error bodies: `{"error": "text"}`; behind its OpenAI-like surface, `{"error": {"message": "text"}}`.

use serde_json::Value;
use tidegate_core::error::says_context_too_long;
use tidegate_core::{ApiError, ErrorKind, Fault};

pub(super) fn decode(status: u16, body: &[u8]) -> ApiError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = match body.get("error").and_then(text) {
        Some(text) => text.to_owned(),
        None => format!("the provider answered status {status} without a readable error"),
    };
    let (kind, code) = match status {
        404 => (ErrorKind::NotFound, Some("model_not_found")),
        400 if says_context_too_long(&message) => {
            (ErrorKind::ContextTooLong, Some("context_length_exceeded"))
        }
        status => (ErrorKind::of_status(status), None),
    };
    let mut error = ApiError::new(kind, Fault::of_status(status), status, message);
    error.code = code.map(str::to_owned);
    error
}

/// The error that came as a member of a 200, plain or in a stream.
pub(super) fn from_member(error: &Value) -> ApiError {
    ApiError::upstream(text(error).unwrap_or("the provider failed without saying why"))
}

fn text(error: &Value) -> Option<&str> {
    error.as_str().or_else(|| error.get("message")?.as_str()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_classified_by_status_and_text() {
        for (status, body, kind, code, message) in [
            (
                404,
                r#"{"error":"model 'x' not found"}"#,
                ErrorKind::NotFound,
                Some("model_not_found"),
                "model 'x' not found",
            ),
            (
                400,
                r#"{"error":"x does not support tools"}"#,
                ErrorKind::BadRequest,
                None,
                "x does not support tools",
            ),
            (
                400,
                r#"{"error":{"message":"the input length exceeds the context length"}}"#,
                ErrorKind::ContextTooLong,
                Some("context_length_exceeded"),
                "the input length exceeds the context length",
            ),
            (
                500,
                "oops",
                ErrorKind::UpstreamBroken,
                None,
                "the provider answered status 500 without a readable error",
            ),
            (
                500,
                r#"{"error":""}"#,
                ErrorKind::UpstreamBroken,
                None,
                "the provider answered status 500 without a readable error",
            ),
        ] {
            let error = decode(status, body.as_bytes());
            let seen = (error.status, error.kind, error.code.as_deref(), error.message.as_str());
            assert_eq!(seen, (status, kind, code, message));
        }
    }

    #[test]
    fn an_error_inside_a_success_has_a_message() {
        for error in [Value::from("no"), Value::from(""), Value::Null] {
            assert!(!from_member(&error).message.is_empty(), "{error}");
        }
    }
}
