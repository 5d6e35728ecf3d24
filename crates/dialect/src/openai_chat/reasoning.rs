//! The places in which the chat format carries reasoning and its signatures, none of them OpenAI's own: each vendor and
//! each gateway found another. All are read, in requests (clients send answers back) and in answers; which of them is
//! written is decided where answers are written.

use serde_json::{Map, Value, json};

use super::media;
use super::member::{take, take_text};
use crate::DialectId;
use crate::chat::{Part, ReasoningText, Text};

/// What separates a tool call's id from a thought signature appended to it.
const ID_SUFFIX: &str = "__thought__";

/// Reasoning taken out of a message.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In order. With `whole`, texts and images of the message too.
    pub(super) parts: Vec<Part>,
    /// The parts stand for the whole content of the message: its `content` says the same again.
    pub(super) whole: bool,
}

/// Takes every reasoning member out of an assistant message. When several are there, which say the same in different
/// detail, the most detailed counts.
pub(super) fn take_from(message: &mut Map<String, Value>) -> Found {
    let content_blocks = take_list(message, "content_blocks");
    let thinking_blocks = take_thinking_blocks(message);
    let details = take_list(message, "reasoning_details");
    let plain = take_text(message, "reasoning_content");
    let plain = take_text(message, "reasoning").or(plain);
    if let Some(blocks) = content_blocks.filter(|blocks| !blocks.is_empty()) {
        return Found { parts: blocks.into_iter().map(part_of_block).collect(), whole: true };
    }
    let mut parts: Vec<Part> = thinking_blocks.into_iter().map(part_of_block).collect();
    if parts.is_empty() {
        parts = details.unwrap_or_default().iter().filter_map(part_of_detail).collect();
    }
    let has_text = parts.iter().any(|part| matches!(part, Part::Reasoning(r) if !r.text.is_empty()));
    if let Some(text) = plain.filter(|_| !has_text) {
        parts.insert(0, unsigned(text));
    }
    Found { parts, whole: false }
}

/// A block of Anthropic's shape, as in `content_blocks` and `thinking_blocks`.
pub(super) fn part_of_block(mut block: Value) -> Part {
    let origin = DialectId::Anthropic;
    let text_of = |name: &str| block.get(name).and_then(Value::as_str).map(str::to_owned);
    match block.get("type").and_then(Value::as_str) {
        Some("thinking") => Part::Reasoning(ReasoningText {
            origin,
            text: thinking_text(&block),
            signature: text_of("signature").filter(|signature| !signature.is_empty()),
        }),
        Some("redacted_thinking") => {
            Part::RedactedReasoning { origin, data: text_of("data").unwrap_or_default() }
        }
        Some("text") if block.get("text").is_some_and(Value::is_string) => {
            let text = text_of("text").unwrap_or_default();
            let citations = match block.get_mut("citations").map(Value::take) {
                Some(Value::Array(citations)) => citations,
                _ => Vec::new(),
            };
            Part::Text(Text { text, citations, ..Text::default() })
        }
        Some("image_url") => media::answered_image(&block).unwrap_or(Part::Opaque { origin, block }),
        _ => Part::Opaque { origin, block },
    }
}

/// `thinking` as a string (Anthropic) or as a list of text parts (Mistral).
pub(super) fn thinking_text(block: &Value) -> String {
    match block.get("thinking") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
        }
        _ => String::new(),
    }
}

/// One entry of OpenRouter's `reasoning_details`; `None` for kinds nobody has documented.
pub(super) fn part_of_detail(detail: &Value) -> Option<Part> {
    let text_of = |name: &str| detail.get(name).and_then(Value::as_str).map(str::to_owned);
    let format = detail.get("format").and_then(Value::as_str).unwrap_or_default();
    let origin = if format.starts_with("anthropic") {
        DialectId::Anthropic
    } else if format.starts_with("google") {
        DialectId::Gemini
    } else {
        DialectId::OpenAi
    };
    let signature = text_of("signature").filter(|signature| !signature.is_empty());
    match detail.get("type")?.as_str()? {
        "reasoning.text" => Some(Part::Reasoning(ReasoningText {
            origin,
            text: text_of("text").unwrap_or_default(),
            signature,
        })),
        "reasoning.summary" => {
            Some(Part::Reasoning(ReasoningText { origin, text: text_of("summary")?, signature: None }))
        }
        "reasoning.encrypted" => Some(Part::RedactedReasoning { origin, data: text_of("data")? }),
        _ => None,
    }
}

/// Takes a tool call's thought signature from wherever it is, and cleans the id of it.
pub(super) fn take_signature(
    call: &mut Map<String, Value>,
    function: &mut Map<String, Value>,
    id: &mut String,
) -> Option<String> {
    let google = take_nested(call, "extra_content", &["google", "thought_signature"]);
    let in_function = take_text(function, "thought_signature");
    let litellm = take_nested(call, "provider_specific_fields", &["thought_signature"])
        .or_else(|| take_nested(function, "provider_specific_fields", &["thought_signature"]));
    let (bare, suffix) = split_id(id);
    let (bare_length, suffix) = (bare.len(), suffix.map(str::to_owned));
    id.truncate(bare_length);
    google.or(in_function).or(litellm).or(suffix)
}

/// A tool call's id and the signature appended to it, if one is.
pub(super) fn split_id(id: &str) -> (&str, Option<&str>) {
    match id.split_once(ID_SUFFIX) {
        Some((bare, signature)) => (bare, Some(signature).filter(|signature| !signature.is_empty())),
        None => (id, None),
    }
}

/// Parts as Portkey's `content_blocks`: everything of a message but its tool calls, in Anthropic's shape.
pub(super) fn content_block(part: &Part) -> Option<Value> {
    Some(match part {
        Part::Text(text) => json!({"type": "text", "text": text.text}),
        Part::Reasoning(reasoning) => match &reasoning.signature {
            Some(signature) => {
                json!({"type": "thinking", "thinking": reasoning.text, "signature": signature})
            }
            None => json!({"type": "thinking", "thinking": reasoning.text}),
        },
        Part::RedactedReasoning { data, .. } => json!({"type": "redacted_thinking", "data": data}),
        Part::Image(image) => media::image_block(image)?,
        Part::Opaque { block, .. } => block.clone(),
        Part::Audio(_) | Part::File(_) | Part::Refusal(_) | Part::ToolCall(_) | Part::ToolResult(_) => {
            return None;
        }
    })
}

fn unsigned(text: String) -> Part {
    Part::Reasoning(ReasoningText { origin: DialectId::OpenAi, text, signature: None })
}

fn take_list(message: &mut Map<String, Value>, name: &str) -> Option<Vec<Value>> {
    match message.get(name) {
        Some(Value::Array(_)) => match take(message, name) {
            Some(Value::Array(items)) => Some(items),
            _ => None,
        },
        _ => None,
    }
}

/// LiteLLM writes the blocks into the message and again into its `provider_specific_fields`.
fn take_thinking_blocks(message: &mut Map<String, Value>) -> Vec<Value> {
    let outer = take_list(message, "thinking_blocks");
    let fields = message.get_mut("provider_specific_fields").and_then(Value::as_object_mut);
    let inner = fields.and_then(|fields| take_list(fields, "thinking_blocks"));
    drop_if_empty(message, "provider_specific_fields");
    outer.or(inner).unwrap_or_default()
}

/// Takes a text out of objects within objects, and removes those that it leaves empty.
fn take_nested(members: &mut Map<String, Value>, name: &str, path: &[&str]) -> Option<String> {
    let inner = members.get_mut(name)?.as_object_mut()?;
    let found = match path {
        [last] => take_text(inner, last),
        [next, rest @ ..] => take_nested(inner, next, rest),
        [] => None,
    };
    drop_if_empty(members, name);
    found
}

fn drop_if_empty(members: &mut Map<String, Value>, name: &str) {
    if members.get(name).and_then(Value::as_object).is_some_and(Map::is_empty) {
        members.shift_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn thought(origin: DialectId, text: &str, signature: Option<&str>) -> Part {
        Part::Reasoning(ReasoningText { origin, text: text.into(), signature: signature.map(str::to_owned) })
    }

    #[test]
    fn every_place_is_read() {
        use DialectId::{Anthropic, Gemini, OpenAi};
        let redacted = |origin| Part::RedactedReasoning { origin, data: "ENC".into() };
        let cases = [
            (json!({"reasoning_content": "a"}), vec![thought(OpenAi, "a", None)]),
            (json!({"reasoning": "a"}), vec![thought(OpenAi, "a", None)]),
            (json!({"reasoning": "a", "reasoning_content": "a"}), vec![thought(OpenAi, "a", None)]),
            (json!({"reasoning": null, "reasoning_content": ""}), vec![]),
            (
                json!({"thinking_blocks": [{"type": "thinking", "thinking": "a", "signature": "S"},
                    {"type": "redacted_thinking", "data": "ENC"}], "reasoning_content": "a"}),
                vec![thought(Anthropic, "a", Some("S")), redacted(Anthropic)],
            ),
            (
                json!({"provider_specific_fields": {"thinking_blocks": [{"type": "thinking", "thinking": "a"}]}}),
                vec![thought(Anthropic, "a", None)],
            ),
            (
                json!({"reasoning": "a", "reasoning_details": [
                    {"type": "reasoning.text", "text": "a", "signature": "S", "format": "anthropic-claude-v1"},
                    {"type": "reasoning.summary", "summary": "b", "format": "openai-responses-v1"},
                    {"type": "reasoning.encrypted", "data": "ENC", "format": "google-gemini-v1"},
                    {"type": "reasoning.new"}]}),
                vec![thought(Anthropic, "a", Some("S")), thought(OpenAi, "b", None), redacted(Gemini)],
            ),
            (
                json!({"reasoning": "a", "reasoning_details": [{"type": "reasoning.encrypted", "data": "ENC"}]}),
                vec![thought(OpenAi, "a", None), redacted(OpenAi)],
            ),
        ];
        for (value, parts) in cases {
            let mut members = message(value.clone());
            let found = take_from(&mut members);
            assert_eq!(found.parts, parts, "{value}");
            assert!(!found.whole);
            assert!(members.values().all(|left| left == &json!(null) || left == &json!("")), "{members:?}");
        }
    }

    #[test]
    fn content_blocks_stand_for_the_whole_message() {
        let blocks = json!([
            {"type": "thinking", "thinking": "a", "signature": "S"},
            {"type": "text", "text": "b"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            {"type": "web_search_tool_result", "content": []}
        ]);
        let mut members = message(json!({"content_blocks": blocks, "reasoning_content": "a"}));
        let found = take_from(&mut members);
        assert!(found.whole && members.is_empty());
        let back: Vec<Value> = found.parts.iter().filter_map(content_block).collect();
        assert_eq!(Value::Array(back), blocks);
    }

    #[test]
    fn signatures_of_tool_calls_are_read_from_every_place() {
        let cases = [
            (json!({"extra_content": {"google": {"thought_signature": "S"}}}), json!({}), "c1"),
            (json!({}), json!({"thought_signature": "S"}), "c1"),
            (json!({"provider_specific_fields": {"thought_signature": "S"}}), json!({}), "c1"),
            (json!({}), json!({"provider_specific_fields": {"thought_signature": "S"}}), "c1"),
            (json!({}), json!({}), "c1__thought__S"),
        ];
        for (call, function, id) in cases {
            let (mut call, mut function, mut id) = (message(call), message(function), id.to_owned());
            assert_eq!(take_signature(&mut call, &mut function, &mut id).as_deref(), Some("S"));
            assert!(call.is_empty() && function.is_empty() && id == "c1");
        }
        let mut call = message(json!({"extra_content": {"other": 1}}));
        assert_eq!(take_signature(&mut call, &mut Map::new(), &mut "c1".to_owned()), None);
        assert_eq!(call.len(), 1);
    }
}
