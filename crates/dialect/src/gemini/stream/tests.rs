use serde_json::json;
use tidegate_core::ErrorKind;

use super::*;
use crate::chat::FinishReason;
use crate::fixtures::Fixtures;
use crate::{DialectId, StreamDecoder};

fn fixtures() -> Fixtures {
    Fixtures::of(DialectId::Gemini, "gemini")
}

fn events(body: &str) -> Vec<StreamEvent> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    decoder.push(body.as_bytes(), &mut events);
    decoder.finish(&mut events);
    events
}

#[test]
fn splits_do_not_matter() {
    fixtures().assert_splits_do_not_matter();
}

#[test]
fn what_comes_before_a_body_does_not_matter() {
    fixtures().assert_what_comes_before_does_not_matter();
}

#[test]
fn streams_fold_to_the_plain_answers() {
    fixtures().assert_streams_fold_to_the_plain_answers();
}

#[test]
fn streams_keep_to_the_grammar() {
    fixtures().assert_grammar();
}

#[test]
fn arrays_and_events_say_the_same() {
    for case in ["text", "thinking", "json", "error-mid-stream"] {
        let (events, array) = (format!("{case}.sse"), format!("{case}.array"));
        assert_eq!(fixtures().events(&events), fixtures().events(&array), "{case}");
    }
}

#[test]
fn a_text_streams_piece_by_piece() {
    let finish = |event: &StreamEvent| match event {
        StreamEvent::Finish { finish, .. } => Some(finish.reason),
        _ => None,
    };
    let events = fixtures().events("text.sse");
    let texts = events.iter().filter(|event| matches!(event, StreamEvent::Text { .. })).count();
    let usages = events.iter().filter(|event| matches!(event, StreamEvent::Usage(_))).count();
    assert_eq!((texts, usages), (3, 3));
    assert_eq!(events.iter().find_map(finish), Some(FinishReason::Stop));
    let start = StreamEvent::Start {
        id: Some("tide-text-1".into()),
        model: Some("gemini-2.5-flash".into()),
        created: None,
    };
    assert_eq!(events[0], start);
}

#[test]
fn a_call_makes_the_reason_tool_calls() {
    for file in ["tool.sse", "parallel-tools.sse"] {
        let response = fixtures().folded(file).unwrap();
        assert_eq!(response.choices[0].finish.as_ref().unwrap().reason, FinishReason::ToolCalls, "{file}");
    }
}

#[test]
fn bad_ends_are_errors() {
    for (file, status, kind) in [
        ("error-mid-stream.sse", 503, ErrorKind::Overloaded),
        ("error-first.array", 503, ErrorKind::Overloaded),
        ("error-in-list.sse", 429, ErrorKind::RateLimit),
        ("cut-short.sse", 502, ErrorKind::UpstreamBroken),
        ("unreadable.sse", 502, ErrorKind::UpstreamBroken),
        ("blocked-prompt.sse", 400, ErrorKind::ContentBlocked),
        ("malformed-call.sse", 502, ErrorKind::UpstreamBroken),
    ] {
        let error = fixtures().folded(file).unwrap_err();
        assert_eq!((error.status, error.kind), (status, kind), "{file}");
    }
}

#[test]
fn bodies_that_are_no_stream_are_read_all_the_same() {
    let answer = json!({"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]});
    assert_eq!(events(&format!("\r\n {answer:#}")).last(), Some(&StreamEvent::End));
    let error = |body: &str| match events(body).pop() {
        Some(StreamEvent::Error(error)) => (error.status, error.kind),
        other => panic!("{other:?}"),
    };
    let body = json!({"error": {"code": 404, "message": "no such model", "status": "NOT_FOUND"}}).to_string();
    assert_eq!(error(&body), (404, ErrorKind::NotFound));
    for body in ["", "<html></html>", "[", "[{}", "[1]", "{", "data: [1]\n\n"] {
        assert_eq!(error(body), (502, ErrorKind::UpstreamBroken), "{body}");
    }
}

#[test]
fn a_reason_holds_until_the_body_ends() {
    let pieces = [
        json!({"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "MAX_TOKENS"}]}),
        json!({"candidates": [{"content": {"parts": [{"text": "b"}]}}], "usageMetadata": {}}),
    ];
    let body: String = pieces.iter().map(|piece| format!("data: {piece}\r\n\r\n")).collect();
    let events = events(&body);
    let [.., StreamEvent::Finish { finish, .. }, StreamEvent::End] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(finish.reason, FinishReason::Length);
}

#[test]
fn a_marker_of_other_dialects_is_passed_over() {
    let piece = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#;
    let body = format!(": hello\ndata: {piece}\n\ndata: [DONE]\n\n");
    assert_eq!(events(&body).last(), Some(&StreamEvent::End));
}

#[test]
fn citations_of_an_endless_text_are_left_out() {
    let supports = json!([{"segment": {"endIndex": 1}, "groundingChunkIndices": [0]}]);
    let grounding = json!({
        "groundingChunks": [{"web": {"uri": "https://example.com"}}], "groundingSupports": supports,
    });
    let citations = |length: usize| {
        let parts = json!([{"text": "x".repeat(length)}]);
        let candidate = json!({
            "content": {"parts": parts}, "finishReason": "STOP", "groundingMetadata": grounding,
        });
        let events = events(&format!("data: {}\n\n", json!({"candidates": [candidate]})));
        let count = |wanted: fn(&StreamEvent) -> bool| events.iter().filter(|event| wanted(event)).count();
        (
            count(|event| matches!(event, StreamEvent::Annotation { .. })),
            count(|event| matches!(event, StreamEvent::Warning(_))),
        )
    };
    assert_eq!(citations(MAX_TEXT), (1, 0));
    assert_eq!(citations(MAX_TEXT + 1), (0, 1));
}

#[test]
fn candidates_are_bounded() {
    let candidates: Vec<Value> = (0..=MAX_CHOICES).map(|index| json!({"index": index})).collect();
    let body = format!("data: {}\n\n", json!({"candidates": candidates}));
    assert!(matches!(events(&body).last(), Some(StreamEvent::Error(_))));
}
