//! Tools and the choice among them.
//!
//! Functions go into one `functionDeclarations` entry. A function that is named like one of Google's own tools and has
//! no properties is that tool, as in Portkey's gateway; tools of other vendors are refused, since an answer without
//! them would be wrong, but for web search, which Google has too.

use serde_json::{Map, Value, json};
use tidegate_core::{ApiError, Warnings};

use super::schema;
use super::wire::{FunctionCallingConfig, ToolConfig};
use crate::DialectId;
use crate::chat::{ChatRequest, FunctionTool, Tool, ToolChoice};
use crate::function_tools::one_string;
use crate::losses;

/// The tools of a request, and what must be said beside them.
#[derive(Debug, Default)]
pub(super) struct Tools {
    pub(super) entries: Vec<Value>,
    /// `retrievalConfig` of a `googleMaps` tool.
    retrieval: Option<Value>,
    has_functions: bool,
}

pub(super) fn tools(request: &ChatRequest, warnings: &mut Warnings) -> Result<Tools, ApiError> {
    let mut tools = Tools::default();
    let mut functions = Vec::new();
    for (i, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Function(function) => match built_in(function) {
                Some((name, mut settings)) => {
                    tools.retrieval = settings.remove("retrievalConfig").or(tools.retrieval.take());
                    tools.entries.push(entry(name, settings.into()));
                }
                None => functions.push(declaration(function, &format!("tools[{i}].function"), warnings)?),
            },
            Tool::Custom { name, description, format } => {
                let path = format!("tools[{i}].custom");
                check_name(name, &path)?;
                warnings.emulated(path.as_str());
                if format.is_some() {
                    warnings.dropped(format!("{path}.format"));
                }
                functions.push(free_text(name, description.as_deref()));
            }
            Tool::Opaque { origin: DialectId::Gemini, tool } => tools.entries.push(tool.clone()),
            Tool::Opaque { tool, .. } => tools.entries.push(foreign(tool, i, warnings)?),
        }
    }
    tools.has_functions = !functions.is_empty();
    if tools.has_functions {
        tools.entries.insert(0, entry("functionDeclarations", functions.into()));
    }
    Ok(tools)
}

impl Tools {
    /// A web search tool, once.
    pub(super) fn add_search(&mut self) {
        if !self.entries.iter().any(|tool| tool.get("googleSearch").is_some()) {
            self.entries.push(entry("googleSearch", json!({})));
        }
    }

    pub(super) fn config<'a>(
        &mut self,
        choice: Option<&'a ToolChoice>,
        warnings: &mut Warnings,
    ) -> Option<ToolConfig<'a>> {
        let function_calling_config = choice.and_then(|choice| self.calling(choice, warnings));
        let config = ToolConfig { function_calling_config, retrieval_config: self.retrieval.take() };
        (config != ToolConfig::default()).then_some(config)
    }

    fn calling<'a>(
        &self,
        choice: &'a ToolChoice,
        warnings: &mut Warnings,
    ) -> Option<FunctionCallingConfig<'a>> {
        if !self.has_functions {
            if !matches!(choice, ToolChoice::Auto | ToolChoice::None) {
                warnings.dropped("tool_choice");
            }
            return None;
        }
        let all = Vec::new();
        let (mode, allowed_function_names) = match choice {
            ToolChoice::Auto => ("AUTO", all),
            ToolChoice::None => ("NONE", all),
            ToolChoice::Required => ("ANY", all),
            ToolChoice::Named(name) => ("ANY", vec![name.as_str()]),
            ToolChoice::Allowed { names, required } => {
                (if *required { "ANY" } else { "VALIDATED" }, names.iter().map(String::as_str).collect())
            }
        };
        Some(FunctionCallingConfig { mode, allowed_function_names })
    }
}

/// Google's own tool that `function` stands for, and its settings.
fn built_in(function: &FunctionTool) -> Option<(&'static str, Map<String, Value>)> {
    let name = match function.name.as_str() {
        "googleSearch" | "google_search" => "googleSearch",
        "googleSearchRetrieval" | "google_search_retrieval" => "googleSearchRetrieval",
        "computerUse" | "computer_use" => "computerUse",
        "googleMaps" | "google_maps" => "googleMaps",
        _ => return None,
    };
    let mut settings = match &function.parameters {
        None => Map::new(),
        Some(Value::Object(members)) if !has_properties(members) => members.clone(),
        Some(_) => return None,
    };
    // What is left of an empty schema is no setting.
    for keyword in ["type", "properties", "required", "additionalProperties", "$schema"] {
        settings.shift_remove(keyword);
    }
    Some((name, settings))
}

fn has_properties(members: &Map<String, Value>) -> bool {
    members.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty())
}

fn declaration(function: &FunctionTool, path: &str, warnings: &mut Warnings) -> Result<Value, ApiError> {
    check_name(&function.name, &format!("{path}.name"))?;
    if function.strict == Some(true) {
        warnings.dropped(format!("{path}.strict"));
    }
    losses::of_function(function, path, warnings);
    let mut out = Map::from_iter([("name".to_owned(), function.name.as_str().into())]);
    if let Some(description) = &function.description {
        out.insert("description".into(), description.as_str().into());
    }
    if let Some(parameters) = function.parameters.as_ref().filter(|schema| !schema::is_empty_object(schema)) {
        let parameters = schema::convert(parameters, &format!("{path}.parameters"), warnings)?;
        out.insert("parameters".into(), parameters);
    }
    Ok(out.into())
}

/// A free-text tool as a function of one string.
fn free_text(name: &str, description: Option<&str>) -> Value {
    json!({
        "name": name,
        "description": description.unwrap_or_default(),
        "parameters": one_string(),
    })
}

fn foreign(tool: &Value, i: usize, warnings: &mut Warnings) -> Result<Value, ApiError> {
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or("unknown");
    if kind.starts_with("web_search") {
        warnings.shaped(format!("tools[{i}]"));
        return Ok(entry("googleSearch", json!({})));
    }
    let message =
        format!("Gemini has no tool of type {kind:?}: it takes functions, custom tools and web search");
    Err(ApiError::bad_request(format!("tools[{i}].type"), message))
}

fn check_name(name: &str, path: &str) -> Result<(), ApiError> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    if starts_well && name.len() <= 128 && name.chars().all(fits) {
        return Ok(());
    }
    let message = "Gemini takes names that begin with a letter or an underscore, then letters, digits and `_.:-`, 128 \
                   at most";
    Err(ApiError::bad_request(path, message))
}

fn entry(name: &str, value: Value) -> Value {
    Map::from_iter([(name.to_owned(), value)]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, parameters: Option<Value>) -> Tool {
        Tool::Function(FunctionTool {
            name: name.into(),
            description: None,
            parameters,
            strict: None,
            cache: None,
            extra: Map::new(),
        })
    }

    fn request(tools: Vec<Tool>) -> ChatRequest {
        ChatRequest { tools, ..ChatRequest::new(DialectId::OpenAi, "gemini-2.5-flash") }
    }

    fn search(version: &str) -> Tool {
        Tool::Opaque { origin: DialectId::Anthropic, tool: json!({"type": version, "name": "web_search"}) }
    }

    #[test]
    fn tools_become_entries() {
        let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}});
        let custom = Tool::Custom { name: "run".into(), description: None, format: Some(json!({})) };
        for (tools, expected, warned) in [
            (
                vec![function("f", Some(schema.clone())), function("g", Some(json!({"type": "object"})))],
                json!([{"functionDeclarations": [{"name": "f", "parameters": schema}, {"name": "g"}]}]),
                "",
            ),
            (vec![function("google_search", None)], json!([{"googleSearch": {}}]), ""),
            (
                vec![function("google_search", Some(schema.clone()))],
                json!([{"functionDeclarations": [{"name": "google_search", "parameters": schema}]}]),
                "",
            ),
            (
                vec![function("computerUse", Some(json!({"environment": "ENVIRONMENT_BROWSER"})))],
                json!([{"computerUse": {"environment": "ENVIRONMENT_BROWSER"}}]),
                "",
            ),
            (vec![search("web_search_20250305")], json!([{"googleSearch": {}}]), "shaped;tools[0]"),
            (
                vec![custom],
                json!([{"functionDeclarations": [{"name": "run", "description": "", "parameters": {
                    "type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"],
                }}]}]),
                "emulated;tools[0].custom, dropped;tools[0].custom.format",
            ),
            (
                vec![Tool::Opaque { origin: DialectId::Gemini, tool: json!({"urlContext": {}}) }],
                json!([{"urlContext": {}}]),
                "",
            ),
        ] {
            let mut warnings = Warnings::default();
            let made = super::tools(&request(tools), &mut warnings).unwrap();
            assert_eq!(Value::from(made.entries), expected);
            assert_eq!(warnings.header_value(), warned);
        }
    }

    #[test]
    fn tools_that_cannot_be_said_are_refused() {
        for (tool, param) in [
            (function("1st", None), "tools[0].function.name"),
            (function("has space", None), "tools[0].function.name"),
            (search("bash_20250124"), "tools[0].type"),
        ] {
            let error = super::tools(&request(vec![tool]), &mut Warnings::default()).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)));
        }
    }

    #[test]
    fn choices_become_modes() {
        let names = || vec!["f".to_owned(), "g".to_owned()];
        for (choice, expected) in [
            (ToolChoice::Auto, json!({"mode": "AUTO"})),
            (ToolChoice::None, json!({"mode": "NONE"})),
            (ToolChoice::Required, json!({"mode": "ANY"})),
            (ToolChoice::Named("f".into()), json!({"mode": "ANY", "allowedFunctionNames": ["f"]})),
            (
                ToolChoice::Allowed { names: names(), required: true },
                json!({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}),
            ),
            (
                ToolChoice::Allowed { names: names(), required: false },
                json!({"mode": "VALIDATED", "allowedFunctionNames": ["f", "g"]}),
            ),
        ] {
            let mut warnings = Warnings::default();
            let mut tools = super::tools(&request(vec![function("f", None)]), &mut warnings).unwrap();
            let config = tools.config(Some(&choice), &mut warnings).unwrap();
            assert_eq!(serde_json::to_value(config).unwrap(), json!({"functionCallingConfig": expected}));
        }
    }

    #[test]
    fn a_choice_without_functions_is_reported() {
        let mut warnings = Warnings::default();
        assert_eq!(Tools::default().config(Some(&ToolChoice::Required), &mut warnings), None);
        assert_eq!(warnings.header_value(), "dropped;tool_choice");
    }

    #[test]
    fn maps_settings_go_to_the_tool_config() {
        let settings = json!({"retrievalConfig": {"latLng": {"latitude": 48.4, "longitude": -4.5}}});
        let mut warnings = Warnings::default();
        let mut tools =
            super::tools(&request(vec![function("googleMaps", Some(settings.clone()))]), &mut warnings)
                .unwrap();
        assert_eq!(Value::from(tools.entries.clone()), json!([{"googleMaps": {}}]));
        let config = tools.config(None, &mut warnings).unwrap();
        assert_eq!(serde_json::to_value(config).unwrap(), settings);
    }
}
