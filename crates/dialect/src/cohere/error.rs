//! Cohere's error bodies: `{"message": "...", "id": "..."}`.

use serde::Deserialize;
use tidegate_core::error::says_context_too_long;
use tidegate_core::{ApiError, ErrorKind, Fault};

use super::response;
use crate::body;

#[derive(Debug, Deserialize)]
struct CohereError {
    message: String,
    id: Option<String>,
}

pub(super) fn decode(status: u16, body: &[u8]) -> ApiError {
    let (message, request_id) = match serde_json::from_slice::<CohereError>(body) {
        Ok(error) if !error.message.is_empty() => (error.message, error.id),
        read => {
            let message = format!("the provider answered status {status} without a readable error");
            (message, read.ok().and_then(|error| error.id))
        }
    };
    let too_long = matches!(status, 400 | 422) && says_context_too_long(&message);
    let kind = if too_long { ErrorKind::ContextTooLong } else { ErrorKind::of_status(status) };
    let mut error = ApiError::new(kind, Fault::of_status(status), status, message);
    error.code = too_long.then(|| "context_length_exceeded".to_owned());
    error.request_id = request_id;
    error
}

/// What came with a success in place of an answer: an error all the same, or something unreadable.
pub(super) fn instead_of_answer(bytes: &[u8], e: &serde_json::Error) -> ApiError {
    match serde_json::from_slice::<CohereError>(bytes) {
        Ok(error) => response::failed(&error.message),
        Err(_) => body::unreadable("Cohere", e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_classified_by_status_and_text() {
        for (status, body, kind, fault, code) in [
            (401, r#"{"message":"invalid api token"}"#, ErrorKind::Auth, Fault::Caller, None),
            (
                400,
                r#"{"message":"too many tokens: 9 > 8","id":"x"}"#,
                ErrorKind::ContextTooLong,
                Fault::Caller,
                Some("context_length_exceeded"),
            ),
            (422, r#"{"message":"invalid role"}"#, ErrorKind::BadRequest, Fault::Caller, None),
            (429, r#"{"message":"trial key limit"}"#, ErrorKind::RateLimit, Fault::Provider, None),
            (498, r#"{"message":"blocked token"}"#, ErrorKind::BadRequest, Fault::Provider, None),
            (503, "", ErrorKind::Overloaded, Fault::Provider, None),
            (503, r#"{"message":""}"#, ErrorKind::Overloaded, Fault::Provider, None),
        ] {
            let error = decode(status, body.as_bytes());
            assert_eq!((error.status, error.kind, error.fault), (status, kind, fault), "{body}");
            assert_eq!(error.code.as_deref(), code, "{body}");
            assert!(!error.message.is_empty());
        }
        assert_eq!(decode(400, br#"{"message":"m","id":"x"}"#).request_id.as_deref(), Some("x"));
    }
}
