//! Neutral events as Anthropic's, for its clients.
//!
//! The grammar is strict: blocks are opened and closed in order and never interleave. Calls that a vendor streams side
//! by side are therefore held back until the one before is complete. `message_delta` waits for the end, because usage
//! may come last.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tidegate_core::{Fault, Usage};

use super::events::{BlockDelta, Delta, PING, error_event, write};
use super::json_end::JsonEnd;
use crate::anthropic_messages::wire::Block;
use crate::anthropic_messages::{citations, response, usage};
use crate::chat::{Finish, FinishReason, Part, StreamEvent, Text, ToolKind};
use crate::framing::MAX_FRAME;
use crate::{AnswerContext, StreamEncoder};

/// The state of one stream.
#[derive(Debug)]
pub(in crate::anthropic_messages) struct Encoder {
    provider: String,
    /// Model the client asked for, where the vendor names none.
    model: String,
    started: bool,
    ended: bool,
    open: Open,
    /// Index of the next block.
    next: u64,
    /// Calls that began while another was not complete.
    waiting: VecDeque<Waiting>,
    /// What came in the middle of a call.
    later: Vec<StreamEvent>,
    /// Bytes in `waiting` and `later`.
    held_bytes: usize,
    called: bool,
    refused: bool,
    usage: Option<Usage>,
    tier: Option<String>,
    finish: Option<Finish>,
}

#[derive(Debug, PartialEq)]
enum Open {
    Nothing,
    /// `cited`: has citations of Anthropic's own, beside which URL citations would say the same again.
    Text {
        cited: bool,
    },
    Thinking,
    Call {
        index: u32,
        kind: ToolKind,
        end: JsonEnd,
    },
}

#[derive(Debug)]
struct Waiting {
    index: u32,
    id: String,
    name: String,
    kind: ToolKind,
    fragments: String,
}

impl Encoder {
    pub(in crate::anthropic_messages) fn new(ctx: &AnswerContext<'_>) -> Self {
        Self {
            provider: ctx.provider.to_owned(),
            model: ctx.model.to_owned(),
            started: false,
            ended: false,
            open: Open::Nothing,
            next: 0,
            waiting: VecDeque::new(),
            later: Vec::new(),
            held_bytes: 0,
            called: false,
            refused: false,
            usage: None,
            tier: None,
            finish: None,
        }
    }
}

impl StreamEncoder for Encoder {
    /// Only the first choice is shown: this dialect has no others.
    fn push(&mut self, event: &StreamEvent, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            StreamEvent::Start { id, model, .. } => self.start(id.as_deref(), model.as_deref(), out),
            StreamEvent::ToolCallStart { choice: 0, index, id, name, kind, .. } => {
                let call = Waiting {
                    index: *index,
                    id: id.clone(),
                    name: name.clone(),
                    kind: *kind,
                    fragments: String::new(),
                };
                self.call(call, out);
            }
            StreamEvent::ToolCallArguments { choice: 0, index, fragment } => {
                self.arguments(*index, fragment, out);
            }
            StreamEvent::Finish { choice: 0, finish } => {
                self.settle(out);
                self.finish = Some(finish.clone());
            }
            StreamEvent::Usage(usage) => self.usage = Some(usage.clone()),
            StreamEvent::Extra { choice: None, extra } => {
                if let Some(Value::String(tier)) = extra.get("service_tier") {
                    self.tier = Some(tier.clone());
                }
            }
            StreamEvent::Ping => out.extend_from_slice(PING),
            StreamEvent::Error(error) => {
                let provider = (error.fault != Fault::Gateway).then_some(self.provider.as_str());
                out.extend(error_event(error, provider));
                self.ended = true;
            }
            StreamEvent::End => self.end(out),
            content => self.content(content, out),
        }
    }

    fn ping(&self) -> &'static [u8] {
        PING
    }
}

impl Encoder {
    fn start(&mut self, id: Option<&str>, model: Option<&str>, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        let message = json!({
            "id": response::message_id(id),
            "type": "message",
            "role": "assistant",
            "model": model.unwrap_or(&self.model),
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        });
        write(out, "message_start", &json!({"type": "message_start", "message": message}));
    }

    /// A delta in the middle of a call would end the call's block: it is shown when the call is complete.
    fn content(&mut self, event: &StreamEvent, out: &mut Vec<u8>) {
        let delta = match event {
            StreamEvent::Text { text, .. }
            | StreamEvent::Refusal { text, .. }
            | StreamEvent::Reasoning { text, .. } => text,
            _ => return self.show(event, out),
        };
        // Also before its first argument: what came for a call whose block is closed would be lost.
        let busy = matches!(&self.open, Open::Call { end, .. } if !end.is_complete());
        if busy && self.held_bytes <= MAX_FRAME {
            self.held_bytes += size_of::<StreamEvent>() + delta.len();
            self.later.push(event.clone());
            return;
        }
        self.show_later(out);
        self.show(event, out);
    }

    fn show_later(&mut self, out: &mut Vec<u8>) {
        for held in std::mem::take(&mut self.later) {
            self.show(&held, out);
        }
        self.held_bytes = self.waiting.iter().map(|call| call.fragments.len()).sum();
    }

    /// Writes whatever was held back and closes every block.
    fn settle(&mut self, out: &mut Vec<u8>) {
        self.close_all(out);
        self.show_later(out);
        self.close_all(out);
    }

    fn show(&mut self, event: &StreamEvent, out: &mut Vec<u8>) {
        match event {
            StreamEvent::Text { choice: 0, text } => self.text(text, out),
            StreamEvent::Refusal { choice: 0, text } => {
                self.refused = true;
                self.text(text, out);
            }
            StreamEvent::Reasoning { choice: 0, text } => self.thinking(text, out),
            StreamEvent::ReasoningSignature { choice: 0, signature } => self.sign(signature, out),
            StreamEvent::RedactedReasoning { choice: 0, data } => {
                self.whole(&Block::RedactedThinking { data }, out);
            }
            StreamEvent::Annotation { choice: 0, annotation } => self.annotation(annotation, out),
            StreamEvent::Part { choice: 0, part } => self.part(part, out),
            // Other choices, and what this dialect has no place for.
            _ => {}
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        if !matches!(self.open, Open::Text { .. }) {
            self.open_block(&json!({"type": "text", "text": ""}), Open::Text { cited: false }, out);
        }
        self.delta(Delta::Text { text }, out);
    }

    fn thinking(&mut self, text: &str, out: &mut Vec<u8>) {
        if self.open != Open::Thinking {
            let block = json!({"type": "thinking", "thinking": "", "signature": ""});
            self.open_block(&block, Open::Thinking, out);
        }
        if !text.is_empty() {
            self.delta(Delta::Thinking { thinking: text }, out);
        }
    }

    /// A signature is the last of its block.
    fn sign(&mut self, signature: &str, out: &mut Vec<u8>) {
        self.thinking("", out);
        self.delta(Delta::Signature { signature }, out);
        self.close(out);
    }

    fn call(&mut self, call: Waiting, out: &mut Vec<u8>) {
        self.called = true;
        let busy = matches!(&self.open, Open::Call { end, .. } if !end.is_complete());
        if busy || !self.waiting.is_empty() {
            self.waiting.push_back(call);
        } else {
            self.open_call(&call, out);
        }
    }

    fn open_call(&mut self, call: &Waiting, out: &mut Vec<u8>) {
        let id = response::call_id(&call.id);
        let block = json!({"type": "tool_use", "id": id, "name": call.name, "input": {}});
        let open = Open::Call { index: call.index, kind: call.kind, end: JsonEnd::default() };
        self.open_block(&block, open, out);
        if call.kind == ToolKind::Custom {
            self.input("{\"input\":\"", out);
        }
        if !call.fragments.is_empty() {
            self.arguments_of_open(&call.fragments, out);
        }
    }

    fn arguments(&mut self, index: u32, fragment: &str, out: &mut Vec<u8>) {
        if matches!(&self.open, Open::Call { index: open, .. } if *open == index) {
            self.arguments_of_open(fragment, out);
        } else if let Some(call) = self.waiting.iter_mut().find(|call| call.index == index) {
            call.fragments.push_str(fragment);
            self.held_bytes += fragment.len();
        }
        let complete = matches!(&self.open, Open::Call { end, .. } if end.is_complete());
        // What waits is bounded: a vendor that never completes a call is not waited for.
        if complete && !self.waiting.is_empty() || self.held_bytes > MAX_FRAME {
            self.open_waiting(out);
        }
    }

    fn arguments_of_open(&mut self, fragment: &str, out: &mut Vec<u8>) {
        match &mut self.open {
            Open::Call { kind: ToolKind::Custom, .. } => {
                let escaped = Value::from(fragment).to_string();
                let inside = escaped.get(1..escaped.len() - 1).unwrap_or_default();
                self.input(inside, out);
            }
            Open::Call { end, .. } => {
                end.push(fragment);
                self.input(fragment, out);
            }
            _ => {}
        }
    }

    fn input(&mut self, partial_json: &str, out: &mut Vec<u8>) {
        self.delta(Delta::Input { partial_json }, out);
    }

    /// Opens waiting calls up to the first that is not complete.
    fn open_waiting(&mut self, out: &mut Vec<u8>) {
        while let Some(call) = self.waiting.pop_front() {
            self.held_bytes = self.held_bytes.saturating_sub(call.fragments.len());
            self.open_call(&call, out);
            if matches!(&self.open, Open::Call { end, .. } if !end.is_complete()) {
                break;
            }
        }
    }

    fn annotation(&mut self, annotation: &Value, out: &mut Vec<u8>) {
        if self.open == (Open::Text { cited: false })
            && let Some(citation) = citations::from_url(annotation)
        {
            self.delta(Delta::Citation { citation: &citation }, out);
        }
    }

    fn part(&mut self, part: &Part, out: &mut Vec<u8>) {
        match part {
            Part::Text(text) if *text == Text::default() => {
                if matches!(self.open, Open::Text { .. }) {
                    self.close(out);
                }
            }
            Part::Text(text) => self.whole_text(text, out),
            Part::Refusal(_) => self.refused = true,
            Part::ToolCall(_) => self.called = true,
            _ => {}
        }
        if !matches!(part, Part::Text(_))
            && let Some(block) = response::block_of(part)
        {
            self.whole(&block, out);
        }
    }

    /// A text, or only citations of the one under way.
    fn whole_text(&mut self, text: &Text, out: &mut Vec<u8>) {
        if !text.text.is_empty() {
            self.close_all(out);
            self.text(&text.text, out);
        }
        for citation in response::cited(text) {
            if !matches!(self.open, Open::Text { .. }) {
                let block = json!({"type": "text", "text": "", "citations": []});
                self.open_block(&block, Open::Text { cited: true }, out);
            }
            self.open = Open::Text { cited: true };
            self.delta(Delta::Citation { citation: &citation }, out);
        }
        if !text.text.is_empty() {
            self.close(out);
        }
    }

    /// A block that comes in one piece.
    fn whole(&mut self, block: &Block<'_>, out: &mut Vec<u8>) {
        let mut start = serde_json::to_value(block).unwrap_or_default();
        let input = match block {
            // The input of a call is told by deltas; clients take nothing else.
            Block::ToolUse { .. } => {
                start.as_object_mut().and_then(|start| start.insert("input".into(), json!({})))
            }
            _ => None,
        };
        self.open_block(&start, Open::Nothing, out);
        if let Some(input) = input {
            self.input(&input.to_string(), out);
        }
        self.write_stop(out);
    }

    fn open_block(&mut self, block: &Value, open: Open, out: &mut Vec<u8>) {
        match open {
            Open::Call { .. } => self.close(out),
            _ => self.close_all(out),
        }
        self.start(None, None, out);
        let start = json!({"type": "content_block_start", "index": self.next, "content_block": block});
        write(out, "content_block_start", &start);
        self.open = open;
    }

    fn delta(&self, delta: Delta<'_>, out: &mut Vec<u8>) {
        write(
            out,
            "content_block_delta",
            &BlockDelta { kind: "content_block_delta", index: self.next, delta },
        );
    }

    fn close_all(&mut self, out: &mut Vec<u8>) {
        while !self.waiting.is_empty() {
            self.open_waiting(out);
        }
        self.close(out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if matches!(self.open, Open::Call { kind: ToolKind::Custom, .. }) {
            self.input("\"}", out);
        }
        if self.open != Open::Nothing {
            self.write_stop(out);
        }
    }

    fn write_stop(&mut self, out: &mut Vec<u8>) {
        write(out, "content_block_stop", &json!({"type": "content_block_stop", "index": self.next}));
        self.next += 1;
        self.open = Open::Nothing;
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(None, None, out);
        self.settle(out);
        let finish = self.finish.take().unwrap_or_else(|| Finish::new(FinishReason::Stop));
        let word = response::corrected(usage::stop_reason(&finish), self.called, self.refused);
        let delta = json!({
            "type": "message_delta",
            "delta": {"stop_reason": word, "stop_sequence": finish.stop_sequence},
            "usage": response::written_usage(self.usage.as_ref(), self.tier.as_deref()),
        });
        write(out, "message_delta", &delta);
        write(out, "message_stop", &json!({"type": "message_stop"}));
        self.ended = true;
    }
}

#[cfg(test)]
mod tests;
