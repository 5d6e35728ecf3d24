use super::*;
use crate::Adjust;
use crate::chat::{CacheMark, Extra, Image, Source};

fn write(origin: DialectId, adjust: &Adjust, list: Vec<Message>) -> (Value, String) {
    let mut request = ChatRequest::new(origin, "m");
    request.messages = list;
    let ctx = EncodeContext { provider: "vendor", adjust, max_output_tokens: None };
    let mut warnings = Warnings::default();
    let written = messages(&request, &ctx, &mut warnings).unwrap();
    (written, warnings.header_value())
}

fn thought(origin: DialectId, text: &str, signature: Option<&str>) -> Part {
    Part::Reasoning(ReasoningText { origin, text: text.into(), signature: signature.map(str::to_owned) })
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: arguments.into(),
        kind: ToolKind::Function,
        signature: None,
        cache: None,
        extra: Extra::new(),
    })
}

fn result(call_id: &str, content: Vec<Part>, is_error: bool) -> Part {
    Part::ToolResult(ToolResult { call_id: call_id.into(), name: None, content, is_error, cache: None })
}

fn image() -> Part {
    let source = Source::Inline { mime: "image/png".into(), data: "QUJD".into() };
    Part::Image(Image { source, detail: None, cache: None })
}

#[test]
fn single_texts_are_strings() {
    let (got, warnings) = write(
        DialectId::OpenAi,
        &Adjust::default(),
        vec![
            Message::text(Role::System, "s"),
            Message::new(Role::Developer, vec![Part::text("a"), Part::text("b")]),
            Message::text(Role::User, "u"),
        ],
    );
    let texts = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
    assert_eq!(
        got,
        json!([{"role": "system", "content": "s"}, {"role": "developer", "content": texts},
            {"role": "user", "content": "u"}])
    );
    assert_eq!(warnings, "");
}

#[test]
fn assistants_say_one_string_and_their_calls() {
    let parts = vec![Part::text("a"), Part::text("b"), call("c1", ""), Part::Refusal("no".into())];
    let list = vec![
        Message::new(Role::Assistant, parts),
        Message::new(Role::Assistant, vec![call("c2", "{\"x\":1}")]),
        Message::new(Role::Assistant, vec![]),
    ];
    let (got, warnings) = write(DialectId::OpenAi, &Adjust::default(), list);
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
    assert_eq!(
        got.to_string(),
        json!([
            {"role": "assistant", "content": "ab", "refusal": "no", "tool_calls": [call("c1", "{}")]},
            {"role": "assistant", "content": null, "tool_calls": [call("c2", "{\"x\":1}")]},
            {"role": "assistant", "content": ""}
        ])
        .to_string()
    );
    assert_eq!(warnings, "");
}

#[test]
fn reasoning_goes_back_only_where_it_is_wanted() {
    let parts = || {
        vec![
            thought(DialectId::OpenAi, "mine", None),
            thought(DialectId::Anthropic, "theirs", Some("SIG")),
            Part::RedactedReasoning { origin: DialectId::Anthropic, data: "ENC".into() },
            Part::text("a"),
        ]
    };
    let wanting = Adjust { reasoning_member: Some("reasoning_content".into()), ..Adjust::default() };
    let message = Message::new(Role::Assistant, parts());
    let (got, warnings) = write(DialectId::OpenAi, &wanting, vec![message.clone()]);
    assert_eq!(got, json!([{"role": "assistant", "content": "a", "reasoning_content": "mine"}]));
    assert_eq!(warnings, "dropped;messages[0].reasoning");
    let (got, warnings) = write(DialectId::OpenAi, &Adjust::default(), vec![message]);
    assert_eq!(got, json!([{"role": "assistant", "content": "a"}]));
    assert_eq!(warnings, "dropped;messages[0].reasoning");
}

#[test]
fn tool_results_are_taken_apart() {
    let results = vec![
        result("c1", vec![Part::text("a"), Part::text("b")], false),
        result("c2", vec![Part::text("broken")], true),
        result("c3", vec![image()], false),
    ];
    let list = vec![Message::new(Role::Tool, results), Message::text(Role::User, "next")];
    let (got, warnings) = write(DialectId::Anthropic, &Adjust::default(), list);
    assert_eq!(
        got,
        json!([
            {"role": "tool", "tool_call_id": "c1", "content": "a\nb"},
            {"role": "tool", "tool_call_id": "c2", "content": "Error: broken"},
            {"role": "tool", "tool_call_id": "c3", "content": ""},
            {"role": "user", "content": [
                {"type": "text", "text": "Attachments of the tool results above:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
            ]},
            {"role": "user", "content": "next"}
        ])
    );
    assert_eq!(warnings, "shaped;messages[0].content[2].content[0]");
}

#[test]
fn attachments_wait_for_the_last_result() {
    let turn = |id: &str, part: Part| Message::new(Role::Tool, vec![result(id, vec![part], false)]);
    let (got, _) =
        write(DialectId::OpenAi, &Adjust::default(), vec![turn("c1", image()), turn("c2", Part::text("x"))]);
    let roles: Vec<&str> = got.as_array().unwrap().iter().filter_map(|m| m["role"].as_str()).collect();
    assert_eq!(roles, ["tool", "tool", "user"]);
}

#[test]
fn members_of_messages_stay_within_the_dialect() {
    let message = |text: &str| {
        let mut message = Message::text(Role::Assistant, text);
        message.extra.insert("prefix".into(), json!(true));
        message
    };
    let (got, warnings) = write(DialectId::OpenAi, &Adjust::default(), vec![message("a")]);
    assert_eq!(
        (got, warnings),
        (json!([{"role": "assistant", "content": "a", "prefix": true}]), String::new())
    );
    let (got, warnings) = write(DialectId::Anthropic, &Adjust::default(), vec![message("a")]);
    assert_eq!(got, json!([{"role": "assistant", "content": "a"}]));
    assert_eq!(warnings, "dropped;messages[0].prefix");
}

#[test]
fn cache_marks_are_kept_where_they_are_read() {
    let text = Text { cache: Some(CacheMark(json!({"type": "ephemeral"}))), ..Text::default() };
    let message = Message::new(Role::User, vec![Part::Text(Text { text: "a".into(), ..text })]);
    let reading = Adjust { cache_control: true, ..Adjust::default() };
    let (got, warnings) = write(DialectId::Anthropic, &reading, vec![message.clone()]);
    let part = json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}});
    assert_eq!((got, warnings), (json!([{"role": "user", "content": [part]}]), String::new()));
    let (got, warnings) = write(DialectId::Anthropic, &Adjust::default(), vec![message]);
    assert_eq!(got, json!([{"role": "user", "content": "a"}]));
    assert_eq!(warnings, "dropped;messages[0].cache_control");
}
