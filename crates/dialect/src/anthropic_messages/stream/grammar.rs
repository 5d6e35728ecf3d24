//! For tests: the grammar of Anthropic's streams, checked, and what a client makes of one.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::framing::Sse;

/// The events of a stream, if it obeys the grammar: panics with `name` where it does not.
pub(super) fn check(bytes: &[u8], name: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    let mut sse = Sse::new();
    let mut take = |event: crate::framing::SseEvent<'_>| {
        let value: Value = serde_json::from_slice(event.data).unwrap();
        assert_eq!(event.event, value["type"].as_str(), "{name}: event and type differ");
        events.push(value);
    };
    sse.push(bytes, &mut take).unwrap();
    sse.finish(&mut take).unwrap();
    let mut state = State::default();
    for event in &events {
        state.step(event).unwrap_or_else(|problem| panic!("{name}: {problem} at {event}"));
    }
    assert!(state.ended, "{name}: no end");
    events
}

#[derive(Default)]
struct State {
    started: bool,
    /// Index and type of the block that is open.
    open: Option<(u64, String)>,
    next: u64,
    delta_seen: bool,
    ended: bool,
}

impl State {
    fn step(&mut self, event: &Value) -> Result<(), &'static str> {
        let kind = event["type"].as_str().unwrap_or_default();
        let rule = |holds: bool, problem: &'static str| if holds { Ok(()) } else { Err(problem) };
        rule(!self.ended, "an event after the end")?;
        match kind {
            "ping" => return Ok(()),
            "error" => {
                self.ended = true;
                return Ok(());
            }
            "message_start" => {
                rule(!self.started, "a second start")?;
                self.started = true;
                return Ok(());
            }
            _ => rule(self.started, "something before the start")?,
        }
        let index = event["index"].as_u64();
        match kind {
            "content_block_start" => {
                rule(self.open.is_none(), "a block inside a block")?;
                rule(!self.delta_seen, "a block after message_delta")?;
                rule(index == Some(self.next), "an index out of order")?;
                let block = event["content_block"]["type"].as_str().unwrap_or_default();
                self.open = Some((self.next, block.to_owned()));
            }
            "content_block_delta" => {
                let Some((open, block)) = &self.open else { return Err("a delta outside a block") };
                rule(index == Some(*open), "a delta of another block")?;
                let fits = match event["delta"]["type"].as_str().unwrap_or_default() {
                    "text_delta" | "citations_delta" => block == "text",
                    "thinking_delta" | "signature_delta" => block == "thinking",
                    "input_json_delta" => block == "tool_use",
                    _ => false,
                };
                rule(fits, "a delta that does not fit its block")?;
            }
            "content_block_stop" => {
                rule(self.open.take().is_some_and(|(open, _)| index == Some(open)), "a stop of no block")?;
                self.next += 1;
            }
            "message_delta" => {
                rule(self.open.is_none() && !self.delta_seen, "message_delta too early or twice")?;
                self.delta_seen = true;
            }
            "message_stop" => {
                rule(self.delta_seen, "no message_delta")?;
                self.ended = true;
            }
            _ => return Err("an unknown event"),
        }
        Ok(())
    }
}

/// The message a client gathers from the events of a stream that was checked.
pub(super) fn answer(events: &[Value]) -> Value {
    let mut message = json!({});
    let mut input = String::new();
    for event in events {
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                input.clear();
                message["content"].as_array_mut().unwrap().push(event["content_block"].clone());
            }
            "content_block_delta" => {
                let block = message["content"].as_array_mut().unwrap().last_mut().unwrap();
                grow(block, &mut input, &event["delta"]);
            }
            "message_delta" => {
                for (key, value) in event["delta"].as_object().unwrap() {
                    message[key] = value.clone();
                }
                message["usage"] = event["usage"].clone();
            }
            _ => {}
        }
    }
    message
}

fn grow(block: &mut Value, input: &mut String, delta: &Value) {
    let mut append = |member: &str| {
        let text =
            format!("{}{}", block[member].as_str().unwrap_or_default(), delta[member].as_str().unwrap());
        block[member] = text.into();
    };
    match delta["type"].as_str().unwrap() {
        "text_delta" => append("text"),
        "thinking_delta" => append("thinking"),
        "signature_delta" => append("signature"),
        "citations_delta" => match &mut block["citations"] {
            Value::Array(list) => list.push(delta["citation"].clone()),
            place => *place = json!([delta["citation"]]),
        },
        _ => {
            input.push_str(delta["partial_json"].as_str().unwrap());
            if let Ok(value) = serde_json::from_str(input) {
                block["input"] = value;
            }
        }
    }
}

/// Anthropic's recorded streams, by name.
pub(super) fn streams() -> Vec<(String, Vec<u8>)> {
    recorded("anthropic")
}

/// The recorded streams of one dialect's folder, by name.
pub(super) fn recorded(dialect: &str) -> Vec<(String, Vec<u8>)> {
    let is_stream = |path: &PathBuf| {
        path.extension().is_some_and(|ext| ["sse", "ndjson", "array"].contains(&ext.to_str().unwrap()))
    };
    let mut found: Vec<_> = std::fs::read_dir(folder(dialect))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(is_stream)
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no streams of {dialect}");
    found
}

/// Anthropic's recorded streams that come with the plain answer of the same content.
pub(super) fn pairs() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let pair = |(name, sse): (String, Vec<u8>)| {
        let json = std::fs::read(folder("anthropic").join(format!("{name}.json"))).ok()?;
        Some((name, sse, json))
    };
    streams().into_iter().filter_map(pair).collect()
}

fn folder(dialect: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(dialect)
}
