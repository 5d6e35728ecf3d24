//! A Messages body from a client as the neutral request. Strict about what it understands: the first wrong member is
//! named. Members that it does not know stay in `extra`, as written.

use serde_json::{Map, Value};
use tidegate_core::ApiError;

use super::effort_of_budget;
use crate::DialectId;
use crate::anthropic_messages::block;
use crate::anthropic_messages::path::{self, Path, required};
use crate::chat::{
    CacheMark, ChatRequest, Effort, Extra, FunctionTool, Message, Part, Reasoning, ResponseFormat, Role,
    Tool, ToolChoice,
};

/// `POST /v1/messages`.
///
/// # Errors
/// 400 with the path of the first wrong member in `param`.
pub(in crate::anthropic_messages) fn decode(body: &[u8]) -> Result<ChatRequest, ApiError> {
    let request = read(body)?;
    match request.max_tokens {
        Some(_) => Ok(request),
        None => Err(Path::Root.member("max_tokens").missing()),
    }
}

/// `POST /v1/messages/count_tokens`: the same without `max_tokens`.
///
/// # Errors
/// As [`decode`].
pub(in crate::anthropic_messages) fn decode_count_tokens(body: &[u8]) -> Result<ChatRequest, ApiError> {
    read(body)
}

fn read(body: &[u8]) -> Result<ChatRequest, ApiError> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        ApiError::new(
            tidegate_core::ErrorKind::BadRequest,
            tidegate_core::Fault::Caller,
            400,
            format!("the request body is not valid JSON: {error}"),
        )
    })?;
    let Value::Object(members) = value else {
        return Err(ApiError::bad_request("body", "the request body must be a JSON object"));
    };
    let mut reader =
        Reader { request: ChatRequest::new(DialectId::Anthropic, ""), model: None, messages: None };
    reader.request.include_usage = true;
    for (key, value) in members {
        if !value.is_null() {
            reader.member(key, value)?;
        }
    }
    reader.finish()
}

struct Reader {
    request: ChatRequest,
    model: Option<String>,
    /// Read last, so that the system message comes first wherever `system` stands.
    messages: Option<Vec<Value>>,
}

impl Reader {
    fn member(&mut self, key: String, value: Value) -> Result<(), ApiError> {
        let at = Path::Root.member(&key);
        let request = &mut self.request;
        match key.as_str() {
            "model" => self.model = Some(path::string(value, &at)?),
            "messages" => self.messages = Some(path::list(value, &at)?),
            "system" => request.messages.push(system(value, &at)?),
            "max_tokens" => request.max_tokens = Some(path::unsigned(&value, &at)?),
            "temperature" => request.temperature = Some(path::number(value, &at)?),
            "top_p" => request.top_p = Some(path::number(value, &at)?),
            "top_k" => request.top_k = Some(path::number(value, &at)?),
            "stop_sequences" => request.stop = strings(value, &at)?,
            "stream" => request.stream = path::boolean(&value, &at)?,
            "tools" => request.tools = tools(value, &at)?,
            "tool_choice" => tool_choice(value, request, &at)?,
            "thinking" => thinking(value, request, &at)?,
            "output_config" => output_config(value, request, &at)?,
            "output_format" => request.response_format = Some(output_format(value, &at)?),
            "metadata" => metadata(value, request, &at)?,
            "service_tier" => request.service_tier = Some(path::string(value, &at)?),
            _ => {
                request.extra.insert(key, value);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<ChatRequest, ApiError> {
        self.request.model = required(self.model, "model", &Path::Root)?;
        let messages = required(self.messages, "messages", &Path::Root)?;
        let at = Path::Root.member("messages");
        if messages.is_empty() {
            return Err(at.wrong("must hold at least one message"));
        }
        for (index, message) in messages.into_iter().enumerate() {
            turn(message, &at.item(index), &mut self.request.messages)?;
        }
        Ok(self.request)
    }
}

fn system(value: Value, at: &Path<'_>) -> Result<Message, ApiError> {
    let parts = block::decode_content(value, at)?;
    match parts.iter().position(|part| !matches!(part, Part::Text(_))) {
        Some(index) => Err(at.item(index).wrong("must be a text block")),
        None => Ok(Message::new(Role::System, parts)),
    }
}

/// One turn; the results of tools in a user's turn become messages of their own.
fn turn(value: Value, at: &Path<'_>, messages: &mut Vec<Message>) -> Result<(), ApiError> {
    let (mut role, mut parts, mut extra) = (None, None, Extra::new());
    for (key, value) in path::object(value, at)? {
        let here = at.member(&key);
        match key.as_str() {
            "role" => role = Some(role_of(&value, &here)?),
            "content" => parts = Some(block::decode_content(value, &here)?),
            _ => {
                extra.insert(key, value);
            }
        }
    }
    let role = required(role, "role", at)?;
    let parts = required(parts, "content", at)?;
    check_parts(role, &parts, at)?;
    let mut runs = split_results(role, parts);
    if let Some(first) = runs.first_mut() {
        first.extra = extra;
    }
    messages.extend(runs);
    Ok(())
}

fn role_of(value: &Value, at: &Path<'_>) -> Result<Role, ApiError> {
    match value.as_str() {
        Some("user") => Ok(Role::User),
        Some("assistant") => Ok(Role::Assistant),
        Some("system") => Ok(Role::System),
        _ => Err(at.wrong("must be `user` or `assistant`")),
    }
}

fn check_parts(role: Role, parts: &[Part], at: &Path<'_>) -> Result<(), ApiError> {
    let (misplaced, problem): (fn(&Part) -> bool, _) = match role {
        Role::Assistant => (
            |part| matches!(part, Part::ToolResult(_) | Part::Image(_) | Part::File(_)),
            "belongs in a user message",
        ),
        _ => (
            |part| matches!(part, Part::ToolCall(_) | Part::Reasoning(_) | Part::RedactedReasoning { .. }),
            "belongs in an assistant message",
        ),
    };
    match parts.iter().position(misplaced) {
        Some(index) => Err(at.member("content").item(index).wrong(problem)),
        None => Ok(()),
    }
}

fn split_results(role: Role, parts: Vec<Part>) -> Vec<Message> {
    if role != Role::User || parts.is_empty() {
        return vec![Message::new(role, parts)];
    }
    let mut runs: Vec<Message> = Vec::new();
    for part in parts {
        let role = if matches!(part, Part::ToolResult(_)) { Role::Tool } else { Role::User };
        match runs.last_mut() {
            Some(run) if run.role == role => run.parts.push(part),
            _ => runs.push(Message::new(role, vec![part])),
        }
    }
    runs
}

fn strings(value: Value, at: &Path<'_>) -> Result<Vec<String>, ApiError> {
    let items = path::list(value, at)?.into_iter().enumerate();
    items.map(|(index, item)| path::string(item, &at.item(index))).collect()
}

fn tools(value: Value, at: &Path<'_>) -> Result<Vec<Tool>, ApiError> {
    let items = path::list(value, at)?.into_iter().enumerate();
    items.map(|(index, item)| tool(item, &at.item(index))).collect()
}

fn tool(value: Value, at: &Path<'_>) -> Result<Tool, ApiError> {
    let members = path::object(value, at)?;
    let typed = members.get("type").is_some_and(|kind| !kind.is_null() && kind != "custom");
    // A toolset of an MCP server has a type and no schema; so have all typed tools.
    if typed {
        return Ok(Tool::Opaque { origin: DialectId::Anthropic, tool: Value::Object(members) });
    }
    let (mut name, mut description, mut parameters, mut strict, mut cache) = (None, None, None, None, None);
    let mut extra = Extra::new();
    for (key, value) in members {
        let here = at.member(&key);
        match key.as_str() {
            _ if value.is_null() => {}
            "type" => {}
            "name" => name = Some(path::string(value, &here)?),
            "description" => description = Some(path::string(value, &here)?),
            "input_schema" => parameters = Some(Value::Object(path::object(value, &here)?)),
            "strict" => strict = Some(path::boolean(&value, &here)?),
            "cache_control" => cache = Some(CacheMark(value)),
            _ => {
                extra.insert(key, value);
            }
        }
    }
    let parameters = Some(required(parameters, "input_schema", at)?);
    let name = required(name, "name", at)?;
    Ok(Tool::Function(FunctionTool { name, description, parameters, strict, cache, extra }))
}

fn tool_choice(value: Value, request: &mut ChatRequest, at: &Path<'_>) -> Result<(), ApiError> {
    let (mut kind, mut name) = (None, None);
    for (key, value) in path::object(value, at)? {
        let here = at.member(&key);
        match key.as_str() {
            _ if value.is_null() => {}
            "type" => kind = Some(path::string(value, &here)?),
            "name" => name = Some(path::string(value, &here)?),
            "disable_parallel_tool_use" => {
                request.parallel_tool_calls = Some(!path::boolean(&value, &here)?);
            }
            _ => return Err(here.unknown()),
        }
    }
    request.tool_choice = Some(match required(kind, "type", at)?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(required(name, "name", at)?),
        _ => return Err(at.member("type").wrong("must be one of `auto`, `any`, `tool`, `none`")),
    });
    Ok(())
}

/// The object itself is kept for Anthropic's models; the budget and an effort are for the others.
fn thinking(value: Value, request: &mut ChatRequest, at: &Path<'_>) -> Result<(), ApiError> {
    let members = path::object(value, at)?;
    let reasoning = request.reasoning.get_or_insert_default();
    let budget_at = at.member("budget_tokens");
    let implied = match members.get("type").and_then(Value::as_str) {
        Some("enabled") => {
            let budget = members.get("budget_tokens").ok_or_else(|| budget_at.missing())?;
            let budget = path::unsigned(budget, &budget_at)?;
            reasoning.budget_tokens = Some(budget);
            effort_of_budget(budget)
        }
        // What Anthropic does without a word for it.
        Some("adaptive" | "between_tools") => Effort::High,
        Some("disabled") => Effort::None,
        _ => {
            let kinds = "must be one of `enabled`, `adaptive`, `between_tools`, `disabled`";
            return Err(at.member("type").wrong(kinds));
        }
    };
    reasoning.effort.get_or_insert(implied);
    reasoning.raw = Some(Value::Object(members));
    Ok(())
}

fn output_config(value: Value, request: &mut ChatRequest, at: &Path<'_>) -> Result<(), ApiError> {
    let mut rest = Map::new();
    for (key, value) in path::object(value, at)? {
        let here = at.member(&key);
        match key.as_str() {
            _ if value.is_null() => {}
            "effort" => {
                let word = path::string(value, &here)?;
                let effort = Effort::parse(&word)
                    .filter(|effort| *effort >= Effort::Low)
                    .ok_or_else(|| here.wrong("must be one of `low`, `medium`, `high`, `xhigh`, `max`"))?;
                request.reasoning.get_or_insert_with(Reasoning::default).effort = Some(effort);
            }
            "format" => request.response_format = Some(output_format(value, &here)?),
            _ => {
                rest.insert(key, value);
            }
        }
    }
    if !rest.is_empty() {
        request.extra.insert("output_config".to_owned(), Value::Object(rest));
    }
    Ok(())
}

/// Anthropic's formats have no name; other dialects want one.
fn output_format(value: Value, at: &Path<'_>) -> Result<ResponseFormat, ApiError> {
    let mut members = path::object(value, at)?;
    if members.get("type").and_then(Value::as_str) != Some("json_schema") {
        return Err(at.member("type").wrong("must be `json_schema`"));
    }
    let schema_at = at.member("schema");
    let schema = members.remove("schema").ok_or_else(|| schema_at.missing())?;
    let schema = Value::Object(path::object(schema, &schema_at)?);
    let name = "response".to_owned();
    Ok(ResponseFormat::JsonSchema { name, description: None, schema, strict: Some(true) })
}

fn metadata(value: Value, request: &mut ChatRequest, at: &Path<'_>) -> Result<(), ApiError> {
    let mut rest = Map::new();
    for (key, value) in path::object(value, at)? {
        match key.as_str() {
            "user_id" if value.is_null() => {}
            "user_id" => request.user = Some(path::string(value, &at.member(&key))?),
            _ => {
                rest.insert(key, value);
            }
        }
    }
    if !rest.is_empty() {
        request.extra.insert("metadata".to_owned(), Value::Object(rest));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
