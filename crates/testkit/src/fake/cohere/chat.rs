//! The chat request.

use super::super::shape::{Kind, Member, Violation, check, items, items_of, may, must};
use super::super::story::{Ask, Choice, Last};
use super::Refusal;
use serde_json::{Map, Value};

const MEMBERS: &[Member] = &[
    must("model", Kind::Text),
    must("messages", Kind::List),
    may("max_tokens", Kind::Whole(0, i64::MAX)),
    may("temperature", Kind::Number(0.0, 1.0)),
    may("p", Kind::Number(0.01, 0.99)),
    may("k", Kind::Whole(0, 500)),
    may("frequency_penalty", Kind::Number(0.0, 1.0)),
    may("presence_penalty", Kind::Number(0.0, 1.0)),
    may("stop_sequences", Kind::Texts(5)),
    may("seed", Kind::Whole(0, i64::MAX)),
    may("logprobs", Kind::Flag),
    may("tools", Kind::List),
    may("strict_tools", Kind::Flag),
    may("tool_choice", Kind::Word(&["REQUIRED", "NONE"])),
    may("response_format", Kind::Object),
    may("thinking", Kind::Object),
    may("documents", Kind::List),
    may("citation_options", Kind::Object),
    may("safety_mode", Kind::Word(&["CONTEXTUAL", "STRICT", "OFF"])),
    may("stream", Kind::Flag),
    may("priority", Kind::Whole(0, 999)),
];

const SPOKEN: &[Member] = &[must("role", Kind::Text), must("content", Kind::TextOrList)];

const ASSISTANT: &[Member] = &[
    must("role", Kind::Text),
    may("content", Kind::TextOrList),
    may("tool_calls", Kind::List),
    may("tool_plan", Kind::Text),
    may("citations", Kind::List),
];

const TOOL: &[Member] =
    &[must("role", Kind::Text), must("content", Kind::TextOrList), must("tool_call_id", Kind::Text)];

const TYPED: &[Member] = &[
    must("type", Kind::Text),
    may("text", Kind::Text),
    may("thinking", Kind::Text),
    may("image_url", Kind::Object),
];

pub(super) fn read(body: &Value) -> Result<Ask, Refusal> {
    let object = check(body, "", MEMBERS)?;
    let given = |name: &str| object.get(name).is_some_and(|value| !value.is_null());
    let mut ask = Ask {
        tools: tools(object)?,
        stop: items(object, "", "stop_sequences")
            .iter()
            .filter_map(|(s, _)| s.as_str().map(str::to_owned))
            .collect(),
        max_tokens: object.get("max_tokens").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()),
        json: json_output(object)?,
        think: thinking(object)?,
        stream: object.get("stream") == Some(&Value::Bool(true)),
        ..Ask::default()
    };
    if given("tool_choice") && ask.tools.is_empty() {
        return Err(Refusal::invalid("tool_choice can only be used with tools"));
    }
    if given("safety_mode") && (given("tools") || given("documents")) {
        return Err(Refusal::invalid("safety_mode is not supported with tools or documents"));
    }
    ask.choice = match object.get("tool_choice").and_then(Value::as_str) {
        Some("REQUIRED") => Choice::Required,
        Some("NONE") => Choice::None,
        _ => Choice::Auto,
    };
    messages(object, &mut ask)?;
    Ok(ask)
}

fn tools(object: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for (tool, path) in items(object, "", "tools") {
        check(tool, &path, &[must("type", Kind::Word(&["function"])), must("function", Kind::Object)])?;
        let members =
            [must("name", Kind::Text), must("parameters", Kind::Object), may("description", Kind::Text)];
        check(&tool["function"], &format!("{path}.function"), &members)?;
        names.push(tool["function"]["name"].as_str().unwrap_or_default().to_owned());
    }
    Ok(names)
}

/// Whether JSON is asked for.
fn json_output(object: &Map<String, Value>) -> Result<bool, Refusal> {
    let Some(format) = object.get("response_format").filter(|value| !value.is_null()) else {
        return Ok(false);
    };
    let members = [must("type", Kind::Word(&["text", "json_object"])), may("json_schema", Kind::Object)];
    let members = check(format, "response_format", &members)?;
    let json = format["type"] == "json_object";
    if json && ["tools", "documents"].iter().any(|name| object.contains_key(*name)) {
        return Err(Refusal::invalid("response_format json_object is not supported with tools or documents"));
    }
    if let Some(schema) = members.get("json_schema") {
        if !json {
            return Err(Refusal::invalid("json_schema is only supported with type json_object"));
        }
        if schema["required"].as_array().is_none_or(Vec::is_empty) {
            return Err(Refusal::invalid("json_schema must have at least one required field"));
        }
    }
    Ok(json)
}

fn thinking(object: &Map<String, Value>) -> Result<bool, Refusal> {
    let Some(thinking) = object.get("thinking").filter(|value| !value.is_null()) else { return Ok(false) };
    let members =
        [must("type", Kind::Word(&["enabled", "disabled"])), may("token_budget", Kind::Whole(1, i64::MAX))];
    check(thinking, "thinking", &members)?;
    Ok(thinking["type"] == "enabled")
}

fn messages(object: &Map<String, Value>, ask: &mut Ask) -> Result<(), Refusal> {
    let list = items(object, "", "messages");
    if list.is_empty() {
        return Err(Refusal::invalid("messages must have at least one message"));
    }
    let mut open_calls: Vec<String> = Vec::new();
    for (message, path) in &list {
        let role = message["role"].as_str().unwrap_or_default();
        check(message, path, members(role, path)?)?;
        if role == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            let at = open_calls.iter().position(|call| call == id);
            let at = at.ok_or_else(|| {
                Refusal::invalid(format!("tool call id not found in previous tool calls: {id}"))
            })?;
            open_calls.remove(at);
        } else {
            all_answered(&open_calls)?;
        }
        let (text, images) = content(message, path, role)?;
        match role {
            "user" => ask.hear(Last::User, &text, images),
            "tool" => ask.hear(Last::Tool, &text, 0),
            "assistant" => {
                ask.hear(Last::Assistant, &text, 0);
                open_calls = calls(message, path)?;
            }
            _ => ask.instruct(&text),
        }
    }
    all_answered(&open_calls)
}

fn members(role: &str, path: &str) -> Result<&'static [Member], Refusal> {
    match role {
        "system" | "user" => Ok(SPOKEN),
        "assistant" => Ok(ASSISTANT),
        "tool" => Ok(TOOL),
        _ => Err(Violation::wrong(format!("{path}.role"), "'user', 'assistant', 'system' or 'tool'").into()),
    }
}

fn content(message: &Value, path: &str, role: &str) -> Result<(String, usize), Refusal> {
    if let Some(text) = message["content"].as_str() {
        return Ok((text.to_owned(), 0));
    }
    let (mut texts, mut images) = (Vec::new(), 0);
    for (part, path) in items_of(message, path, "content") {
        match (part["type"].as_str().unwrap_or_default(), role) {
            ("document", "tool") => {
                check(part, &path, &[must("type", Kind::Text), must("document", Kind::Object)])?;
                texts.push(part["document"]["data"].as_str().unwrap_or_default());
                continue;
            }
            ("text", _) => {
                texts.push(part["text"].as_str().ok_or_else(|| Violation::missing(format!("{path}.text")))?)
            }
            ("thinking", "assistant") => {}
            ("image_url", "user") => {
                let members = [must("url", Kind::Text), may("detail", Kind::Word(&["auto", "low", "high"]))];
                check(&part["image_url"], &format!("{path}.image_url"), &members)?;
                images += 1;
            }
            _ => {
                return Err(
                    Violation::wrong(format!("{path}.type"), format!("a part for role '{role}'")).into()
                );
            }
        }
        check(part, &path, TYPED)?;
    }
    Ok((texts.join(" "), images))
}

fn calls(message: &Value, path: &str) -> Result<Vec<String>, Refusal> {
    let mut ids = Vec::new();
    for (call, path) in items_of(message, path, "tool_calls") {
        let members =
            [must("id", Kind::Text), must("type", Kind::Word(&["function"])), must("function", Kind::Object)];
        check(call, &path, &members)?;
        let members = [must("name", Kind::Text), must("arguments", Kind::Text)];
        check(&call["function"], &format!("{path}.function"), &members)?;
        ids.push(call["id"].as_str().unwrap_or_default().to_owned());
    }
    Ok(ids)
}

fn all_answered(open_calls: &[String]) -> Result<(), Refusal> {
    match open_calls.first() {
        None => Ok(()),
        Some(id) => Err(Refusal::invalid(format!("missing tool result for tool call {id}"))),
    }
}
