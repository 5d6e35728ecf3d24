//! Content blocks, read into neutral parts: those of a client's turns and those of an answer are the same objects.
//!
//! Blocks that only Anthropic understands (server tools and their results, search results, whatever comes next) stay as
//! they are. In the blocks that are understood an unknown member is an error where it could not be kept.

use serde_json::{Map, Value};
use tidegate_core::ApiError;

use super::names;
use super::path::{self, Path, required};
use crate::DialectId;
use crate::chat::{CacheMark, Extra, File, Image, Part, ReasoningText, Source, Text, ToolCall, ToolResult};

type Members = Map<String, Value>;

/// # Errors
/// 400 naming the first wrong member.
pub(super) fn decode(value: Value, at: &Path<'_>) -> Result<Part, ApiError> {
    let members = path::object(value, at)?;
    let kind = match members.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(_) => return Err(at.member("type").wrong("must be a string")),
        None => return Err(at.member("type").missing()),
    };
    match kind {
        "text" => text(members, at),
        "image" => image(members, at),
        "document" if members.get("source").is_none_or(|source| source["type"] != "content") => {
            document(members, at)
        }
        "thinking" => thinking(members, at),
        "redacted_thinking" => redacted(members, at),
        "tool_use" => tool_use(members, at),
        "tool_result" => tool_result(members, at),
        _ => Ok(Part::Opaque { origin: DialectId::Anthropic, block: Value::Object(members) }),
    }
}

/// A string, or a list of blocks.
///
/// # Errors
/// As [`decode`].
pub(super) fn decode_content(value: Value, at: &Path<'_>) -> Result<Vec<Part>, ApiError> {
    match value {
        Value::String(text) => Ok(vec![Part::text(text)]),
        Value::Array(blocks) => {
            blocks.into_iter().enumerate().map(|(index, block)| decode(block, &at.item(index))).collect()
        }
        _ => Err(at.wrong("must be a string or a list of content blocks")),
    }
}

fn text(members: Members, at: &Path<'_>) -> Result<Part, ApiError> {
    let mut found = None;
    let mut text = Text::default();
    for (key, value) in present(members) {
        let here = at.member(&key);
        match key.as_str() {
            "text" => found = Some(path::string(value, &here)?),
            "citations" => text.citations = path::list(value, &here)?,
            "cache_control" => text.cache = Some(CacheMark(value)),
            _ => {
                text.extra.insert(key, value);
            }
        }
    }
    text.text = required(found, "text", at)?;
    Ok(Part::Text(text))
}

fn image(members: Members, at: &Path<'_>) -> Result<Part, ApiError> {
    let (mut source, mut cache) = (None, None);
    for (key, value) in present(members) {
        let here = at.member(&key);
        match key.as_str() {
            "source" => source = Some(media_source(value, &here)?),
            "cache_control" => cache = Some(CacheMark(value)),
            _ => return Err(here.unknown()),
        }
    }
    Ok(Part::Image(Image { source: required(source, "source", at)?, detail: None, cache }))
}

fn document(members: Members, at: &Path<'_>) -> Result<Part, ApiError> {
    let (mut found, mut title, mut context, mut citations, mut cache) = (None, None, None, None, None);
    for (key, value) in present(members) {
        let here = at.member(&key);
        match key.as_str() {
            "source" => found = Some(media_source(value, &here)?),
            "title" => title = Some(path::string(value, &here)?),
            "context" => context = Some(path::string(value, &here)?),
            "citations" => citations = Some(value),
            "cache_control" => cache = Some(CacheMark(value)),
            _ => return Err(here.unknown()),
        }
    }
    let source = required(found, "source", at)?;
    Ok(Part::File(File { source, name: None, title, context, citations, cache }))
}

fn media_source(value: Value, at: &Path<'_>) -> Result<Source, ApiError> {
    let (mut kind, mut media_type, mut data, mut url, mut file_id) = (None, None, None, None, None);
    for (key, value) in present_with_type(path::object(value, at)?) {
        let here = at.member(&key);
        let place = match key.as_str() {
            "type" => &mut kind,
            "media_type" => &mut media_type,
            "data" => &mut data,
            "url" => &mut url,
            "file_id" => &mut file_id,
            _ => return Err(here.unknown()),
        };
        *place = Some(path::string(value, &here)?);
    }
    match required(kind, "type", at)?.as_str() {
        "base64" => Ok(Source::Inline {
            mime: required(media_type, "media_type", at)?,
            data: required(data, "data", at)?,
        }),
        "text" => Ok(Source::PlainText(required(data, "data", at)?)),
        "url" => Ok(Source::Url(required(url, "url", at)?)),
        "file" => Ok(Source::FileId(required(file_id, "file_id", at)?)),
        _ => Err(at.member("type").wrong("must be one of `base64`, `text`, `url`, `file`")),
    }
}

/// An empty signature is none: the gateway itself writes it on the reasoning of other vendors.
fn thinking(members: Members, at: &Path<'_>) -> Result<Part, ApiError> {
    let (mut text, mut signature) = (None, None);
    for (key, value) in present(members) {
        let here = at.member(&key);
        match key.as_str() {
            "thinking" => text = Some(path::string(value, &here)?),
            "signature" => signature = Some(path::string(value, &here)?),
            _ => return Err(here.unknown()),
        }
    }
    Ok(Part::Reasoning(ReasoningText {
        origin: DialectId::Anthropic,
        text: required(text, "thinking", at)?,
        signature: signature.filter(|signature| !signature.is_empty()),
    }))
}

fn redacted(members: Members, at: &Path<'_>) -> Result<Part, ApiError> {
    let mut data = None;
    for (key, value) in present(members) {
        let here = at.member(&key);
        match key.as_str() {
            "data" => data = Some(path::string(value, &here)?),
            _ => return Err(here.unknown()),
        }
    }
    Ok(Part::RedactedReasoning { origin: DialectId::Anthropic, data: required(data, "data", at)? })
}

fn tool_use(members: Members, at: &Path<'_>) -> Result<Part, ApiError> {
    let (mut id, mut found, mut input, mut cache) = (None, None, None, None);
    let mut extra = Extra::new();
    for (key, value) in present(members) {
        let here = at.member(&key);
        match key.as_str() {
            "id" => id = Some(path::string(value, &here)?),
            "name" => found = Some(path::string(value, &here)?),
            "input" => input = Some(path::object(value, &here)?),
            "cache_control" => cache = Some(CacheMark(value)),
            _ => {
                extra.insert(key, value);
            }
        }
    }
    let wire_name = required(found, "name", at)?;
    let (name, kind) = names::from_wire(&wire_name);
    Ok(Part::ToolCall(ToolCall {
        id: required(id, "id", at)?,
        name: name.to_owned(),
        arguments: names::arguments(&Value::Object(required(input, "input", at)?), kind),
        kind,
        signature: None,
        cache,
        extra,
    }))
}

fn tool_result(members: Members, at: &Path<'_>) -> Result<Part, ApiError> {
    let (mut call_id, mut cache) = (None, None);
    let (mut content, mut is_error) = (Vec::new(), false);
    for (key, value) in present(members) {
        let here = at.member(&key);
        match key.as_str() {
            "tool_use_id" => call_id = Some(path::string(value, &here)?),
            "content" => content = result_content(value, &here)?,
            "is_error" => is_error = path::boolean(&value, &here)?,
            "cache_control" => cache = Some(CacheMark(value)),
            _ => return Err(here.unknown()),
        }
    }
    let call_id = required(call_id, "tool_use_id", at)?;
    Ok(Part::ToolResult(ToolResult { call_id, name: None, content, is_error, cache }))
}

/// Results do not hold calls, thoughts or results: reading goes no deeper than this.
fn result_content(value: Value, at: &Path<'_>) -> Result<Vec<Part>, ApiError> {
    let nested = |block: &Value| {
        matches!(block["type"].as_str(), Some("tool_use" | "tool_result" | "thinking" | "redacted_thinking"))
    };
    if let Some(index) = value.as_array().and_then(|blocks| blocks.iter().position(nested)) {
        return Err(at
            .item(index)
            .member("type")
            .wrong("must be a block that the result of a tool may hold"));
    }
    decode_content(value, at)
}

/// The members that say something, without the type, which is known.
fn present(members: Members) -> impl Iterator<Item = (String, Value)> {
    present_with_type(members).filter(|(key, _)| key != "type")
}

fn present_with_type(members: Members) -> impl Iterator<Item = (String, Value)> {
    members.into_iter().filter(|(_, value)| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::ToolKind;

    fn read(block: Value) -> Result<Part, ApiError> {
        decode(block, &Path::Root.member("content").item(0))
    }

    #[test]
    fn blocks_become_parts() {
        let mark = || Some(CacheMark(json!({"type": "ephemeral"})));
        let call = |id: &str, name: &str, arguments: &str, kind, extra: Value| {
            Part::ToolCall(ToolCall {
                id: id.into(),
                name: name.into(),
                arguments: arguments.into(),
                kind,
                signature: None,
                cache: None,
                extra: extra.as_object().unwrap().clone(),
            })
        };
        let web = json!({"type": "web_search_tool_result", "tool_use_id": "s", "content": []});
        let held = json!({"type": "document", "source": {"type": "content", "content": "x"}});
        let opaque = |block: &Value| Part::Opaque { origin: DialectId::Anthropic, block: block.clone() };
        for (block, expected) in [
            (
                json!({"type": "text", "text": "a", "citations": null, "cache_control": {"type": "ephemeral"}}),
                Part::Text(Text { text: "a".into(), cache: mark(), ..Text::default() }),
            ),
            (
                json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}}),
                Part::Image(Image {
                    source: Source::Inline { mime: "image/png".into(), data: "QQ==".into() },
                    detail: None,
                    cache: None,
                }),
            ),
            (
                json!({"type": "document", "title": "t", "source":
                    {"type": "text", "media_type": "text/plain", "data": "x"}, "citations": {"enabled": true}}),
                Part::File(File {
                    source: Source::PlainText("x".into()),
                    name: None,
                    title: Some("t".into()),
                    context: None,
                    citations: Some(json!({"enabled": true})),
                    cache: None,
                }),
            ),
            (
                json!({"type": "thinking", "thinking": "t", "signature": ""}),
                Part::Reasoning(ReasoningText {
                    origin: DialectId::Anthropic,
                    text: "t".into(),
                    signature: None,
                }),
            ),
            (
                json!({"type": "redacted_thinking", "data": "xx"}),
                Part::RedactedReasoning { origin: DialectId::Anthropic, data: "xx".into() },
            ),
            (
                json!({"type": "tool_use", "id": "1", "name": "f", "input": {"b": 1, "a": 2}, "caller": {}}),
                call("1", "f", r#"{"b":1,"a":2}"#, ToolKind::Function, json!({"caller": {}})),
            ),
            (
                json!({"type": "tool_use", "id": "1", "name": "tidegate_custom__f", "input": {"input": "x = 1"}}),
                call("1", "f", "x = 1", ToolKind::Custom, json!({})),
            ),
            (
                json!({"type": "tool_result", "tool_use_id": "1", "content": "R", "is_error": true}),
                Part::ToolResult(ToolResult {
                    call_id: "1".into(),
                    name: None,
                    content: vec![Part::text("R")],
                    is_error: true,
                    cache: None,
                }),
            ),
            (web.clone(), opaque(&web)),
            (held.clone(), opaque(&held)),
        ] {
            assert_eq!(read(block.clone()).unwrap(), expected, "{block}");
        }
    }

    #[test]
    fn errors_name_the_member() {
        for (block, param) in [
            (json!("x"), "content.0"),
            (json!({}), "content.0.type"),
            (json!({"type": 1}), "content.0.type"),
            (json!({"type": "text"}), "content.0.text"),
            (json!({"type": "text", "text": 1}), "content.0.text"),
            (json!({"type": "image"}), "content.0.source"),
            (json!({"type": "image", "source": "x"}), "content.0.source"),
            (json!({"type": "image", "source": {"type": "ftp"}}), "content.0.source.type"),
            (json!({"type": "image", "source": {"type": "url"}}), "content.0.source.url"),
            (json!({"type": "image", "source": {"type": "url", "url": "u"}, "x": 1}), "content.0.x"),
            (json!({"type": "thinking", "signature": "s"}), "content.0.thinking"),
            (json!({"type": "tool_use", "id": "1", "name": "f", "input": []}), "content.0.input"),
            (json!({"type": "tool_use", "id": "1", "name": "f"}), "content.0.input"),
            (json!({"type": "tool_result"}), "content.0.tool_use_id"),
            (
                json!({"type": "tool_result", "tool_use_id": "1", "content": [{"type": "tool_result"}]}),
                "content.0.content.0.type",
            ),
        ] {
            let error = read(block.clone()).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{block}");
            assert!(error.message.contains(param), "{}", error.message);
        }
    }
}
