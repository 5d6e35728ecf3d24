//! One delta of one choice: what it says, as events.

use serde_json::{Map, Value};

use super::super::member::{take, take_text};
use super::super::response::content_parts;
use super::super::{media, reasoning};
use super::calls::Calls;
use crate::chat::{Part, StreamEvent};

/// Takes everything it understands out of a delta.
pub(super) fn say(
    index: u32,
    calls: &mut Calls,
    delta: &mut Map<String, Value>,
    answer_id: &str,
    events: &mut Vec<StreamEvent>,
) {
    let blocks = take_block_deltas(delta);
    let thoughts = reasoning::take_from(delta).parts;
    let repeated = thoughts.iter().any(|part| matches!(part, Part::Reasoning(_)));
    push_parts(index, thoughts, events);
    push_parts(index, blocks.into_iter().filter(|part| !repeated || is_opaque(part)).collect(), events);
    push_parts(index, content_parts(take(delta, "content").unwrap_or_default()), events);
    if let Some(text) = take_text(delta, "refusal") {
        events.push(StreamEvent::Refusal { choice: index, text });
    }
    if let Some(Value::Array(annotations)) = take(delta, "annotations") {
        let event = |annotation| StreamEvent::Annotation { choice: index, annotation };
        events.extend(annotations.into_iter().map(event));
    }
    if let Some(Value::Array(images)) = take(delta, "images") {
        push_parts(index, images.iter().filter_map(media::answered_image).collect(), events);
    }
    if let Some(Value::Object(audio)) = take(delta, "audio") {
        let part = media::answered_audio(audio, "pcm16");
        events.push(StreamEvent::Part { choice: index, part });
    }
    let mut pieces = match take(delta, "tool_calls") {
        Some(Value::Array(pieces)) => pieces,
        _ => Vec::new(),
    };
    if let Some(function) = take(delta, "function_call") {
        let only = [("index".to_owned(), Value::from(0)), ("function".to_owned(), function)];
        pieces.push(Value::Object(Map::from_iter(only)));
    }
    for piece in pieces {
        if let Value::Object(piece) = piece {
            calls.piece(piece, index, answer_id, events);
        }
    }
    delta.retain(|key, value| !(key == "content" || key == "refusal" || value.as_str() == Some("")));
}

/// Portkey's `content_blocks: [{index, delta: {thinking | signature | data | text}}]`, without the text, which is in
/// `content` as well.
fn take_block_deltas(delta: &mut Map<String, Value>) -> Vec<Part> {
    let Some(Value::Array(blocks)) = take(delta, "content_blocks") else { return Vec::new() };
    let mut parts = Vec::new();
    for mut block in blocks {
        let Some(Value::Object(mut inner)) = block.get_mut("delta").map(Value::take) else { continue };
        inner.shift_remove("text");
        let kind = if inner.contains_key("data") {
            "redacted_thinking"
        } else if inner.contains_key("thinking") || inner.contains_key("signature") {
            "thinking"
        } else {
            continue;
        };
        inner.insert("type".to_owned(), Value::from(kind));
        parts.push(reasoning::part_of_block(Value::Object(inner)));
    }
    parts
}

/// Beyond the text that `reasoning_content` repeats.
fn is_opaque(part: &Part) -> bool {
    match part {
        Part::Reasoning(thought) => thought.signature.is_some() && thought.text.is_empty(),
        _ => true,
    }
}

pub(super) fn push_parts(choice: u32, parts: Vec<Part>, events: &mut Vec<StreamEvent>) {
    for part in parts {
        match part {
            Part::Text(text) => events.push(StreamEvent::Text { choice, text: text.text }),
            Part::Reasoning(thought) => {
                if !thought.text.is_empty() {
                    events.push(StreamEvent::Reasoning { choice, text: thought.text });
                }
                if let Some(signature) = thought.signature {
                    events.push(StreamEvent::ReasoningSignature { choice, signature });
                }
            }
            Part::RedactedReasoning { data, .. } => {
                events.push(StreamEvent::RedactedReasoning { choice, data });
            }
            part => events.push(StreamEvent::Part { choice, part }),
        }
    }
}
