use serde_json::json;

use super::*;
use crate::chat::{Image, ReasoningText, Source, Text, ToolKind};

fn call(id: &str, name: &str, arguments: &str, signature: Option<&str>) -> chat::Part {
    chat::Part::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        kind: ToolKind::Function,
        signature: signature.map(str::to_owned),
        cache: None,
        extra: Map::new(),
    })
}

fn result(call_id: &str, text: &str) -> Message {
    let result = ToolResult {
        call_id: call_id.into(),
        name: None,
        content: vec![chat::Part::text(text)],
        is_error: text.starts_with("no"),
        cache: None,
    };
    Message::new(Role::Tool, vec![chat::Part::ToolResult(result)])
}

fn written(model: &str, messages: Vec<Message>) -> (Value, Value, String) {
    let request = ChatRequest { messages, ..ChatRequest::new(DialectId::OpenAi, model) };
    let mut warnings = Warnings::default();
    let conversation = conversation(&request, &mut warnings).unwrap();
    (
        serde_json::to_value(conversation.system).unwrap(),
        serde_json::to_value(conversation.contents).unwrap(),
        warnings.header_value(),
    )
}

#[test]
fn roles_are_merged_and_every_system_text_is_kept() {
    let (system, contents, warned) = written(
        "gemini-2.5-flash",
        vec![
            Message::text(Role::System, "S"),
            Message::text(Role::User, "a"),
            Message::text(Role::User, "b"),
            Message::text(Role::Assistant, "c"),
            Message::text(Role::Developer, "D"),
            Message::text(Role::User, "d"),
        ],
    );
    assert_eq!(system, json!({"parts": [{"text": "S"}, {"text": "D"}]}));
    assert_eq!(
        contents,
        json!([
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
            {"role": "model", "parts": [{"text": "c"}]},
            {"role": "user", "parts": [{"text": "d"}]},
        ])
    );
    assert_eq!(warned, "shaped;messages[4]");
}

#[test]
fn a_lone_system_message_is_asked_as_a_question() {
    let (system, contents, warned) = written("gemini-3-pro", vec![Message::text(Role::System, "S")]);
    assert_eq!(system, Value::Null);
    assert_eq!(contents, json!([{"role": "user", "parts": [{"text": "S"}]}]));
    assert_eq!(warned, "shaped;messages");
}

#[test]
fn results_stand_alone_in_the_order_of_the_calls() {
    let calls = vec![
        chat::Part::text("looking"),
        call("call_a", "tide", r#"{"port":"Brest"}"#, Some("c2ln")),
        call("x9", "wind", "", None),
    ];
    let (_, contents, warned) = written(
        "gemini-3-pro",
        vec![
            Message::text(Role::User, "go"),
            Message::new(Role::Assistant, calls),
            result("x9", "7"),
            result("call_a", r#"{"height":4}"#),
            Message::text(Role::User, "and?"),
        ],
    );
    assert_eq!(
        contents,
        json!([
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [
                {"text": "looking"},
                {"functionCall": {"name": "tide", "args": {"port": "Brest"}}, "thoughtSignature": "c2ln"},
                {"functionCall": {"id": "x9", "name": "wind", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "tide", "response": {"height": 4}}},
                {"functionResponse": {"id": "x9", "name": "wind", "response": {"result": 7}}},
            ]},
            {"role": "user", "parts": [{"text": "and?"}]},
        ])
    );
    assert_eq!(warned, "");
}

#[test]
fn only_the_first_call_of_a_newer_model_needs_a_signature() {
    let messages =
        || vec![Message::new(Role::Assistant, vec![call("1", "f", "{}", None), call("2", "g", "{}", None)])];
    let first = |model| written(model, messages()).1[0]["parts"][0]["thoughtSignature"].clone();
    let second = |model| written(model, messages()).1[0]["parts"][1]["thoughtSignature"].clone();
    assert_eq!(first("gemini-3-flash"), FOREIGN_CALL);
    assert_eq!(second("gemini-3-flash"), Value::Null);
    assert_eq!(first("gemini-2.5-flash"), Value::Null);
}

#[test]
fn results_become_objects() {
    for (text, response) in [
        (r#"{"a":1}"#, json!({"a": 1})),
        ("[1,2]", json!({"result": [1, 2]})),
        ("plain", json!({"result": "plain"})),
        ("", json!({"result": ""})),
        ("no tide there", json!({"error": "no tide there"})),
    ] {
        let messages =
            vec![Message::new(Role::Assistant, vec![call("1", "f", "{}", None)]), result("1", text)];
        let (_, contents, _) = written("gemini-2.5-pro", messages);
        assert_eq!(contents[1]["parts"][0]["functionResponse"]["response"], response, "{text}");
    }
}

#[test]
fn a_result_without_its_call_is_refused() {
    let request = ChatRequest {
        messages: vec![result("lost", "x")],
        ..ChatRequest::new(DialectId::OpenAi, "gemini-2.5-pro")
    };
    let error = conversation(&request, &mut Warnings::default()).err().unwrap();
    assert_eq!(error.param.as_deref(), Some("messages[0].tool_call_id"));
    assert!(error.message.contains("\"lost\""), "{}", error.message);
}

#[test]
fn thoughts_go_back_to_their_maker_only() {
    let thought = |origin, signature: Option<&str>| {
        let signature = signature.map(str::to_owned);
        chat::Part::Reasoning(ReasoningText { origin, text: "hm".into(), signature })
    };
    let text =
        chat::Part::Text(Text { text: "ok".into(), signature: Some("dA==".into()), ..Text::default() });
    let raw = json!({"executableCode": {"language": "PYTHON", "code": "1"}});
    let (_, contents, warned) = written(
        "gemini-3-pro",
        vec![Message::new(
            Role::Assistant,
            vec![
                thought(DialectId::Gemini, Some("c2ln")),
                thought(DialectId::Anthropic, Some("x")),
                chat::Part::Opaque { origin: DialectId::Gemini, block: raw.clone() },
                chat::Part::Opaque { origin: DialectId::Anthropic, block: json!({}) },
                text,
            ],
        )],
    );
    assert_eq!(
        contents[0]["parts"],
        json!([
            {"text": "hm", "thought": true, "thoughtSignature": "c2ln"},
            raw,
            {"text": "ok", "thoughtSignature": "dA=="},
        ])
    );
    assert_eq!(warned, "dropped;messages[0].content[1], dropped;messages[0].content[3]");
}

#[test]
fn invalid_arguments_are_wrapped_and_reported() {
    let messages = vec![Message::new(Role::Assistant, vec![call("1", "f", "{oops", None)])];
    let (_, contents, warned) = written("gemini-2.5-pro", messages);
    assert_eq!(contents[0]["parts"][0]["functionCall"]["args"], json!({"_raw": "{oops"}));
    assert_eq!(warned, "shaped;messages[0].content[0].arguments");
}

#[test]
fn a_system_message_holds_text_only() {
    let image = Image { source: Source::Url("https://example.com/x".into()), detail: None, cache: None };
    let request = ChatRequest {
        messages: vec![Message::new(Role::System, vec![chat::Part::Image(image)])],
        ..ChatRequest::new(DialectId::OpenAi, "gemini-2.5-pro")
    };
    let error = conversation(&request, &mut Warnings::default()).err().unwrap();
    assert_eq!(error.param.as_deref(), Some("messages[0].content[0]"));
}
