//! The chat request: every member of the published schema and its bounds.

use super::super::shape::{Kind, Member, Violation, check, is_tool_name, items, may, must};
use super::super::story::{Ask, Choice};
use super::{Refusal, messages, schema};
use serde_json::{Map, Value};

/// A checked request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) ask: Ask,
    pub(crate) model: String,
    pub(crate) n: usize,
    pub(crate) include_usage: bool,
    pub(crate) logprobs: bool,
}

const MEMBERS: &[Member] = &[
    must("model", Kind::Text),
    must("messages", Kind::List),
    may("max_completion_tokens", Kind::Whole(1, i64::MAX)),
    may("max_tokens", Kind::Whole(1, i64::MAX)),
    may("temperature", Kind::Number(0.0, 2.0)),
    may("top_p", Kind::Number(0.0, 1.0)),
    may("n", Kind::Whole(1, 128)),
    may("stop", Kind::Texts(4)),
    may("frequency_penalty", Kind::Number(-2.0, 2.0)),
    may("presence_penalty", Kind::Number(-2.0, 2.0)),
    may("logit_bias", Kind::Object),
    may("logprobs", Kind::Flag),
    may("top_logprobs", Kind::Whole(0, 20)),
    may("seed", Kind::Whole(i64::MIN, i64::MAX)),
    may("user", Kind::Text),
    may("stream", Kind::Flag),
    may("stream_options", Kind::Object),
    may("tools", Kind::List),
    may("tool_choice", Kind::WordOrObject(&["none", "auto", "required"])),
    may("parallel_tool_calls", Kind::Flag),
    may("functions", Kind::List),
    may("function_call", Kind::WordOrObject(&["none", "auto"])),
    may("response_format", Kind::Object),
    may("reasoning_effort", Kind::Word(&["none", "minimal", "low", "medium", "high", "xhigh", "max"])),
    may("verbosity", Kind::Word(&["low", "medium", "high"])),
    may("modalities", Kind::List),
    may("audio", Kind::Object),
    may("prediction", Kind::Object),
    may("web_search_options", Kind::Object),
    may("service_tier", Kind::Word(&["auto", "default", "flex", "scale", "priority", "fast"])),
    may("store", Kind::Flag),
    may("metadata", Kind::Object),
    may("prompt_cache_key", Kind::Text),
    may("prompt_cache_retention", Kind::Word(&["in_memory", "24h"])),
    may("prompt_cache_options", Kind::Object),
    may("safety_identifier", Kind::Text),
    may("moderation", Kind::Object),
];

pub(crate) fn read(body: &Value) -> Result<Request, Refusal> {
    let object = check(body, "", MEMBERS)?;
    let model = object["model"].as_str().unwrap_or_default().to_owned();
    dependencies(object)?;
    if is_reasoning(&model) {
        reasoning_limits(object)?;
    }
    let mut ask = Ask {
        tools: tools(object)?,
        stop: texts(object.get("stop")),
        max_tokens: count(object, "max_completion_tokens").or_else(|| count(object, "max_tokens")),
        json: format(object)?,
        think: object.get("reasoning_effort").and_then(Value::as_str).is_some_and(|effort| effort != "none"),
        single: object.get("parallel_tool_calls") == Some(&Value::Bool(false)),
        stream: flag(object, "stream"),
        ..Ask::default()
    };
    ask.choice = choice(object, &mut ask.tools)?;
    messages::read(object, &mut ask)?;
    let options = object.get("stream_options").and_then(Value::as_object);
    Ok(Request {
        ask,
        model,
        n: count(object, "n").unwrap_or(1),
        include_usage: options.is_some_and(|options| flag(options, "include_usage")),
        logprobs: flag(object, "logprobs"),
    })
}

/// Members that are only allowed beside others.
fn dependencies(object: &Map<String, Value>) -> Result<(), Refusal> {
    let given = |name: &str| object.get(name).is_some_and(|value| !value.is_null());
    if let Some(options) = object.get("stream_options").filter(|options| !options.is_null()) {
        let members = [may("include_usage", Kind::Flag), may("include_obfuscation", Kind::Flag)];
        check(options, "stream_options", &members)?;
        if !flag(object, "stream") {
            return Err(Violation::wrong("stream_options", "'stream' to be true beside it").into());
        }
    }
    if given("top_logprobs") && !flag(object, "logprobs") {
        return Err(Violation::wrong("top_logprobs", "'logprobs' to be true beside it").into());
    }
    for name in ["tool_choice", "parallel_tool_calls"] {
        if given(name) && !given("tools") {
            return Err(Violation::wrong(name, "'tools' beside it").into());
        }
    }
    if given("max_tokens") && given("max_completion_tokens") {
        return Err(Violation::wrong("max_tokens", "no 'max_completion_tokens' beside it").into());
    }
    Ok(())
}

fn is_reasoning(model: &str) -> bool {
    ["o1", "o3", "o4", "gpt-5"].iter().any(|prefix| model.starts_with(prefix))
}

fn reasoning_limits(object: &Map<String, Value>) -> Result<(), Refusal> {
    let refused =
        ["max_tokens", "stop", "top_p", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs"];
    for name in refused {
        if object.get(name).is_some_and(|value| !value.is_null()) {
            return Err(Refusal::unsupported(name));
        }
    }
    match object.get("temperature").and_then(Value::as_f64) {
        None | Some(1.0) => Ok(()),
        Some(_) => {
            let message = "Unsupported value: 'temperature' does not support this value with this model. \
                Only the default (1) value is supported.";
            Err(Refusal::new(400, "unsupported_value", Some("temperature"), message))
        }
    }
}

fn tools(object: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let list = items(object, "", "tools");
    if object.get("tools").is_some_and(Value::is_array) && !(1..=128).contains(&list.len()) {
        return Err(Violation::wrong("tools", "an array of 1 to 128 tools").into());
    }
    list.into_iter().map(|(tool, path)| read_tool(tool, &path)).collect()
}

fn read_tool(tool: &Value, path: &str) -> Result<String, Refusal> {
    let members = [
        must("type", Kind::Word(&["function", "custom"])),
        may("function", Kind::Object),
        may("custom", Kind::Object),
    ];
    check(tool, path, &members)?;
    let kind = tool["type"].as_str().unwrap_or_default();
    let inner = tool.get(kind).ok_or_else(|| Violation::missing(format!("{path}.{kind}")))?;
    let inner_path = format!("{path}.{kind}");
    let members: &[Member] = if kind == "function" {
        &[
            must("name", Kind::Text),
            may("description", Kind::Text),
            may("parameters", Kind::Object),
            may("strict", Kind::Flag),
        ]
    } else {
        &[must("name", Kind::Text), may("description", Kind::Text), may("format", Kind::Object)]
    };
    check(inner, &inner_path, members)?;
    let name = inner["name"].as_str().unwrap_or_default();
    if !is_tool_name(name, 64) {
        let wanted = "a string of 1 to 64 letters, digits, '_' or '-'";
        return Err(Violation::wrong(format!("{inner_path}.name"), wanted).into());
    }
    if inner["strict"] == true {
        schema::strict(&inner["parameters"], &format!("{inner_path}.parameters"))?;
    }
    Ok(name.to_owned())
}

fn choice(object: &Map<String, Value>, tools: &mut Vec<String>) -> Result<Choice, Refusal> {
    let value = match object.get("tool_choice") {
        None | Some(Value::Null) => return Ok(Choice::Auto),
        Some(Value::String(word)) => return Ok(mode(word)),
        Some(value) => value,
    };
    let kind = value["type"].as_str().ok_or_else(|| Violation::missing("tool_choice.type"))?;
    if kind == "allowed_tools" {
        let allowed = &value["allowed_tools"];
        let names: Vec<_> =
            allowed["tools"].as_array().into_iter().flatten().map(|t| &t["function"]["name"]).collect();
        tools.retain(|tool| names.iter().any(|name| *name == tool));
        return Ok(mode(allowed["mode"].as_str().unwrap_or_default()));
    }
    let name =
        value[kind]["name"].as_str().ok_or_else(|| Violation::missing(format!("tool_choice.{kind}.name")))?;
    if !tools.iter().any(|tool| tool == name) {
        return Err(Violation::wrong("tool_choice", "the name of one of the 'tools'").into());
    }
    Ok(Choice::Named(name.to_owned()))
}

pub(super) fn mode(word: &str) -> Choice {
    match word {
        "none" => Choice::None,
        "required" => Choice::Required,
        _ => Choice::Auto,
    }
}

/// Whether JSON is asked for.
fn format(object: &Map<String, Value>) -> Result<bool, Refusal> {
    let Some(format) = object.get("response_format").filter(|format| !format.is_null()) else {
        return Ok(false);
    };
    let members =
        [must("type", Kind::Word(&["text", "json_object", "json_schema"])), may("json_schema", Kind::Object)];
    check(format, "response_format", &members)?;
    if format["type"] == "json_schema" {
        let path = "response_format.json_schema";
        let inner = format.get("json_schema").ok_or_else(|| Violation::missing(path))?;
        let members = [
            must("name", Kind::Text),
            may("description", Kind::Text),
            may("schema", Kind::Object),
            may("strict", Kind::Flag),
        ];
        check(inner, path, &members)?;
        if inner["strict"] == true {
            schema::strict(&inner["schema"], &format!("{path}.schema"))?;
        }
    }
    Ok(format["type"] != "text")
}

pub(super) fn flag(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name) == Some(&Value::Bool(true))
}

pub(super) fn count(object: &Map<String, Value>, name: &str) -> Option<usize> {
    object.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok())
}

/// A string or a list of strings, as a list.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
