use serde_json::json;

use super::*;

fn body(members: Value) -> Vec<u8> {
    let mut body = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}]});
    for (key, value) in members.as_object().unwrap() {
        body[key] = value.clone();
    }
    body.to_string().into_bytes()
}

fn run(members: Value) -> ChatRequest {
    decode(&body(members)).unwrap()
}

#[test]
fn scalars_find_their_place() {
    let request = run(json!({
        "temperature": 0.5, "top_p": 0.9, "top_k": 5, "stop_sequences": ["x"], "stream": true,
        "service_tier": "auto", "metadata": {"user_id": "u", "team": "t"}, "system": null,
        "mcp_servers": [], "container": "c",
    }));
    assert_eq!((request.origin, request.model.as_str()), (DialectId::Anthropic, "m"));
    assert_eq!((request.max_tokens, request.stream, request.include_usage), (Some(9), true, true));
    assert_eq!(request.temperature.unwrap().to_string(), "0.5");
    assert_eq!(
        (request.top_p.unwrap().to_string(), request.top_k.unwrap().to_string()),
        ("0.9".into(), "5".into())
    );
    assert_eq!(request.stop, ["x"]);
    assert_eq!((request.user.as_deref(), request.service_tier.as_deref()), (Some("u"), Some("auto")));
    assert_eq!(
        Value::Object(request.extra),
        json!({"metadata": {"team": "t"}, "mcp_servers": [], "container": "c"})
    );
}

#[test]
fn the_system_comes_first_and_results_stand_alone() {
    let request = run(json!({
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "1"},
                {"type": "tool_result", "tool_use_id": "2"},
                {"type": "text", "text": "b"},
            ]},
        ],
        "system": [{"type": "text", "text": "s"}],
    }));
    let seen: Vec<_> = request.messages.iter().map(|message| (message.role, message.parts.len())).collect();
    assert_eq!(
        seen,
        [(Role::System, 1), (Role::User, 1), (Role::Assistant, 1), (Role::Tool, 2), (Role::User, 1)]
    );
}

#[test]
fn tools_by_type() {
    let typed = json!({"type": "web_search_20250305", "name": "web_search"});
    let request = run(json!({"tools": [
        {"name": "f", "input_schema": {"type": "object"}, "defer_loading": true, "strict": null},
        {"type": "custom", "name": "g", "input_schema": {}, "cache_control": {"type": "ephemeral"}},
        typed,
    ]}));
    let [Tool::Function(f), Tool::Function(g), Tool::Opaque { tool, .. }] = &request.tools[..] else {
        panic!("{:?}", request.tools)
    };
    assert_eq!((f.name.as_str(), f.extra.get("defer_loading"), f.strict), ("f", Some(&json!(true)), None));
    assert_eq!((g.name.as_str(), g.cache.is_some()), ("g", true));
    assert_eq!(*tool, typed);
}

#[test]
fn choices_by_type() {
    for (choice, expected, parallel) in [
        (json!({"type": "auto"}), ToolChoice::Auto, None),
        (json!({"type": "any", "disable_parallel_tool_use": true}), ToolChoice::Required, Some(false)),
        (json!({"type": "none"}), ToolChoice::None, None),
        (
            json!({"type": "tool", "name": "f", "disable_parallel_tool_use": false}),
            ToolChoice::Named("f".into()),
            Some(true),
        ),
    ] {
        let request = run(json!({"tool_choice": choice}));
        assert_eq!((request.tool_choice, request.parallel_tool_calls), (Some(expected), parallel));
    }
}

#[test]
fn thinking_as_effort_and_budget() {
    let enabled = |budget: u64| json!({"type": "enabled", "budget_tokens": budget});
    for (members, effort, budget) in [
        (json!({"thinking": enabled(1_024)}), Effort::Low, Some(1_024)),
        (json!({"thinking": enabled(2_048)}), Effort::Medium, Some(2_048)),
        (json!({"thinking": enabled(4_096)}), Effort::High, Some(4_096)),
        (json!({"thinking": enabled(9_000)}), Effort::XHigh, Some(9_000)),
        (json!({"thinking": {"type": "adaptive"}}), Effort::High, None),
        (json!({"thinking": {"type": "disabled"}}), Effort::None, None),
        (json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}), Effort::Max, None),
        (json!({"output_config": {"effort": "low"}, "thinking": {"type": "adaptive"}}), Effort::Low, None),
    ] {
        let reasoning = run(members.clone()).reasoning.unwrap();
        assert_eq!((reasoning.effort, reasoning.budget_tokens), (Some(effort), budget), "{members}");
        assert_eq!(reasoning.raw.as_ref(), members.get("thinking"));
    }
}

#[test]
fn formats_by_either_name() {
    let format = json!({"type": "json_schema", "schema": {"type": "object"}});
    for members in [json!({"output_config": {"format": format}}), json!({"output_format": format})] {
        let Some(ResponseFormat::JsonSchema { schema, .. }) = run(members).response_format else {
            panic!("no schema")
        };
        assert_eq!(schema, json!({"type": "object"}));
    }
}

#[test]
fn errors_name_the_member() {
    let message = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    for (members, param) in [
        (json!({"model": null}), "model"),
        (json!({"model": 1}), "model"),
        (json!({"max_tokens": null}), "max_tokens"),
        (json!({"max_tokens": -1}), "max_tokens"),
        (json!({"max_tokens": "9"}), "max_tokens"),
        (json!({"messages": null}), "messages"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": ["a"]}), "messages.0"),
        (json!({"messages": [{"content": "a"}]}), "messages.0.role"),
        (json!({"messages": [{"role": "tool", "content": "a"}]}), "messages.0.role"),
        (json!({"messages": [{"role": "user"}]}), "messages.0.content"),
        (message(json!(5)), "messages.0.content"),
        (message(json!([{"type": "text", "text": "a"}, {"type": "image"}])), "messages.0.content.1.source"),
        (message(json!([{"type": "tool_use", "id": "1", "name": "f", "input": {}}])), "messages.0.content.0"),
        (
            json!({"messages": [{"role": "assistant", "content": [
                {"type": "tool_result", "tool_use_id": "1"},
            ]}]}),
            "messages.0.content.0",
        ),
        (json!({"system": [{"type": "thinking", "thinking": "t"}]}), "system.0"),
        (json!({"temperature": "hot"}), "temperature"),
        (json!({"stream": "yes"}), "stream"),
        (json!({"stop_sequences": ["a", 1]}), "stop_sequences.1"),
        (json!({"tools": [{"name": "f"}]}), "tools.0.input_schema"),
        (json!({"tools": [{"input_schema": {}}]}), "tools.0.name"),
        (json!({"tool_choice": "auto"}), "tool_choice"),
        (json!({"tool_choice": {"type": "tool"}}), "tool_choice.name"),
        (json!({"tool_choice": {"type": "required"}}), "tool_choice.type"),
        (json!({"thinking": {"type": "on"}}), "thinking.type"),
        (json!({"thinking": {"type": "enabled"}}), "thinking.budget_tokens"),
        (json!({"output_config": {"effort": "none"}}), "output_config.effort"),
        (json!({"output_config": {"format": {"type": "json_object"}}}), "output_config.format.type"),
        (json!({"output_format": {"type": "json_schema"}}), "output_format.schema"),
        (json!({"metadata": {"user_id": 7}}), "metadata.user_id"),
    ] {
        let error = decode(&body(members.clone())).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{members}");
        assert!(error.message.contains(param), "{}", error.message);
    }
}

#[test]
fn what_is_no_object_is_refused() {
    let deep = "[".repeat(100_000);
    for bytes in [&b""[..], b"{", b"[]", b"\"x\"", b"\xff", deep.as_bytes()] {
        assert_eq!(decode(bytes).unwrap_err().status, 400);
    }
}

#[test]
fn counting_needs_no_bound() {
    let bytes = body(json!({"max_tokens": null}));
    assert_eq!(decode_count_tokens(&bytes).unwrap().max_tokens, None);
}
