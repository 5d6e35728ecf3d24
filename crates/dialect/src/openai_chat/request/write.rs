//! The neutral form as the body of an OpenAI-like provider. Members come in a fixed order, so equal requests are equal
//! bytes; what the vendor does differently is applied last.

use serde_json::{Map, Value, json};
use tidegate_core::{ApiError, Verdict, Warnings, id};

use super::adjust::adjust_body;
use super::write_messages;
use crate::chat::{ChatRequest, Effort, FunctionTool, Reasoning, ResponseFormat, Tool, ToolChoice};
use crate::{DialectId, EncodeContext, Encoded};

/// Longest `user` that OpenAI takes.
const MAX_USER_CHARS: usize = 64;

/// # Errors
/// 400 for what the chat format cannot say and an answer may not go without: another vendor's tools and file ids.
pub(in super::super) fn write(request: &ChatRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
    let mut warnings = Warnings::default();
    let mut body = Map::new();
    body.insert("model".to_owned(), Value::from(request.model.as_str()));
    body.insert("messages".to_owned(), write_messages::messages(request, ctx, &mut warnings)?);
    write_sampling(&mut body, request, &mut warnings);
    write_stream(&mut body, request);
    write_tools(&mut body, request, ctx, &mut warnings)?;
    write_format(&mut body, request);
    write_reasoning(&mut body, request, &mut warnings);
    put(
        &mut body,
        "service_tier",
        request.service_tier.as_deref().map(|tier| own_tier(request.origin, tier)),
    );
    write_user(&mut body, request, &mut warnings);
    write_extra(&mut body, request, &mut warnings);
    adjust_body(&mut body, ctx.adjust, &mut warnings);
    Ok(Encoded { body: Value::Object(body).to_string().into_bytes(), warnings })
}

/// OpenAI takes 64 characters; the ids that Anthropic's own clients send are longer.
fn write_user(body: &mut Map<String, Value>, request: &ChatRequest, warnings: &mut Warnings) {
    let Some(user) = request.user.as_deref() else { return };
    if request.origin == DialectId::OpenAi || user.chars().count() <= MAX_USER_CHARS {
        body.insert("user".to_owned(), user.into());
    } else {
        warnings.shaped("metadata.user_id");
        body.insert("user".to_owned(), id::derived(user, 32).into());
    }
}

/// Not in OpenAI's reference, `top_k` goes to vendors whose clients wrote it for them; others would refuse it.
fn write_sampling(body: &mut Map<String, Value>, request: &ChatRequest, warnings: &mut Warnings) {
    put(body, "max_completion_tokens", request.max_tokens);
    put(body, "temperature", request.temperature.clone());
    put(body, "top_p", request.top_p.clone());
    if request.origin == DialectId::OpenAi {
        put(body, "top_k", request.top_k.clone());
    } else if request.top_k.is_some() {
        warnings.dropped("top_k");
    }
    put(body, "n", request.n);
    match &request.stop[..] {
        [] => {}
        [one] => put(body, "stop", Some(one.as_str())),
        many => put(body, "stop", Some(many)),
    }
    put(body, "presence_penalty", request.presence_penalty.clone());
    put(body, "frequency_penalty", request.frequency_penalty.clone());
    put(body, "logit_bias", request.logit_bias.clone());
    put(body, "logprobs", request.logprobs);
    put(body, "top_logprobs", request.top_logprobs);
    put(body, "seed", request.seed.clone());
}

/// Usage is always asked for: the gateway counts it whether or not the client wants to see it.
fn write_stream(body: &mut Map<String, Value>, request: &ChatRequest) {
    if request.stream {
        put(body, "stream", Some(true));
        put(body, "stream_options", Some(json!({"include_usage": true})));
    }
}

fn write_tools(
    body: &mut Map<String, Value>,
    request: &ChatRequest,
    ctx: &EncodeContext<'_>,
    warnings: &mut Warnings,
) -> Result<(), ApiError> {
    if !request.tools.is_empty() {
        let mut tools = Vec::with_capacity(request.tools.len());
        for (i, tool) in request.tools.iter().enumerate() {
            tools.push(write_tool(i, tool, ctx, warnings)?);
        }
        body.insert("tools".to_owned(), Value::Array(tools));
    }
    // Choosing among no tools is refused. Whoever writes this format knows; other dialects allow it.
    if request.tools.is_empty() && request.origin != DialectId::OpenAi {
        return Ok(());
    }
    if let Some(choice) = &request.tool_choice {
        body.insert("tool_choice".to_owned(), write_choice(choice, &request.tools));
    }
    put(body, "parallel_tool_calls", request.parallel_tool_calls);
    Ok(())
}

fn write_tool(
    index: usize,
    tool: &Tool,
    ctx: &EncodeContext<'_>,
    warnings: &mut Warnings,
) -> Result<Value, ApiError> {
    match tool {
        Tool::Function(function) => Ok(write_function(index, function, ctx, warnings)),
        Tool::Custom { name, description, format } => {
            let mut custom = Map::new();
            put(&mut custom, "name", Some(name.as_str()));
            put(&mut custom, "description", description.as_deref());
            put(&mut custom, "format", format.clone());
            Ok(json!({"type": "custom", "custom": custom}))
        }
        Tool::Opaque { origin: DialectId::OpenAi, tool } => Ok(tool.clone()),
        Tool::Opaque { tool, .. } => {
            let kind =
                tool.get("type").or_else(|| tool.get("name")).and_then(Value::as_str).unwrap_or("unknown");
            Err(ApiError::bad_request(
                format!("tools[{index}]"),
                format!(
                    "tools[{index}] ({kind}) is a tool of another vendor, which {} does not have: leave it out or \
                     define it as a function",
                    ctx.provider
                ),
            ))
        }
    }
}

fn write_function(
    index: usize,
    tool: &FunctionTool,
    ctx: &EncodeContext<'_>,
    warnings: &mut Warnings,
) -> Value {
    let mut function = Map::new();
    put(&mut function, "name", Some(tool.name.as_str()));
    put(&mut function, "description", tool.description.as_deref());
    put(&mut function, "parameters", tool.parameters.clone());
    put(&mut function, "strict", tool.strict);
    let mut written = Map::new();
    put(&mut written, "type", Some("function"));
    written.insert("function".to_owned(), Value::Null);
    for (key, value) in &tool.extra {
        match (key.as_str(), value) {
            ("function", Value::Object(inner)) => {
                function.extend(inner.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            _ => {
                written.insert(key.clone(), value.clone());
            }
        }
    }
    match &tool.cache {
        Some(mark) if ctx.adjust.cache_control => {
            written.insert("cache_control".to_owned(), mark.0.clone());
        }
        Some(_) => warnings.dropped(format!("tools[{index}].cache_control")),
        None => {}
    }
    written.insert("function".to_owned(), Value::Object(function));
    Value::Object(written)
}

fn write_choice(choice: &ToolChoice, tools: &[Tool]) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => write_named(name, tools),
        ToolChoice::Allowed { names, required } => {
            let mode = if *required { "required" } else { "auto" };
            let tools: Vec<Value> = names.iter().map(|name| write_named(name, tools)).collect();
            json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
        }
    }
}

fn write_named(wanted: &str, tools: &[Tool]) -> Value {
    let custom = tools.iter().any(|tool| matches!(tool, Tool::Custom { name, .. } if name == wanted));
    if custom {
        json!({"type": "custom", "custom": {"name": wanted}})
    } else {
        json!({"type": "function", "function": {"name": wanted}})
    }
}

fn write_format(body: &mut Map<String, Value>, request: &ChatRequest) {
    let format = match &request.response_format {
        None => return,
        Some(ResponseFormat::Text) => json!({"type": "text"}),
        Some(ResponseFormat::JsonObject) => json!({"type": "json_object"}),
        Some(ResponseFormat::JsonSchema { name, description, schema, strict }) => {
            let mut inner = Map::new();
            put(&mut inner, "name", Some(name.as_str()));
            put(&mut inner, "description", description.as_deref());
            put(&mut inner, "schema", Some(schema.clone()));
            put(&mut inner, "strict", *strict);
            json!({"type": "json_schema", "json_schema": inner})
        }
    };
    body.insert("response_format".to_owned(), format);
}

/// An effort is written as it is. A budget becomes the nearest effort. "No thinking" of another dialect is that
/// vendor's usual state, and few models take the word: it is left out, and reported.
fn write_reasoning(body: &mut Map<String, Value>, request: &ChatRequest, warnings: &mut Warnings) {
    let Some(Reasoning { effort, budget_tokens, raw }) = &request.reasoning else { return };
    let same_dialect = request.origin == DialectId::OpenAi;
    if let Some(raw) = raw.as_ref().filter(|_| same_dialect) {
        body.insert("thinking".to_owned(), raw.clone());
    }
    match (effort, budget_tokens) {
        (Some(Effort::None), _) if !same_dialect => warnings.dropped("thinking"),
        // The vendors' own switch says it already.
        (Some(Effort::None), _) if raw.is_some() => {}
        // Few models behind this dialect know the two words.
        (Some(Effort::XHigh | Effort::Max), _) if !same_dialect => {
            let param =
                if budget_tokens.is_some() { "thinking.budget_tokens" } else { "output_config.effort" };
            warnings.push_note(Verdict::Shaped, param, "high");
            put(body, "reasoning_effort", Some(Effort::High.as_str()));
        }
        (Some(effort), _) => put(body, "reasoning_effort", Some(effort.as_str())),
        (None, Some(_)) if raw.is_some() && same_dialect => {}
        (None, Some(budget)) => {
            let effort = Effort::of_budget(*budget).as_str();
            warnings.push_note(Verdict::Shaped, "thinking.budget_tokens", effort);
            put(body, "reasoning_effort", Some(effort));
        }
        (None, None) if raw.is_some() && !same_dialect => warnings.dropped("thinking"),
        (None, None) => {}
    }
}

fn write_extra(body: &mut Map<String, Value>, request: &ChatRequest, warnings: &mut Warnings) {
    for (key, value) in &request.extra {
        if request.origin != DialectId::OpenAi {
            warnings.dropped(key);
            continue;
        }
        match (body.get_mut(key), value) {
            (None, _) => {
                body.insert(key.clone(), value.clone());
            }
            (Some(Value::Object(written)), Value::Object(more)) => {
                written.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            (Some(_), _) => {}
        }
    }
}

/// Anthropic's word for "nothing but the standard tier" is OpenAI's `default`.
fn own_tier(origin: DialectId, tier: &str) -> &str {
    if origin == DialectId::Anthropic && tier == "standard_only" { "default" } else { tier }
}

/// Inserts a member that has a value.
fn put(members: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        members.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests;
