//! Tools and the choice among them, the deprecated `functions` and `function_call` included.

use serde_json::{Map, Value};
use tidegate_core::ApiError;

use super::super::member::{Place, take};
use crate::DialectId;
use crate::chat::{CacheMark, Extra, FunctionTool, Tool, ToolChoice};

pub(super) fn tools(at: &Place<'_>, value: Value) -> Result<Vec<Tool>, ApiError> {
    let items = at.list(value)?;
    items.into_iter().enumerate().map(|(i, item)| tool(&at.index(i), item)).collect()
}

/// The deprecated list: bare functions.
pub(super) fn functions(at: &Place<'_>, value: Value) -> Result<Vec<Tool>, ApiError> {
    let items = at.list(value)?;
    let read = |(i, item)| {
        let at = at.index(i);
        function(&at, at.object(item)?, Map::new()).map(Tool::Function)
    };
    items.into_iter().enumerate().map(read).collect()
}

/// `"auto"`, `"none"`, `"required"` (Mistral's `"any"` is the same), or an object naming tools.
pub(super) fn choice(at: &Place<'_>, value: Value) -> Result<ToolChoice, ApiError> {
    const WANTED: &str = "\"none\", \"auto\", \"required\", or an object naming a tool";
    match value {
        Value::String(word) => match word.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" | "any" => Ok(ToolChoice::Required),
            _ => Err(at.refuse(format!("'{at}' must be {WANTED}, not \"{word}\""))),
        },
        Value::Object(mut members) => {
            let kind = at.name("type").word(take(&mut members, "type"))?;
            match kind.as_str() {
                "function" | "custom" => Ok(ToolChoice::Named(named(at, &mut members, &kind)?)),
                "allowed_tools" => allowed(&at.name("allowed_tools"), take(&mut members, "allowed_tools")),
                _ => Err(at.name("type").refuse(format!(
                    "'{at}.type' must be function, custom or allowed_tools, not \"{kind}\""
                ))),
            }
        }
        other => Err(at.wrong(WANTED, &other)),
    }
}

/// The deprecated `function_call`: `"auto"`, `"none"` or `{"name": …}`.
pub(super) fn function_choice(at: &Place<'_>, value: Value) -> Result<ToolChoice, ApiError> {
    match value {
        Value::Object(mut members) => {
            Ok(ToolChoice::Named(at.name("name").word(take(&mut members, "name"))?))
        }
        other => choice(at, other),
    }
}

fn tool(at: &Place<'_>, value: Value) -> Result<Tool, ApiError> {
    let mut members = at.object(value)?;
    let kind = match take(&mut members, "type") {
        Some(kind) => at.name("type").string(kind)?,
        None if members.contains_key("function") => "function".to_owned(),
        None => return Err(at.name("type").missing()),
    };
    match kind.as_str() {
        "function" => {
            let at = at.name("function");
            let inner = at.required_object(take(&mut members, "function"))?;
            function(&at, inner, members).map(Tool::Function)
        }
        "custom" => {
            let at = at.name("custom");
            let mut custom = at.required_object(take(&mut members, "custom"))?;
            let description = text(&at, &mut custom, "description")?;
            let name = at.name("name").word(take(&mut custom, "name"))?;
            Ok(Tool::Custom { name, description, format: take(&mut custom, "format") })
        }
        _ => {
            members.shift_insert(0, "type".to_owned(), Value::String(kind));
            Ok(Tool::Opaque { origin: DialectId::OpenAi, tool: Value::Object(members) })
        }
    }
}

/// `outer` is what stands beside `function` in the tool.
fn function(
    at: &Place<'_>,
    mut inner: Map<String, Value>,
    mut outer: Map<String, Value>,
) -> Result<FunctionTool, ApiError> {
    let name = at.name("name").word(take(&mut inner, "name"))?;
    let description = text(at, &mut inner, "description")?;
    let parameters = match take(&mut inner, "parameters") {
        Some(schema) => Some(Value::Object(at.name("parameters").object(schema)?)),
        None => None,
    };
    let strict = take(&mut inner, "strict").map(|value| at.name("strict").boolean(&value)).transpose()?;
    let cache = take(&mut outer, "cache_control").or_else(|| take(&mut inner, "cache_control"));
    let mut extra: Extra = outer;
    inner.retain(|_, value| !value.is_null());
    if !inner.is_empty() {
        extra.insert("function".to_owned(), Value::Object(inner));
    }
    Ok(FunctionTool { name, description, parameters, strict, cache: cache.map(CacheMark), extra })
}

fn text(at: &Place<'_>, members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    take(members, name).map(|value| at.name(name).string(value)).transpose()
}

fn named(at: &Place<'_>, members: &mut Map<String, Value>, kind: &str) -> Result<String, ApiError> {
    let at = at.name(kind);
    let mut tool = at.required_object(take(members, kind))?;
    at.name("name").word(take(&mut tool, "name"))
}

fn allowed(at: &Place<'_>, value: Option<Value>) -> Result<ToolChoice, ApiError> {
    let mut members = at.required_object(value)?;
    let mode = at.name("mode").word(take(&mut members, "mode"))?;
    let required = match mode.as_str() {
        "auto" => false,
        "required" => true,
        _ => return Err(at.name("mode").refuse(format!("'{at}.mode' must be auto or required"))),
    };
    let at = at.name("tools");
    let list = at.list(take(&mut members, "tools").ok_or_else(|| at.missing())?)?;
    let mut names = Vec::with_capacity(list.len());
    for (i, item) in list.into_iter().enumerate() {
        let at = at.index(i);
        let mut tool = at.object(item)?;
        let kind = at.name("type").word(take(&mut tool, "type"))?;
        names.push(named(&at, &mut tool, &kind)?);
    }
    Ok(ToolChoice::Allowed { names, required })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(name: &str) -> FunctionTool {
        FunctionTool {
            name: name.into(),
            description: None,
            parameters: None,
            strict: None,
            cache: None,
            extra: Extra::new(),
        }
    }

    #[test]
    fn tools_of_each_kind() {
        let at = Place::top("tools");
        let got = tools(
            &at,
            json!([
                {"type": "function", "function": {"name": "a", "description": "d", "parameters": {"type": "object"},
                    "strict": true}, "cache_control": {"type": "ephemeral"}},
                {"function": {"name": "b", "strict": null, "examples": []}, "defer_loading": true},
                {"type": "custom", "custom": {"name": "c", "format": {"type": "text"}}},
                {"type": "web_search_20250305", "name": "web_search"}
            ]),
        )
        .unwrap();
        let a = FunctionTool {
            description: Some("d".into()),
            parameters: Some(json!({"type": "object"})),
            strict: Some(true),
            cache: Some(CacheMark(json!({"type": "ephemeral"}))),
            ..plain("a")
        };
        let extra = json!({"defer_loading": true, "function": {"examples": []}});
        let b = FunctionTool { extra: extra.as_object().unwrap().clone(), ..plain("b") };
        let search = json!({"type": "web_search_20250305", "name": "web_search"});
        assert_eq!(
            got,
            [
                Tool::Function(a),
                Tool::Function(b),
                Tool::Custom { name: "c".into(), description: None, format: Some(json!({"type": "text"})) },
                Tool::Opaque { origin: DialectId::OpenAi, tool: search },
            ]
        );
        let got = functions(&Place::top("functions"), json!([{"name": "f"}])).unwrap();
        assert_eq!(got, [Tool::Function(plain("f"))]);
    }

    #[test]
    fn choices_of_each_kind() {
        let at = Place::top("tool_choice");
        let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools":
            [{"type": "function", "function": {"name": "a"}}, {"type": "custom", "custom": {"name": "b"}}]}});
        for (value, want) in [
            (json!("auto"), ToolChoice::Auto),
            (json!("none"), ToolChoice::None),
            (json!("required"), ToolChoice::Required),
            (json!("any"), ToolChoice::Required),
            (json!({"type": "function", "function": {"name": "a"}}), ToolChoice::Named("a".into())),
            (json!({"type": "custom", "custom": {"name": "a"}}), ToolChoice::Named("a".into())),
            (allowed, ToolChoice::Allowed { names: vec!["a".into(), "b".into()], required: true }),
        ] {
            assert_eq!(choice(&at, value.clone()).unwrap(), want, "{value}");
        }
        assert_eq!(function_choice(&at, json!({"name": "a"})).unwrap(), ToolChoice::Named("a".into()));
        assert_eq!(function_choice(&at, json!("none")).unwrap(), ToolChoice::None);
    }

    #[test]
    fn wrong_tools_are_named() {
        for (value, param) in [
            (json!([7]), "tools[0]"),
            (json!([{}]), "tools[0].type"),
            (json!([{"type": "function"}]), "tools[0].function"),
            (json!([{"type": "function", "function": {}}]), "tools[0].function.name"),
            (
                json!([{"type": "function", "function": {"name": "a", "parameters": "x"}}]),
                "tools[0].function.parameters",
            ),
            (json!([{"type": "custom", "custom": {"name": ""}}]), "tools[0].custom.name"),
        ] {
            let error = tools(&Place::top("tools"), value.clone()).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{value}");
        }
        for (value, param) in [
            (json!("sometimes"), "tool_choice"),
            (json!(1), "tool_choice"),
            (json!({"type": "function"}), "tool_choice.function"),
            (json!({"type": "magic"}), "tool_choice.type"),
            (
                json!({"type": "allowed_tools", "allowed_tools": {"mode": "x"}}),
                "tool_choice.allowed_tools.mode",
            ),
        ] {
            let error = choice(&Place::top("tool_choice"), value.clone()).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{value}");
        }
    }
}
