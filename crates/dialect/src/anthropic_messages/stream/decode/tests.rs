use serde_json::{Value, json};
use tidegate_core::ErrorKind;

use super::*;
use crate::anthropic_messages::stream::grammar::{pairs, streams};
use crate::chat::{FinishReason, Part};
use crate::fixtures::Fixtures;
use crate::fold::Fold;
use crate::{DialectId, StreamDecoder};

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<StreamEvent> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.finish(&mut events);
    decoder.finish(&mut events);
    events
}

fn fixture(name: &str) -> Vec<StreamEvent> {
    let (_, bytes) = streams().into_iter().find(|(found, _)| found == name).unwrap();
    decode([bytes.as_slice()])
}

fn fold(events: &[StreamEvent]) -> crate::chat::ChatResponse {
    let mut fold = Fold::of(DialectId::Anthropic);
    events.iter().for_each(|event| fold.push(event));
    fold.finish().unwrap()
}

#[test]
fn every_split_gives_the_same_events() {
    for (name, bytes) in streams() {
        let whole = decode([bytes.as_slice()]);
        for at in 0..bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(decode([head, tail]), whole, "{name} split at {at}");
        }
        assert_eq!(decode(bytes.chunks(1)), whole, "{name} byte by byte");
    }
}

#[test]
fn what_comes_before_a_body_does_not_matter() {
    Fixtures::of(DialectId::Anthropic, "anthropic").assert_what_comes_before_does_not_matter();
}

#[test]
fn streamed_and_plain_are_the_same_answer() {
    for (name, sse, json) in pairs() {
        let mut plain = response::decode(&json).unwrap();
        let mut streamed = fold(&decode([sse.as_slice()]));
        // The order of the members beside is not part of the answer.
        plain.extra.sort_keys();
        streamed.extra.sort_keys();
        assert_eq!(streamed, plain, "{name}");
    }
}

#[test]
fn a_json_body_is_the_answer_or_the_error() {
    for (name, _, json) in pairs() {
        let (head, tail) = json.split_at(json.len() / 2);
        let streamed = fold(&decode([b"\n".as_slice(), head, tail]));
        assert_eq!(streamed, response::decode(&json).unwrap(), "{name}");
    }
    let error = br#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#;
    let [StreamEvent::Error(error)] = &decode([error.as_slice()])[..] else { panic!("one error expected") };
    assert_eq!((error.kind, error.status), (ErrorKind::RateLimit, 429));
}

#[test]
fn errors_end_the_stream() {
    for (name, kind, status, message) in [
        ("error-mid-stream", ErrorKind::Overloaded, 529, "Overloaded"),
        ("error-first", ErrorKind::RateLimit, 429, "This request would exceed your rate limit"),
        ("cut", ErrorKind::UpstreamBroken, 502, "the stream ended before `message_stop`"),
    ] {
        let events = fixture(name);
        let Some(StreamEvent::Error(error)) = events.last() else { panic!("{name}: {events:?}") };
        assert_eq!((error.kind, error.status, error.message.as_str()), (kind, status, message), "{name}");
        assert_eq!(events.iter().filter(|event| matches!(event, StreamEvent::Error(_))).count(), 1);
    }
    for body in ["", "<html>busy</html>", "data: {oops\n\n", "data: {\"error\":{\"message\":\"x\"}}\n\n"] {
        let events = decode([body.as_bytes()]);
        assert!(matches!(events[..], [StreamEvent::Error(_)]), "{body}: {events:?}");
    }
}

#[test]
fn usage_runs_and_the_finish_comes_once() {
    let events = fixture("usage-output-only");
    let outputs: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            StreamEvent::Usage(usage) => Some((usage.input, usage.output)),
            _ => None,
        })
        .collect();
    assert_eq!(outputs, [(25, 1), (25, 21)]);
    let finishes = events.iter().filter(|event| matches!(event, StreamEvent::Finish { .. }));
    assert_eq!(finishes.count(), 1);
    assert_eq!(events.last(), Some(&StreamEvent::End));
}

#[test]
fn what_an_unusual_vendor_sends_is_read() {
    let stream = |events: &[Value]| -> Vec<u8> {
        events.iter().flat_map(|event| format!("data: {event}\n\n").into_bytes()).collect()
    };
    // A call whose input is in its start, no stops of blocks, no stop reason.
    let call =
        json!({"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}, "caller": {"type": "code"}});
    let bytes = stream(&[
        json!({"type": "message_start", "message": {"id": "m"}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "x"}}),
        json!({"type": "content_block_start", "index": 0, "content_block": call}),
        json!({"type": "message_stop"}),
    ]);
    let answer = fold(&decode([bytes.as_slice()]));
    let choice = &answer.choices[0];
    assert_eq!(choice.parts[0], Part::text("x"));
    assert!(matches!(&choice.parts[1], Part::ToolCall(call) if call.arguments == r#"{"a":1}"#));
    assert_eq!(choice.finish.as_ref().unwrap().reason, FinishReason::Stop);
    assert_eq!(answer.warnings[0].param, "content.caller");
}

/// Damage anywhere gives events and one end, never a panic.
#[test]
fn damaged_streams_and_bodies_end_once() {
    let ends = |events: &[StreamEvent]| {
        events.iter().filter(|event| matches!(event, StreamEvent::End | StreamEvent::Error(_))).count()
    };
    let bodies = pairs().into_iter().map(|(name, _, json)| (name, json));
    for (name, bytes) in streams().into_iter().chain(bodies) {
        for at in (0..bytes.len()).step_by(13) {
            assert_eq!(ends(&decode([&bytes[..at]])), 1, "{name} cut at {at}");
            for damage in [b'"', b'{', b'0', 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = damage;
                assert_eq!(ends(&decode([damaged.as_slice()])), 1, "{name} with {damage} at {at}");
            }
        }
    }
}
