//! Function tools in the form that OpenAI gave them and others took over.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};
use tidegate_core::{ApiError, Warnings};

use crate::chat::Tool;
use crate::losses;

/// `{"type": "function", "function": {name, description, parameters}}`.
#[derive(Debug, Serialize)]
pub(crate) struct Entry<'a> {
    r#type: &'static str,
    pub(crate) function: Function<'a>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: Cow<'a, Value>,
}

/// `tool`, the `i`-th of the request, for `vendor`, who wants parameters always. Free-text tools become functions of one
/// string; `strict` is left to the caller.
///
/// # Errors
/// A tool of another vendor: an answer without it would be wrong.
pub(crate) fn entry<'a>(
    tool: &'a Tool,
    i: usize,
    vendor: &str,
    warnings: &mut Warnings,
) -> Result<Entry<'a>, ApiError> {
    let function = match tool {
        Tool::Function(function) => {
            losses::of_function(function, &format!("tools[{i}].function"), warnings);
            let none = || Cow::Owned(json!({"type": "object", "properties": {}}));
            Function {
                name: &function.name,
                description: function.description.as_deref(),
                parameters: function.parameters.as_ref().map_or_else(none, Cow::Borrowed),
            }
        }
        Tool::Custom { name, description, format } => {
            warnings.emulated(format!("tools[{i}].custom"));
            if format.is_some() {
                warnings.dropped(format!("tools[{i}].custom.format"));
            }
            let parameters = Cow::Owned(one_string());
            Function { name, description: description.as_deref(), parameters }
        }
        Tool::Opaque { tool, .. } => {
            let kind = tool.get("type").and_then(Value::as_str).unwrap_or("unknown");
            let message =
                format!("{vendor} has no tool of type {kind:?}: it takes functions and custom tools");
            return Err(ApiError::bad_request(format!("tools[{i}].type"), message));
        }
    };
    Ok(Entry { r#type: "function", function })
}

/// The parameters of a function that stands for a free-text tool; see
/// [`arguments_object`](crate::chat::ToolCall::arguments_object).
pub(crate) fn one_string() -> Value {
    json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DialectId;
    use crate::chat::{Extra, FunctionTool};

    fn function(parameters: Option<Value>) -> Tool {
        Tool::Function(FunctionTool {
            name: "f".into(),
            description: Some("d".into()),
            parameters,
            strict: Some(true),
            cache: None,
            extra: Extra::new(),
        })
    }

    #[test]
    fn tools_become_functions() {
        let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}});
        let custom = Tool::Custom { name: "run".into(), description: None, format: Some(json!({})) };
        for (tool, expected, warned) in [
            (
                function(Some(schema.clone())),
                json!({"name": "f", "description": "d", "parameters": schema}),
                "",
            ),
            (
                function(None),
                json!({"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}),
                "",
            ),
            (
                custom,
                json!({"name": "run", "parameters": one_string()}),
                "emulated;tools[3].custom, dropped;tools[3].custom.format",
            ),
        ] {
            let mut warnings = Warnings::default();
            let entry = entry(&tool, 3, "Cohere", &mut warnings).unwrap();
            let written = serde_json::to_value(entry).unwrap();
            assert_eq!(written, json!({"type": "function", "function": expected}));
            assert_eq!(warnings.header_value(), warned);
        }
    }

    #[test]
    fn tools_of_other_vendors_are_refused() {
        let tool = Tool::Opaque { origin: DialectId::Anthropic, tool: json!({"type": "bash_20250124"}) };
        let error = entry(&tool, 3, "Cohere", &mut Warnings::default()).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some("tools[3].type")));
        assert!(error.message.contains("bash_20250124"), "{}", error.message);
    }
}
