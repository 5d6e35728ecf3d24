//! The objects of Anthropic's streams: as read, and as written.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tidegate_core::ApiError;

use crate::anthropic_messages::error;
use crate::anthropic_messages::usage::WireUsage;
use crate::framing::write_event;

/// One event's data, whatever its type: members that most events lack cost nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "type", default, borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(default)]
    pub(super) message: Option<Start>,
    #[serde(default)]
    pub(super) content_block: Option<Map<String, Value>>,
    /// Read when it is known what it is a delta of.
    #[serde(default, borrow)]
    pub(super) delta: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) usage: Option<WireUsage>,
    #[serde(default)]
    pub(super) context_management: Option<Value>,
    #[serde(default)]
    pub(super) error: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Start {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) usage: Option<WireUsage>,
    pub(super) container: Option<Value>,
}

/// A delta of a block that is understood.
#[derive(Debug, Deserialize)]
pub(super) struct ReadDelta<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(super) text: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(super) partial_json: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(super) thinking: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(super) signature: Cow<'a, str>,
    #[serde(default)]
    pub(super) citation: Option<Value>,
}

/// `content_block_delta` as written.
#[derive(Debug, Serialize)]
pub(super) struct BlockDelta<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) index: u64,
    pub(super) delta: Delta<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "citations_delta")]
    Citation { citation: &'a Value },
}

pub(super) const PING: &[u8] = b"event: ping\ndata: {\"type\":\"ping\"}\n\n";

/// The event that ends a stream in an error.
pub(in crate::anthropic_messages) fn error_event(error: &ApiError, provider: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut body = error::encode(error, provider);
    // Inside a stream there is the error and nothing else.
    if let Some(members) = body.as_object_mut() {
        members.retain(|key, _| matches!(key.as_str(), "type" | "error" | "request_id"));
    }
    write_event(&mut out, Some("error"), body.to_string().as_bytes());
    out
}

/// One event of the stream.
pub(super) fn write(out: &mut Vec<u8>, name: &str, event: &impl Serialize) {
    // Strings, numbers and maps with string keys always serialise.
    write_event(out, Some(name), &serde_json::to_vec(event).unwrap_or_default());
}
