//! The conversation as Ollama's messages: one string of text each, with images, thinking and tool calls beside it.

use std::borrow::Cow;

use tidegate_core::{ApiError, Verdict, Warnings};

use super::wire::{CalledFunction, Message, Role, ToolCall};
use crate::DialectId;
use crate::chat::{self, ChatRequest, Image, Part, Source, ToolResult};
use crate::losses;

pub(super) fn messages<'a>(
    request: &'a ChatRequest,
    warnings: &mut Warnings,
) -> Result<Vec<Message<'a>>, ApiError> {
    let mut out = Vec::with_capacity(request.messages.len());
    for (i, message) in request.messages.iter().enumerate() {
        let path = format!("messages[{i}]");
        losses::of_message(message, &path, warnings);
        let role = match message.role {
            chat::Role::System | chat::Role::Developer => Role::System,
            chat::Role::User => Role::User,
            chat::Role::Assistant => Role::Assistant,
            chat::Role::Tool => {
                for part in &message.parts {
                    let Part::ToolResult(result) = part else {
                        let message = "a tool message holds nothing but the result of a tool call";
                        return Err(ApiError::bad_request(format!("{path}.content"), message));
                    };
                    out.push(tool(request, result, &path, warnings));
                }
                continue;
            }
        };
        out.push(said(message, role, &path, warnings)?);
    }
    Ok(out)
}

/// What a message is made of.
#[derive(Debug, Default)]
struct Said<'a> {
    texts: Vec<&'a str>,
    thoughts: Vec<&'a str>,
    images: Vec<&'a str>,
    calls: Vec<ToolCall<'a>>,
}

fn said<'a>(
    message: &'a chat::Message,
    role: Role,
    path: &str,
    warnings: &mut Warnings,
) -> Result<Message<'a>, ApiError> {
    let mut said = Said::default();
    for (i, part) in message.parts.iter().enumerate() {
        take(part, role, &format!("{path}.content[{i}]"), &mut said, warnings)?;
    }
    Ok(Message {
        role,
        content: joined(&said.texts),
        thinking: (!said.thoughts.is_empty()).then(|| said.thoughts.concat()),
        images: said.images,
        tool_calls: said.calls,
        tool_name: None,
    })
}

fn take<'a>(
    part: &'a Part,
    role: Role,
    path: &str,
    said: &mut Said<'a>,
    warnings: &mut Warnings,
) -> Result<(), ApiError> {
    match part {
        Part::Text(text) => {
            losses::of_text(text, path, warnings);
            said.texts.push(&text.text);
        }
        Part::Refusal(text) => said.texts.push(text),
        Part::Image(picture) if role != Role::Assistant => said.images.push(image(picture, path, warnings)?),
        Part::File(file) => match &file.source {
            Source::PlainText(text) => {
                warnings.shaped(path);
                said.texts.push(text);
            }
            _ => {
                let message = "Ollama takes no files: give the text of the document in the message";
                return Err(ApiError::bad_request(format!("{path}.file"), message));
            }
        },
        Part::Audio(audio) => match &audio.transcript {
            Some(transcript) if role == Role::Assistant => {
                warnings.shaped(format!("{path}.audio"));
                said.texts.push(transcript);
            }
            _ => {
                let message = "Ollama takes no sound: give its text";
                return Err(ApiError::bad_request(format!("{path}.input_audio"), message));
            }
        },
        Part::Reasoning(reasoning) if reasoning.origin == DialectId::Ollama => {
            said.thoughts.push(&reasoning.text);
        }
        Part::ToolCall(call) => said.calls.push(tool_call(call, path, warnings)),
        Part::Image(_)
        | Part::Reasoning(_)
        | Part::RedactedReasoning { .. }
        | Part::ToolResult(_)
        | Part::Opaque { .. } => warnings.dropped(path),
    }
    Ok(())
}

fn image<'a>(image: &'a Image, path: &str, warnings: &mut Warnings) -> Result<&'a str, ApiError> {
    losses::of_mark(image.cache.as_ref(), warnings);
    if image.detail.as_deref().is_some_and(|detail| detail != "auto") {
        warnings.dropped(format!("{path}.image_url.detail"));
    }
    match &image.source {
        Source::Inline { data, .. } => Ok(data),
        Source::Url(_) | Source::FileId(_) | Source::PlainText(_) => {
            let message = "Ollama takes images as bytes only: give a `data:` URI with base64";
            Err(ApiError::bad_request(format!("{path}.image_url.url"), message))
        }
    }
}

fn tool_call<'a>(call: &'a chat::ToolCall, path: &str, warnings: &mut Warnings) -> ToolCall<'a> {
    losses::of_mark(call.cache.as_ref(), warnings);
    let (arguments, wrapped) = call.arguments_object();
    if wrapped {
        warnings.shaped(format!("{path}.arguments"));
    }
    ToolCall { function: CalledFunction { name: &call.name, arguments } }
}

fn tool<'a>(
    request: &'a ChatRequest,
    result: &'a ToolResult,
    path: &str,
    warnings: &mut Warnings,
) -> Message<'a> {
    losses::of_mark(result.cache.as_ref(), warnings);
    let mut texts = Vec::with_capacity(result.content.len());
    if result.is_error {
        // The only way to say that the tool failed.
        warnings.push_note(Verdict::Shaped, format!("{path}.is_error"), "text");
        texts.push("Error:");
    }
    for (i, part) in result.content.iter().enumerate() {
        let path = format!("{path}.content[{i}]");
        match part {
            Part::Text(text) => {
                losses::of_text(text, &path, warnings);
                texts.push(&text.text);
            }
            _ => warnings.push_note(Verdict::Dropped, path, "not_text"),
        }
    }
    let tool_name = request.tool_name(result);
    if tool_name.is_none() {
        warnings.dropped(format!("{path}.tool_call_id"));
    }
    Message {
        role: Role::Tool,
        content: joined(&texts),
        thinking: None,
        images: Vec::new(),
        tool_calls: Vec::new(),
        tool_name,
    }
}

fn joined<'a>(texts: &[&'a str]) -> Cow<'a, str> {
    match texts {
        [one] => Cow::Borrowed(one),
        several => several.join("\n").into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::chat::{Audio, Extra, File, ReasoningText, ToolKind};

    fn request(messages: Vec<chat::Message>) -> ChatRequest {
        ChatRequest { messages, ..ChatRequest::new(DialectId::OpenAi, "llama") }
    }

    fn written(messages: Vec<chat::Message>) -> (Value, String) {
        let mut warnings = Warnings::default();
        let request = request(messages);
        let out = super::messages(&request, &mut warnings).unwrap();
        (serde_json::to_value(out).unwrap(), warnings.header_value())
    }

    fn call(arguments: &str) -> Part {
        Part::ToolCall(chat::ToolCall {
            id: "call_1".into(),
            name: "tide".into(),
            arguments: arguments.into(),
            kind: ToolKind::Function,
            signature: None,
            cache: None,
            extra: Extra::new(),
        })
    }

    fn result(call_id: &str, content: Vec<Part>, is_error: bool) -> chat::Message {
        let result = ToolResult { call_id: call_id.into(), name: None, content, is_error, cache: None };
        chat::Message::new(chat::Role::Tool, vec![Part::ToolResult(result)])
    }

    fn image(source: Source) -> Part {
        Part::Image(Image { source, detail: Some("low".into()), cache: None })
    }

    fn inline(mime: &str) -> Source {
        Source::Inline { mime: mime.into(), data: "aGk=".into() }
    }

    #[test]
    fn a_conversation_with_a_call() {
        let thought = |origin| Part::Reasoning(ReasoningText { origin, text: "hm".into(), signature: None });
        let (messages, warned) = written(vec![
            chat::Message::text(chat::Role::Developer, "S"),
            chat::Message::new(
                chat::Role::User,
                vec![Part::text("see"), image(inline("image/png")), Part::text("this")],
            ),
            chat::Message::new(
                chat::Role::Assistant,
                vec![thought(DialectId::Ollama), thought(DialectId::Anthropic), call(r#"{"port":"Brest"}"#)],
            ),
            result("call_1", vec![Part::text("7.1")], false),
        ]);
        assert_eq!(
            messages,
            json!([
                {"role": "system", "content": "S"},
                {"role": "user", "content": "see\nthis", "images": ["aGk="]},
                {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
                    {"function": {"name": "tide", "arguments": {"port": "Brest"}}},
                ]},
                {"role": "tool", "content": "7.1", "tool_name": "tide"},
            ])
        );
        assert_eq!(warned, "dropped;messages[1].content[1].image_url.detail, dropped;messages[2].content[1]");
    }

    #[test]
    fn odd_calls_and_results_are_reported() {
        let (messages, warned) = written(vec![
            chat::Message::new(chat::Role::Assistant, vec![call("[1]"), image(inline("image/png"))]),
            result("lost", vec![Part::text("no"), image(inline("image/png"))], true),
        ]);
        assert_eq!(messages[0]["tool_calls"][0]["function"]["arguments"], json!({"_raw": "[1]"}));
        assert_eq!(messages[1], json!({"role": "tool", "content": "Error:\nno"}));
        let lost = "shaped;messages[0].content[0].arguments, dropped;messages[0].content[1], \
                    shaped;messages[1].is_error=text, dropped;messages[1].content[1]=not_text, \
                    dropped;messages[1].tool_call_id";
        assert_eq!(warned, lost);
    }

    #[test]
    fn what_ollama_cannot_take_is_refused() {
        let file = File {
            source: inline("application/pdf"),
            name: None,
            title: None,
            context: None,
            citations: None,
            cache: None,
        };
        let audio = Audio { data: "AA==".into(), format: "wav".into(), transcript: None, id: None };
        for (role, part, param) in [
            (
                chat::Role::User,
                image(Source::Url("https://example.com/x.png".into())),
                "messages[0].content[0].image_url.url",
            ),
            (
                chat::Role::User,
                image(Source::FileId("file-1".into())),
                "messages[0].content[0].image_url.url",
            ),
            (chat::Role::User, Part::File(file), "messages[0].content[0].file"),
            (chat::Role::User, Part::Audio(audio), "messages[0].content[0].input_audio"),
            (chat::Role::Tool, Part::text("x"), "messages[0].content"),
        ] {
            let request = request(vec![chat::Message::new(role, vec![part])]);
            let error = super::messages(&request, &mut Warnings::default()).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)));
        }
    }
}
