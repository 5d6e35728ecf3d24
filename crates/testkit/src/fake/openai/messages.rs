//! Messages: who may say what, and the order of tool calls and their answers.

use super::super::shape::{Kind, Member, Violation, check, items, items_of, may, must};
use super::super::story::{Ask, Last};
use super::Refusal;
use serde_json::{Map, Value};

const ROLES: &[&str] = &["developer", "system", "user", "assistant", "tool", "function"];
const INSTRUCTIONS: &[Member] =
    &[must("role", Kind::Text), must("content", Kind::TextOrList), may("name", Kind::Text)];
const TOOL: &[Member] =
    &[must("role", Kind::Text), must("content", Kind::TextOrList), must("tool_call_id", Kind::Text)];
const FUNCTION: &[Member] = &[must("role", Kind::Text), may("content", Kind::Text), must("name", Kind::Text)];
const ASSISTANT: &[Member] = &[
    must("role", Kind::Text),
    may("content", Kind::TextOrList),
    may("refusal", Kind::Text),
    may("name", Kind::Text),
    may("tool_calls", Kind::List),
    may("function_call", Kind::Object),
    may("audio", Kind::Object),
    // Answers carry it, and clients send answers back as they are.
    may("annotations", Kind::List),
];

pub(super) fn read(object: &Map<String, Value>, ask: &mut Ask) -> Result<(), Refusal> {
    let list = items(object, "", "messages");
    if list.is_empty() {
        return Err(Violation::wrong("messages", "an array with at least one message").into());
    }
    let mut open_calls: Vec<String> = Vec::new();
    for (message, path) in &list {
        let role = role(message, path)?;
        if role == "tool" {
            answer_call(message, path, &mut open_calls)?;
        } else {
            all_answered(&open_calls)?;
        }
        let (text, images) = content(message, path, role)?;
        match role {
            "user" => ask.hear(Last::User, &text, images),
            "assistant" => {
                ask.hear(Last::Assistant, &text, 0);
                open_calls = calls(message, path)?;
            }
            "tool" | "function" => ask.hear(Last::Tool, &text, 0),
            _ => ask.instruct(&text),
        }
    }
    all_answered(&open_calls)
}

/// The role, once the members that a message of this role may have are checked.
fn role<'a>(message: &'a Value, path: &str) -> Result<&'a str, Refusal> {
    let role_path = format!("{path}.role");
    let object = message.as_object().ok_or_else(|| Violation::wrong(path, "an object"))?;
    let role = object.get("role").ok_or_else(|| Violation::missing(&role_path))?;
    let role = role.as_str().filter(|role| ROLES.contains(role));
    let role =
        role.ok_or_else(|| Violation::wrong(&role_path, format!("one of '{}'", ROLES.join("', '"))))?;
    let members = match role {
        "assistant" => ASSISTANT,
        "tool" => TOOL,
        "function" => FUNCTION,
        _ => INSTRUCTIONS,
    };
    check(message, path, members)?;
    if role == "assistant"
        && ["content", "tool_calls", "function_call", "refusal"].iter().all(|m| message[*m].is_null())
    {
        return Err(Violation::missing(format!("{path}.content")).into());
    }
    Ok(role)
}

/// All text of a message, and how many images it has.
fn content(message: &Value, path: &str, role: &str) -> Result<(String, usize), Refusal> {
    if let Some(text) = message["content"].as_str() {
        return Ok((text.to_owned(), 0));
    }
    let mut texts = Vec::new();
    let mut images = 0;
    for (part, path) in items_of(message, path, "content") {
        let (word, kind) = part_kind(part, &path, role)?;
        let members =
            [must("type", Kind::Text), must(word, kind), may("prompt_cache_breakpoint", Kind::Object)];
        check(part, &path, &members)?;
        match word {
            "image_url" => {
                let members = [must("url", Kind::Text), may("detail", Kind::Word(&["auto", "low", "high"]))];
                check(&part[word], &format!("{path}.image_url"), &members)?;
                image(part["image_url"]["url"].as_str().unwrap_or_default(), &path)?;
                images += 1;
            }
            "input_audio" => {
                let members = [must("data", Kind::Text), must("format", Kind::Word(&["wav", "mp3"]))];
                check(&part[word], &format!("{path}.input_audio"), &members)?;
            }
            "file" => {
                let members =
                    [may("file_id", Kind::Text), may("filename", Kind::Text), may("file_data", Kind::Text)];
                check(&part[word], &format!("{path}.file"), &members)?;
            }
            _ => texts.push(part[word].as_str().unwrap_or_default().to_owned()),
        }
    }
    Ok((texts.join(" "), images))
}

/// The member that holds the part's content, by its type.
fn part_kind(part: &Value, path: &str, role: &str) -> Result<(&'static str, Kind), Refusal> {
    let kind = part["type"].as_str().unwrap_or_default();
    match (kind, role) {
        ("text", _) => Ok(("text", Kind::Text)),
        ("refusal", "assistant") => Ok(("refusal", Kind::Text)),
        ("image_url", "user") => Ok(("image_url", Kind::Object)),
        ("input_audio", "user") => Ok(("input_audio", Kind::Object)),
        ("file", "user") => Ok(("file", Kind::Object)),
        _ => {
            Err(Violation::wrong(format!("{path}.type"), format!("a part that role '{role}' may have"))
                .into())
        }
    }
}

fn image(url: &str, path: &str) -> Result<(), Refusal> {
    if url.starts_with("https://") || url.starts_with("http://") || url.starts_with("data:image/") {
        return Ok(());
    }
    let message = "Invalid image URL: expected an http(s) URL or a data: URI of an image.";
    Err(Refusal::new(400, "invalid_image_url", Some(&format!("{path}.image_url.url")), message))
}

/// The ids of an assistant's calls.
fn calls(message: &Value, path: &str) -> Result<Vec<String>, Refusal> {
    let mut ids = Vec::new();
    for (call, path) in items_of(message, path, "tool_calls") {
        let members = [
            must("id", Kind::Text),
            must("type", Kind::Word(&["function", "custom"])),
            may("function", Kind::Object),
            may("custom", Kind::Object),
        ];
        check(call, &path, &members)?;
        let kind = call["type"].as_str().unwrap_or_default();
        let inner = call.get(kind).ok_or_else(|| Violation::missing(format!("{path}.{kind}")))?;
        let argument = if kind == "function" { "arguments" } else { "input" };
        check(inner, &format!("{path}.{kind}"), &[must("name", Kind::Text), must(argument, Kind::Text)])?;
        ids.push(call["id"].as_str().unwrap_or_default().to_owned());
    }
    Ok(ids)
}

fn answer_call(message: &Value, path: &str, open_calls: &mut Vec<String>) -> Result<(), Refusal> {
    let id = message["tool_call_id"].as_str().unwrap_or_default();
    match open_calls.iter().position(|call| call == id) {
        Some(at) => {
            open_calls.remove(at);
            Ok(())
        }
        None => {
            let text = "Invalid parameter: messages with role 'tool' must be a response to a preceeding \
                message with 'tool_calls'.";
            Err(Refusal::new(400, "invalid_value", Some(&format!("{path}.role")), text))
        }
    }
}

fn all_answered(open_calls: &[String]) -> Result<(), Refusal> {
    if open_calls.is_empty() {
        return Ok(());
    }
    let text = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
         'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open_calls.join(", ")
    );
    Err(Refusal::new(400, "invalid_value", Some("messages"), text))
}
