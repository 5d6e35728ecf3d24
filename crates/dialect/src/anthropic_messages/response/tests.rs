use serde_json::json;

use super::*;
use crate::chat::{ReasoningText, ToolKind};

const CTX: AnswerContext<'static> =
    AnswerContext { provider: "p", model: "asked", strict: false, include_usage: true, now_s: 0 };

fn answer(content: Value, stop_reason: &str) -> Vec<u8> {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": content,
        "stop_reason": stop_reason, "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 4},
    })
    .to_string()
    .into_bytes()
}

fn encoded(parts: Vec<Part>, finish: Option<Finish>) -> Value {
    let choice = Choice { index: 0, parts, finish, logprobs: None, extra: Extra::new() };
    let response =
        ChatResponse { id: Some("chat1".into()), choices: vec![choice], ..ChatResponse::default() };
    serde_json::from_slice(&encode(&response, &CTX)).unwrap()
}

fn call(name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: "call_1".into(),
        name: name.into(),
        arguments: arguments.into(),
        kind: ToolKind::Function,
        signature: None,
        cache: None,
        extra: Extra::new(),
    }
}

#[test]
fn an_answer_read_and_written_is_the_same() {
    let content = json!([
        {"type": "thinking", "thinking": "High", "signature": "Eqs"},
        {"type": "redacted_thinking", "data": "xx"},
        {"type": "text", "text": "a", "citations": [{"type": "char_location", "cited_text": "a"}]},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "tool_use", "id": "toolu_1", "name": "tide", "input": {"port": "Brest"}, "caller": {"type": "direct"}},
    ]);
    for word in ["tool_use", "pause_turn", "model_context_window_exceeded"] {
        let body = answer(content.clone(), word);
        let written = encode(&decode(&body).unwrap(), &CTX);
        assert_eq!(
            serde_json::from_slice::<Value>(&written).unwrap(),
            serde_json::from_slice::<Value>(&body).unwrap()
        );
    }
}

#[test]
fn a_forced_json_tool_is_content() {
    let content = json!([{"type": "tool_use", "id": "t", "name": names::JSON_TOOL, "input": {"a": [1]}}]);
    let choice = decode(&answer(content, "tool_use")).unwrap().choices.remove(0);
    assert_eq!(choice.parts, [Part::text(r#"{"a":[1]}"#)]);
    assert_eq!(choice.finish.unwrap().reason, FinishReason::Stop);
}

#[test]
fn url_citations_say_where_they_are() {
    let cited = |text: &str, url: &str| {
        json!({"type": "text", "text": text, "citations":
            [{"type": "web_search_result_location", "url": url, "title": "T", "encrypted_index": "E"}]})
    };
    let content =
        json!([{"type": "text", "text": "Hé "}, cited("high", "https://a"), cited("low", "https://b")]);
    let choice = decode(&answer(content, "end_turn")).unwrap().choices.remove(0);
    let places: Vec<_> = choice
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => text.annotations.first(),
            _ => None,
        })
        .map(|found| {
            (found["url_citation"]["start_index"].clone(), found["url_citation"]["end_index"].clone())
        })
        .collect();
    assert_eq!(places, [(json!(3), json!(7)), (json!(7), json!(10))]);
}

#[test]
fn a_refusal_explains_itself_and_a_pause_is_reported() {
    let mut body: Value = serde_json::from_slice(&answer(json!([]), "refusal")).unwrap();
    body["stop_details"] = json!({"type": "refusal", "category": "c", "explanation": "not this"});
    let response = decode(body.to_string().as_bytes()).unwrap();
    assert_eq!(response.choices[0].parts, [Part::Refusal("not this".into())]);
    assert_eq!(response.choices[0].finish.as_ref().unwrap().reason, FinishReason::ContentFilter);
    let paused = decode(&answer(json!([]), "pause_turn")).unwrap();
    assert_eq!(paused.warnings[0].note.as_deref(), Some("pause_turn"));
}

#[test]
fn what_is_no_message_is_the_providers_fault() {
    for (body, message) in [
        ("<html>", "not valid JSON"),
        ("[]", "`body` must be an object"),
        ("{}", "`content` is required"),
        (r#"{"content":[{"type":"text"}]}"#, "`content.0.text` is required"),
        (r#"{"content":[],"usage":{"input_tokens":-1}}"#, "`usage` is no usage"),
    ] {
        let error = decode(body.as_bytes()).unwrap_err();
        assert_eq!(error.status, 502, "{body}");
        assert!(error.message.contains(message), "{}", error.message);
    }
    let hidden = r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#;
    assert_eq!(decode(hidden.as_bytes()).unwrap_err().status, 529);
}

#[test]
fn other_vendors_answers_for_an_anthropic_client() {
    let foreign = Part::Reasoning(ReasoningText {
        origin: DialectId::OpenAi,
        text: "hm".into(),
        signature: Some("theirs".into()),
    });
    let written = encoded(
        vec![foreign, Part::text(""), Part::ToolCall(call("tide", "{oops"))],
        Some(Finish::new(FinishReason::Stop)),
    );
    assert!(written["id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(written["id"], encoded(vec![], None)["id"]);
    assert_eq!(written["model"], "asked");
    assert_eq!(
        written["content"],
        json!([
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "tool_use", "id": "call_1", "name": "tide", "input": {"_raw": "{oops"}},
        ])
    );
    assert_eq!((&written["stop_reason"], &written["stop_sequence"]), (&json!("tool_use"), &json!(null)));
    assert_eq!(written["usage"], json!({"input_tokens": 0, "output_tokens": 0}));
}

#[test]
fn refusals_and_url_citations_of_others() {
    let refused = encoded(vec![Part::Refusal("no".into())], Some(Finish::new(FinishReason::Stop)));
    assert_eq!(refused["content"], json!([{"type": "text", "text": "no"}]));
    assert_eq!(refused["stop_reason"], "refusal");
    let text = Text {
        text: "a".into(),
        annotations: vec![
            json!({"type": "url_citation", "url_citation": {"url": "https://t", "title": "T"}}),
        ],
        ..Text::default()
    };
    let cited = encoded(vec![Part::Text(text)], None);
    assert_eq!(cited["content"][0]["citations"][0]["url"], "https://t");
    assert_eq!(cited["stop_reason"], "end_turn");
}
