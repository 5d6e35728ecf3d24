//! Tools and the choice among them.
//!
//! Cohere can say that a tool must be used or must not, but not which: a named or allowed tool is the only one sent.

use tidegate_core::{ApiError, Verdict, Warnings};

use super::wire;
use crate::chat::{ChatRequest, Tool, ToolChoice};
use crate::function_tools::{self, Entry};

#[derive(Debug, Default)]
pub(super) struct Tools<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    pub(super) choice: Option<wire::ToolChoice>,
    pub(super) strict: bool,
}

pub(super) fn tools<'a>(request: &'a ChatRequest, warnings: &mut Warnings) -> Result<Tools<'a>, ApiError> {
    let mut tools = Tools::default();
    for (i, tool) in request.tools.iter().enumerate() {
        tools.entries.push(function_tools::entry(tool, i, "Cohere", warnings)?);
        tools.strict |= matches!(tool, Tool::Function(function) if function.strict == Some(true));
    }
    choose(request.tool_choice.as_ref(), &mut tools, warnings)?;
    Ok(tools)
}

fn choose(
    choice: Option<&ToolChoice>,
    tools: &mut Tools<'_>,
    warnings: &mut Warnings,
) -> Result<(), ApiError> {
    if tools.entries.is_empty() {
        // Cohere refuses a choice without tools; not to call one is what happens anyhow.
        if !matches!(choice, None | Some(ToolChoice::Auto | ToolChoice::None)) {
            warnings.dropped("tool_choice");
        }
        return Ok(());
    }
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
    use crate::chat::{Extra, FunctionTool};

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
    fn one_strict_tool_makes_all_strict() {
        assert!(super::tools(&request(None), &mut Warnings::default()).unwrap().strict);
        let lax = ChatRequest { tools: vec![function("f", Some(false))], ..request(None) };
        assert!(!super::tools(&lax, &mut Warnings::default()).unwrap().strict);
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
    fn without_tools_there_is_no_choice() {
        for (choice, warned) in [(ToolChoice::None, ""), (ToolChoice::Required, "dropped;tool_choice")] {
            let request = ChatRequest { tools: Vec::new(), ..request(Some(choice)) };
            let mut warnings = Warnings::default();
            assert_eq!(super::tools(&request, &mut warnings).unwrap().choice, None);
            assert_eq!(warnings.header_value(), warned);
        }
    }

    #[test]
    fn a_choice_of_nothing_is_refused() {
        let request = request(Some(ToolChoice::Named("h".into())));
        let error = super::tools(&request, &mut Warnings::default()).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some("tool_choice")));
    }
}
