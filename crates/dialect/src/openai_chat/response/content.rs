//! The content of an assistant's message as vendors send it: a string, or a list of parts (Mistral, Databricks), whole
//! or as one delta of a stream.

use serde_json::Value;
use tidegate_core::id;

use super::super::{media, reasoning};
use crate::DialectId;
use crate::chat::{Part, ReasoningText};

/// The parts of `content`; none for null, an empty string and anything that cannot be content.
pub(in super::super) fn content_parts(content: Value) -> Vec<Part> {
    match content {
        Value::String(text) if !text.is_empty() => vec![Part::text(text)],
        Value::Array(items) => items.into_iter().filter_map(part).collect(),
        _ => Vec::new(),
    }
}

fn part(block: Value) -> Option<Part> {
    let origin = DialectId::OpenAi;
    let text = match block.get("type").and_then(Value::as_str) {
        None | Some("text") => block.get("text").or(Some(&block)).and_then(Value::as_str).map(str::to_owned),
        Some("thinking") => {
            let text = reasoning::thinking_text(&block);
            let signature = block.get("signature").and_then(Value::as_str).map(str::to_owned);
            return Some(Part::Reasoning(ReasoningText { origin, text, signature }));
        }
        Some("reasoning") => {
            let summary = block.get("summary").and_then(Value::as_array).into_iter().flatten();
            let text = summary.filter_map(|part| part.get("text")?.as_str()).collect();
            return Some(Part::Reasoning(ReasoningText { origin, text, signature: None }));
        }
        Some("image_url") => return media::answered_image(&block).or(Some(Part::Opaque { origin, block })),
        Some(_) => None,
    };
    match text {
        Some(text) if text.is_empty() => None,
        Some(text) => Some(Part::text(text)),
        None => Some(Part::Opaque { origin, block }),
    }
}

/// `arguments` as text: the text itself, or an object as the JSON it stands for.
pub(in super::super) fn argument_text(arguments: Option<Value>) -> String {
    match arguments {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    }
}

/// For vendors that give calls no id. A function of the answer, so that a stream and its repetition agree.
pub(in super::super) fn made_up_call_id(answer_id: &str, choice: u32, index: u32, name: &str) -> String {
    format!("call_{}", id::derived(&format!("{answer_id}:{choice}:{index}:{name}"), 24))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn content_of_each_form() {
        let thought = |text: &str| {
            Part::Reasoning(ReasoningText { origin: DialectId::OpenAi, text: text.into(), signature: None })
        };
        let reference = json!({"type": "reference", "reference_ids": [1]});
        for (content, want) in [
            (json!("a"), vec![Part::text("a")]),
            (json!(""), vec![]),
            (json!(null), vec![]),
            (json!(["a"]), vec![Part::text("a")]),
            (
                json!([{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}, {"type": "text", "text": "a"},
                    {"type": "text", "text": ""}]),
                vec![thought("t"), Part::text("a")],
            ),
            (json!([{"type": "reasoning", "summary": [{"text": "r"}]}]), vec![thought("r")]),
            (json!([reference]), vec![Part::Opaque { origin: DialectId::OpenAi, block: reference.clone() }]),
        ] {
            assert_eq!(content_parts(content.clone()), want, "{content}");
        }
    }

    #[test]
    fn arguments_become_text() {
        assert_eq!(argument_text(Some(json!("{\"a\":"))), "{\"a\":");
        assert_eq!(argument_text(Some(json!({"a": 1}))), "{\"a\":1}");
        assert_eq!(argument_text(Some(Value::Null)), "");
        assert_eq!(argument_text(None), "");
    }
}
