use tidegate_core::ApiError;

use super::*;
use crate::DialectId;
use crate::chat::{FinishReason, Image, Source};

const HEAD: &str = r#"{"id":"a1","object":"chat.completion.chunk","created":7,"model":"m","provider":"anthropic","choices":["#;

/// Chunks without their head and end, from the role chunk on.
fn chunks(events: Vec<StreamEvent>, strict: bool) -> Vec<String> {
    let ctx = AnswerContext { provider: "anthropic", model: "m", strict, include_usage: false, now_s: 7 };
    let mut encoder = Encoder::new(&ctx);
    let mut out = Vec::new();
    encoder.push(&StreamEvent::Start { id: Some("a1".into()), model: None, created: None }, &mut out);
    for event in &events {
        encoder.push(event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let lines = text.strip_suffix("\n\n").unwrap().split("\n\n");
    lines
        .map(|line| {
            let data = line.strip_prefix("data: ").unwrap_or(line);
            match data.strip_prefix(HEAD) {
                Some(rest) => rest.to_owned(),
                None => data.to_owned(),
            }
        })
        .collect()
}

fn delta(delta: &str) -> String {
    format!(r#"{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}]}}"#)
}

#[test]
fn a_text_answer_from_role_to_done() {
    let finish = Finish { reason: FinishReason::Stop, raw: Some("end_turn".into()), stop_sequence: None };
    let got = chunks(
        vec![
            StreamEvent::Text { choice: 0, text: "Hi \"you\"".into() },
            StreamEvent::Ping,
            StreamEvent::Usage(Usage { input: 1, output: 2, ..Usage::default() }),
            StreamEvent::Finish { choice: 0, finish },
            StreamEvent::End,
        ],
        true,
    );
    assert_eq!(
        got,
        [
            delta(r#"{"role":"assistant","content":"","refusal":null}"#),
            delta(r#"{"content":"Hi \"you\""}"#),
            ": ping".to_owned(),
            concat!(
                r#"{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"#,
                r#""usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"#,
                r#""prompt_tokens_details":{"cached_tokens":0}}}"#
            )
            .to_owned(),
            "[DONE]".to_owned(),
        ]
    );
}

#[test]
fn usage_finds_the_finish_before_and_after_it() {
    let finish = Finish { reason: FinishReason::Stop, raw: None, stop_sequence: None };
    let finish = StreamEvent::Finish { choice: 0, finish };
    let usage = StreamEvent::Usage(Usage { input: 1, output: 2, ..Usage::default() });
    let early = chunks(vec![usage.clone(), finish.clone(), StreamEvent::End], true);
    let late = chunks(vec![finish.clone(), usage, StreamEvent::End], true);
    assert_eq!(early, late);
    assert!(late[late.len() - 2].contains(r#""usage":{"prompt_tokens":1"#), "{late:?}");
    let none = chunks(vec![finish, StreamEvent::End], true);
    assert_eq!(none.len(), late.len());
    assert!(!none[none.len() - 2].contains("usage"), "{none:?}");
}

#[test]
fn usage_comes_last_and_only_when_asked_for() {
    let ctx = AnswerContext { provider: "p", model: "m", strict: true, include_usage: true, now_s: 7 };
    let mut encoder = Encoder::new(&ctx);
    let mut out = Vec::new();
    let usage = Usage { input: 1, output: 2, ..Usage::default() };
    for event in [
        StreamEvent::Start { id: Some("a".into()), model: None, created: None },
        StreamEvent::Usage(usage),
        StreamEvent::Finish { choice: 0, finish: Finish::new(FinishReason::Length) },
        StreamEvent::End,
    ] {
        encoder.push(&event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.split_terminator("\n\n").collect();
    assert!(lines[0].ends_with(r#""finish_reason":null}],"usage":null}"#), "{}", lines[0]);
    assert!(lines[1].ends_with(r#""finish_reason":"length"}],"usage":null}"#), "{}", lines[1]);
    assert!(
        lines[2]
            .ends_with(r#""choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0}}}"#),
        "{}",
        lines[2]
    );
    assert_eq!(lines[3..], ["data: [DONE]"]);
}

#[test]
fn deltas_of_each_kind() {
    let start = |kind| StreamEvent::ToolCallStart {
        choice: 0,
        index: 0,
        id: "c1".into(),
        name: "f".into(),
        kind,
        signature: Some("SIG".into()),
    };
    let piece = || StreamEvent::ToolCallArguments { choice: 0, index: 0, fragment: "{}".into() };
    let image = Image { source: Source::Url("https://x.example".into()), detail: None, cache: None };
    let cited = Text { annotations: vec![json!({"a": 1})], citations: vec![json!(1)], ..Text::default() };
    let redacted = StreamEvent::RedactedReasoning { choice: 0, data: "ENC".into() };
    let signature = StreamEvent::ReasoningSignature { choice: 0, signature: "SIG".into() };
    let cases: Vec<(Vec<StreamEvent>, Vec<&str>, Vec<&str>)> = vec![
        (
            vec![StreamEvent::Text { choice: 0, text: "a".into() }],
            vec![r#"{"content":"a"}"#],
            vec![r#"{"content":"a","content_blocks":[{"index":0,"delta":{"text":"a"}}]}"#],
        ),
        (
            vec![
                StreamEvent::Reasoning { choice: 0, text: "t".into() },
                signature,
                StreamEvent::Text { choice: 0, text: "a".into() },
                redacted,
            ],
            vec![r#"{"reasoning_content":"t"}"#, r#"{"content":"a"}"#],
            vec![
                r#"{"reasoning_content":"t","content_blocks":[{"index":0,"delta":{"thinking":"t"}}]}"#,
                r#"{"content_blocks":[{"index":0,"delta":{"signature":"SIG"}}]}"#,
                r#"{"content":"a","content_blocks":[{"index":1,"delta":{"text":"a"}}]}"#,
                r#"{"content_blocks":[{"index":2,"delta":{"data":"ENC"}}]}"#,
            ],
        ),
        (
            vec![StreamEvent::Refusal { choice: 0, text: "no".into() }],
            vec![r#"{"refusal":"no"}"#],
            vec![r#"{"refusal":"no"}"#],
        ),
        (
            vec![start(ToolKind::Function), piece()],
            vec![
                r#"{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]}"#,
                r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#,
            ],
            vec![
                r#"{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"","thought_signature":"SIG"}}]}"#,
                r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#,
            ],
        ),
        (
            vec![start(ToolKind::Custom), piece()],
            vec![
                r#"{"tool_calls":[{"index":0,"id":"c1","type":"custom","custom":{"name":"f","input":""}}]}"#,
                r#"{"tool_calls":[{"index":0,"custom":{"input":"{}"}}]}"#,
            ],
            vec![
                r#"{"tool_calls":[{"index":0,"id":"c1","type":"custom","custom":{"name":"f","input":""}}]}"#,
                r#"{"tool_calls":[{"index":0,"custom":{"input":"{}"}}]}"#,
            ],
        ),
        (
            vec![StreamEvent::Annotation { choice: 0, annotation: json!({"a": 1}) }],
            vec![r#"{"annotations":[{"a":1}]}"#],
            vec![r#"{"annotations":[{"a":1}]}"#],
        ),
        (
            vec![StreamEvent::Part { choice: 0, part: Part::Text(cited) }],
            vec![r#"{"annotations":[{"a":1}]}"#],
            vec![r#"{"annotations":[{"a":1}]}"#, r#"{"provider_specific_fields":{"citations":[1]}}"#],
        ),
        (
            vec![StreamEvent::Part { choice: 0, part: Part::Image(image) }],
            vec![
                r#"{"content_blocks":[{"index":0,"delta":{"type":"image_url","image_url":{"url":"https://x.example"}}}]}"#,
            ],
            vec![
                r#"{"content_blocks":[{"index":0,"delta":{"type":"image_url","image_url":{"url":"https://x.example"}}}]}"#,
            ],
        ),
        (
            vec![StreamEvent::Part {
                choice: 0,
                part: Part::Opaque { origin: DialectId::Anthropic, block: json!({"type": "x"}) },
            }],
            vec![],
            vec![r#"{"content_blocks":[{"index":0,"delta":{"type":"x"}}]}"#],
        ),
    ];
    for (events, strict, open) in cases {
        let want = |list: Vec<&str>| list.into_iter().map(delta).collect::<Vec<String>>();
        assert_eq!(chunks(events.clone(), true)[1..], want(strict), "{events:?}");
        assert_eq!(chunks(events.clone(), false)[1..], want(open), "{events:?}");
    }
}

#[test]
fn vendor_members_ride_on_the_next_chunk() {
    let events = vec![
        StreamEvent::Extra { choice: None, extra: Extra::from_iter([("citations".into(), json!(["u"]))]) },
        StreamEvent::Extra {
            choice: None,
            extra: Extra::from_iter([("service_tier".into(), json!("flex"))]),
        },
        StreamEvent::Extra { choice: Some(0), extra: Extra::from_iter([("seed".into(), json!(1))]) },
        StreamEvent::Refusal { choice: 0, text: "no".into() },
    ];
    assert_eq!(
        chunks(events.clone(), true)[1],
        r#"{"index":0,"delta":{"refusal":"no"},"logprobs":null,"finish_reason":null}],"service_tier":"flex"}"#
    );
    assert_eq!(
        chunks(events, false)[1],
        concat!(
            r#"{"index":0,"delta":{"refusal":"no"},"logprobs":null,"finish_reason":null,"seed":1}],"#,
            r#""citations":["u"],"service_tier":"flex"}"#
        )
    );
}

#[test]
fn errors_end_the_stream_without_done() {
    let got = chunks(vec![StreamEvent::Error(ApiError::upstream("gone"))], true);
    assert_eq!(
        got[1],
        concat!(
            r#"{"error":{"message":"anthropic error: gone","type":"server_error","param":null,"code":null},"#,
            r#""provider":"anthropic"}"#
        )
    );
    assert_eq!(got.len(), 2);
}

#[test]
fn each_choice_names_its_role_once() {
    let text = |choice| StreamEvent::Text { choice, text: "a".into() };
    let got = chunks(vec![text(1), text(0), text(1)], true);
    let roles = got.iter().filter(|chunk| chunk.contains("\"role\"")).count();
    assert_eq!((roles, got.len()), (2, 5));
}
