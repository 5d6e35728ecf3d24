//! Events written as chunks for a client of OpenAI's. Every chunk begins with the same bytes, which are made once.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use tidegate_core::{Usage, id};

use super::super::response::{specific_fields, tier, word, write_usage};
use super::super::{error, media, reasoning};
use crate::chat::{Extra, Finish, Part, StreamEvent, Text, ToolKind};
use crate::{AnswerContext, StreamEncoder};

#[derive(Debug)]
pub(in super::super) struct Encoder {
    provider: String,
    model: String,
    strict: bool,
    include_usage: bool,
    now_s: u64,
    /// `{"id":…,"choices":[`; empty before the first chunk.
    head: Vec<u8>,
    choices: BTreeMap<u32, Choice>,
    /// Members for the top of the next chunk.
    held: Extra,
    usage: Option<Usage>,
    /// The chunk that finishes a choice, without its end: usage may still come for it.
    finish: Vec<u8>,
}

#[derive(Debug, Default)]
struct Choice {
    role_sent: bool,
    kinds: Vec<ToolKind>,
    /// Number and kind of the content block under way, as Portkey counts them.
    block: Option<(u32, Block)>,
    /// Members for this choice in its next chunk.
    held: Extra,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Text,
    Thinking,
    Whole,
}

/// `delta` of a chunk; what is `None` is not written.
#[derive(Debug, Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    /// `Some(None)` is an explicit null.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[Value; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a [Value]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_blocks: Option<[Value; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_specific_fields: Option<Value>,
}

impl Encoder {
    pub(in super::super) fn new(ctx: &AnswerContext<'_>) -> Self {
        Self {
            provider: ctx.provider.to_owned(),
            model: ctx.model.to_owned(),
            strict: ctx.strict,
            include_usage: ctx.include_usage,
            now_s: ctx.now_s,
            head: Vec::new(),
            choices: BTreeMap::new(),
            held: Extra::new(),
            usage: None,
            finish: Vec::new(),
        }
    }

    fn start(&mut self, id: Option<&str>, model: Option<&str>, created: Option<u64>) {
        let id = id.map_or_else(|| id::random("chatcmpl-", 24), str::to_owned);
        let head = json!({
            "id": id,
            "object": "chat.completion.chunk",
            "created": created.unwrap_or(self.now_s),
            "model": model.unwrap_or(&self.model),
            "provider": self.provider,
        });
        self.head = head.to_string().into_bytes();
        self.head.pop();
        self.head.extend_from_slice(br#","choices":["#);
    }

    /// The first chunk of a choice names the role.
    fn open(&mut self, choice: u32, out: &mut Vec<u8>) -> &mut Choice {
        if self.head.is_empty() {
            self.start(None, None, None);
        }
        let state = self.choices.entry(choice).or_default();
        if !std::mem::replace(&mut state.role_sent, true) {
            let delta =
                Delta { role: Some("assistant"), content: Some(""), refusal: Some(None), ..Delta::default() };
            self.chunk(choice, &delta, None, None, out);
        }
        self.choices.entry(choice).or_default()
    }

    fn say(&mut self, choice: u32, delta: &Delta<'_>, out: &mut Vec<u8>) {
        self.open(choice, out);
        self.chunk(choice, delta, None, None, out);
    }

    fn chunk(
        &mut self,
        choice: u32,
        delta: &Delta<'_>,
        logprobs: Option<&Value>,
        finish: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        self.open_chunk(choice, delta, logprobs, finish, out);
        self.close(None, out);
    }

    fn open_chunk(
        &mut self,
        choice: u32,
        delta: &Delta<'_>,
        logprobs: Option<&Value>,
        finish: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"{\"index\":");
        write_json(out, &choice);
        out.extend_from_slice(b",\"delta\":");
        write_json(out, delta);
        out.extend_from_slice(b",\"logprobs\":");
        write_json(out, &logprobs);
        out.extend_from_slice(b",\"finish_reason\":");
        write_json(out, &finish);
        let held = self.choices.get_mut(&choice).map(|state| std::mem::take(&mut state.held));
        write_members(out, &held.unwrap_or_default(), &["index", "delta", "logprobs", "finish_reason"]);
        out.extend_from_slice(b"}]");
    }

    /// What follows the choices. With usage asked for, every chunk but the last has it null.
    fn close(&mut self, usage: Option<&Usage>, out: &mut Vec<u8>) {
        if self.include_usage || usage.is_some() {
            out.extend_from_slice(b",\"usage\":");
            write_json(out, &usage.map(|usage| write_usage(usage, self.strict)));
        }
        let held = std::mem::take(&mut self.held);
        write_members(out, &held, &["id", "object", "created", "model", "provider", "choices", "usage"]);
        out.extend_from_slice(b"}\n\n");
    }

    /// A piece of a content block for clients that may see more.
    fn block(
        &mut self,
        choice: u32,
        kind: Block,
        delta: impl FnOnce() -> Value,
        out: &mut Vec<u8>,
    ) -> Option<[Value; 1]> {
        if self.strict { None } else { Some(self.numbered(choice, kind, delta(), out)) }
    }

    /// `kind` decides whether the block under way goes on or the next begins.
    fn numbered(&mut self, choice: u32, kind: Block, delta: Value, out: &mut Vec<u8>) -> [Value; 1] {
        let state = self.open(choice, out);
        let number = match state.block {
            Some((number, under_way)) if under_way == kind && kind != Block::Whole => number,
            Some((number, _)) => number + 1,
            None => 0,
        };
        state.block = Some((number, kind));
        [json!({"index": number, "delta": delta})]
    }

    fn text(&mut self, choice: u32, text: &str, out: &mut Vec<u8>) {
        let content_blocks = self.block(choice, Block::Text, || json!({"text": text}), out);
        self.say(choice, &Delta { content: Some(text), content_blocks, ..Delta::default() }, out);
    }

    fn reasoning(&mut self, choice: u32, text: &str, out: &mut Vec<u8>) {
        let content_blocks = self.block(choice, Block::Thinking, || json!({"thinking": text}), out);
        self.say(choice, &Delta { reasoning_content: Some(text), content_blocks, ..Delta::default() }, out);
    }

    /// Opaque pieces, which strict clients do not get.
    fn opaque(&mut self, choice: u32, kind: Block, delta: Value, out: &mut Vec<u8>) {
        let content_blocks = self.block(choice, kind, || delta, out);
        if content_blocks.is_some() {
            self.say(choice, &Delta { content_blocks, ..Delta::default() }, out);
        }
    }

    fn call_start(
        &mut self,
        choice: u32,
        index: u32,
        call: (&str, &str, ToolKind, Option<&str>),
        out: &mut Vec<u8>,
    ) {
        let (id, name, kind, signature) = call;
        let strict = self.strict;
        let state = self.open(choice, out);
        // Decoders number calls from 0 without gaps, so pushing keeps kinds and numbers in step.
        state.kinds.push(kind);
        let piece = match kind {
            ToolKind::Custom => {
                json!({"index": index, "id": id, "type": "custom", "custom": {"name": name, "input": ""}})
            }
            ToolKind::Function => {
                let mut function = json!({"name": name, "arguments": ""});
                if let Some(signature) = signature.filter(|_| !strict) {
                    function["thought_signature"] = json!(signature);
                }
                json!({"index": index, "id": id, "type": "function", "function": function})
            }
        };
        self.say(choice, &Delta { tool_calls: Some([piece]), ..Delta::default() }, out);
    }

    fn call_piece(&mut self, choice: u32, index: u32, fragment: &str, out: &mut Vec<u8>) {
        let kind = self.open(choice, out).kinds.get(index as usize).copied().unwrap_or_default();
        let piece = match kind {
            ToolKind::Custom => json!({"index": index, "custom": {"input": fragment}}),
            ToolKind::Function => json!({"index": index, "function": {"arguments": fragment}}),
        };
        self.say(choice, &Delta { tool_calls: Some([piece]), ..Delta::default() }, out);
    }

    fn part(&mut self, choice: u32, part: &Part, out: &mut Vec<u8>) {
        match part {
            Part::Text(text) => self.whole_text(choice, text, out),
            Part::Audio(audio) => {
                let audio = Some(media::audio_member(audio));
                self.say(choice, &Delta { audio, ..Delta::default() }, out);
            }
            Part::Refusal(text) => {
                self.say(choice, &Delta { refusal: Some(Some(text)), ..Delta::default() }, out);
            }
            Part::Reasoning(thought) => {
                self.reasoning(choice, &thought.text, out);
                if let Some(signature) = &thought.signature {
                    self.opaque(choice, Block::Thinking, json!({"signature": signature}), out);
                }
            }
            // Generated images have no other place, so even strict clients get those.
            Part::Image(image) => {
                if let Some(block) = media::image_block(image) {
                    let content_blocks = Some(self.numbered(choice, Block::Whole, block, out));
                    self.say(choice, &Delta { content_blocks, ..Delta::default() }, out);
                }
            }
            _ => {
                if let Some(block) = reasoning::content_block(part) {
                    self.opaque(choice, Block::Whole, block, out);
                }
            }
        }
    }

    /// A text with what belongs to it; an empty one only carries that for the text before, or ends it.
    fn whole_text(&mut self, choice: u32, text: &Text, out: &mut Vec<u8>) {
        if !text.text.is_empty() {
            self.text(choice, &text.text, out);
        }
        if !text.annotations.is_empty() {
            self.say(choice, &Delta { annotations: Some(&text.annotations), ..Delta::default() }, out);
        }
        if !self.strict && !text.citations.is_empty() {
            let provider_specific_fields = specific_fields(text.citations.clone(), None);
            self.say(choice, &Delta { provider_specific_fields, ..Delta::default() }, out);
        }
    }

    /// `service_tier` and `system_fingerprint` are OpenAI's own members; others are for clients that may see more.
    fn extra(&mut self, choice: Option<u32>, extra: &Extra) {
        for (key, value) in extra {
            match choice {
                None if key == "service_tier" => {
                    if let Some(tier) = value.as_str().and_then(tier) {
                        self.held.insert(key.clone(), tier.into());
                    }
                }
                None if !self.strict || key == "system_fingerprint" => {
                    self.held.insert(key.clone(), value.clone());
                }
                Some(choice) if !self.strict => {
                    self.choices.entry(choice).or_default().held.insert(key.clone(), value.clone());
                }
                _ => {}
            }
        }
    }

    fn finish(&mut self, choice: u32, finish: &Finish, out: &mut Vec<u8>) {
        self.open(choice, out);
        let stop_sequence = finish.stop_sequence.as_deref().filter(|_| !self.strict);
        let delta = Delta {
            provider_specific_fields: specific_fields(Vec::new(), stop_sequence),
            ..Delta::default()
        };
        let mut chunk = Vec::new();
        self.open_chunk(choice, &delta, None, Some(word(Some(finish), self.strict)), &mut chunk);
        if self.include_usage {
            self.close(None, &mut chunk);
            out.append(&mut chunk);
        } else {
            self.finish = chunk;
        }
    }

    /// Writes the finish that waits, with the usage if that is known by now: clients of the reference look for it there
    /// when they did not ask for a chunk of its own.
    fn flush(&mut self, out: &mut Vec<u8>) {
        if !self.finish.is_empty() {
            out.append(&mut self.finish);
            let usage = self.usage.take();
            self.close(usage.as_ref(), out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let usage = self.usage.take().filter(|_| self.include_usage);
        if usage.is_some() && !self.head.is_empty() {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(&self.head);
            out.push(b']');
            self.close(usage.as_ref(), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &StreamEvent, out: &mut Vec<u8>) {
        // What may come between a finish and the usage that belongs to it.
        if !matches!(
            event,
            StreamEvent::Usage(_) | StreamEvent::Extra { .. } | StreamEvent::Warning(_) | StreamEvent::Ping
        ) {
            self.flush(out);
        }
        match event {
            StreamEvent::Start { id, model, created } => {
                self.start(id.as_deref(), model.as_deref(), *created);
                self.open(0, out);
            }
            StreamEvent::Text { choice, text } => self.text(*choice, text, out),
            StreamEvent::Refusal { choice, text } => {
                self.say(*choice, &Delta { refusal: Some(Some(text)), ..Delta::default() }, out);
            }
            StreamEvent::Reasoning { choice, text } => self.reasoning(*choice, text, out),
            StreamEvent::ReasoningSignature { choice, signature } => {
                self.opaque(*choice, Block::Thinking, json!({"signature": signature}), out);
            }
            StreamEvent::RedactedReasoning { choice, data } => {
                self.opaque(*choice, Block::Whole, json!({"data": data}), out);
            }
            StreamEvent::ToolCallStart { choice, index, id, name, kind, signature } => {
                self.call_start(*choice, *index, (id, name, *kind, signature.as_deref()), out);
            }
            StreamEvent::ToolCallArguments { choice, index, fragment } => {
                self.call_piece(*choice, *index, fragment, out);
            }
            StreamEvent::Logprobs { choice, logprobs } => {
                self.open(*choice, out);
                self.chunk(*choice, &Delta::default(), Some(logprobs), None, out);
            }
            StreamEvent::Annotation { choice, annotation } => {
                let annotations = Some(std::slice::from_ref(annotation));
                self.say(*choice, &Delta { annotations, ..Delta::default() }, out);
            }
            StreamEvent::Part { choice, part } => self.part(*choice, part, out),
            StreamEvent::Extra { choice, extra } => self.extra(*choice, extra),
            StreamEvent::Finish { choice, finish } => self.finish(*choice, finish, out),
            StreamEvent::Usage(usage) => self.usage = Some(usage.clone()),
            StreamEvent::Warning(_) => {}
            StreamEvent::Ping => out.extend_from_slice(self.ping()),
            StreamEvent::Error(failure) => out.extend(error::write_event(failure, Some(&self.provider))),
            StreamEvent::End => self.end(out),
        }
    }
}

fn write_members(out: &mut Vec<u8>, members: &Extra, own: &[&str]) {
    for (key, value) in members.iter().filter(|(key, _)| !own.contains(&key.as_str())) {
        out.push(b',');
        write_json(out, key);
        out.push(b':');
        write_json(out, value);
    }
}

/// Neither strings nor JSON values can fail to be written, and memory cannot fail to take them.
fn write_json(out: &mut Vec<u8>, value: &impl Serialize) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests;
