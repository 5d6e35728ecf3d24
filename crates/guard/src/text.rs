//! Where the text of a body is, to read it and to write it back.
//!
//! A text is the last message of a request, the prompt, the input, or the first choice of an answer. It is one string or
//! a list of items: strings, or parts and content blocks with a `text` member. Items of any other kind are left as they are.

use std::fmt;

use serde_json::Value;

use crate::{Shape, Side};

/// A chat request in which there is no message to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoText {
    NoMessages,
    EmptyMessages,
}

/// The content as it stands in the body; `None` when the member is absent.
pub(crate) fn content(json: &Value, side: Side, shape: Shape) -> Result<Option<&Value>, NoText> {
    Ok(json.pointer(&place(json, side, shape)?))
}

/// One text per item, empty for items that hold none. A single string is one item.
pub(crate) fn items(content: Option<&Value>) -> Vec<&str> {
    match content {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().map(item_text).collect(),
        _ => Vec::new(),
    }
}

/// All items that are not empty, one per line.
pub(crate) fn joined(content: Option<&Value>) -> String {
    let texts: Vec<&str> = items(content).into_iter().filter(|text| !text.is_empty()).collect();
    texts.join("\n")
}

/// The body with the texts of [`items`] replaced by those given in their order; `None` leaves a text as it is.
pub(crate) fn with_items(
    json: &Value,
    side: Side,
    shape: Shape,
    replaced: Vec<Option<String>>,
) -> Result<Value, NoText> {
    let place = place(json, side, shape)?;
    let mut json = json.clone();
    if let Some(content) = json.pointer_mut(&place) {
        for (text, replaced) in texts_mut(content).into_iter().zip(replaced) {
            if let (Some(text), Some(replaced)) = (text, replaced) {
                *text = Value::String(replaced);
            }
        }
    }
    Ok(json)
}

/// JSON pointer to the content.
fn place(json: &Value, side: Side, shape: Shape) -> Result<String, NoText> {
    let fixed = match (side, shape) {
        (Side::Request, Shape::Chat | Shape::Messages) => {
            let messages = json.get("messages").and_then(Value::as_array).ok_or(NoText::NoMessages)?;
            let last = messages.len().checked_sub(1).ok_or(NoText::EmptyMessages)?;
            return Ok(format!("/messages/{last}/content"));
        }
        (Side::Request, Shape::Complete) => "/prompt",
        (Side::Request, Shape::Embed) => "/input",
        (Side::Response, Shape::Chat) => "/choices/0/message/content",
        (Side::Response, Shape::Complete) => "/choices/0/text",
        // Hooks do not run on the answer of an embedding: it has no text, here or elsewhere.
        (Side::Response, Shape::Messages | Shape::Embed) => "/content",
    };
    Ok(fixed.to_owned())
}

fn item_text(item: &Value) -> &str {
    item.as_str().or_else(|| item.get("text")?.as_str()).unwrap_or_default()
}

/// The places of the texts that [`items`] reads, in its order.
fn texts_mut(content: &mut Value) -> Vec<Option<&mut Value>> {
    match content {
        Value::Array(items) => items.iter_mut().map(text_mut).collect(),
        single => vec![text_mut(single)],
    }
}

fn text_mut(item: &mut Value) -> Option<&mut Value> {
    match item {
        Value::String(_) => Some(item),
        Value::Object(part) => part.get_mut("text").filter(|text| text.is_string()),
        _ => None,
    }
}

impl fmt::Display for NoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The words clients of the config object know.
        f.write_str(match self {
            Self::NoMessages => "Cannot read properties of undefined (reading 'length')",
            Self::EmptyMessages => "Cannot read properties of undefined (reading 'content')",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_found_in_each_shape() {
        use Shape::{Chat, Complete, Embed, Messages};
        use Side::{Request, Response};
        let parts =
            json!([{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]);
        let cases = [
            (Request, Chat, json!({"messages": [{"content": "x"}, {"content": "last"}]}), "last"),
            (Request, Chat, json!({"messages": [{"content": parts}]}), "a\nb"),
            (Request, Chat, json!({"messages": [{"content": null}]}), ""),
            (Request, Messages, json!({"messages": [{"content": parts}]}), "a\nb"),
            (Request, Complete, json!({"prompt": "p"}), "p"),
            (Request, Complete, json!({"prompt": ["p", "", "q"]}), "p\nq"),
            (Request, Complete, json!({"prompt": [1, 2]}), ""),
            (Request, Complete, json!({}), ""),
            (Request, Embed, json!({"input": ["x", "y"]}), "x\ny"),
            (Response, Chat, json!({"choices": [{"message": {"content": "c"}}, {}]}), "c"),
            (Response, Chat, json!(null), ""),
            (Response, Complete, json!({"choices": [{"text": "t"}, {"text": "u"}]}), "t"),
            (
                Response,
                Messages,
                json!({"content": [{"type": "text", "text": "m"}, {"type": "tool_use"}]}),
                "m",
            ),
        ];
        for (side, shape, body, expected) in cases {
            assert_eq!(joined(content(&body, side, shape).unwrap()), expected, "{body}");
        }
    }

    #[test]
    fn a_request_without_messages_has_no_text() {
        let content = |body| content(&body, Side::Request, Shape::Chat).map(|_| ());
        assert_eq!(content(json!({})), Err(NoText::NoMessages));
        assert_eq!(content(json!({"messages": []})), Err(NoText::EmptyMessages));
    }

    #[test]
    fn edits_go_back_to_where_the_text_was() {
        use Shape::{Chat, Complete, Embed, Messages};
        use Side::{Request, Response};
        let block = json!({"type": "tool_use", "id": "t", "input": {}});
        let cases = [
            (
                Request,
                Chat,
                json!({"messages": [{"content": "a"}, {"role": "user", "content": "a"}]}),
                json!({"messages": [{"content": "a"}, {"role": "user", "content": "X"}]}),
            ),
            (
                Request,
                Chat,
                json!({"messages": [{"content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": "b"}]}]}),
                json!({"messages": [{"content": [{"type": "text", "text": "X"}, {"type": "image_url"}, {"text": "b"}]}]}),
            ),
            (Request, Complete, json!({"prompt": ["b", "a"]}), json!({"prompt": ["b", "X"]})),
            (Request, Embed, json!({"input": "a"}), json!({"input": "X"})),
            (
                Response,
                Complete,
                json!({"choices": [{"text": "a"}, {"text": "b"}]}),
                json!({"choices": [{"text": "X"}, {"text": "b"}]}),
            ),
            (
                Response,
                Messages,
                json!({"content": [{"type": "text", "text": "a"}, block, {"type": "text", "text": "a"}]}),
                json!({"content": [{"type": "text", "text": "X"}, block, {"type": "text", "text": "X"}]}),
            ),
        ];
        for (side, shape, body, expected) in cases {
            let texts = items(content(&body, side, shape).unwrap());
            let replaced = texts.into_iter().map(|text| (text == "a").then(|| "X".to_owned())).collect();
            assert_eq!(with_items(&body, side, shape, replaced), Ok(expected), "{body}");
        }
    }
}
