//! Content blocks: which types there are, who may use them, and their members.

use super::super::shape::{Kind, Member, Violation, check, items_of, may, must};
use super::{Refusal, signature};
use serde_json::Value;

const CACHE: Member = may("cache_control", Kind::Object);
const TYPE: Member = must("type", Kind::Text);

/// What one block says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    Text(String),
    Image,
    Document,
    Thinking,
    /// The id of the call.
    ToolUse(String),
    ToolResult {
        id: String,
        text: String,
    },
}

pub(super) fn read(block: &Value, path: &str, role: &str) -> Result<Block, Refusal> {
    let kind = block["type"].as_str().ok_or_else(|| Violation::missing(format!("{path}.type")))?;
    match (kind, role) {
        ("text", _) => text(block, path).map(Block::Text),
        ("image", "user") => image(block, path).map(|()| Block::Image),
        ("document", "user") => {
            let members = [
                TYPE,
                CACHE,
                must("source", Kind::Object),
                may("title", Kind::Text),
                may("context", Kind::Text),
                may("citations", Kind::Object),
            ];
            check(block, path, &members)?;
            Ok(Block::Document)
        }
        ("tool_result", "user") => tool_result(block, path),
        ("tool_use", "assistant") => {
            let members = [
                TYPE,
                CACHE,
                must("id", Kind::Text),
                must("name", Kind::Text),
                must("input", Kind::Object),
                may("caller", Kind::Object),
                may("toolset_name", Kind::Text),
            ];
            check(block, path, &members)?;
            Ok(Block::ToolUse(block["id"].as_str().unwrap_or_default().to_owned()))
        }
        ("thinking", "assistant") => thinking(block, path),
        ("redacted_thinking", "assistant") => {
            check(block, path, &[TYPE, must("data", Kind::Text)])?;
            Ok(Block::Thinking)
        }
        _ => {
            let wanted = format!("a content block that role '{role}' may have, not '{kind}'");
            Err(Violation::wrong(format!("{path}.type"), wanted).into())
        }
    }
}

/// A text block, which may not be empty.
pub(super) fn text(block: &Value, path: &str) -> Result<String, Refusal> {
    check(block, path, &[TYPE, CACHE, must("text", Kind::Text), may("citations", Kind::List)])?;
    let text = block["text"].as_str().unwrap_or_default();
    if text.is_empty() {
        return Err(Refusal::invalid("messages: text content blocks must be non-empty"));
    }
    Ok(text.to_owned())
}

fn thinking(block: &Value, path: &str) -> Result<Block, Refusal> {
    check(block, path, &[TYPE, must("thinking", Kind::Text), must("signature", Kind::Text)])?;
    let thought = block["thinking"].as_str().unwrap_or_default();
    if block["signature"] != signature(thought) {
        let path = path.replace('[', ".").replace(']', "");
        return Err(Refusal::invalid(format!("{path}: Invalid `signature` in `thinking` block")));
    }
    Ok(Block::Thinking)
}

fn image(block: &Value, path: &str) -> Result<(), Refusal> {
    check(block, path, &[TYPE, CACHE, must("source", Kind::Object)])?;
    let source = &block["source"];
    let path = format!("{path}.source");
    let types = Kind::Word(&["image/jpeg", "image/png", "image/gif", "image/webp"]);
    let members: &[Member] = match source["type"].as_str().unwrap_or_default() {
        "base64" => &[TYPE, must("media_type", types), must("data", Kind::Text)],
        "url" => &[TYPE, must("url", Kind::Text)],
        "file" => &[TYPE, must("file_id", Kind::Text)],
        _ => return Err(Violation::wrong(format!("{path}.type"), "'base64', 'url' or 'file'").into()),
    };
    check(source, &path, members)?;
    if source["data"].as_str().is_some_and(|data| data.is_empty() || data.contains([',', ':', ' '])) {
        return Err(Refusal::invalid(
            "messages: image source data must be valid base64, without a data: prefix",
        ));
    }
    Ok(())
}

fn tool_result(block: &Value, path: &str) -> Result<Block, Refusal> {
    let members = [
        TYPE,
        CACHE,
        must("tool_use_id", Kind::Text),
        may("content", Kind::TextOrList),
        may("is_error", Kind::Flag),
        may("toolset_name", Kind::Text),
    ];
    check(block, path, &members)?;
    let mut texts: Vec<String> = block["content"].as_str().map(str::to_owned).into_iter().collect();
    for (inner, path) in items_of(block, path, "content") {
        match inner["type"].as_str() {
            Some("text") => texts.push(text(inner, &path)?),
            Some("image") => image(inner, &path)?,
            _ => return Err(Violation::wrong(format!("{path}.type"), "'text' or 'image'").into()),
        }
    }
    let id = block["tool_use_id"].as_str().unwrap_or_default().to_owned();
    Ok(Block::ToolResult { id, text: texts.join(" ") })
}
