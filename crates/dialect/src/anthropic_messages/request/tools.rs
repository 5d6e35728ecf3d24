//! Tools, which of them the model may call, and JSON answers: by structured output where the model has it, else by a
//! tool whose input is the answer.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use tidegate_core::{ApiError, Verdict, Warnings};

use crate::DialectId;
use crate::anthropic_messages::models::Model;
use crate::anthropic_messages::names::{self, JSON_TOOL};
use crate::anthropic_messages::wire::{self, Members};
use crate::chat::{self, ChatRequest, FunctionTool, ResponseFormat, ToolKind};

/// Members of a client tool that Anthropic knows beside those with a neutral place.
const OWN_MEMBERS: [&str; 4] =
    ["eager_input_streaming", "defer_loading", "allowed_callers", "input_examples"];

#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    pub(super) tools: Vec<wire::Tool<'a>>,
    pub(super) choice: Option<wire::ToolChoice<'a>>,
    /// For `output_config.format`.
    pub(super) format: Option<Value>,
    /// A last text of the system message that asks for JSON.
    pub(super) instruction: Option<String>,
}

/// `thinking`: the model will think, and then no tool can be forced.
///
/// # Errors
/// 400 naming a tool that the model would never see.
pub(super) fn plan<'a>(
    request: &'a ChatRequest,
    model: Model,
    thinking: bool,
    warnings: &mut Warnings,
) -> Result<Plan<'a>, ApiError> {
    let mut plan = Plan { tools: tools(request, model, warnings)?, ..Plan::default() };
    let parallel = request.parallel_tool_calls.unwrap_or(true);
    let mut choice = choice(request, !parallel)?;
    if let Some(format) = &request.response_format {
        answer_format(format, request, model, thinking, &mut plan, &mut choice, warnings);
    }
    if plan.tools.is_empty() {
        if request.tool_choice.as_ref().is_some_and(forces) {
            warnings.dropped("tool_choice");
        }
        return Ok(plan);
    }
    plan.choice = match choice {
        Some(wire::ToolChoice::Any { .. } | wire::ToolChoice::Tool { .. }) if thinking => {
            warnings.push_note(Verdict::Shaped, "tool_choice", "auto");
            Some(wire::ToolChoice::Auto { disable_parallel_tool_use: !parallel })
        }
        None if !parallel => Some(wire::ToolChoice::Auto { disable_parallel_tool_use: true }),
        choice => choice,
    };
    Ok(plan)
}

fn tools<'a>(
    request: &'a ChatRequest,
    model: Model,
    warnings: &mut Warnings,
) -> Result<Vec<wire::Tool<'a>>, ApiError> {
    let mut tools = Vec::with_capacity(request.tools.len() + 1);
    for (index, tool) in request.tools.iter().enumerate() {
        if let Some(written) = write(tool, request, model, index, warnings)? {
            tools.push(written);
        }
    }
    if let Some(options) = request.extra.get("web_search_options").filter(|options| options.is_object()) {
        tools.push(web_search(options, warnings));
    }
    Ok(tools)
}

/// `None` for a tool outside the allowed ones.
fn write<'a>(
    tool: &'a chat::Tool,
    request: &'a ChatRequest,
    model: Model,
    index: usize,
    warnings: &mut Warnings,
) -> Result<Option<wire::Tool<'a>>, ApiError> {
    let place = match request.origin {
        DialectId::Anthropic => format!("tools.{index}"),
        _ => format!("tools[{index}]"),
    };
    Ok(match tool {
        chat::Tool::Function(tool) if allowed(request, &tool.name) => {
            Some(function(tool, request.origin, model, &place, warnings)?)
        }
        chat::Tool::Custom { name, description, format } if allowed(request, name) => {
            warnings.emulated(&place);
            if format.as_ref().is_some_and(|format| format["type"] != "text") {
                warnings.dropped(format!("{place}.custom.format"));
            }
            Some(custom(name, description.as_deref(), &place)?)
        }
        chat::Tool::Function(_) | chat::Tool::Custom { .. } => None,
        chat::Tool::Opaque { origin, tool } => Some(typed(*origin, tool, &place)?),
    })
}

fn allowed(request: &ChatRequest, name: &str) -> bool {
    match &request.tool_choice {
        Some(chat::ToolChoice::Allowed { names, .. }) => names.iter().any(|allowed| allowed == name),
        _ => true,
    }
}

fn function<'a>(
    tool: &'a FunctionTool,
    origin: DialectId,
    model: Model,
    place: &str,
    warnings: &mut Warnings,
) -> Result<wire::Tool<'a>, ApiError> {
    let strict = tool.strict.filter(|_| model.structured_output);
    if tool.strict == Some(true) && strict.is_none() {
        warnings.dropped(format!("{place}.function.strict"));
    }
    let mut more = Members::default();
    for (key, value) in &tool.extra {
        if origin == DialectId::Anthropic || OWN_MEMBERS.contains(&key.as_str()) {
            more.0.push((key, value));
        } else {
            warnings.dropped(format!("{place}.{key}"));
        }
    }
    Ok(wire::Tool::Client {
        name: names::on_wire(&tool.name, ToolKind::Function, &format!("{place}.function.name"))?,
        description: tool.description.as_deref(),
        input_schema: input_schema(tool.parameters.as_ref(), place)?,
        strict,
        cache_control: tool.cache.as_ref().map(|mark| &mark.0),
        more,
    })
}

/// The schema as given; the API insists on `"type": "object"` at its top.
fn input_schema<'a>(parameters: Option<&'a Value>, place: &str) -> Result<Cow<'a, Value>, ApiError> {
    match parameters {
        None | Some(Value::Null) => Ok(Cow::Owned(json!({"type": "object", "properties": {}}))),
        Some(schema @ Value::Object(members)) if members.contains_key("type") => Ok(Cow::Borrowed(schema)),
        Some(Value::Object(members)) => {
            let mut schema = Map::from_iter([("type".to_owned(), Value::from("object"))]);
            schema.extend(members.clone());
            if !schema.contains_key("properties") {
                schema.insert("properties".to_owned(), json!({}));
            }
            Ok(Cow::Owned(Value::Object(schema)))
        }
        Some(_) => {
            let param = format!("{place}.function.parameters");
            Err(ApiError::bad_request(param, "the parameters of a tool must be a JSON Schema object"))
        }
    }
}

/// A free-text tool as a tool with one string.
fn custom<'a>(name: &'a str, description: Option<&'a str>, place: &str) -> Result<wire::Tool<'a>, ApiError> {
    let schema = json!({
        "type": "object",
        "properties": {"input": {"type": "string"}},
        "required": ["input"],
        "additionalProperties": false,
    });
    Ok(client_tool(
        names::on_wire(name, ToolKind::Custom, &format!("{place}.custom.name"))?,
        description,
        Cow::Owned(schema),
    ))
}

/// Anthropic's own tools, in its form (`{"type":"bash_20250124","name":"bash"}`) or in Portkey's
/// (`{"type":"bash","bash":{"name":"bash_20250124",…}}`).
fn typed<'a>(origin: DialectId, tool: &'a Value, place: &str) -> Result<wire::Tool<'a>, ApiError> {
    let kind = tool["type"].as_str().unwrap_or_default();
    if origin == DialectId::Anthropic || is_dated(kind) {
        return Ok(wire::Tool::Typed(Cow::Borrowed(tool)));
    }
    if let Some(options) = tool.get(kind).and_then(Value::as_object)
        && let Some(dated) = options.get("name").and_then(Value::as_str)
        && is_dated(dated)
    {
        let mut written = options.clone();
        written.insert("name".to_owned(), kind.into());
        written.insert("type".to_owned(), dated.into());
        return Ok(wire::Tool::Typed(Cow::Owned(Value::Object(written))));
    }
    let message =
        format!("Anthropic has no tool of the type `{kind}`; leave it out or send it to its own vendor");
    Err(ApiError::bad_request(format!("{place}.type"), message))
}

/// Types of Anthropic's tools end in a date: `web_search_20250305`.
fn is_dated(kind: &str) -> bool {
    let date = kind.rsplit_once('_').map_or("", |(_, date)| date);
    date.len() == 8 && date.starts_with("20") && date.bytes().all(|b| b.is_ascii_digit())
}

fn web_search<'a>(options: &Value, warnings: &mut Warnings) -> wire::Tool<'a> {
    if options.get("search_context_size").is_some_and(|size| !size.is_null()) {
        warnings.dropped("web_search_options.search_context_size");
    }
    let mut tool = json!({"type": "web_search_20250305", "name": "web_search"});
    if let Some(Value::Object(place)) = options.pointer("/user_location/approximate") {
        let mut location = Map::from_iter([("type".to_owned(), Value::from("approximate"))]);
        location.extend(place.clone());
        tool["user_location"] = Value::Object(location);
    }
    wire::Tool::Typed(Cow::Owned(tool))
}

fn client_tool<'a>(
    name: impl Into<Cow<'a, str>>,
    description: Option<&'a str>,
    input_schema: Cow<'a, Value>,
) -> wire::Tool<'a> {
    wire::Tool::Client {
        name: name.into(),
        description,
        input_schema,
        strict: None,
        cache_control: None,
        more: Members::default(),
    }
}

fn choice(request: &ChatRequest, alone: bool) -> Result<Option<wire::ToolChoice<'_>>, ApiError> {
    let disable_parallel_tool_use = alone;
    Ok(match &request.tool_choice {
        None => None,
        Some(chat::ToolChoice::Auto | chat::ToolChoice::Allowed { required: false, .. }) => {
            Some(wire::ToolChoice::Auto { disable_parallel_tool_use })
        }
        Some(chat::ToolChoice::Required | chat::ToolChoice::Allowed { required: true, .. }) => {
            Some(wire::ToolChoice::Any { disable_parallel_tool_use })
        }
        Some(chat::ToolChoice::None) => Some(wire::ToolChoice::None),
        Some(chat::ToolChoice::Named(name)) => {
            let is_custom =
                |tool: &chat::Tool| matches!(tool, chat::Tool::Custom { name: custom, .. } if custom == name);
            let kind = match request.tools.iter().any(is_custom) {
                true => ToolKind::Custom,
                false => ToolKind::Function,
            };
            let name = names::on_wire(name, kind, "tool_choice")?;
            Some(wire::ToolChoice::Tool { name, disable_parallel_tool_use })
        }
    })
}

fn forces(choice: &chat::ToolChoice) -> bool {
    match choice {
        chat::ToolChoice::Required | chat::ToolChoice::Named(_) => true,
        chat::ToolChoice::Allowed { required, .. } => *required,
        chat::ToolChoice::Auto | chat::ToolChoice::None => false,
    }
}

/// Decides how a JSON answer is got. Where the client forces its own tools there is no content to be shaped.
fn answer_format<'a>(
    format: &'a ResponseFormat,
    request: &'a ChatRequest,
    model: Model,
    thinking: bool,
    plan: &mut Plan<'a>,
    choice: &mut Option<wire::ToolChoice<'a>>,
    warnings: &mut Warnings,
) {
    let schema = match format {
        ResponseFormat::Text => return,
        ResponseFormat::JsonSchema { schema, description, .. } if model.structured_output => {
            if description.is_some() {
                warnings.dropped("response_format.json_schema.description");
            }
            plan.format = Some(json!({"type": "json_schema", "schema": schema}));
            return;
        }
        ResponseFormat::JsonSchema { schema, .. } => Some(schema),
        ResponseFormat::JsonObject => None,
    };
    if request.tool_choice.as_ref().is_some_and(forces) {
        return;
    }
    warnings.emulated("response_format");
    let takes_tool = schema.is_none_or(|schema| schema["type"] == "object");
    if thinking || !takes_tool {
        plan.instruction = Some(instruction(schema));
        return;
    }
    let free = matches!(request.tool_choice, None | Some(chat::ToolChoice::Auto)) && !plan.tools.is_empty();
    let schema = schema.map_or_else(|| Cow::Owned(json!({"type": "object"})), Cow::Borrowed);
    let description = "Gives the answer to the user. Call it once, with the whole answer as its input.";
    plan.tools.push(client_tool(JSON_TOOL, Some(description), schema));
    let disable_parallel_tool_use = request.parallel_tool_calls == Some(false);
    *choice = Some(match free {
        true => wire::ToolChoice::Any { disable_parallel_tool_use },
        false => wire::ToolChoice::Tool { name: Cow::Borrowed(JSON_TOOL), disable_parallel_tool_use: true },
    });
}

fn instruction(schema: Option<&Value>) -> String {
    let mut text =
        "Answer with one JSON value and nothing else: no explanation, no Markdown fence around it."
            .to_owned();
    match schema {
        Some(schema) => text.push_str(&format!(" It must be valid under this JSON Schema: {schema}")),
        None => text.push_str(" The value must be an object."),
    }
    text
}

#[cfg(test)]
mod tests;
