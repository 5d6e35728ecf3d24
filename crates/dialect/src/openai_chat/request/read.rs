//! The top level of a client's chat request. Members of OpenAI's reference become fields; all others, known to some
//! vendor or to nobody, stay as they are in `extra`. An explicit null is an absent member.

use serde_json::{Map, Value};
use tidegate_core::ApiError;

use super::super::member::{self, Place, take};
use super::{read_messages, read_tools};
use crate::DialectId;
use crate::chat::{ChatRequest, Effort, Reasoning, ResponseFormat};

/// # Errors
/// 400 naming the first member that is wrong.
pub(in super::super) fn read(body: &[u8]) -> Result<ChatRequest, ApiError> {
    let members = member::body(body)?;
    let mut request = ChatRequest::new(DialectId::OpenAi, "");
    let mut late = Late::default();
    for (key, value) in members {
        if value.is_null() {
            continue;
        }
        if let Some(value) = read_shared(&mut request, &key, value)? {
            read_member(&mut request, &mut late, &key, value)?;
        }
    }
    late.settle(&mut request)?;
    Ok(request)
}

/// Members whose meaning depends on others, whatever their order in the body.
#[derive(Default)]
struct Late {
    messages: Option<Value>,
    functions: Option<Value>,
    function_call: Option<Value>,
    max_completion_tokens: Option<u64>,
    safety_identifier: Option<String>,
    reasoning: Option<Value>,
    thinking: Option<Value>,
}

/// Members that chat and legacy completions share. Gives the value back when `key` is not one of them.
pub(in super::super) fn read_shared(
    request: &mut ChatRequest,
    key: &str,
    value: Value,
) -> Result<Option<Value>, ApiError> {
    let at = Place::top(key);
    match key {
        "model" => request.model = at.word(Some(value))?,
        "max_tokens" => request.max_tokens = Some(at.count(&value)?),
        "temperature" => request.temperature = Some(at.number(value)?),
        "top_p" => request.top_p = Some(at.number(value)?),
        "top_k" => request.top_k = Some(at.number(value)?),
        "n" => request.n = Some(read_n(&at, &value)?),
        "stop" => request.stop = at.strings(value)?,
        "frequency_penalty" => request.frequency_penalty = Some(at.number(value)?),
        "presence_penalty" => request.presence_penalty = Some(at.number(value)?),
        "logit_bias" => request.logit_bias = Some(Value::Object(at.object(value)?)),
        "seed" => request.seed = Some(at.number(value)?),
        "user" => request.user = Some(at.string(value)?),
        "stream" => request.stream = at.boolean(&value)?,
        "stream_options" => read_stream_options(request, &at, value)?,
        _ => return Ok(Some(value)),
    }
    Ok(None)
}

fn read_member(request: &mut ChatRequest, late: &mut Late, key: &str, value: Value) -> Result<(), ApiError> {
    let at = Place::top(key);
    match key {
        "messages" => late.messages = Some(value),
        "max_completion_tokens" => late.max_completion_tokens = Some(at.count(&value)?),
        "logprobs" => request.logprobs = Some(at.boolean(&value)?),
        "top_logprobs" => request.top_logprobs = Some(at.small_count(&value)?),
        "safety_identifier" => late.safety_identifier = Some(at.string(value)?),
        "tools" => request.tools.extend(read_tools::tools(&at, value)?),
        "tool_choice" => request.tool_choice = Some(read_tools::choice(&at, value)?),
        "parallel_tool_calls" => request.parallel_tool_calls = Some(at.boolean(&value)?),
        "functions" => late.functions = Some(value),
        "function_call" => late.function_call = Some(value),
        "response_format" => {
            if let Some(raw) = read_response_format(request, &at, value)? {
                request.extra.insert(key.to_owned(), raw);
            }
        }
        "reasoning_effort" => read_effort(request, &at, value)?,
        "reasoning" => late.reasoning = Some(value),
        "thinking" => late.thinking = Some(value),
        "service_tier" => request.service_tier = Some(at.string(value)?),
        _ => {
            request.extra.insert(key.to_owned(), value);
        }
    }
    Ok(())
}

impl Late {
    fn settle(self, request: &mut ChatRequest) -> Result<(), ApiError> {
        if request.model.is_empty() {
            return Err(Place::top("model").missing());
        }
        self.settle_bounds(request)?;
        if let Some(functions) = self.functions {
            request.tools.extend(read_tools::functions(&Place::top("functions"), functions)?);
        }
        if let Some(choice) = self.function_call.filter(|_| request.tool_choice.is_none()) {
            request.tool_choice = Some(read_tools::function_choice(&Place::top("function_call"), choice)?);
        }
        if let Some(thinking) = self.thinking {
            read_thinking(request, thinking)?;
        }
        if let Some(reasoning) = self.reasoning {
            read_reasoning(request, reasoning)?;
        }
        match self.safety_identifier {
            Some(id) if request.user.is_none() => request.user = Some(id),
            Some(id) => {
                request.extra.insert("safety_identifier".to_owned(), Value::String(id));
            }
            None => {}
        }
        let messages = Place::top("messages");
        read_messages::read(request, &messages, self.messages.ok_or_else(|| messages.missing())?)
    }

    fn settle_bounds(&self, request: &mut ChatRequest) -> Result<(), ApiError> {
        // Both are there when a config sets the old name for clients that send the new one.
        if let Some(bound) = self.max_completion_tokens {
            request.max_tokens = Some(bound);
        }
        if request.top_logprobs.is_some() && request.logprobs != Some(true) {
            return Err(Place::top("top_logprobs").refuse("'top_logprobs' needs 'logprobs': true"));
        }
        check_stream_options(request)
    }
}

/// Usage in the stream was asked for, or other options were set, without a stream.
pub(in super::super) fn check_stream_options(request: &ChatRequest) -> Result<(), ApiError> {
    if !request.stream && (request.include_usage || request.extra.contains_key("stream_options")) {
        return Err(
            Place::top("stream_options").refuse("'stream_options' is only allowed with 'stream': true")
        );
    }
    Ok(())
}

fn read_n(at: &Place<'_>, value: &Value) -> Result<u32, ApiError> {
    match at.small_count(value)? {
        0 => Err(at.refuse("'n' must be at least 1")),
        n => Ok(n),
    }
}

/// `include_obfuscation: false` is what translated streams do anyway; other options stay in `extra`.
fn read_stream_options(request: &mut ChatRequest, at: &Place<'_>, value: Value) -> Result<(), ApiError> {
    let mut options = at.object(value)?;
    if let Some(include) = take(&mut options, "include_usage") {
        request.include_usage = at.name("include_usage").boolean(&include)?;
    }
    options.retain(|key, value| !(value.is_null() || key == "include_obfuscation" && *value == false));
    if !options.is_empty() {
        request.extra.insert("stream_options".to_owned(), Value::Object(options));
    }
    Ok(())
}

/// Gives formats back that only some vendors have (`grammar`, `regex`): they stay as they are.
fn read_response_format(
    request: &mut ChatRequest,
    at: &Place<'_>,
    value: Value,
) -> Result<Option<Value>, ApiError> {
    let mut format = at.object(value)?;
    let kind = at.name("type").word(format.get("type").cloned())?;
    request.response_format = Some(match kind.as_str() {
        "text" => ResponseFormat::Text,
        // Fireworks and Together take a schema beside the type.
        "json_object" if format.contains_key("schema") => return Ok(Some(Value::Object(format))),
        "json_object" => ResponseFormat::JsonObject,
        "json_schema" => {
            let at = at.name("json_schema");
            let mut schema = at.required_object(take(&mut format, "json_schema"))?;
            read_json_schema(&at, &mut schema)?
        }
        _ => return Ok(Some(Value::Object(format))),
    });
    Ok(None)
}

fn read_json_schema(at: &Place<'_>, schema: &mut Map<String, Value>) -> Result<ResponseFormat, ApiError> {
    let strict = take(schema, "strict").map(|value| at.name("strict").boolean(&value)).transpose()?;
    let description =
        take(schema, "description").map(|value| at.name("description").string(value)).transpose()?;
    Ok(ResponseFormat::JsonSchema {
        name: at.name("name").word(take(schema, "name"))?,
        description,
        schema: Value::Object(at.name("schema").required_object(take(schema, "schema"))?),
        strict,
    })
}

/// Words outside OpenAI's list (`default`, numbers of Fireworks) are some vendor's own and stay as they are.
fn read_effort(request: &mut ChatRequest, at: &Place<'_>, value: Value) -> Result<(), ApiError> {
    match value.as_str().map(Effort::parse) {
        Some(Some(effort)) => reasoning(request).effort = Some(effort),
        Some(None) => {
            request.extra.insert("reasoning_effort".to_owned(), value);
        }
        None if value.is_number() || value.is_boolean() => {
            request.extra.insert("reasoning_effort".to_owned(), value);
        }
        None => return Err(at.wrong("one of none, minimal, low, medium, high, xhigh, max", &value)),
    }
    Ok(())
}

/// Anthropic's `thinking`, which Portkey's clients send to any model.
fn read_thinking(request: &mut ChatRequest, value: Value) -> Result<(), ApiError> {
    let at = Place::top("thinking");
    let thinking = at.object(value)?;
    let budget = thinking.get("budget_tokens").filter(|budget| !budget.is_null());
    let budget = budget.map(|budget| at.name("budget_tokens").count(budget)).transpose()?;
    let off = thinking.get("type").and_then(Value::as_str) == Some("disabled");
    let reasoning = reasoning(request);
    reasoning.budget_tokens = budget;
    if off && reasoning.effort.is_none() {
        reasoning.effort = Some(Effort::None);
    }
    reasoning.raw = Some(Value::Object(thinking));
    Ok(())
}

/// OpenRouter's `reasoning`: effort or budget are understood, its other switches stay in `extra`.
fn read_reasoning(request: &mut ChatRequest, value: Value) -> Result<(), ApiError> {
    let at = Place::top("reasoning");
    let mut members = at.object(value)?;
    if request.reasoning.is_none() {
        if let Some(word) = members.get("effort").and_then(Value::as_str).and_then(Effort::parse) {
            reasoning(request).effort = Some(word);
            members.shift_remove("effort");
        }
        if let Some(budget) = take(&mut members, "max_tokens") {
            reasoning(request).budget_tokens = Some(at.name("max_tokens").count(&budget)?);
        }
    }
    members.retain(|_, value| !value.is_null());
    if !members.is_empty() {
        request.extra.insert("reasoning".to_owned(), Value::Object(members));
    }
    Ok(())
}

fn reasoning(request: &mut ChatRequest) -> &mut Reasoning {
    request.reasoning.get_or_insert_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(mut members: Value) -> Result<ChatRequest, ApiError> {
        let object = members.as_object_mut().unwrap();
        object.entry("model").or_insert(json!("m"));
        object.entry("messages").or_insert(json!([{"role": "user", "content": "hi"}]));
        read(&serde_json::to_vec(&members).unwrap())
    }

    #[test]
    fn every_member_of_the_reference_is_read() {
        let request = with(json!({
            "max_completion_tokens": 9, "temperature": 0.5, "top_p": 1, "top_k": 40, "n": 2, "stop": "X",
            "frequency_penalty": 0.1, "presence_penalty": -0.1, "logit_bias": {"5": 1}, "logprobs": true,
            "top_logprobs": 3, "seed": 7, "user": "u", "stream": true,
            "stream_options": {"include_usage": true, "include_obfuscation": false},
            "parallel_tool_calls": false, "reasoning_effort": "high", "service_tier": "flex",
            "response_format": {"type": "json_schema", "json_schema":
                {"name": "a", "description": "d", "schema": {"type": "object"}, "strict": true}},
            "verbosity": "low", "store": true, "metadata": {"k": "v"}, "unheard_of": [1]
        }))
        .unwrap();
        assert_eq!(request.max_tokens, Some(9));
        assert_eq!(request.temperature.unwrap().to_string(), "0.5");
        assert_eq!(request.top_p.unwrap().to_string(), "1");
        assert_eq!(request.top_k.unwrap().to_string(), "40");
        assert_eq!((request.n, request.top_logprobs, request.logprobs), (Some(2), Some(3), Some(true)));
        assert_eq!(request.stop, ["X"]);
        assert_eq!(request.frequency_penalty.unwrap().to_string(), "0.1");
        assert_eq!(request.presence_penalty.unwrap().to_string(), "-0.1");
        assert_eq!(request.logit_bias, Some(json!({"5": 1})));
        assert_eq!(request.seed.unwrap().to_string(), "7");
        assert_eq!(request.user.as_deref(), Some("u"));
        assert!(request.stream && request.include_usage);
        assert_eq!(request.parallel_tool_calls, Some(false));
        assert_eq!(request.reasoning.unwrap().effort, Some(Effort::High));
        assert_eq!(request.service_tier.as_deref(), Some("flex"));
        let format = ResponseFormat::JsonSchema {
            name: "a".into(),
            description: Some("d".into()),
            schema: json!({"type": "object"}),
            strict: Some(true),
        };
        assert_eq!(request.response_format, Some(format));
        let names: Vec<&str> = request.extra.keys().map(String::as_str).collect();
        assert_eq!(names, ["verbosity", "store", "metadata", "unheard_of"]);
    }

    #[test]
    fn the_newer_name_of_the_limit_wins() {
        for members in [
            json!({"max_tokens": 1, "max_completion_tokens": 2}),
            json!({"max_completion_tokens": 2, "max_tokens": 1}),
        ] {
            assert_eq!(with(members).unwrap().max_tokens, Some(2));
        }
    }

    #[test]
    fn wrong_members_are_named() {
        for (members, param, message) in [
            (json!({"model": 7}), "model", "'model' must be a string, not a number"),
            (json!({"model": ""}), "model", "'model' must not be empty"),
            (json!({"model": null}), "model", "'model' is required"),
            (json!({"messages": null}), "messages", "'messages' is required"),
            (json!({"messages": {}}), "messages", "'messages' must be a list, not an object"),
            (json!({"messages": []}), "messages", "'messages' must hold at least one message"),
            (json!({"n": 0}), "n", "'n' must be at least 1"),
            (json!({"temperature": "hot"}), "temperature", "'temperature' must be a number, not a string"),
            (json!({"stop": [1]}), "stop[0]", "'stop[0]' must be a string, not a number"),
            (json!({"stream": "yes"}), "stream", "'stream' must be true or false, not a string"),
            (
                json!({"stream_options": {"include_usage": true}}),
                "stream_options",
                "'stream_options' is only allowed with 'stream': true",
            ),
            (json!({"top_logprobs": 2}), "top_logprobs", "'top_logprobs' needs 'logprobs': true"),
            (
                json!({"response_format": {"type": "json_schema"}}),
                "response_format.json_schema",
                "'response_format.json_schema' is required",
            ),
            (json!({"response_format": {}}), "response_format.type", "'response_format.type' is required"),
            (
                json!({"reasoning_effort": []}),
                "reasoning_effort",
                "'reasoning_effort' must be one of none, minimal, low, medium, high, xhigh, max, not a list",
            ),
        ] {
            let error = with(members.clone()).unwrap_err();
            assert_eq!((error.param.as_deref(), error.message.as_str()), (Some(param), message), "{members}");
        }
    }

    #[test]
    fn reasoning_is_read_from_each_spelling() {
        let budget = |tokens| Reasoning { budget_tokens: Some(tokens), ..Reasoning::default() };
        let effort = |word| Reasoning { effort: Some(word), ..Reasoning::default() };
        let thinking = json!({"type": "enabled", "budget_tokens": 2000});
        for (members, want) in [
            (json!({"reasoning_effort": "max"}), effort(Effort::Max)),
            (json!({"thinking": thinking}), Reasoning { raw: Some(thinking.clone()), ..budget(2000) }),
            (
                json!({"thinking": {"type": "disabled"}}),
                Reasoning { raw: Some(json!({"type": "disabled"})), ..effort(Effort::None) },
            ),
            (json!({"reasoning": {"effort": "low"}}), effort(Effort::Low)),
            (json!({"reasoning": {"max_tokens": 500}}), budget(500)),
        ] {
            let request = with(members.clone()).unwrap();
            assert_eq!((request.reasoning, request.extra.len()), (Some(want), 0), "{members}");
        }
        let request = with(json!({"reasoning": {"effort": "low", "exclude": true}})).unwrap();
        assert_eq!(request.extra["reasoning"], json!({"exclude": true}));
        let request = with(json!({"reasoning_effort": "default"})).unwrap();
        assert_eq!((request.reasoning, &request.extra["reasoning_effort"]), (None, &json!("default")));
    }

    #[test]
    fn users_are_named_once_or_kept_apart() {
        let request = with(json!({"safety_identifier": "s"})).unwrap();
        assert_eq!((request.user.as_deref(), request.extra.len()), (Some("s"), 0));
        let request = with(json!({"safety_identifier": "s", "user": "u"})).unwrap();
        assert_eq!((request.user.as_deref(), &request.extra["safety_identifier"]), (Some("u"), &json!("s")));
    }

    #[test]
    fn vendors_own_formats_stay_as_they_are() {
        for format in [
            json!({"type": "grammar", "grammar": "root ::= x"}),
            json!({"type": "json_object", "schema": {"type": "object"}}),
        ] {
            let request = with(json!({"response_format": format})).unwrap();
            assert_eq!(request.response_format, None);
            assert_eq!(request.extra["response_format"], format);
        }
    }
}
