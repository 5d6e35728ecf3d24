//! What one stream has said so far, event by event.
//!
//! Blocks come in order and never interleave, so there is one block under way at most; the index is not needed. Blocks
//! that the neutral form does not name are gathered and given whole. The finish is held until the message stops, because
//! more than one `message_delta` may come.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tidegate_core::{ApiError, Verdict, Warning};

use super::events::{Event, ReadDelta, Start};
use crate::DialectId;
use crate::anthropic_messages::usage::WireUsage;
use crate::anthropic_messages::{error, names, response};
use crate::chat::{Extra, Part, StreamEvent, Text, ToolKind};

const CHOICE: u32 = 0;

/// What the events have said so far.
#[derive(Debug, Default)]
pub(in crate::anthropic_messages) struct Message {
    block: Block,
    usage: WireUsage,
    stop: Stop,
    /// The next tool call's index.
    calls: u32,
    json_answer: bool,
    /// Characters of text in the blocks before.
    length: usize,
    /// A text block ended and nothing else began: the next text is a block of its own.
    after_text: bool,
}

#[derive(Debug, Default)]
struct Stop {
    reason: Option<String>,
    sequence: Option<String>,
    details: Option<Value>,
}

/// The block under way.
#[derive(Debug, Default)]
enum Block {
    #[default]
    None,
    Text {
        length: usize,
        cited: Vec<Value>,
    },
    Thinking,
    Call(Call),
    /// The stand-in tool of a JSON answer: its input is text.
    JsonAnswer {
        input: Value,
        written: bool,
    },
    Whole {
        block: Map<String, Value>,
        input: String,
    },
}

#[derive(Debug)]
struct Call {
    index: u32,
    kind: ToolKind,
    /// The input as the start gave it: `{}`, or the whole input where the vendor does not stream it.
    input: Value,
    /// Free text comes out of its JSON only when that is complete.
    held: String,
    written: bool,
}

impl Message {
    /// Takes the data of one event. Events of other types are skipped, as the API asks of its clients.
    pub(super) fn data(&mut self, data: &[u8], events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if data.is_empty() {
            return Ok(());
        }
        let event: Event<'_> = serde_json::from_slice(data).map_err(unreadable)?;
        match (&*event.kind, event.delta) {
            ("message_start", _) => {
                if let Some(message) = event.message {
                    self.start(message, events);
                }
            }
            ("content_block_start", _) => self.open(event.content_block.unwrap_or_default(), events),
            ("content_block_delta", Some(delta)) => self.delta(delta, events).map_err(unreadable)?,
            ("content_block_stop", _) => self.close(events),
            ("message_delta", delta) => {
                if let Some(delta) = delta {
                    self.message_delta(serde_json::from_str(delta.get()).map_err(unreadable)?, events);
                }
                if let Some(management) = event.context_management {
                    self.answer_member("context_management", management, events);
                }
                self.usage(event.usage, events);
            }
            ("message_stop", _) => self.stop(events),
            ("ping", _) => events.push(StreamEvent::Ping),
            ("error", _) => return Err(told(data)),
            ("", _) if event.error.is_some() => return Err(told(data)),
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, start: Start, events: &mut Vec<StreamEvent>) {
        events.push(StreamEvent::Start { id: start.id, model: start.model, created: None });
        if let Some(container) = start.container {
            self.answer_member("container", container, events);
        }
        self.usage(start.usage, events);
    }

    fn usage(&mut self, usage: Option<WireUsage>, events: &mut Vec<StreamEvent>) {
        let Some(usage) = usage else { return };
        if let Some(tier) = &usage.service_tier {
            self.answer_member("service_tier", Value::from(tier.as_str()), events);
        }
        self.usage.update(usage);
        events.push(StreamEvent::Usage(self.usage.to_core()));
    }

    fn answer_member(&self, name: &str, value: Value, events: &mut Vec<StreamEvent>) {
        let extra = Extra::from_iter([(name.to_owned(), value)]);
        events.push(StreamEvent::Extra { choice: None, extra });
    }

    fn open(&mut self, block: Map<String, Value>, events: &mut Vec<StreamEvent>) {
        self.close(events);
        let after_text = std::mem::take(&mut self.after_text);
        match block.get("type").and_then(Value::as_str) {
            Some("text") => {
                end_text(after_text, events);
                self.block = Block::Text { length: 0, cited: Vec::new() };
                self.text(text_member(&block, "text"), events);
                for citation in block.get("citations").and_then(Value::as_array).into_iter().flatten() {
                    self.cite(citation.clone(), events);
                }
            }
            Some("thinking") => {
                self.block = Block::Thinking;
                self.thinking(text_member(&block, "thinking"), events);
                self.sign(text_member(&block, "signature"), events);
            }
            Some("redacted_thinking") => {
                let data = text_member(&block, "data").to_owned();
                events.push(StreamEvent::RedactedReasoning { choice: CHOICE, data });
            }
            Some("tool_use") if text_member(&block, "name") == names::JSON_TOOL => {
                end_text(after_text, events);
                self.json_answer = true;
                let input = block.get("input").cloned().unwrap_or_default();
                self.block = Block::JsonAnswer { input, written: false };
            }
            Some("tool_use") => self.open_call(block, events),
            _ => self.block = Block::Whole { block, input: String::new() },
        }
    }

    fn open_call(&mut self, mut block: Map<String, Value>, events: &mut Vec<StreamEvent>) {
        let input = block.remove("input").unwrap_or_default();
        let (name, kind) = names::from_wire(text_member(&block, "name"));
        let index = self.calls;
        self.calls += 1;
        events.push(StreamEvent::ToolCallStart {
            choice: CHOICE,
            index,
            id: text_member(&block, "id").to_owned(),
            name: name.to_owned(),
            kind,
            signature: None,
        });
        // A direct call is what a call without the member is.
        if block.get("caller").is_some_and(|caller| caller["type"] != "direct") {
            let param = "content.caller".to_owned();
            events.push(StreamEvent::Warning(Warning { verdict: Verdict::Dropped, param, note: None }));
        }
        self.block = Block::Call(Call { index, kind, input, held: String::new(), written: false });
    }

    fn delta(&mut self, delta: &RawValue, events: &mut Vec<StreamEvent>) -> serde_json::Result<()> {
        if let Block::Whole { block, input } = &mut self.block {
            grow(block, input, serde_json::from_str(delta.get())?);
            return Ok(());
        }
        let delta: ReadDelta<'_> = serde_json::from_str(delta.get())?;
        match &*delta.kind {
            "text_delta" => self.text(&delta.text, events),
            "input_json_delta" => self.input(&delta.partial_json, events),
            "thinking_delta" => self.thinking(&delta.thinking, events),
            "signature_delta" => self.sign(&delta.signature, events),
            "citations_delta" => {
                if let Some(citation) = delta.citation {
                    self.cite(citation, events);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str, events: &mut Vec<StreamEvent>) {
        if text.is_empty() {
            return;
        }
        if let Block::Text { length, .. } = &mut self.block {
            *length += text.chars().count();
        }
        events.push(StreamEvent::Text { choice: CHOICE, text: text.to_owned() });
    }

    fn thinking(&mut self, text: &str, events: &mut Vec<StreamEvent>) {
        if !text.is_empty() {
            events.push(StreamEvent::Reasoning { choice: CHOICE, text: text.to_owned() });
        }
    }

    fn sign(&mut self, signature: &str, events: &mut Vec<StreamEvent>) {
        if !signature.is_empty() {
            events.push(StreamEvent::ReasoningSignature { choice: CHOICE, signature: signature.to_owned() });
        }
    }

    /// The citation itself goes at once, its place in the content when the block ends.
    fn cite(&mut self, citation: Value, events: &mut Vec<StreamEvent>) {
        if let Block::Text { cited, .. } = &mut self.block {
            cited.push(citation.clone());
        }
        let text = Text { citations: vec![citation], ..Text::default() };
        events.push(StreamEvent::Part { choice: CHOICE, part: Part::Text(text) });
    }

    fn input(&mut self, fragment: &str, events: &mut Vec<StreamEvent>) {
        if fragment.is_empty() {
            return;
        }
        match &mut self.block {
            Block::Call(call) if call.kind == ToolKind::Custom => call.held.push_str(fragment),
            Block::Call(call) => {
                call.written = true;
                events.push(arguments(call.index, fragment.to_owned()));
            }
            Block::JsonAnswer { written, .. } => {
                *written = true;
                self.length += fragment.chars().count();
                events.push(StreamEvent::Text { choice: CHOICE, text: fragment.to_owned() });
            }
            _ => {}
        }
    }

    fn close(&mut self, events: &mut Vec<StreamEvent>) {
        match std::mem::take(&mut self.block) {
            Block::None | Block::Thinking => {}
            Block::Text { length, cited } => {
                let placed = response::annotations(&cited, self.length, length);
                let annotation = |annotation| StreamEvent::Annotation { choice: CHOICE, annotation };
                events.extend(placed.into_iter().map(annotation));
                self.length += length;
                self.after_text = true;
            }
            Block::Call(call) => events.extend(call.rest()),
            Block::JsonAnswer { input, written } => {
                if !written {
                    let text = object_text(&input);
                    self.length += text.chars().count();
                    events.push(StreamEvent::Text { choice: CHOICE, text });
                }
                self.after_text = true;
            }
            Block::Whole { mut block, input } => {
                if let Ok(input) = serde_json::from_str(&input) {
                    block.insert("input".to_owned(), input);
                }
                let part = Part::Opaque { origin: DialectId::Anthropic, block: Value::Object(block) };
                events.push(StreamEvent::Part { choice: CHOICE, part });
            }
        }
    }

    fn message_delta(&mut self, delta: Map<String, Value>, events: &mut Vec<StreamEvent>) {
        for (key, value) in delta {
            match (key.as_str(), value) {
                (_, Value::Null) => {}
                ("stop_reason", Value::String(reason)) => self.stop.reason = Some(reason),
                ("stop_sequence", Value::String(sequence)) => self.stop.sequence = Some(sequence),
                ("stop_details", details) => self.stop.details = Some(details),
                (_, value) => self.answer_member(&key, value, events),
            }
        }
    }

    fn stop(&mut self, events: &mut Vec<StreamEvent>) {
        self.close(events);
        let stop = std::mem::take(&mut self.stop);
        if let Some(details) = stop.details {
            if let Some(text) = response::explanation(&details) {
                events.push(StreamEvent::Refusal { choice: CHOICE, text: text.to_owned() });
            }
            self.answer_member("stop_details", details, events);
        }
        events.extend(stop.reason.as_deref().and_then(response::pause_warning).map(StreamEvent::Warning));
        let finish = response::finish(stop.reason, stop.sequence, self.calls > 0, self.json_answer);
        events.push(StreamEvent::Finish { choice: CHOICE, finish });
        events.push(StreamEvent::End);
    }
}

fn unreadable(error: serde_json::Error) -> ApiError {
    ApiError::upstream(format!("an event of the stream cannot be read: {error}"))
}

/// The error that an event tells of.
fn told(data: &[u8]) -> ApiError {
    error::decode_value(None, &serde_json::from_slice(data).unwrap_or_default())
}

impl Call {
    /// What the fragments did not bring: the whole input, an empty one, or the free text inside.
    fn rest(self) -> Option<StreamEvent> {
        let text = match self.kind {
            ToolKind::Function if self.written => return None,
            ToolKind::Function => object_text(&self.input),
            ToolKind::Custom => match serde_json::from_str(&self.held) {
                Ok(input) => names::arguments(&input, self.kind),
                Err(_) if self.held.is_empty() => names::arguments(&self.input, self.kind),
                Err(_) => self.held,
            },
        };
        Some(arguments(self.index, text))
    }
}

/// Tells two neighbouring texts apart.
fn end_text(after_text: bool, events: &mut Vec<StreamEvent>) {
    if after_text {
        events.push(StreamEvent::Part { choice: CHOICE, part: Part::Text(Text::default()) });
    }
}

fn arguments(index: u32, fragment: String) -> StreamEvent {
    StreamEvent::ToolCallArguments { choice: CHOICE, index, fragment }
}

fn object_text(input: &Value) -> String {
    if input.is_null() { "{}".to_owned() } else { input.to_string() }
}

fn text_member<'a>(members: &'a Map<String, Value>, name: &str) -> &'a str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Adds a delta to a block that is not understood: input as JSON text, other strings to the member of their name.
fn grow(block: &mut Map<String, Value>, input: &mut String, delta: Map<String, Value>) {
    for (key, value) in delta {
        match (key.as_str(), value) {
            ("type", _) => {}
            ("partial_json", Value::String(fragment)) => input.push_str(&fragment),
            (_, Value::String(more)) => match block.get_mut(&key) {
                Some(Value::String(text)) => text.push_str(&more),
                _ => {
                    block.insert(key, Value::String(more));
                }
            },
            (_, value) => {
                block.insert(key, value);
            }
        }
    }
}
