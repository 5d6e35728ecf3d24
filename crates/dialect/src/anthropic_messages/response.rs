//! Whole answers: read from Anthropic, written for its clients.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use tidegate_core::{ApiError, Usage, Verdict, Warning, id};

use super::path::{Path, required};
use super::usage::{self, WireUsage};
use super::wire::{Block, Members, Source};
use super::{block, citations, error, names, path};
use crate::AnswerContext;
use crate::DialectId;
use crate::chat::{self, ChatResponse, Choice, Extra, Finish, FinishReason, Part, Text, ToolCall};

/// Members of an answer without a neutral place that a client of this dialect knows.
const OWN_MEMBERS: [&str; 3] = ["container", "context_management", "stop_details"];

/// Reads a whole 2xx answer.
///
/// # Errors
/// An error in the place of an answer, or a body that is no message: 502.
pub(super) fn decode(body: &[u8]) -> Result<ChatResponse, ApiError> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| ApiError::upstream(format!("the answer is not valid JSON: {error}")))?;
    if value.get("error").is_some_and(|error| !error.is_null()) || value["type"] == "error" {
        return Err(error::decode_value(None, &value));
    }
    read(value).map_err(|error| ApiError::upstream(format!("the answer is not a message: {}", error.message)))
}

/// The finish of an answer in which real tools (`calls`) or the stand-in for a JSON answer were called. Without a word
/// it is a plain stop.
pub(super) fn finish(
    word: Option<String>,
    stop_sequence: Option<String>,
    calls: bool,
    json_answer: bool,
) -> Finish {
    let mut reason = word.as_deref().map_or(FinishReason::Stop, usage::reason_of);
    if reason == FinishReason::ToolCalls && json_answer && !calls {
        reason = FinishReason::Stop;
    }
    Finish { reason, raw: word, stop_sequence }
}

/// What other clients than Anthropic's cannot be told: the turn goes on when the answer is sent back.
pub(super) fn pause_warning(word: &str) -> Option<Warning> {
    (word == "pause_turn").then(|| Warning {
        verdict: Verdict::Shaped,
        param: "stop_reason".to_owned(),
        note: Some("pause_turn".to_owned()),
    })
}

/// The explanation of a refusal, for the people in front of the client.
pub(super) fn explanation(details: &Value) -> Option<&str> {
    details.get("explanation").and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// URL citations of a text that begins `start` characters into the whole content.
pub(super) fn annotations<'a>(
    cited: impl IntoIterator<Item = &'a Value>,
    start: usize,
    length: usize,
) -> Vec<Value> {
    cited.into_iter().filter_map(|citation| citations::to_url(citation, start, start + length)).collect()
}

fn read(value: Value) -> Result<ChatResponse, ApiError> {
    let mut response = ChatResponse::default();
    let (mut content, mut word, mut stop_sequence) = (None, None, None);
    for (key, value) in path::object(value, &Path::Root.member("body"))? {
        let at = Path::Root.member(&key);
        match key.as_str() {
            _ if value.is_null() => {}
            "type" | "role" => {}
            "id" => response.id = Some(path::string(value, &at)?),
            "model" => response.model = Some(path::string(value, &at)?),
            "content" => content = Some(path::list(value, &at)?),
            "stop_reason" => word = Some(path::string(value, &at)?),
            "stop_sequence" => stop_sequence = Some(path::string(value, &at)?),
            "usage" => {
                let wire: WireUsage = serde_json::from_value(value)
                    .map_err(|error| at.wrong(&format!("is no usage: {error}")))?;
                response.usage = Some(wire.to_core());
                response.service_tier = wire.service_tier;
            }
            _ => {
                response.extra.insert(key, value);
            }
        }
    }
    let mut parts = Parts::default();
    let at = Path::Root.member("content");
    for (index, block) in required(content, "content", &Path::Root)?.into_iter().enumerate() {
        parts.add(block::decode(block, &at.item(index))?);
    }
    if let Some(text) = response.extra.get("stop_details").and_then(explanation) {
        parts.list.push(Part::Refusal(text.to_owned()));
    }
    response.warnings.extend(word.as_deref().and_then(pause_warning));
    let finish = Some(finish(word, stop_sequence, parts.calls, parts.json_answer));
    let choice = Choice { index: 0, parts: parts.list, finish, logprobs: None, extra: Extra::new() };
    response.choices.push(choice);
    Ok(response)
}

/// The parts of an answer, as they are read.
#[derive(Default)]
struct Parts {
    list: Vec<Part>,
    /// Characters of text so far.
    length: usize,
    calls: bool,
    json_answer: bool,
}

impl Parts {
    fn add(&mut self, part: Part) {
        let part = match part {
            Part::ToolCall(call) if call.name == names::JSON_TOOL => {
                self.json_answer = true;
                Part::text(call.arguments)
            }
            other => other,
        };
        match part {
            Part::Text(mut text) => {
                let length = text.text.chars().count();
                text.annotations = annotations(&text.citations, self.length, length);
                self.length += length;
                self.list.push(Part::Text(text));
            }
            other => {
                self.calls |= matches!(other, Part::ToolCall(_));
                self.list.push(other);
            }
        }
    }
}

/// A whole answer for a client.
pub(super) fn encode(response: &ChatResponse, ctx: &AnswerContext<'_>) -> Vec<u8> {
    let choice = response.choices.first();
    let parts = choice.map_or(&[][..], |choice| choice.parts.as_slice());
    let finish = choice.and_then(|choice| choice.finish.as_ref());
    let own = |(key, _): &(&String, &Value)| OWN_MEMBERS.contains(&key.as_str());
    let more = response.extra.iter().filter(own).map(|(key, value)| (key.as_str(), value)).collect();
    let message = Message {
        id: message_id(response.id.as_deref()),
        kind: "message",
        role: "assistant",
        model: response.model.as_deref().unwrap_or(ctx.model),
        content: parts.iter().filter_map(block_of).collect(),
        stop_reason: stop_word(finish, parts),
        stop_sequence: finish.and_then(|finish| finish.stop_sequence.as_deref()),
        usage: written_usage(response.usage.as_ref(), response.service_tier.as_deref()),
        more: Members(more),
    };
    // Strings, numbers and maps with string keys always serialise.
    serde_json::to_vec(&message).unwrap_or_default()
}

/// An id as this dialect's clients expect it, the same for the same answer.
pub(super) fn message_id(given: Option<&str>) -> Cow<'_, str> {
    match given {
        Some(given) if given.starts_with("msg_") => Cow::Borrowed(given),
        Some(given) if !given.is_empty() => Cow::Owned(format!("msg_{}", id::derived(given, 24))),
        _ => Cow::Owned(id::random("msg_", 24)),
    }
}

/// The id of a call; the client's next request refers to it, so a given one stays.
pub(super) fn call_id(given: &str) -> Cow<'_, str> {
    if given.is_empty() { Cow::Owned(id::random("toolu_", 24)) } else { Cow::Borrowed(given) }
}

/// `usage` with the tier in its place.
pub(super) fn written_usage(usage: Option<&Usage>, tier: Option<&str>) -> Value {
    let mut written = usage::write(usage);
    if let Some(tier @ ("standard" | "priority" | "batch")) = tier {
        written["service_tier"] = tier.into();
    }
    written
}

/// A citation as this dialect's clients know it, from the text's own or from another vendor's URL citations.
pub(super) fn cited(text: &Text) -> Vec<Cow<'_, Value>> {
    let own: Vec<_> = citations::own(text).map(Cow::Borrowed).collect();
    if !own.is_empty() {
        return own;
    }
    text.annotations.iter().filter_map(citations::from_url).map(Cow::Owned).collect()
}

/// A part that a client of this dialect can be shown in one block.
pub(super) fn block_of(part: &Part) -> Option<Block<'_>> {
    match part {
        Part::Text(text) if text.text.is_empty() => None,
        Part::Text(text) => Some(Block::Text {
            text: Cow::Borrowed(&text.text),
            citations: cited(text),
            cache_control: None,
            more: Members::default(),
        }),
        Part::Refusal(text) => Some(Block::text(text)),
        // Only Anthropic's own signature means anything when the block comes back.
        Part::Reasoning(thought) => {
            let signature = thought.signature.as_deref().filter(|_| thought.origin == DialectId::Anthropic);
            Some(Block::Thinking { thinking: &thought.text, signature: signature.unwrap_or_default() })
        }
        Part::RedactedReasoning { origin: DialectId::Anthropic, data } => {
            Some(Block::RedactedThinking { data })
        }
        Part::ToolCall(call) => Some(call_block(call)),
        Part::Image(image) => match &image.source {
            chat::Source::Inline { mime, data } => Some(Source::Base64 { media_type: mime, data }),
            chat::Source::Url(url) => Some(Source::Url { url }),
            chat::Source::FileId(_) | chat::Source::PlainText(_) => None,
        }
        .map(|source| Block::Image { source, cache_control: None }),
        Part::Audio(audio) => audio.transcript.as_deref().map(Block::text),
        Part::Opaque { origin: DialectId::Anthropic, block } => Some(Block::Raw(block)),
        Part::RedactedReasoning { .. } | Part::File(_) | Part::ToolResult(_) | Part::Opaque { .. } => None,
    }
}

fn call_block(call: &ToolCall) -> Block<'_> {
    let caller = call.extra.get("caller").map(|caller| ("caller", caller));
    Block::ToolUse {
        id: call_id(&call.id),
        name: Cow::Borrowed(&call.name),
        input: call.arguments_object().0,
        cache_control: None,
        more: Members(caller.into_iter().collect()),
    }
}

/// Clients run tools when the reason says so, and show a refusal when it says so: some vendors only say "stop".
fn stop_word<'a>(finish: Option<&'a Finish>, parts: &[Part]) -> &'a str {
    let called = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let refused = parts.iter().any(|part| matches!(part, Part::Refusal(_)));
    match finish {
        Some(finish) => corrected(usage::stop_reason(finish), called, refused),
        None => corrected("end_turn", called, refused),
    }
}

/// A plain end is none when tools were called or the model refused.
pub(super) fn corrected(word: &str, called: bool, refused: bool) -> &str {
    match word {
        "end_turn" if called => "tool_use",
        "end_turn" if refused => "refusal",
        word => word,
    }
}

#[derive(Serialize)]
struct Message<'a> {
    id: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    stop_reason: &'a str,
    stop_sequence: Option<&'a str>,
    usage: Value,
    #[serde(flatten)]
    more: Members<'a>,
}

#[cfg(test)]
mod tests;
