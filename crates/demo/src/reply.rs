//! The three forms of an answer: one JSON document, a stream of events, an error.

use crate::fields::BadRequest;
use serde_json::{Value, json};

/// An HTTP answer, whole. There are no headers but the content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    /// For a stream one server-sent event each, `[DONE]` last; else one JSON document.
    pub chunks: Vec<Vec<u8>>,
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self { status: 200, content_type: "application/json", chunks: vec![body.to_string().into_bytes()] }
    }

    /// One `data:` event for each of `events`, then `[DONE]`.
    pub(crate) fn stream(events: &[Value]) -> Self {
        let mut chunks: Vec<_> =
            events.iter().map(|event| format!("data: {event}\n\n").into_bytes()).collect();
        chunks.push(b"data: [DONE]\n\n".to_vec());
        Self { status: 200, content_type: "text/event-stream", chunks }
    }

    pub(crate) fn bad_request(error: &BadRequest) -> Self {
        let body = json!({"error": {
            "message": error.message,
            "type": "invalid_request_error",
            "param": error.param,
            "code": error.code,
        }});
        Self { status: 400, ..Self::json(&body) }
    }
}
