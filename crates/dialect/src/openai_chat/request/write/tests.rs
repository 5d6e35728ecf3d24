use super::*;
use crate::Adjust;
use crate::chat::{CacheMark, Extra, Message, Role};

fn encode(request: &ChatRequest, adjust: &Adjust) -> Result<(String, String), ApiError> {
    let ctx = EncodeContext { provider: "vendor", adjust, max_output_tokens: None };
    let encoded = write(request, &ctx)?;
    Ok((String::from_utf8(encoded.body).unwrap(), encoded.warnings.header_value()))
}

fn request(origin: DialectId) -> ChatRequest {
    let mut request = ChatRequest::new(origin, "m");
    request.messages.push(Message::text(Role::User, "hi"));
    request
}

/// What a change to the smallest request adds to its body, and the warnings.
fn added(origin: DialectId, change: impl FnOnce(&mut ChatRequest)) -> (String, String) {
    let mut request = request(origin);
    change(&mut request);
    let (body, warnings) = encode(&request, &Adjust::default()).unwrap();
    let start = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]"#;
    let rest = body.strip_prefix(start).and_then(|rest| rest.strip_suffix('}')).unwrap();
    (rest.strip_prefix(',').unwrap_or(rest).to_owned(), warnings)
}

fn function(name: &str) -> FunctionTool {
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
fn members_come_in_a_fixed_order() {
    let (body, warnings) = added(DialectId::OpenAi, |r| {
        r.user = Some("u".into());
        r.seed = Some(7.into());
        r.stop = vec!["a".into(), "b".into()];
        r.max_tokens = Some(5);
        r.temperature = Some(1.into());
        r.stream = true;
        r.reasoning = Some(Reasoning { effort: Some(Effort::Low), ..Reasoning::default() });
        r.extra.insert("verbosity".into(), json!("low"));
        r.extra.insert("stream_options".into(), json!({"include_obfuscation": true}));
    });
    assert_eq!(
        body,
        concat!(
            r#""max_completion_tokens":5,"temperature":1,"stop":["a","b"],"seed":7,"stream":true,"#,
            r#""stream_options":{"include_usage":true,"include_obfuscation":true},"reasoning_effort":"low","#,
            r#""user":"u","verbosity":"low""#
        )
    );
    assert_eq!(warnings, "");
}

#[test]
fn members_of_other_dialects_are_reported_or_translated() {
    let (body, warnings) = added(DialectId::Anthropic, |r| {
        r.extra.insert("mcp_servers".into(), json!([]));
        r.top_k = Some(40.into());
        r.service_tier = Some("standard_only".into());
    });
    assert_eq!(body, r#""service_tier":"default""#);
    assert_eq!(warnings, "dropped;top_k, dropped;mcp_servers");
    let (body, warnings) = added(DialectId::OpenAi, |r| r.top_k = Some(40.into()));
    assert_eq!((body.as_str(), warnings.as_str()), (r#""top_k":40"#, ""));
}

#[test]
fn reasoning_is_said_as_an_effort() {
    use DialectId::{Anthropic, OpenAi};
    let raw = json!({"type": "enabled", "budget_tokens": 5000});
    let off = json!({"type": "disabled"});
    for (origin, effort, budget, raw, body, warnings) in [
        (OpenAi, Some(Effort::None), None, None, r#""reasoning_effort":"none""#, ""),
        (OpenAi, Some(Effort::None), None, Some(&off), r#""thinking":{"type":"disabled"}"#, ""),
        (OpenAi, None, Some(5000), Some(&raw), r#""thinking":{"type":"enabled","budget_tokens":5000}"#, ""),
        (
            OpenAi,
            None,
            Some(5000),
            None,
            r#""reasoning_effort":"medium""#,
            "shaped;thinking.budget_tokens=medium",
        ),
        (
            Anthropic,
            None,
            Some(5000),
            Some(&raw),
            r#""reasoning_effort":"medium""#,
            "shaped;thinking.budget_tokens=medium",
        ),
        (Anthropic, Some(Effort::High), Some(5000), Some(&raw), r#""reasoning_effort":"high""#, ""),
        (Anthropic, Some(Effort::None), None, Some(&off), "", "dropped;thinking"),
        (Anthropic, None, None, Some(&off), "", "dropped;thinking"),
    ] {
        let reasoning = Reasoning { effort, budget_tokens: budget, raw: raw.cloned() };
        let got = added(origin, |r| r.reasoning = Some(reasoning.clone()));
        assert_eq!((got.0.as_str(), got.1.as_str()), (body, warnings), "{origin:?} {reasoning:?}");
    }
}

#[test]
fn tools_and_choices_are_written() {
    let (body, warnings) = added(DialectId::OpenAi, |r| {
        let extra = json!({"defer_loading": true, "function": {"examples": []}});
        r.tools = vec![
            Tool::Function(FunctionTool {
                parameters: Some(json!({"type": "object"})),
                cache: Some(CacheMark(json!({"type": "ephemeral"}))),
                extra: extra.as_object().unwrap().clone(),
                ..function("f")
            }),
            Tool::Custom { name: "c".into(), description: None, format: None },
            Tool::Opaque { origin: DialectId::OpenAi, tool: json!({"type": "x"}) },
        ];
        r.tool_choice = Some(ToolChoice::Allowed { names: vec!["f".into(), "c".into()], required: true });
    });
    assert_eq!(
        body,
        concat!(
            r#""tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"examples":[]},"#,
            r#""defer_loading":true},{"type":"custom","custom":{"name":"c"}},{"type":"x"}],"#,
            r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":["#,
            r#"{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}}]}}"#
        )
    );
    assert_eq!(warnings, "dropped;tools[0].cache_control");
}

#[test]
fn choices_without_tools_stay_within_the_dialect() {
    for (origin, body) in [(DialectId::OpenAi, r#""tool_choice":"auto""#), (DialectId::Anthropic, "")] {
        let got = added(origin, |r| r.tool_choice = Some(ToolChoice::Auto));
        assert_eq!(got, (body.to_owned(), String::new()), "{origin:?}");
    }
}

#[test]
fn cache_marks_go_to_vendors_that_read_them() {
    let mut request = request(DialectId::Anthropic);
    let cache = Some(CacheMark(json!({"type": "ephemeral"})));
    request.tools = vec![Tool::Function(FunctionTool { cache, ..function("f") })];
    let adjust = Adjust { cache_control: true, ..Adjust::default() };
    let (body, warnings) = encode(&request, &adjust).unwrap();
    assert!(body.contains(r#""function":{"name":"f"},"cache_control":{"type":"ephemeral"}"#), "{body}");
    assert_eq!(warnings, "");
}

#[test]
fn tools_of_other_vendors_are_refused() {
    let mut request = request(DialectId::Anthropic);
    let tool = json!({"type": "bash_20250124", "name": "bash"});
    request.tools = vec![Tool::Opaque { origin: DialectId::Anthropic, tool }];
    let error = encode(&request, &Adjust::default()).unwrap_err();
    assert_eq!((error.status, error.param.as_deref()), (400, Some("tools[0]")));
    assert!(error.message.contains("bash_20250124"), "{}", error.message);
}

#[test]
fn formats_are_written() {
    let schema = ResponseFormat::JsonSchema {
        name: "a".into(),
        description: None,
        schema: json!({"type": "object"}),
        strict: Some(true),
    };
    for (format, want) in [
        (ResponseFormat::Text, r#"{"type":"text"}"#),
        (ResponseFormat::JsonObject, r#"{"type":"json_object"}"#),
        (
            schema,
            r#"{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"},"strict":true}}"#,
        ),
    ] {
        let (body, _) = added(DialectId::OpenAi, |r| r.response_format = Some(format));
        assert_eq!(body, format!("\"response_format\":{want}"));
    }
}

#[test]
fn a_user_id_longer_than_openai_takes_is_shortened() {
    let change = |r: &mut ChatRequest| r.user = Some("u".repeat(65));
    let (body, warnings) = added(DialectId::Anthropic, change);
    assert_eq!(warnings, "shaped;metadata.user_id");
    assert_eq!(body.len(), r#""user":"""#.len() + 32, "{body}");
    assert_eq!(added(DialectId::Anthropic, change).0, body, "one user stays one user");
    let (body, warnings) = added(DialectId::OpenAi, change);
    assert!(
        body.contains(&"u".repeat(65)) && warnings.is_empty(),
        "its own clients' errors are the vendor's"
    );
}
