use serde_json::json;
use tidegate_core::{Usage, Verdict, Warning};

use super::*;
use crate::chat::FinishReason;

fn text(text: &str) -> StreamEvent {
    StreamEvent::Text { choice: 0, text: text.into() }
}

fn part(part: Part) -> StreamEvent {
    StreamEvent::Part { choice: 0, part }
}

fn reasoning(text: &str) -> StreamEvent {
    StreamEvent::Reasoning { choice: 0, text: text.into() }
}

fn signature(signature: &str) -> StreamEvent {
    StreamEvent::ReasoningSignature { choice: 0, signature: signature.into() }
}

fn call(index: u32) -> StreamEvent {
    StreamEvent::ToolCallStart {
        choice: 0,
        index,
        id: format!("call_{index}"),
        name: "tide".into(),
        kind: ToolKind::Function,
        signature: None,
    }
}

fn arguments(index: u32, fragment: &str) -> StreamEvent {
    StreamEvent::ToolCallArguments { choice: 0, index, fragment: fragment.into() }
}

fn fold(events: &[StreamEvent]) -> ChatResponse {
    let mut fold = Fold::of(DialectId::Anthropic);
    events.iter().for_each(|event| fold.push(event));
    fold.push(&StreamEvent::End);
    fold.finish().unwrap()
}

fn parts(events: &[StreamEvent]) -> Vec<Part> {
    fold(events).choices.remove(0).parts
}

fn thought(text: &str, signature: Option<&str>) -> Part {
    Part::Reasoning(ReasoningText {
        origin: DialectId::Anthropic,
        text: text.into(),
        signature: signature.map(str::to_owned),
    })
}

#[test]
fn deltas_join_into_parts() {
    let cited = |n: u32| Part::Text(Text { citations: vec![json!({ "n": n })], ..Text::default() });
    let cases: Vec<(&str, Vec<StreamEvent>, Vec<Part>)> = vec![
        ("texts join", vec![text("High "), text("water")], vec![Part::text("High water")]),
        (
            "an empty part ends a text",
            vec![text("a"), part(Part::Text(Text::default())), text("b")],
            vec![Part::text("a"), Part::text("b")],
        ),
        (
            "citations go to the text under way",
            vec![text("a"), part(cited(1)), text("b"), part(cited(2))],
            vec![Part::Text(Text {
                text: "ab".into(),
                citations: vec![json!({"n": 1}), json!({"n": 2})],
                ..Text::default()
            })],
        ),
        (
            "a signature ends a thought",
            vec![reasoning("x"), reasoning("y"), signature("s"), reasoning("z")],
            vec![thought("xy", Some("s")), thought("z", None)],
        ),
        ("a signature alone is a thought", vec![signature("s")], vec![thought("", Some("s"))]),
        (
            "a whole part parts texts",
            vec![text("a"), part(Part::text("b")), text("c")],
            vec![Part::text("a"), Part::text("b"), Part::text("c")],
        ),
    ];
    for (name, events, expected) in cases {
        assert_eq!(parts(&events), expected, "{name}");
    }
}

#[test]
fn fragments_find_their_call_even_when_interleaved() {
    let parts = parts(&[
        call(0),
        arguments(0, "{\"a\""),
        call(1),
        arguments(1, "{}"),
        arguments(0, ":1}"),
        arguments(7, "lost"),
    ]);
    let written: Vec<_> = parts
        .iter()
        .map(|part| match part {
            Part::ToolCall(call) => (call.id.as_str(), call.arguments.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(written, [("call_0", "{\"a\":1}"), ("call_1", "{}")]);
}

#[test]
fn choices_are_kept_apart_and_sorted() {
    let response = fold(&[
        StreamEvent::Text { choice: 1, text: "b".into() },
        StreamEvent::Text { choice: 0, text: "a".into() },
        StreamEvent::Finish { choice: 1, finish: Finish::new(FinishReason::Length) },
    ]);
    let seen: Vec<_> =
        response.choices.iter().map(|c| (c.index, c.parts.clone(), c.finish.is_some())).collect();
    assert_eq!(seen, [(0, vec![Part::text("a")], false), (1, vec![Part::text("b")], true)]);
}

#[test]
fn logprobs_join_by_list() {
    let logprobs = |value: Value| StreamEvent::Logprobs { choice: 0, logprobs: value };
    let response = fold(&[
        logprobs(json!({"content": [1], "refusal": null})),
        logprobs(json!({"content": [2], "refusal": [3]})),
    ]);
    assert_eq!(response.choices[0].logprobs, Some(json!({"content": [1, 2], "refusal": [3]})));
}

#[test]
fn the_last_usage_wins() {
    let usage = |output| StreamEvent::Usage(Usage { output, ..Usage::default() });
    assert_eq!(fold(&[usage(1), usage(9)]).usage.unwrap().output, 9);
}

#[test]
fn only_a_stream_that_ended_folds() {
    let mut cut = Fold::new();
    cut.push(&text("half"));
    assert_eq!(cut.finish().unwrap_err().status, 502);
    let mut failed = Fold::new();
    failed.push(&StreamEvent::Error(ApiError::upstream("broken")));
    failed.push(&StreamEvent::End);
    assert_eq!(failed.finish().unwrap_err().message, "broken");
}

#[test]
fn unfolding_then_folding_changes_nothing() {
    let call = |id: &str, arguments: &str| {
        Part::ToolCall(ToolCall {
            arguments: arguments.into(),
            ..new_call(id, "tide", ToolKind::Custom, None)
        })
    };
    let choice = Choice {
        index: 0,
        parts: vec![
            thought("why", None),
            thought("because", Some("sig")),
            thought("", Some("sig2")),
            Part::RedactedReasoning { origin: DialectId::Anthropic, data: "xx".into() },
            Part::text("a"),
            Part::Text(Text {
                text: "b".into(),
                annotations: vec![json!({"type": "url_citation"})],
                citations: vec![json!({"type": "char_location"})],
                signature: Some("g".into()),
                ..Text::default()
            }),
            call("c1", ""),
            call("c2", "{}"),
            Part::Opaque { origin: DialectId::Anthropic, block: json!({"type": "server_tool_use"}) },
            Part::Refusal("no".into()),
        ],
        finish: Some(Finish::new(FinishReason::Stop)),
        logprobs: Some(json!({"content": []})),
        extra: json!({"x": 1}).as_object().unwrap().clone(),
    };
    let response = ChatResponse {
        id: Some("id".into()),
        model: Some("m".into()),
        created: Some(7),
        choices: vec![choice],
        usage: Some(Usage { input: 3, ..Usage::default() }),
        service_tier: Some("standard".into()),
        system_fingerprint: Some("fp".into()),
        extra: json!({"container": {"id": "c"}}).as_object().unwrap().clone(),
        warnings: vec![Warning { verdict: Verdict::Dropped, param: "p".into(), note: None }],
    };
    let mut fold = Fold::of(DialectId::Anthropic);
    unfold(&response).iter().for_each(|event| fold.push(event));
    assert_eq!(fold.finish().unwrap(), response);
}
