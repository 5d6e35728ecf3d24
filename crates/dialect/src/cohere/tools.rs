//! Tools and the choice among them.
//!
//! Cohere can say that a tool must be used or must not, but not which: a named or allowed tool is the only one sent.

use std::borrow::Cow;

use serde_json::{Value, json};
use tidegate_core::{ApiError, Verdict, Warnings};

use super::wire::{self, Function};
use crate::chat::{ChatRequest, FunctionTool, Tool, ToolChoice};

#[derive(Debug, Default)]
pub(super) struct Tools<'a> {
    pub(super) entries: Vec<wire::Tool<'a>>,
    pub(super) choice: Option<wire::ToolChoice>,
    pub(super) strict: bool,
}

pub(super) fn tools<'a>(request: &'a ChatRequest, warnings: &mut Warnings) -> Result<Tools<'a>, ApiError> {
    let mut tools = Tools::default();
    for (i, tool) in request.tools.iter().enumerate() {
        let function = match tool {
            Tool::Function(function) => {
                tools.strict |= function.strict == Some(true);
                declared(function, i, warnings)
            }
            Tool::Custom { name, description, format } => {
                warnings.emulated(format!("tools[{i}].custom"));
                if format.is_some() {
                    warnings.dropped(format!("tools[{i}].custom.format"));
                }
                free_text(name, description.as_deref())
            }
            Tool::Opaque { tool, .. } => return Err(foreign(tool, i)),
        };
        tools.entries.push(wire::Tool { r#type: "function", function });
    }
    choose(request.tool_choice.as_ref(), &mut tools, warnings)?;
    Ok(tools)
}

fn declared<'a>(function: &'a FunctionTool, i: usize, warnings: &mut Warnings) -> Function<'a> {
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
    let message = format!("Cohere has no tool of type {kind:?}: it takes functions and custom tools");
    ApiError::bad_request(format!("tools[{i}].type"), message)
}

fn choose(
    choice: Option<&ToolChoice>,
    tools: &mut Tools<'_>,
    warnings: &mut Warnings,
) -> Result<(), ApiError> {
    let (names, must) = match choice {
        None | Some(ToolChoice::Auto) => return Ok(()),
        Some(ToolChoice::None) => {
            tools.choice = Some(wire::ToolChoice::None);
            return Ok(());
        }
        Some(ToolChoice::Required) => {
            tools.choice = Some(wire::ToolChoice::Required);
            return Ok(());
        }
        Some(ToolChoice::Named(name)) => (std::slice::from_ref(name), true),
        Some(ToolChoice::Allowed { names, required }) => (names.as_slice(), *required),
    };
    tools.entries.retain(|tool| names.iter().any(|name| name == tool.function.name));
    if tools.entries.is_empty() {
        return Err(ApiError::bad_request("tool_choice", "`tools` holds none of the tools chosen here"));
    }
    warnings.push_note(Verdict::Shaped, "tool_choice", "others_left_out");
    tools.choice = must.then_some(wire::ToolChoice::Required);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DialectId;
    use crate::chat::Extra;

    fn function(name: &str, strict: Option<bool>) -> Tool {
        Tool::Function(FunctionTool {
            name: name.into(),
            description: Some("d".into()),
            parameters: None,
            strict,
            cache: None,
            extra: Extra::new(),
        })
    }

    fn request(tool_choice: Option<ToolChoice>) -> ChatRequest {
        let tools = vec![function("f", None), function("g", Some(true))];
        ChatRequest { tools, tool_choice, ..ChatRequest::new(DialectId::OpenAi, "command-a") }
    }

    #[test]
    fn functions_always_have_parameters() {
        let request = request(None);
        let tools = super::tools(&request, &mut Warnings::default()).unwrap();
        let entry = json!({"type": "function", "function": {
            "name": "f", "description": "d", "parameters": {"type": "object", "properties": {}},
        }});
        assert_eq!(serde_json::to_value(&tools.entries[0]).unwrap(), entry);
        assert!(tools.strict);
    }

    #[test]
    fn choices_are_said_by_word_or_by_what_is_sent() {
        use wire::ToolChoice::{None as Never, Required};
        let allowed = |required| ToolChoice::Allowed { names: vec!["g".into(), "h".into()], required };
        let shaped = "shaped;tool_choice=others_left_out";
        for (choice, said, names, warned) in [
            (ToolChoice::Auto, None, vec!["f", "g"], ""),
            (ToolChoice::None, Some(Never), vec!["f", "g"], ""),
            (ToolChoice::Required, Some(Required), vec!["f", "g"], ""),
            (ToolChoice::Named("f".into()), Some(Required), vec!["f"], shaped),
            (allowed(true), Some(Required), vec!["g"], shaped),
            (allowed(false), None, vec!["g"], shaped),
        ] {
            let request = request(Some(choice));
            let mut warnings = Warnings::default();
            let tools = super::tools(&request, &mut warnings).unwrap();
            let sent: Vec<&str> = tools.entries.iter().map(|tool| tool.function.name).collect();
            assert_eq!((tools.choice, sent), (said, names));
            assert_eq!(warnings.header_value(), warned);
        }
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let unknown = request(Some(ToolChoice::Named("h".into())));
        let search =
            Tool::Opaque { origin: DialectId::Anthropic, tool: json!({"type": "web_search_20250305"}) };
        let foreign = ChatRequest { tools: vec![search], ..request(None) };
        for (request, param) in [(unknown, "tool_choice"), (foreign, "tools[0].type")] {
            let error = super::tools(&request, &mut Warnings::default()).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)));
        }
    }

    #[test]
    fn free_text_tools_are_emulated() {
        let custom = Tool::Custom { name: "run".into(), description: None, format: Some(json!({})) };
        let request = ChatRequest { tools: vec![custom], ..request(None) };
        let mut warnings = Warnings::default();
        let tools = super::tools(&request, &mut warnings).unwrap();
        let sent = serde_json::to_value(&tools.entries[0]).unwrap();
        assert_eq!(sent.pointer("/function/parameters/required"), Some(&json!(["input"])));
        assert_eq!(warnings.header_value(), "emulated;tools[0].custom, dropped;tools[0].custom.format");
    }
}
