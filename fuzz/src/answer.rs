//! Answers of providers, whole and streamed: read without a panic, read alike however they are cut, and written to every
//! client in well-formed events.

use serde_json::Value;
use tidegate_dialect::chat::{ChatResponse, StreamEvent};
use tidegate_dialect::fold::Fold;
use tidegate_dialect::framing::Sse;
use tidegate_dialect::{
    AnswerContext, ClientDialect, DialectId, anthropic_messages, openai_chat, provider_dialect,
};

use crate::pieces::cuts;

pub const CLIENTS: [&dyn ClientDialect; 2] = [&openai_chat::OpenAi, &anthropic_messages::Anthropic];

const CONTEXT: AnswerContext<'static> = AnswerContext {
    provider: "fuzz",
    model: "asked-model",
    strict: false,
    include_usage: true,
    now_s: 1_760_000_000,
};

pub fn any(dialect: DialectId, data: &[u8]) {
    whole(dialect, data);
    streamed(dialect, data);
}

fn whole(dialect: DialectId, body: &[u8]) {
    let provider = provider_dialect(dialect);
    match provider.decode_chat(body, &CONTEXT) {
        Ok(response) => write(&response),
        Err(error) => assert!(!error.message.is_empty()),
    }
    let _ = provider.decode_embeddings(body, &CONTEXT);
}

fn write(response: &ChatResponse) {
    for client in CLIENTS {
        for strict in [false, true] {
            let body = client.encode_chat(response, &AnswerContext { strict, ..CONTEXT });
            serde_json::from_slice::<Value>(&body).expect("an answer is JSON");
        }
    }
}

fn streamed(dialect: DialectId, body: &[u8]) {
    let [one, bytes, irregular] = cuts(body);
    let events = decode(dialect, &one);
    assert_eq!(decode(dialect, &bytes), events, "byte by byte");
    assert_eq!(decode(dialect, &irregular), events, "in pieces");

    let last = events.iter().position(|event| matches!(event, StreamEvent::End | StreamEvent::Error(_)));
    assert_eq!(last, events.len().checked_sub(1), "one end, and nothing behind it");
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.push(event));
    if let Ok(response) = fold.finish() {
        write(&response);
    }
    for client in CLIENTS {
        encode(client, &events);
    }
}

fn decode(dialect: DialectId, pieces: &[&[u8]]) -> Vec<StreamEvent> {
    let mut decoder = provider_dialect(dialect).chat_stream(&CONTEXT);
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.finish(&mut events);
    events.iter_mut().for_each(forget_details);
    events
}

/// Drops what may differ between two readings: ids that the provider did not give are random, and the text of a JSON error
/// counts lines from where the decoder began to read.
fn forget_details(event: &mut StreamEvent) {
    match event {
        StreamEvent::ToolCallStart { id, .. } if id.starts_with("call_") => id.clear(),
        StreamEvent::Error(error) => {
            assert!(!error.message.is_empty());
            error.message.clear();
        }
        _ => {}
    }
}

fn encode(client: &dyn ClientDialect, events: &[StreamEvent]) {
    let mut encoder = client.chat_stream(&CONTEXT);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    for data in events_of(&out) {
        if data != b"[DONE]" {
            serde_json::from_slice::<Value>(&data).expect("an event is JSON");
        }
    }
}

/// The data of each event in bytes that must be whole events.
pub(crate) fn events_of(bytes: &[u8]) -> Vec<Vec<u8>> {
    assert!(bytes.is_empty() || bytes.ends_with(b"\n\n"), "the last event is closed");
    let mut data = Vec::new();
    let mut splitter = Sse::new();
    splitter
        .push(bytes, &mut |event| data.push(event.data.to_vec()))
        .expect("written events are not too large");
    data
}
