//! Tools. Ollama has no choice among them: what may not be called is not sent, and a call cannot be insisted on.

use std::borrow::Cow;

use serde_json::{Value, json};
use tidegate_core::{ApiError, Verdict, Warnings};

use super::wire::{self, Function};
use crate::chat::{ChatRequest, FunctionTool, Tool, ToolChoice};

pub(super) fn tools<'a>(
    request: &'a ChatRequest,
    warnings: &mut Warnings,
) -> Result<Vec<wire::Tool<'a>>, ApiError> {
    let allowed = match &request.tool_choice {
        None | Some(ToolChoice::Auto) => None,
        Some(ToolChoice::None) => return Ok(Vec::new()),
        Some(ToolChoice::Allowed { names, required: false }) => {
            warnings.push_note(Verdict::Shaped, "tool_choice", "others_left_out");
            Some(names)
        }
        Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { .. }) => {
            let message = "Ollama cannot be made to call a tool: `tool_choice` must be `auto` or `none`";
            return Err(ApiError::bad_request("tool_choice", message));
        }
    };
    let mut entries = Vec::with_capacity(request.tools.len());
    for (i, tool) in request.tools.iter().enumerate() {
        let function = match tool {
            Tool::Function(function) => declared(function, i, warnings),
            Tool::Custom { name, description, format } => {
                warnings.emulated(format!("tools[{i}].custom"));
                if format.is_some() {
                    warnings.dropped(format!("tools[{i}].custom.format"));
                }
                free_text(name, description.as_deref())
            }
            Tool::Opaque { tool, .. } => return Err(foreign(tool, i)),
        };
        if allowed.is_none_or(|names| names.iter().any(|name| name == function.name)) {
            entries.push(wire::Tool { r#type: "function", function });
        }
    }
    Ok(entries)
}

fn declared<'a>(function: &'a FunctionTool, i: usize, warnings: &mut Warnings) -> Function<'a> {
    if function.strict == Some(true) {
        warnings.dropped(format!("tools[{i}].function.strict"));
    }
    if function.cache.is_some() {
        warnings.dropped("cache_control");
    }
    for member in function.extra.keys() {
        warnings.dropped(format!("tools[{i}].function.{member}"));
    }
    let none = || Cow::Owned(json!({"type": "object", "properties": {}}));
    Function {
        name: &function.name,
        description: function.description.as_deref(),
        parameters: function.parameters.as_ref().map_or_else(none, Cow::Borrowed),
    }
}

/// A free-text tool as a function of one string.
fn free_text<'a>(name: &'a str, description: Option<&'a str>) -> Function<'a> {
    let parameters =
        json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]});
    Function { name, description, parameters: Cow::Owned(parameters) }
}

fn foreign(tool: &Value, i: usize) -> ApiError {
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or("unknown");
    let message = format!("Ollama has no tool of type {kind:?}: it takes functions and custom tools");
    ApiError::bad_request(format!("tools[{i}].type"), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DialectId;
    use crate::chat::Extra;

    fn request(tool_choice: Option<ToolChoice>) -> ChatRequest {
        let function = |name: &str, parameters, strict| {
            Tool::Function(FunctionTool {
                name: name.into(),
                description: None,
                parameters,
                strict,
                cache: None,
                extra: Extra::new(),
            })
        };
        let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}});
        let custom = Tool::Custom { name: "run".into(), description: Some("d".into()), format: None };
        let tools = vec![function("f", Some(schema), None), function("g", None, Some(true)), custom];
        ChatRequest { tools, tool_choice, ..ChatRequest::new(DialectId::OpenAi, "llama") }
    }

    #[test]
    fn functions_take_openais_form() {
        let mut warnings = Warnings::default();
        let request = request(None);
        let sent = serde_json::to_value(tools(&request, &mut warnings).unwrap()).unwrap();
        let function = |function: Value| json!({"type": "function", "function": function});
        let expected = json!([
            function(
                json!({"name": "f", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}})
            ),
            function(json!({"name": "g", "parameters": {"type": "object", "properties": {}}})),
            function(json!({"name": "run", "description": "d", "parameters": {
                "type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"],
            }})),
        ]);
        assert_eq!(sent, expected);
        assert_eq!(warnings.header_value(), "dropped;tools[1].function.strict, emulated;tools[2].custom");
    }

    #[test]
    fn choices_decide_what_is_sent() {
        let allowed = |required| ToolChoice::Allowed { names: vec!["g".into()], required };
        for (choice, names) in [
            (ToolChoice::Auto, Some(vec!["f", "g", "run"])),
            (ToolChoice::None, Some(vec![])),
            (allowed(false), Some(vec!["g"])),
            (allowed(true), None),
            (ToolChoice::Required, None),
            (ToolChoice::Named("f".into()), None),
        ] {
            let request = request(Some(choice.clone()));
            let seen = tools(&request, &mut Warnings::default());
            let seen = seen.map(|tools| tools.iter().map(|tool| tool.function.name).collect::<Vec<_>>());
            assert_eq!(
                seen.map_err(|error| error.param.unwrap()),
                names.ok_or("tool_choice".to_owned()),
                "{choice:?}"
            );
        }
    }

    #[test]
    fn tools_of_other_vendors_are_refused() {
        let tool = Tool::Opaque { origin: DialectId::Anthropic, tool: json!({"type": "bash_20250124"}) };
        let request = ChatRequest { tools: vec![tool], ..request(None) };
        let error = tools(&request, &mut Warnings::default()).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("tools[0].type"));
    }
}
