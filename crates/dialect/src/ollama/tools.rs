//! Tools. Ollama has no choice among them: what may not be called is not sent, and a call cannot be insisted on.

use tidegate_core::{ApiError, Verdict, Warnings};

use crate::chat::{ChatRequest, Tool, ToolChoice};
use crate::function_tools::{self, Entry};

pub(super) fn tools<'a>(
    request: &'a ChatRequest,
    warnings: &mut Warnings,
) -> Result<Vec<Entry<'a>>, ApiError> {
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
        if matches!(tool, Tool::Function(function) if function.strict == Some(true)) {
            warnings.dropped(format!("tools[{i}].function.strict"));
        }
        let entry = function_tools::entry(tool, i, "Ollama", warnings)?;
        if allowed.is_none_or(|names| names.iter().any(|name| name == entry.function.name)) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DialectId;
    use crate::chat::{Extra, FunctionTool};

    fn request(tool_choice: Option<ToolChoice>) -> ChatRequest {
        let function = |name: &str, strict| {
            Tool::Function(FunctionTool {
                name: name.into(),
                description: None,
                parameters: None,
                strict,
                cache: None,
                extra: Extra::new(),
            })
        };
        let custom = Tool::Custom { name: "run".into(), description: Some("d".into()), format: None };
        let tools = vec![function("f", None), function("g", Some(true)), custom];
        ChatRequest { tools, tool_choice, ..ChatRequest::new(DialectId::OpenAi, "llama") }
    }

    #[test]
    fn strictness_is_reported() {
        let mut warnings = Warnings::default();
        let request = request(None);
        assert_eq!(tools(&request, &mut warnings).unwrap().len(), 3);
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
}
