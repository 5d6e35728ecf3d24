//! The conversation as Cohere's messages.
//!
//! Tool calls and their ids are kept as they are. Cohere's own reasoning goes back to it: as the plan of a turn with
//! tool calls, else as thinking blocks. Only user messages hold images; files and sounds are refused.

use std::borrow::Cow;

use tidegate_core::{ApiError, Verdict, Warnings};

use super::wire::{Block, CalledFunction, Content, ImageUrl, Message, ToolCall};
use crate::DialectId;
use crate::chat::{self, Image, Part, Role, Source, Text, ToolKind, ToolResult};
use crate::losses;

pub(super) fn messages<'a>(
    messages: &'a [chat::Message],
    warnings: &mut Warnings,
) -> Result<Vec<Message<'a>>, ApiError> {
    let mut out = Vec::with_capacity(messages.len());
    for (i, message) in messages.iter().enumerate() {
        let path = format!("messages[{i}]");
        losses::of_message(message, &path, warnings);
        match message.role {
            Role::System | Role::Developer => {
                let content = said(message, &path, Speaker::System, warnings)?;
                out.push(Message::System { content });
            }
            Role::User => {
                let content = said(message, &path, Speaker::User, warnings)?;
                out.push(Message::User { content });
            }
            Role::Assistant => out.push(assistant(message, &path, warnings)?),
            Role::Tool => {
                for part in &message.parts {
                    let Part::ToolResult(result) = part else {
                        let message = "a tool message holds nothing but the result of a tool call";
                        return Err(ApiError::bad_request(format!("{path}.content"), message));
                    };
                    out.push(tool(result, &path, warnings));
                }
            }
        }
    }
    Ok(out)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaker {
    System,
    User,
}

fn said<'a>(
    message: &'a chat::Message,
    path: &str,
    speaker: Speaker,
    warnings: &mut Warnings,
) -> Result<Content<'a>, ApiError> {
    let mut blocks = Vec::with_capacity(message.parts.len());
    for (i, part) in message.parts.iter().enumerate() {
        let path = format!("{path}.content[{i}]");
        let block = match part {
            Part::Text(text) => text_block(text, &path, warnings),
            Part::Refusal(text) => Block::Text { text: text.into() },
            Part::File(file) => match &file.source {
                Source::PlainText(text) => {
                    warnings.shaped(path);
                    Block::Text { text: text.into() }
                }
                _ => {
                    let message = "Cohere takes no files: give the text of the document, in the message or as one of \
                                   the `documents`";
                    return Err(ApiError::bad_request(format!("{path}.file"), message));
                }
            },
            Part::Image(picture) if speaker == Speaker::User => image(picture, &path, warnings)?,
            Part::Audio(_) => {
                let message = "Cohere takes no sound: give its text";
                return Err(ApiError::bad_request(format!("{path}.input_audio"), message));
            }
            Part::Image(_) => {
                let message = "Cohere takes images in user messages only";
                return Err(ApiError::bad_request(format!("{path}.image_url"), message));
            }
            _ => {
                warnings.dropped(path);
                continue;
            }
        };
        blocks.push(block);
    }
    Ok(content(blocks))
}

fn assistant<'a>(
    message: &'a chat::Message,
    path: &str,
    warnings: &mut Warnings,
) -> Result<Message<'a>, ApiError> {
    let mut blocks = Vec::new();
    let mut thoughts = Vec::new();
    let mut tool_calls = Vec::new();
    for (i, part) in message.parts.iter().enumerate() {
        let path = format!("{path}.content[{i}]");
        match part {
            Part::Text(text) => blocks.push(text_block(text, &path, warnings)),
            Part::Refusal(text) => blocks.push(Block::Text { text: text.into() }),
            Part::ToolCall(call) => tool_calls.push(tool_call(call, warnings)),
            Part::Reasoning(reasoning) if reasoning.origin == DialectId::Cohere => {
                thoughts.push(reasoning.text.as_str());
            }
            Part::Audio(audio) => match &audio.transcript {
                Some(transcript) => {
                    warnings.shaped(format!("{path}.audio"));
                    blocks.push(Block::Text { text: transcript.into() });
                }
                None => {
                    let message = "Cohere cannot look up audio of an earlier answer: give its text";
                    return Err(ApiError::bad_request(format!("{path}.audio"), message));
                }
            },
            _ => warnings.dropped(path),
        }
    }
    let tool_plan = (!tool_calls.is_empty() && !thoughts.is_empty()).then(|| thoughts.concat());
    if tool_plan.is_none() {
        blocks.splice(0..0, thoughts.into_iter().map(|thinking| Block::Thinking { thinking }));
    }
    let content = (!blocks.is_empty() || tool_calls.is_empty()).then(|| content(blocks));
    Ok(Message::Assistant { content, tool_plan, tool_calls })
}

fn tool_call<'a>(call: &'a chat::ToolCall, warnings: &mut Warnings) -> ToolCall<'a> {
    losses::of_mark(call.cache.as_ref(), warnings);
    let arguments = match call.kind {
        ToolKind::Function if call.arguments.trim().is_empty() => Cow::Borrowed("{}"),
        ToolKind::Function => Cow::Borrowed(call.arguments.as_str()),
        ToolKind::Custom => serde_json::Value::Object(call.arguments_object().0).to_string().into(),
    };
    ToolCall { id: &call.id, r#type: "function", function: CalledFunction { name: &call.name, arguments } }
}

fn tool<'a>(result: &'a ToolResult, path: &str, warnings: &mut Warnings) -> Message<'a> {
    losses::of_mark(result.cache.as_ref(), warnings);
    let mut blocks = Vec::with_capacity(result.content.len());
    if result.is_error {
        // The only way to say that the tool failed.
        warnings.push_note(Verdict::Shaped, format!("{path}.is_error"), "text");
        blocks.push(Block::Text { text: "Error:".into() });
    }
    for (i, part) in result.content.iter().enumerate() {
        let path = format!("{path}.content[{i}]");
        match part {
            Part::Text(text) => blocks.push(text_block(text, &path, warnings)),
            _ => warnings.push_note(Verdict::Dropped, path, "not_text"),
        }
    }
    Message::Tool { tool_call_id: &result.call_id, content: content(blocks) }
}

fn text_block<'a>(text: &'a Text, path: &str, warnings: &mut Warnings) -> Block<'a> {
    losses::of_text(text, path, warnings);
    Block::Text { text: text.text.as_str().into() }
}

fn image<'a>(image: &'a Image, path: &str, warnings: &mut Warnings) -> Result<Block<'a>, ApiError> {
    losses::of_mark(image.cache.as_ref(), warnings);
    let url = match &image.source {
        Source::Url(url) => Cow::Borrowed(url.as_str()),
        Source::Inline { mime, data } => ["data:", mime, ";base64,", data].concat().into(),
        Source::FileId(_) | Source::PlainText(_) => {
            let message = "Cohere takes images by `https:` address or as a `data:` URI";
            return Err(ApiError::bad_request(format!("{path}.image_url.url"), message));
        }
    };
    Ok(Block::ImageUrl { image_url: ImageUrl { url, detail: image.detail.as_deref() } })
}

/// One text is a string.
fn content(mut blocks: Vec<Block<'_>>) -> Content<'_> {
    match blocks.pop() {
        None => Content::Text("".into()),
        Some(Block::Text { text }) if blocks.is_empty() => Content::Text(text),
        Some(last) => {
            blocks.push(last);
            Content::Blocks(blocks)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::chat::{Audio, Extra, File, ReasoningText};

    fn written(messages: &[chat::Message]) -> (Value, String) {
        let mut warnings = Warnings::default();
        let out = super::messages(messages, &mut warnings).unwrap();
        (serde_json::to_value(out).unwrap(), warnings.header_value())
    }

    fn call(kind: ToolKind, arguments: &str) -> Part {
        Part::ToolCall(chat::ToolCall {
            id: "f_x1".into(),
            name: "f".into(),
            arguments: arguments.into(),
            kind,
            signature: None,
            cache: None,
            extra: Extra::new(),
        })
    }

    fn result(content: Vec<Part>, is_error: bool) -> chat::Message {
        let result = ToolResult { call_id: "f_x1".into(), name: None, content, is_error, cache: None };
        chat::Message::new(Role::Tool, vec![Part::ToolResult(result)])
    }

    fn thought(origin: DialectId) -> Part {
        Part::Reasoning(ReasoningText { origin, text: "hm".into(), signature: None })
    }

    #[test]
    fn calls_and_their_ids_are_kept() {
        let (messages, warned) = written(&[
            chat::Message::text(Role::Developer, "S"),
            chat::Message::text(Role::User, "a"),
            chat::Message::new(
                Role::Assistant,
                vec![thought(DialectId::Cohere), Part::text("c"), call(ToolKind::Function, r#"{"q":"z"}"#)],
            ),
            result(vec![Part::text("R")], false),
        ]);
        assert_eq!(
            messages,
            json!([
                {"role": "system", "content": "S"},
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "c", "tool_plan": "hm", "tool_calls": [
                    {"id": "f_x1", "type": "function", "function": {"name": "f", "arguments": r#"{"q":"z"}"#}},
                ]},
                {"role": "tool", "tool_call_id": "f_x1", "content": "R"},
            ])
        );
        assert_eq!(warned, "");
    }

    #[test]
    fn assistant_messages_take_many_forms() {
        for (parts, expected, warned) in [
            (vec![], json!({"role": "assistant", "content": ""}), ""),
            (
                vec![thought(DialectId::Cohere), Part::text("c")],
                json!({"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "c"},
                ]}),
                "",
            ),
            (
                vec![thought(DialectId::Anthropic), Part::text("c")],
                json!({"role": "assistant", "content": "c"}),
                "dropped;messages[0].content[0]",
            ),
            (
                vec![call(ToolKind::Function, "")],
                json!({"role": "assistant", "tool_calls": [
                    {"id": "f_x1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                ]}),
                "",
            ),
            (
                vec![call(ToolKind::Custom, "ls")],
                json!({"role": "assistant", "tool_calls": [
                    {"id": "f_x1", "type": "function", "function": {"name": "f", "arguments": r#"{"input":"ls"}"#}},
                ]}),
                "",
            ),
        ] {
            let (messages, seen) = written(&[chat::Message::new(Role::Assistant, parts)]);
            assert_eq!((&messages[0], seen.as_str()), (&expected, warned));
        }
    }

    #[test]
    fn images_go_by_address_or_as_data() {
        let image = |source| Part::Image(Image { source, detail: Some("low".into()), cache: None });
        let inline = Source::Inline { mime: "image/png".into(), data: "aGk=".into() };
        let parts =
            vec![Part::text("see"), image(Source::Url("https://example.com/x".into())), image(inline)];
        let (messages, _) = written(&[chat::Message::new(Role::User, parts)]);
        assert_eq!(
            messages[0]["content"],
            json!([
                {"type": "text", "text": "see"},
                {"type": "image_url", "image_url": {"url": "https://example.com/x", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
            ])
        );
    }

    #[test]
    fn results_say_their_failure_in_text() {
        let image = Image { source: Source::Url("https://example.com".into()), detail: None, cache: None };
        let (messages, warned) = written(&[result(vec![Part::text("no"), Part::Image(image)], true)]);
        let expected = json!([{"type": "text", "text": "Error:"}, {"type": "text", "text": "no"}]);
        assert_eq!(messages[0]["content"], expected);
        assert_eq!(warned, "shaped;messages[0].is_error=text, dropped;messages[0].content[1]=not_text");
    }

    #[test]
    fn what_cohere_cannot_take_is_refused() {
        let image = Image { source: Source::FileId("file-1".into()), detail: None, cache: None };
        let inline = Source::Inline { mime: "application/pdf".into(), data: String::new() };
        let file =
            File { source: inline, name: None, title: None, context: None, citations: None, cache: None };
        let audio = Audio { data: "AA==".into(), format: "wav".into(), transcript: None, id: None };
        for (role, part, param) in [
            (Role::User, Part::Image(image.clone()), "messages[0].content[0].image_url.url"),
            (Role::System, Part::Image(image), "messages[0].content[0].image_url"),
            (Role::User, Part::File(file), "messages[0].content[0].file"),
            (Role::User, Part::Audio(audio.clone()), "messages[0].content[0].input_audio"),
            (Role::Assistant, Part::Audio(audio), "messages[0].content[0].audio"),
            (Role::Tool, Part::text("x"), "messages[0].content"),
        ] {
            let messages = [chat::Message::new(role, vec![part])];
            let error = super::messages(&messages, &mut Warnings::default()).err().unwrap();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)));
        }
    }
}
