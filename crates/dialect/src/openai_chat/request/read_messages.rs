//! The messages of a client's request, role by role. Assistant messages may come from any gateway's or vendor's answer,
//! so all known places of reasoning are read back; the deprecated `function` role becomes tool calls with made-up ids.

use serde_json::{Map, Value};
use tidegate_core::{ApiError, Verdict, Warning, id};

use super::super::member::{Place, take, take_text};
use super::super::{media, reasoning};
use super::read_parts;
use crate::DialectId;
use crate::chat::{CacheMark, ChatRequest, Extra, Message, Part, Role, ToolCall, ToolKind, ToolResult};

/// # Errors
/// 400 naming the first member that is wrong.
pub(super) fn read(request: &mut ChatRequest, at: &Place<'_>, value: Value) -> Result<(), ApiError> {
    let items = at.list(value)?;
    if items.is_empty() {
        return Err(at.refuse(format!("'{at}' must hold at least one message")));
    }
    let mut reader = Reader { warnings: &mut request.warnings, last_function_call: None };
    request.messages.reserve(items.len());
    for (i, item) in items.into_iter().enumerate() {
        request.messages.push(reader.message(&at.index(i), i, item)?);
    }
    Ok(())
}

struct Reader<'a> {
    warnings: &'a mut Vec<Warning>,
    /// Made-up id of the last deprecated `function_call`, which the next `function` message answers.
    last_function_call: Option<String>,
}

impl Reader<'_> {
    fn message(&mut self, at: &Place<'_>, index: usize, value: Value) -> Result<Message, ApiError> {
        let mut members = at.object(value)?;
        let role = at.name("role").word(take(&mut members, "role"))?;
        let role = match role.as_str() {
            "system" => Role::System,
            "developer" => Role::Developer,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" | "function" => return self.tool(at, &role, members),
            _ => {
                return Err(at.name("role").refuse(format!(
                    "'{at}.role' must be one of system, developer, user, assistant, tool, not \"{role}\""
                )));
            }
        };
        let mut message = Message::new(role, Vec::new());
        message.name = take(&mut members, "name").map(|name| at.name("name").string(name)).transpose()?;
        let cache = take(&mut members, "cache_control").map(CacheMark);
        if role == Role::Assistant {
            message.parts = self.assistant(at, index, &mut members)?;
        } else {
            let content = take(&mut members, "content").ok_or_else(|| at.name("content").missing())?;
            message.parts = self.content(&at.name("content"), content)?;
        }
        if let Some(cache) = cache {
            mark_last(&mut message.parts, cache);
        }
        message.extra = rest(members);
        Ok(message)
    }

    fn content(&mut self, at: &Place<'_>, value: Value) -> Result<Vec<Part>, ApiError> {
        match value {
            Value::String(text) => Ok(vec![Part::text(text)]),
            Value::Array(items) => {
                let read = |(i, item)| read_parts::part(&at.index(i), item, self.warnings);
                items.into_iter().enumerate().map(read).collect()
            }
            other => Err(at.wrong("a string or a list of parts", &other)),
        }
    }

    /// A `tool` message, or a deprecated `function` message, which has a name instead of an id.
    fn tool(
        &mut self,
        at: &Place<'_>,
        role: &str,
        mut members: Map<String, Value>,
    ) -> Result<Message, ApiError> {
        let name = take(&mut members, "name").map(|name| at.name("name").string(name)).transpose()?;
        let call_id = if role == "function" {
            let name = name.as_deref().ok_or_else(|| at.name("name").missing())?;
            self.last_function_call.take().unwrap_or_else(|| function_call_id(0, name))
        } else {
            let id = at.name("tool_call_id").word(take(&mut members, "tool_call_id"))?;
            reasoning::split_id(&id).0.to_owned()
        };
        let content = match take(&mut members, "content") {
            Some(content) => self.content(&at.name("content"), content)?,
            None => Vec::new(),
        };
        let cache = take(&mut members, "cache_control").map(CacheMark);
        let result = ToolResult { call_id, name, content, is_error: false, cache };
        let mut message = Message::new(Role::Tool, vec![Part::ToolResult(result)]);
        message.extra = rest(members);
        Ok(message)
    }

    /// Reasoning first, then content, then tool calls: the order in which models produce them.
    fn assistant(
        &mut self,
        at: &Place<'_>,
        index: usize,
        members: &mut Map<String, Value>,
    ) -> Result<Vec<Part>, ApiError> {
        let found = reasoning::take_from(members);
        let mut parts = found.parts;
        let content = take(members, "content");
        let refusal = take_text(members, "refusal");
        if let Some(content) = content.filter(|_| !found.whole) {
            parts.extend(self.content(&at.name("content"), content)?);
        }
        parts.extend(refusal.map(Part::Refusal));
        if let Some(audio) = take(members, "audio") {
            parts.push(media::answered_audio(at.name("audio").object(audio)?, ""));
        }
        if let Some(calls) = take(members, "tool_calls") {
            let at = at.name("tool_calls");
            for (i, call) in at.list(calls)?.into_iter().enumerate() {
                parts.push(Part::ToolCall(tool_call(&at.index(i), call)?));
            }
        }
        if let Some(call) = take(members, "function_call") {
            let call = self.function_call(&at.name("function_call"), index, call)?;
            parts.push(Part::ToolCall(call));
        }
        // Output that clients echo; no request has a place for it.
        if take(members, "annotations")
            .is_some_and(|list| list.as_array().is_none_or(|list| !list.is_empty()))
        {
            self.warnings.push(Warning {
                verdict: Verdict::Dropped,
                param: at.name("annotations").to_string(),
                note: None,
            });
        }
        Ok(parts)
    }

    fn function_call(&mut self, at: &Place<'_>, index: usize, value: Value) -> Result<ToolCall, ApiError> {
        let mut members = at.object(value)?;
        let name = at.name("name").word(take(&mut members, "name"))?;
        let id = function_call_id(index, &name);
        self.last_function_call = Some(id.clone());
        let arguments = arguments(&at.name("arguments"), take(&mut members, "arguments"))?;
        Ok(call(id, name, arguments, ToolKind::Function))
    }
}

fn tool_call(at: &Place<'_>, value: Value) -> Result<ToolCall, ApiError> {
    let mut members = at.object(value)?;
    let mut id = at.name("id").word(take(&mut members, "id"))?;
    let cache = take(&mut members, "cache_control").map(CacheMark);
    let kind = take(&mut members, "type");
    let read = match kind.as_ref().and_then(Value::as_str) {
        Some("custom") => {
            let at = at.name("custom");
            let mut custom = at.required_object(take(&mut members, "custom"))?;
            let name = at.name("name").word(take(&mut custom, "name"))?;
            let input =
                take(&mut custom, "input").map_or(Ok(String::new()), |v| at.name("input").string(v))?;
            call(id, name, input, ToolKind::Custom)
        }
        // Some clients leave the type out.
        None | Some("function") => {
            let at = at.name("function");
            let mut function = at.required_object(take(&mut members, "function"))?;
            let signature = reasoning::take_signature(&mut members, &mut function, &mut id);
            let name = at.name("name").word(take(&mut function, "name"))?;
            let arguments = arguments(&at.name("arguments"), take(&mut function, "arguments"))?;
            ToolCall { signature, ..call(id, name, arguments, ToolKind::Function) }
        }
        Some(other) => {
            let message = format!("'{at}.type' must be function or custom, not \"{other}\"");
            return Err(at.name("type").refuse(message));
        }
    };
    members.shift_remove("index");
    Ok(ToolCall { cache, extra: rest(members), ..read })
}

/// JSON text; an object is what it stands for.
fn arguments(at: &Place<'_>, value: Option<Value>) -> Result<String, ApiError> {
    match value {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(object @ Value::Object(_)) => Ok(object.to_string()),
        Some(other) => Err(at.wrong("a string of JSON", &other)),
    }
}

fn call(id: String, name: String, arguments: String, kind: ToolKind) -> ToolCall {
    ToolCall { id, name, arguments, kind, signature: None, cache: None, extra: Extra::new() }
}

/// Stable, so that a conversation sent twice is the same request.
fn function_call_id(index: usize, name: &str) -> String {
    format!("call_{}", id::derived(&format!("{index}:{name}"), 24))
}

/// Marks the last part that can carry a mark, as vendors do with a mark on a message.
fn mark_last(parts: &mut [Part], mark: CacheMark) {
    let slot = parts.iter_mut().rev().find_map(|part| match part {
        Part::Text(text) => Some(&mut text.cache),
        Part::Image(image) => Some(&mut image.cache),
        Part::File(file) => Some(&mut file.cache),
        Part::ToolCall(call) => Some(&mut call.cache),
        _ => None,
    });
    if let Some(slot) = slot {
        *slot = Some(mark);
    }
}

fn rest(mut members: Map<String, Value>) -> Extra {
    members.retain(|_, value| !value.is_null());
    members
}

/// The dialect whose client wrote the request, for parts that only it understands.
pub(super) const ORIGIN: DialectId = DialectId::OpenAi;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::ReasoningText;

    fn messages(value: Value) -> Result<Vec<Message>, ApiError> {
        let mut request = ChatRequest::new(DialectId::OpenAi, "m");
        read(&mut request, &Place::top("messages"), value)?;
        assert_eq!(request.warnings, []);
        Ok(request.messages)
    }

    fn one(value: Value) -> Message {
        messages(json!([value])).unwrap().remove(0)
    }

    #[test]
    fn plain_messages_of_each_role() {
        for (role, want) in [
            ("system", Role::System),
            ("developer", Role::Developer),
            ("user", Role::User),
            ("assistant", Role::Assistant),
        ] {
            let message = one(json!({"role": role, "content": "hi", "name": "n", "prefix": true, "x": null}));
            assert_eq!((message.role, message.name.as_deref()), (want, Some("n")));
            assert_eq!(message.parts, [Part::text("hi")]);
            assert_eq!(Value::Object(message.extra), json!({"prefix": true}));
        }
    }

    #[test]
    fn assistant_parts_come_in_the_order_of_making() {
        let message = one(json!({
            "role": "assistant", "refusal": null, "annotations": [], "function_call": null,
            "tool_calls": [
                {"id": "c1__thought__SIG", "type": "function", "function": {"name": "f", "arguments": "{}"}, "index": 0},
                {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "free"}},
                {"id": "c3", "function": {"name": "h", "arguments": {"a": 1}}, "vendor": 1}
            ],
            "content": "text", "reasoning_content": "why"
        }));
        let thought = ReasoningText { origin: ORIGIN, text: "why".into(), signature: None };
        let first = ToolCall {
            signature: Some("SIG".into()),
            ..call("c1".into(), "f".into(), "{}".into(), ToolKind::Function)
        };
        let third = ToolCall {
            extra: json!({"vendor": 1}).as_object().unwrap().clone(),
            ..call("c3".into(), "h".into(), "{\"a\":1}".into(), ToolKind::Function)
        };
        assert_eq!(
            message.parts,
            [
                Part::Reasoning(thought),
                Part::text("text"),
                Part::ToolCall(first),
                Part::ToolCall(call("c2".into(), "g".into(), "free".into(), ToolKind::Custom)),
                Part::ToolCall(third),
            ]
        );
        assert!(message.extra.is_empty());
    }

    #[test]
    fn content_blocks_replace_content() {
        let message = one(json!({"role": "assistant", "content": "b", "content_blocks":
            [{"type": "thinking", "thinking": "a", "signature": "S"}, {"type": "text", "text": "b"}]}));
        assert_eq!(message.parts.len(), 2);
        assert_eq!(message.parts[1], Part::text("b"));
    }

    #[test]
    fn refusals_and_audio_are_parts() {
        let message =
            one(json!({"role": "assistant", "content": null, "refusal": "no", "audio": {"id": "audio_1"}}));
        let Part::Audio(audio) = &message.parts[1] else { panic!("{message:?}") };
        assert_eq!((&message.parts[0], audio.id.as_deref()), (&Part::Refusal("no".into()), Some("audio_1")));
    }

    #[test]
    fn tool_messages_hold_results() {
        let message = one(json!({"role": "tool", "tool_call_id": "c1__thought__SIG", "content": "42",
            "cache_control": {"type": "ephemeral"}}));
        let [Part::ToolResult(result)] = &message.parts[..] else { panic!("{message:?}") };
        assert_eq!((message.role, result.call_id.as_str()), (Role::Tool, "c1"));
        assert_eq!(result.content, [Part::text("42")]);
        assert_eq!(result.cache, Some(CacheMark(json!({"type": "ephemeral"}))));
    }

    #[test]
    fn deprecated_functions_become_tool_calls() {
        let got = messages(json!([
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"}
        ]))
        .unwrap();
        let [Part::ToolCall(call)] = &got[1].parts[..] else { panic!("{got:?}") };
        let [Part::ToolResult(result)] = &got[2].parts[..] else { panic!("{got:?}") };
        assert_eq!((got[2].role, &result.call_id, result.name.as_deref()), (Role::Tool, &call.id, Some("f")));
    }

    #[test]
    fn a_mark_on_a_message_is_one_on_its_last_part() {
        let message = one(json!({"role": "user", "cache_control": {"type": "ephemeral"},
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}));
        let marks: Vec<bool> = message
            .parts
            .iter()
            .map(|part| matches!(part, Part::Text(text) if text.cache.is_some()))
            .collect();
        assert_eq!(marks, [false, true]);
    }

    #[test]
    fn wrong_messages_are_named() {
        for (message, param) in [
            (json!("hi"), "messages[0]"),
            (json!({"content": "hi"}), "messages[0].role"),
            (json!({"role": "robot", "content": "hi"}), "messages[0].role"),
            (json!({"role": "user"}), "messages[0].content"),
            (json!({"role": "user", "content": 7}), "messages[0].content"),
            (json!({"role": "user", "content": "x", "name": 7}), "messages[0].name"),
            (json!({"role": "tool", "content": "x"}), "messages[0].tool_call_id"),
            (json!({"role": "function", "content": "x"}), "messages[0].name"),
            (json!({"role": "assistant", "tool_calls": {}}), "messages[0].tool_calls"),
            (json!({"role": "assistant", "tool_calls": [{}]}), "messages[0].tool_calls[0].id"),
            (
                json!({"role": "assistant", "tool_calls": [{"id": "c", "type": "x"}]}),
                "messages[0].tool_calls[0].type",
            ),
            (
                json!({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": 1}}]}),
                "messages[0].tool_calls[0].function.arguments",
            ),
        ] {
            let error = messages(json!([message])).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{message}");
        }
    }
}
