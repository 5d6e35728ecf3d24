//! The conversation: neighbours of one role are one turn; calls and results must pair up, results first; thinking must
//! come back before the call it led to.

use super::super::shape::{Kind, Violation, check, items, items_of, must};
use super::super::story::{Ask, Last};
use super::Refusal;
use super::blocks::{self, Block};
use serde_json::{Map, Value};

/// The messages of one role in a row.
#[derive(Debug)]
struct Turn {
    role: String,
    /// Where the first message stands.
    at: usize,
    blocks: Vec<Block>,
}

pub(super) fn read(object: &Map<String, Value>, ask: &mut Ask, newest: bool) -> Result<(), Refusal> {
    system(object, ask)?;
    let turns = turns(object)?;
    if turns.first().is_none_or(|turn| turn.role != "user") {
        return Err(Refusal::invalid("messages: first message must use the \"user\" role"));
    }
    for (i, turn) in turns.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| turns.get(i));
        if turn.role == "user" {
            results(turn, before)?;
        }
        if turn.role == "assistant" {
            answered(turn, turns.get(i + 1))?;
        }
        hear(turn, ask);
    }
    if ask.think && ask.last == Last::Tool {
        thought_before_call(&turns)?;
    }
    prefill(&turns, ask, newest)
}

/// No text that a user sends cites anything.
pub(super) fn uncited(object: &Map<String, Value>) -> Result<(), Refusal> {
    for (message, path) in items(object, "", "messages") {
        let user = message["role"] == "user";
        for (block, path) in items_of(message, &path, "content") {
            if user && block["citations"].as_array().is_some_and(|citations| !citations.is_empty()) {
                return Err(Violation::wrong(format!("{path}.citations"), "empty in a user message").into());
            }
        }
    }
    Ok(())
}

fn system(object: &Map<String, Value>, ask: &mut Ask) -> Result<(), Refusal> {
    if let Some(text) = object.get("system").and_then(Value::as_str) {
        ask.instruct(text);
    }
    for (block, path) in items(object, "", "system") {
        if block["type"] != "text" {
            return Err(Violation::wrong(format!("{path}.type"), "'text'").into());
        }
        ask.instruct(&blocks::text(block, &path)?);
    }
    Ok(())
}

fn turns(object: &Map<String, Value>) -> Result<Vec<Turn>, Refusal> {
    let mut turns: Vec<Turn> = Vec::new();
    let messages = items(object, "", "messages");
    let count = messages.len();
    for (at, (message, path)) in messages.into_iter().enumerate() {
        let members = [must("role", Kind::Word(&["user", "assistant"])), must("content", Kind::TextOrList)];
        check(message, &path, &members)?;
        let role = message["role"].as_str().unwrap_or_default();
        let blocks = content(message, &path, role)?;
        let last_of_assistant = at + 1 == count && role == "assistant";
        if blocks.is_empty() && !last_of_assistant {
            let text =
                "all messages must have non-empty content except for the optional final assistant message";
            return Err(Refusal::invalid(format!("messages.{at}: {text}")));
        }
        match turns.last_mut() {
            Some(turn) if turn.role == role => turn.blocks.extend(blocks),
            _ => turns.push(Turn { role: role.to_owned(), at, blocks }),
        }
    }
    Ok(turns)
}

fn content(message: &Value, path: &str, role: &str) -> Result<Vec<Block>, Refusal> {
    match message["content"].as_str() {
        Some("") => Ok(Vec::new()),
        Some(text) => Ok(vec![Block::Text(text.to_owned())]),
        None => items_of(message, path, "content")
            .into_iter()
            .map(|(block, path)| blocks::read(block, &path, role))
            .collect(),
    }
}

fn call_ids(turn: &Turn) -> Vec<&str> {
    let ids = turn.blocks.iter().filter_map(|block| match block {
        Block::ToolUse(id) => Some(id.as_str()),
        _ => None,
    });
    ids.collect()
}

fn result_ids(turn: &Turn) -> Vec<&str> {
    let ids = turn.blocks.iter().filter_map(|block| match block {
        Block::ToolResult { id, .. } => Some(id.as_str()),
        _ => None,
    });
    ids.collect()
}

/// Each result belongs to a call of the turn before, and stands before all other content.
fn results(turn: &Turn, before: Option<&Turn>) -> Result<(), Refusal> {
    let calls = before.map(call_ids).unwrap_or_default();
    let mut seen = Vec::new();
    for id in result_ids(turn) {
        if !calls.contains(&id) {
            return Err(Refusal::invalid(format!(
                "messages.{}.content: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each \
                 `tool_result` block must have a corresponding `tool_use` block in the previous message.",
                turn.at
            )));
        }
        if seen.contains(&id) {
            let text = "each tool_use must have a single result. Found multiple `tool_result` blocks with id";
            return Err(Refusal::invalid(format!("messages.{}.content: {text}: {id}", turn.at)));
        }
        seen.push(id);
    }
    let leading = turn.blocks.iter().take_while(|block| matches!(block, Block::ToolResult { .. })).count();
    if leading < seen.len() {
        let text = "`tool_result` blocks must come before any other content of the message";
        return Err(Refusal::invalid(format!("messages.{}.content: {text}", turn.at)));
    }
    Ok(())
}

/// Each call has an id of its own and a result in the next turn.
fn answered(turn: &Turn, next: Option<&Turn>) -> Result<(), Refusal> {
    let calls = call_ids(turn);
    if calls.iter().enumerate().any(|(i, id)| calls[..i].contains(id)) {
        return Err(Refusal::invalid(format!("messages.{}.content: `tool_use` ids must be unique", turn.at)));
    }
    let results = next.map(result_ids).unwrap_or_default();
    let open: Vec<_> = calls.into_iter().filter(|id| !results.contains(id)).collect();
    if open.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each \
         `tool_use` block must have a corresponding `tool_result` block in the next message.",
        turn.at,
        open.join(", ")
    )))
}

fn hear(turn: &Turn, ask: &mut Ask) {
    let (mut texts, mut images, mut results) = (Vec::new(), 0, false);
    for block in &turn.blocks {
        match block {
            Block::Text(text) => texts.push(text.as_str()),
            Block::ToolResult { text, .. } => {
                texts.push(text);
                results = true;
            }
            Block::Image => images += 1,
            Block::Document | Block::Thinking | Block::ToolUse(_) => {}
        }
    }
    let last = match (turn.role.as_str(), results) {
        ("assistant", _) => Last::Assistant,
        (_, true) => Last::Tool,
        _ => Last::User,
    };
    ask.hear(last, &texts.join(" "), images);
}

/// With thinking on, the turn that made the calls begins with the thought.
fn thought_before_call(turns: &[Turn]) -> Result<(), Refusal> {
    let Some(turn) = turns.iter().rfind(|turn| turn.role == "assistant") else { return Ok(()) };
    if matches!(turn.blocks.first(), Some(Block::Thinking)) {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "messages.{}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. \
         When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
        turn.at
    )))
}

/// A conversation may end with the start of the answer, but not everywhere.
fn prefill(turns: &[Turn], ask: &Ask, newest: bool) -> Result<(), Refusal> {
    let Some(turn) = turns.last().filter(|turn| turn.role == "assistant") else { return Ok(()) };
    if newest || ask.think {
        return Err(Refusal::invalid("This model does not support assistant message prefill."));
    }
    match turn.blocks.last() {
        Some(Block::Text(text)) if text.ends_with(char::is_whitespace) => {
            Err(Refusal::invalid("messages: final assistant content cannot end with trailing whitespace"))
        }
        _ => Ok(()),
    }
}
