use serde_json::{Value, json};

use super::*;
use crate::chat::{Audio, CacheMark, Extra, ReasoningText, ToolKind};

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.into(),
        name: "tide".into(),
        arguments: arguments.into(),
        kind: ToolKind::Function,
        signature: None,
        cache: None,
        extra: Extra::new(),
    })
}

fn result(id: &str, content: Vec<Part>) -> Message {
    let result = ToolResult { call_id: id.into(), name: None, content, is_error: false, cache: None };
    Message::new(Role::Tool, vec![Part::ToolResult(result)])
}

fn user(text: &str) -> Message {
    Message::text(Role::User, text)
}

fn assistant(parts: Vec<Part>) -> Message {
    Message::new(Role::Assistant, parts)
}

fn run(messages: Vec<Message>) -> Result<(Value, Value, String), ApiError> {
    let mut request = ChatRequest::new(DialectId::OpenAi, "m");
    request.messages = messages;
    let mut warnings = Warnings::default();
    let conversation = write(&request, &mut warnings)?;
    let json = |value: Result<Value, _>| value.unwrap();
    Ok((
        json(serde_json::to_value(&conversation.system)),
        json(serde_json::to_value(&conversation.turns)),
        warnings.header_value(),
    ))
}

#[test]
fn turns_by_message() {
    let cases: Vec<(&str, Vec<Message>, Value)> = vec![
        (
            "plain texts stay strings and neighbours stay apart",
            vec![user("a"), user("b")],
            json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]),
        ),
        (
            "calls follow the text, an empty text is left out",
            vec![
                assistant(vec![Part::text("c"), call("1", "{\"q\":1}")]),
                assistant(vec![Part::text(""), call("2", "")]),
            ],
            json!([
                {"role": "assistant", "content": [
                    {"type": "text", "text": "c"},
                    {"type": "tool_use", "id": "1", "name": "tide", "input": {"q": 1}},
                ]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "2", "name": "tide", "input": {}}]},
            ]),
        ),
        (
            "results join, and so does what the user says next, but no more",
            vec![
                result("1", vec![Part::text("R")]),
                result("2", vec![Part::text("x"), Part::text("y")]),
                user("now?"),
                user("well?"),
            ],
            json!([
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "1", "content": "R"},
                    {"type": "tool_result", "tool_use_id": "2", "content": [
                        {"type": "text", "text": "x"},
                        {"type": "text", "text": "y"},
                    ]},
                    {"type": "text", "text": "now?"},
                ]},
                {"role": "user", "content": "well?"},
            ]),
        ),
        (
            "an assistant without content is no turn",
            vec![user("a"), assistant(vec![])],
            json!([{"role": "user", "content": "a"}]),
        ),
    ];
    for (name, messages, expected) in cases {
        let (_, turns, warnings) = run(messages).unwrap();
        assert_eq!((turns, warnings.as_str()), (expected, ""), "{name}");
    }
}

#[test]
fn system_messages_lead_or_stay_in_place_marked() {
    let mut second = Message::text(Role::Developer, "d");
    second.parts.push(Part::Text(Text {
        text: "e".into(),
        cache: Some(CacheMark(json!({"type": "ephemeral"}))),
        ..Text::default()
    }));
    let (system, turns, warnings) =
        run(vec![Message::text(Role::System, "s"), second, user("hi"), Message::text(Role::System, "late")])
            .unwrap();
    assert_eq!(
        system,
        json!([
            {"type": "text", "text": "s"},
            {"type": "text", "text": "d"},
            {"type": "text", "text": "e", "cache_control": {"type": "ephemeral"}},
        ])
    );
    assert_eq!(turns[1], json!({"role": "user", "content": "<system>\nlate\n</system>"}));
    assert_eq!(warnings, "shaped;messages[3].role=user");
}

#[test]
fn thinking_goes_back_to_its_maker_only() {
    let thought = |origin, signature: Option<&str>| {
        Part::Reasoning(ReasoningText { origin, text: "t".into(), signature: signature.map(str::to_owned) })
    };
    let redacted = |origin| Part::RedactedReasoning { origin, data: "xx".into() };
    let opaque = |origin| Part::Opaque { origin, block: json!({"type": "server_tool_use", "id": "s"}) };
    let (_, turns, warnings) = run(vec![assistant(vec![
        thought(DialectId::Anthropic, Some("sig")),
        thought(DialectId::Anthropic, None),
        thought(DialectId::Gemini, Some("sig")),
        redacted(DialectId::Anthropic),
        redacted(DialectId::Gemini),
        opaque(DialectId::Anthropic),
        opaque(DialectId::OpenAi),
    ])])
    .unwrap();
    assert_eq!(
        turns[0]["content"],
        json!([
            {"type": "thinking", "thinking": "t", "signature": "sig"},
            {"type": "redacted_thinking", "data": "xx"},
            {"type": "server_tool_use", "id": "s"},
        ])
    );
    let dropped = [1, 2, 4, 6].map(|i| format!("dropped;messages[0].content[{i}]")).join(", ");
    assert_eq!(warnings, dropped);
}

#[test]
fn what_changes_form_is_said() {
    let mut named = user("a");
    named.name = Some("ann".into());
    let audio =
        Audio { data: String::new(), format: "wav".into(), transcript: Some("heard".into()), id: None };
    for (message, expected, warned) in [
        (named, json!("a"), "dropped;messages[0].name"),
        (assistant(vec![Part::Refusal("no".into())]), json!("no"), "shaped;messages[0].content[0]=text"),
        (assistant(vec![Part::Audio(audio)]), json!("heard"), "shaped;messages[0].content[0]=text"),
        (
            assistant(vec![call("1", "{oops")]),
            json!([{"type": "tool_use", "id": "1", "name": "tide", "input": {"_raw": "{oops"}}]),
            "shaped;messages[0].content[0].arguments=_raw",
        ),
    ] {
        let (_, turns, warnings) = run(vec![message]).unwrap();
        assert_eq!((&turns[0]["content"], warnings.as_str()), (&expected, warned));
    }
}

#[test]
fn sound_and_system_images_are_refused_by_name() {
    let audio = Audio { data: "QQ==".into(), format: "wav".into(), transcript: None, id: None };
    let error = run(vec![Message::new(Role::User, vec![Part::text("a"), Part::Audio(audio)])]).unwrap_err();
    assert_eq!((error.status, error.param.as_deref()), (400, Some("messages[0].content[1]")));
    let error = run(vec![Message::new(Role::System, vec![Part::Refusal("x".into())])]).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("messages[0].content"));
}
