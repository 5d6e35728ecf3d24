//! The members of a request, their bounds, and what excludes what. The turns are checked in [`turns`].

use super::super::shape::{Kind, Member, Violation, check, is_tool_name, items, may, must};
use super::super::story::{Ask, Choice};
use super::{Refusal, Version, turns};
use serde_json::{Map, Value};

/// A checked request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) ask: Ask,
    pub(super) model: String,
}

/// Counting takes fewer members than answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Answer,
    Count,
}

const MEMBERS: &[Member] = &[
    must("model", Kind::Text),
    must("messages", Kind::List),
    may("system", Kind::TextOrList),
    may("tools", Kind::List),
    may("tool_choice", Kind::Object),
    may("thinking", Kind::Object),
    may("output_config", Kind::Object),
    may("cache_control", Kind::Object),
    may("context_management", Kind::Object),
    may("mcp_servers", Kind::List),
    may("diagnostics", Kind::Object),
];

const ANSWER_MEMBERS: &[Member] = &[
    must("max_tokens", Kind::Whole(0, 128_000)),
    may("stop_sequences", Kind::List),
    may("stream", Kind::Flag),
    may("metadata", Kind::Object),
    may("service_tier", Kind::Word(&["auto", "standard_only"])),
    may("container", Kind::Any),
    may("inference_geo", Kind::Text),
    may("speed", Kind::Word(&["standard", "fast"])),
];

/// Removed in `2026-10-21`.
const SAMPLING_MEMBERS: &[Member] = &[
    may("temperature", Kind::Number(0.0, 1.0)),
    may("top_p", Kind::Number(0.0, 1.0)),
    may("top_k", Kind::Whole(0, i64::MAX)),
];

const TOOL: &[Member] = &[
    may("type", Kind::Word(&["custom"])),
    must("name", Kind::Text),
    must("input_schema", Kind::Object),
    may("description", Kind::Text),
    may("strict", Kind::Flag),
    may("cache_control", Kind::Object),
    may("eager_input_streaming", Kind::Flag),
    may("defer_loading", Kind::Flag),
    may("allowed_callers", Kind::List),
    may("input_examples", Kind::List),
];

/// How the types of Anthropic's own tools begin. Their members are not checked, and they are never called.
const TYPED_TOOLS: &[&str] = &[
    "bash_",
    "text_editor_",
    "memory_",
    "computer_",
    "web_search_",
    "web_fetch_",
    "code_execution_",
    "tool_search_tool_",
];

pub(super) fn read(body: &Value, purpose: Purpose, version: Version) -> Result<Request, Refusal> {
    let members = match (purpose, version) {
        (Purpose::Answer, Version::June2023) => [MEMBERS, ANSWER_MEMBERS, SAMPLING_MEMBERS].concat(),
        (Purpose::Answer, Version::October2026) => [MEMBERS, ANSWER_MEMBERS].concat(),
        (Purpose::Count, _) => MEMBERS.to_vec(),
    };
    let object = check(body, "", &members)?;
    let model = object["model"].as_str().unwrap_or_default().to_owned();
    let newest = is_newest(&model);
    let think = thinking(object, newest)?;
    sampling(object, &model, newest, think)?;
    let mut ask = Ask {
        tools: tools(object)?,
        stop: stops(object)?,
        max_tokens: object.get("max_tokens").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()),
        json: json_output(object)?,
        think,
        stream: object.get("stream") == Some(&Value::Bool(true)),
        ..Ask::default()
    };
    choice(object, &mut ask)?;
    turns::read(object, &mut ask, newest)?;
    if version == Version::October2026 {
        turns::uncited(object)?;
    }
    cache_marks(body)?;
    Ok(Request { ask, model })
}

fn is_newest(model: &str) -> bool {
    ["claude-opus-4-7", "claude-sonnet-5", "claude-fable"].iter().any(|prefix| model.starts_with(prefix))
}

/// Whether thinking is on.
fn thinking(object: &Map<String, Value>, newest: bool) -> Result<bool, Refusal> {
    let Some(thinking) = object.get("thinking").filter(|value| !value.is_null()) else { return Ok(false) };
    let kind = thinking["type"].as_str().unwrap_or_default();
    let members: &[Member] = match kind {
        "enabled" => {
            &[must("type", Kind::Text), must("budget_tokens", Kind::Whole(1_024, i64::MAX)), DISPLAY]
        }
        "adaptive" => &[must("type", Kind::Text), DISPLAY],
        "disabled" | "between_tools" => &[must("type", Kind::Text)],
        _ => {
            let wanted = "'enabled', 'adaptive', 'between_tools' or 'disabled'";
            return Err(Violation::wrong("thinking.type", wanted).into());
        }
    };
    check(thinking, "thinking", members)?;
    if kind == "enabled" {
        if newest {
            return Err(Violation::wrong("thinking.type", "'adaptive' or 'disabled' for this model").into());
        }
        if let Some(max) = object.get("max_tokens").and_then(Value::as_i64)
            && thinking["budget_tokens"].as_i64().is_some_and(|budget| budget >= max)
        {
            return Err(Refusal::invalid("`max_tokens` must be greater than `thinking.budget_tokens`"));
        }
    }
    Ok(kind != "disabled")
}

const DISPLAY: Member = may("display", Kind::Word(&["summarized", "omitted"]));

fn sampling(object: &Map<String, Value>, model: &str, newest: bool, think: bool) -> Result<(), Refusal> {
    let given = |name: &str| object.get(name).filter(|value| !value.is_null());
    if newest {
        for name in ["temperature", "top_p", "top_k"] {
            if given(name).is_some() {
                return Err(Refusal::invalid(format!("`{name}` is deprecated for this model.")));
            }
        }
    }
    if think && given("temperature").is_some_and(|temperature| temperature.as_f64() != Some(1.0)) {
        return Err(Refusal::invalid("`temperature` may only be set to 1 when thinking is enabled."));
    }
    if think && given("top_k").is_some() {
        return Err(Refusal::invalid("`top_k` must be unset when thinking is enabled."));
    }
    if given("temperature").is_some() && given("top_p").is_some() && !model.starts_with("claude-3") {
        let text = "`temperature` and `top_p` cannot both be specified for this model. Please use only one.";
        return Err(Refusal::invalid(text));
    }
    if let Some(metadata) = given("metadata") {
        check(metadata, "metadata", &[may("user_id", Kind::Text)])?;
    }
    Ok(())
}

fn stops(object: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let mut stops = Vec::new();
    for (stop, path) in items(object, "", "stop_sequences") {
        let text = stop.as_str().ok_or_else(|| Violation::wrong(&path, "a valid string"))?;
        if text.trim().is_empty() {
            return Err(Refusal::invalid("stop_sequences: each stop sequence must contain non-whitespace"));
        }
        stops.push(text.to_owned());
    }
    Ok(stops)
}

/// The names of the caller's own tools.
fn tools(object: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for (tool, path) in items(object, "", "tools") {
        let kind = tool["type"].as_str().unwrap_or("custom");
        if TYPED_TOOLS.iter().any(|prefix| kind.starts_with(prefix)) {
            continue;
        }
        check(tool, &path, TOOL)?;
        let name = tool["name"].as_str().unwrap_or_default();
        if !is_tool_name(name, 128) {
            return Err(Violation::wrong(
                format!("{path}.name"),
                "a string matching '^[a-zA-Z0-9_-]{1,128}$'",
            )
            .into());
        }
        if tool["input_schema"]["type"] != "object" {
            return Err(Violation::wrong(format!("{path}.input_schema.type"), "'object'").into());
        }
        if names.iter().any(|known| known == name) {
            return Err(Refusal::invalid("tools: Tool names must be unique."));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn choice(object: &Map<String, Value>, ask: &mut Ask) -> Result<(), Refusal> {
    let Some(choice) = object.get("tool_choice").filter(|value| !value.is_null()) else { return Ok(()) };
    let single = may("disable_parallel_tool_use", Kind::Flag);
    let kind = choice["type"].as_str().unwrap_or_default();
    let members: &[Member] = match kind {
        "auto" | "any" => &[must("type", Kind::Text), single],
        "none" => &[must("type", Kind::Text)],
        "tool" => &[must("type", Kind::Text), must("name", Kind::Text), single],
        _ => return Err(Violation::wrong("tool_choice.type", "'auto', 'any', 'none' or 'tool'").into()),
    };
    check(choice, "tool_choice", members)?;
    if ask.tools.is_empty() {
        return Err(Refusal::invalid("tool_choice: may only be specified while providing tools"));
    }
    if ask.think && matches!(kind, "any" | "tool") {
        return Err(Refusal::invalid("Thinking may not be enabled when tool_choice forces tool use."));
    }
    ask.single = choice["disable_parallel_tool_use"] == true;
    ask.choice = match kind {
        "any" => Choice::Required,
        "none" => Choice::None,
        "tool" => Choice::Named(choice["name"].as_str().unwrap_or_default().to_owned()),
        _ => Choice::Auto,
    };
    match &ask.choice {
        Choice::Named(name) if !ask.tools.contains(name) => {
            Err(Refusal::invalid(format!("Tool '{name}' not found in provided tools")))
        }
        _ => Ok(()),
    }
}

/// Whether JSON is asked for.
fn json_output(object: &Map<String, Value>) -> Result<bool, Refusal> {
    let Some(config) = object.get("output_config").filter(|value| !value.is_null()) else { return Ok(false) };
    let efforts = Kind::Word(&["low", "medium", "high", "xhigh", "max"]);
    check(config, "output_config", &[may("effort", efforts), may("format", Kind::Object)])?;
    let Some(format) = config.get("format").filter(|format| !format.is_null()) else { return Ok(false) };
    let members = [must("type", Kind::Word(&["json_schema"])), must("schema", Kind::Object)];
    check(format, "output_config.format", &members)?;
    Ok(true)
}

/// At most four marks for the prompt cache in one request.
fn cache_marks(body: &Value) -> Result<(), Refusal> {
    let marks = count_marks(body);
    if marks > 4 {
        let text = format!("A maximum of 4 blocks with cache_control may be provided. Found {marks}.");
        return Err(Refusal::invalid(text));
    }
    Ok(())
}

fn count_marks(value: &Value) -> usize {
    match value {
        Value::Object(members) => {
            let here = usize::from(members.get("cache_control").is_some_and(Value::is_object));
            here + members.values().map(count_marks).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(count_marks).sum(),
        _ => 0,
    }
}
