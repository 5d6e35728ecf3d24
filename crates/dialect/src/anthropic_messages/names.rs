//! Names and ids of tools on Anthropic's wire.
//!
//! Anthropic knows no free-text tools and no JSON mode; the encoder stands tools with reserved names in for them, and
//! the decoders recognise those names. So nothing has to be remembered between a request and its answer.

use std::borrow::Cow;

use serde_json::Value;
use tidegate_core::{ApiError, id};

use crate::chat::ToolKind;

/// The tool whose input is the answer, where the client asked for JSON and the model has no structured output.
pub(super) const JSON_TOOL: &str = "tidegate_json_response";

/// Begins the name of a tool that stands in for a free-text tool. Its input is `{"input": text}`.
const CUSTOM_PREFIX: &str = "tidegate_custom__";

const MAX_NAME: usize = 128;

/// The name of a tool on the wire.
///
/// # Errors
/// 400 at `param` for a name the API refuses or one that is reserved. Names are not rewritten: an answer could not be
/// mapped back without remembering the request.
pub(super) fn on_wire<'a>(name: &'a str, kind: ToolKind, param: &str) -> Result<Cow<'a, str>, ApiError> {
    if name == JSON_TOOL || name.starts_with(CUSTOM_PREFIX) {
        let message = format!("the tool name `{name}` is reserved for the gateway; use another one");
        return Err(ApiError::bad_request(param, message));
    }
    let wire = match kind {
        ToolKind::Function => Cow::Borrowed(name),
        ToolKind::Custom => Cow::Owned(format!("{CUSTOM_PREFIX}{name}")),
    };
    if !name.is_empty() && wire.len() <= MAX_NAME && is_word(&wire) {
        return Ok(wire);
    }
    let message = format!(
        "Anthropic takes tool names of 1 to {MAX_NAME} letters, digits, `_` and `-`; `{name}` is none"
    );
    Err(ApiError::bad_request(param, message))
}

/// What the client called the tool, and of which kind it was.
pub(super) fn from_wire(name: &str) -> (&str, ToolKind) {
    match name.strip_prefix(CUSTOM_PREFIX) {
        Some(name) => (name, ToolKind::Custom),
        None => (name, ToolKind::Function),
    }
}

/// The arguments of a call as the neutral form has them: JSON text, or the free text that stands in `input`.
pub(super) fn arguments(input: &Value, kind: ToolKind) -> String {
    match (kind, input.get("input")) {
        (ToolKind::Custom, Some(Value::String(text))) => text.clone(),
        _ => input.to_string(),
    }
}

/// The id of a tool call as the API takes it: as it is where it fits, else always the same replacement.
pub(super) fn call_id(original: &str) -> Cow<'_, str> {
    if !original.is_empty() && is_word(original) {
        Cow::Borrowed(original)
    } else {
        Cow::Owned(format!("toolu_{}", id::derived(original, 24)))
    }
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_out_and_come_back() {
        for (name, kind) in [("tide", ToolKind::Function), ("run_code-2", ToolKind::Custom)] {
            let wire = on_wire(name, kind, "p").unwrap();
            assert_eq!(from_wire(&wire), (name, kind));
        }
    }

    #[test]
    fn names_the_api_refuses_are_refused_here() {
        let long = "x".repeat(129);
        for name in ["", "ns:tide", "häfen", &long, JSON_TOOL, "tidegate_custom__x"] {
            let error = on_wire(name, ToolKind::Function, "tools[0].function.name").unwrap_err();
            assert_eq!(
                (error.status, error.param.as_deref()),
                (400, Some("tools[0].function.name")),
                "{name}"
            );
        }
        assert!(on_wire(&long[1..], ToolKind::Function, "p").is_ok());
    }

    #[test]
    fn odd_call_ids_get_a_stable_replacement() {
        assert_eq!(call_id("call_Ab-1"), "call_Ab-1");
        for odd in ["functions.tide:0", ""] {
            assert!(is_word(&call_id(odd)) && call_id(odd).starts_with("toolu_"));
            assert_eq!(call_id(odd), call_id(odd));
        }
        assert_ne!(call_id("a:1"), call_id("a:2"));
    }
}
