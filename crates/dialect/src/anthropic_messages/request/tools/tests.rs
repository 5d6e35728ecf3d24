use super::*;
use crate::chat::{CacheMark, Extra, Tool, ToolChoice};

const OLD: &str = "claude-3-haiku-20240307";

fn function(name: &str) -> Tool {
    Tool::Function(FunctionTool {
        name: name.into(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
        extra: Extra::new(),
    })
}

fn custom(name: &str) -> Tool {
    Tool::Custom { name: name.into(), description: Some("d".into()), format: None }
}

fn request(model: &str, tools: Vec<Tool>, choice: Option<ToolChoice>) -> ChatRequest {
    let mut request = ChatRequest::new(DialectId::OpenAi, model);
    request.tools = tools;
    request.tool_choice = choice;
    request
}

fn schema_format(schema: Value) -> ResponseFormat {
    ResponseFormat::JsonSchema { name: "n".into(), description: None, schema, strict: None }
}

/// Tools, choice, format, and whether JSON is asked for in words; then the warnings.
fn run(request: &ChatRequest, thinking: bool) -> (Value, String) {
    let mut warnings = Warnings::default();
    let plan = plan(request, Model::of(&request.model), thinking, &mut warnings).unwrap();
    let said = json!([plan.tools, plan.choice, plan.format, plan.instruction.is_some()]);
    (said, warnings.header_value())
}

fn names(said: &Value) -> Vec<&str> {
    said[0].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[test]
fn a_function_keeps_its_whole_schema() {
    let schema = json!({"type": "object", "$defs": {}, "oneOf": [], "additionalProperties": false});
    let tool = Tool::Function(FunctionTool {
        name: "f".into(),
        description: Some("d".into()),
        parameters: Some(schema.clone()),
        strict: Some(true),
        cache: Some(CacheMark(json!({"type": "ephemeral"}))),
        extra: json!({"defer_loading": true, "foo": 1}).as_object().unwrap().clone(),
    });
    let (said, warnings) = run(&request("claude-sonnet-5", vec![tool.clone()], None), false);
    assert_eq!(
        said[0][0],
        json!({
            "name": "f", "description": "d", "input_schema": schema, "strict": true,
            "cache_control": {"type": "ephemeral"}, "defer_loading": true,
        })
    );
    assert_eq!(warnings, "dropped;tools[0].foo");
    let (said, warnings) = run(&request(OLD, vec![tool], None), false);
    assert_eq!(said[0][0].get("strict"), None);
    assert_eq!(warnings, "dropped;tools[0].function.strict, dropped;tools[0].foo");
}

#[test]
fn schemas_get_the_type_the_api_insists_on() {
    for (given, expected) in [
        (None, json!({"type": "object", "properties": {}})),
        (Some(json!({})), json!({"type": "object", "properties": {}})),
        (Some(json!({"properties": {"a": {}}})), json!({"type": "object", "properties": {"a": {}}})),
    ] {
        assert_eq!(*input_schema(given.as_ref(), "p").unwrap(), expected);
    }
    assert!(input_schema(Some(&json!(true)), "tools[0]").is_err());
}

#[test]
fn choices_by_word() {
    let two = || vec![function("a"), function("b")];
    let allowed = |required| ToolChoice::Allowed { names: vec!["b".into()], required };
    for (choice, parallel, thinking, expected, warned) in [
        (None, None, false, json!(null), ""),
        (None, Some(false), false, json!({"type": "auto", "disable_parallel_tool_use": true}), ""),
        (Some(ToolChoice::Auto), Some(true), false, json!({"type": "auto"}), ""),
        (
            Some(ToolChoice::Required),
            Some(false),
            false,
            json!({"type": "any", "disable_parallel_tool_use": true}),
            "",
        ),
        (Some(ToolChoice::None), Some(false), false, json!({"type": "none"}), ""),
        (Some(ToolChoice::Named("a".into())), None, false, json!({"type": "tool", "name": "a"}), ""),
        (Some(allowed(true)), None, false, json!({"type": "any"}), ""),
        (Some(allowed(false)), None, false, json!({"type": "auto"}), ""),
        (Some(ToolChoice::Required), None, true, json!({"type": "auto"}), "shaped;tool_choice=auto"),
    ] {
        let only_b = matches!(choice, Some(ToolChoice::Allowed { .. }));
        let mut request = request("claude-sonnet-5", two(), choice);
        request.parallel_tool_calls = parallel;
        let (said, warnings) = run(&request, thinking);
        assert_eq!((&said[1], warnings.as_str()), (&expected, warned));
        assert_eq!(names(&said).len(), if only_b { 1 } else { 2 });
    }
    let (said, warnings) = run(&request("m", vec![], Some(ToolChoice::Required)), false);
    assert_eq!((said, warnings.as_str()), (json!([[], null, null, false]), "dropped;tool_choice"));
}

#[test]
fn a_free_text_tool_is_a_tool_with_one_string() {
    let choice = Some(ToolChoice::Named("run".into()));
    let (said, warnings) = run(&request("m", vec![custom("run")], choice), false);
    assert_eq!(said[0][0]["name"], "tidegate_custom__run");
    assert_eq!(said[0][0]["input_schema"]["required"], json!(["input"]));
    assert_eq!(said[1], json!({"type": "tool", "name": "tidegate_custom__run"}));
    assert_eq!(warnings, "emulated;tools[0]");
}

#[test]
fn typed_tools_are_anthropics_or_refused() {
    let opaque = |tool: Value| Tool::Opaque { origin: DialectId::OpenAi, tool };
    let bash = json!({"type": "bash_20250124", "name": "bash"});
    let portkey = json!({"type": "bash", "bash": {"name": "bash_20250124"}});
    for tool in [bash.clone(), portkey] {
        let (said, _) = run(&request("m", vec![opaque(tool)], None), false);
        assert_eq!(said[0][0], bash);
    }
    let foreign = request("m", vec![opaque(json!({"type": "code_interpreter"}))], None);
    let error = plan(&foreign, Model::UNKNOWN, false, &mut Warnings::default()).unwrap_err();
    assert_eq!((error.status, error.param.as_deref()), (400, Some("tools[0].type")));
}

#[test]
fn web_search_options_become_the_tool() {
    let mut request = request("m", vec![], None);
    request.extra = json!({"web_search_options": {
        "search_context_size": "low",
        "user_location": {"type": "approximate", "approximate": {"city": "Brest"}},
    }})
    .as_object()
    .unwrap()
    .clone();
    let (said, warnings) = run(&request, false);
    assert_eq!(
        said[0][0],
        json!({"type": "web_search_20250305", "name": "web_search",
            "user_location": {"type": "approximate", "city": "Brest"}})
    );
    assert_eq!(warnings, "dropped;web_search_options.search_context_size");
}

#[test]
fn json_answers_by_what_the_model_has() {
    let schema = json!({"type": "object", "properties": {}});
    let format = |schema: &Value| json!({"type": "json_schema", "schema": schema});
    let forced = json!({"type": "tool", "name": JSON_TOOL, "disable_parallel_tool_use": true});
    let only_json = || vec![JSON_TOOL];
    let object = ResponseFormat::JsonObject;
    let by_schema = schema_format(schema.clone());
    let by_list = schema_format(json!({"type": "array"}));
    let tool = || vec![function("a")];
    let required = || Some(ToolChoice::Required);
    let emulated = "emulated;response_format";
    for (model, tools, choice, format, thinking, expected, warned) in [
        (
            "claude-sonnet-5",
            vec![],
            None,
            &by_schema,
            true,
            (vec![], json!(null), format(&schema), false),
            "",
        ),
        (OLD, vec![], None, &by_schema, false, (only_json(), forced.clone(), json!(null), false), emulated),
        (OLD, vec![], None, &object, false, (only_json(), forced.clone(), json!(null), false), emulated),
        (OLD, vec![], None, &by_list, false, (vec![], json!(null), json!(null), true), emulated),
        (OLD, vec![], None, &object, true, (vec![], json!(null), json!(null), true), emulated),
        (
            OLD,
            tool(),
            None,
            &object,
            false,
            (vec!["a", JSON_TOOL], json!({"type": "any"}), json!(null), false),
            emulated,
        ),
        (
            OLD,
            tool(),
            Some(ToolChoice::None),
            &object,
            false,
            (vec!["a", JSON_TOOL], forced, json!(null), false),
            emulated,
        ),
        (
            OLD,
            tool(),
            required(),
            &object,
            false,
            (vec!["a"], json!({"type": "any"}), json!(null), false),
            "",
        ),
    ] {
        let mut request = request(model, tools, choice);
        request.response_format = Some(format.clone());
        let (said, warnings) = run(&request, thinking);
        let got = (names(&said), said[1].clone(), said[2].clone(), said[3] == true);
        assert_eq!((got, warnings.as_str()), (expected, warned), "{model} {format:?} {thinking}");
    }
}
