//! The stream of `streamGenerateContent`: server-sent events (`alt=sse`), a JSON array that arrives over time, or, when
//! the vendor answers a stream with a plain body, that body.
//!
//! Each piece is a whole answer with a part of the text. Gemini has no end marker: the body's end is clean once every
//! candidate has named a reason. Reasons wait until then, because some models name one in every piece and because a
//! function call changes what the reason means.

use serde_json::Value;
use tidegate_core::clock::rfc3339_seconds;
use tidegate_core::{ApiError, Usage, Verdict, Warning};

use super::wire::{Answer, Candidate};
use super::{grounding, parts, response, usage};
use crate::body::{Frame, unreadable};
use crate::chat::{Part, StreamEvent, Text, ToolCall};
use crate::decoder::{FrameReader, FramedDecoder, incomplete};

/// Far above what a request can ask for.
const MAX_CHOICES: usize = 64;
/// Bytes of text kept per candidate to place citations.
const MAX_TEXT: usize = 1 << 20;

pub(super) type Decoder = FramedDecoder<Pieces>;

/// What has to be remembered from piece to piece.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    started: bool,
    usage: Option<Usage>,
    choices: Vec<Choice>,
}

#[derive(Debug, Default)]
struct Choice {
    index: u32,
    calls: u32,
    has_content: bool,
    /// The visible text so far.
    text: String,
    /// There was more than [`MAX_TEXT`], and `text` is not it.
    text_too_long: bool,
    reason: Option<String>,
    message: Option<String>,
}

impl FrameReader for Pieces {
    /// A body that is one object is like a stream of one piece.
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let (Frame::Piece(bytes) | Frame::Whole(bytes)) = frame;
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() || bytes == b"[DONE]" {
            return Ok(());
        }
        self.answer(read(bytes)?, events)
    }

    fn end(&mut self, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let choices = std::mem::take(&mut self.choices);
        if choices.is_empty() || choices.iter().any(|choice| choice.reason.is_none()) {
            return Err(incomplete());
        }
        let alone = choices.len() == 1;
        for choice in choices {
            let word = choice.reason.as_deref().unwrap_or_default();
            let empty = alone && !choice.has_content;
            let (finish, warning) = parts::finish(word, choice.message.as_deref(), choice.calls > 0, empty)?;
            events.extend(warning.map(StreamEvent::Warning));
            events.push(StreamEvent::Finish { choice: choice.index, finish });
        }
        events.push(StreamEvent::End);
        Ok(())
    }
}

impl Pieces {
    fn answer(&mut self, mut answer: Answer, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        response::check(&answer)?;
        let extra = response::extra(&mut answer);
        if !self.started {
            self.started = true;
            let created = answer.create_time.as_deref().and_then(rfc3339_seconds);
            events.push(StreamEvent::Start { id: answer.response_id, model: answer.model_version, created });
        }
        if !extra.is_empty() {
            events.push(StreamEvent::Extra { choice: None, extra });
        }
        for candidate in answer.candidates {
            self.candidate(candidate, events)?;
        }
        let usage = answer.usage_metadata.as_ref().map(usage::usage);
        if let Some(usage) = usage.filter(|usage| self.usage.as_ref() != Some(usage)) {
            self.usage = Some(usage.clone());
            events.push(StreamEvent::Usage(usage));
        }
        Ok(())
    }

    fn candidate(&mut self, mut candidate: Candidate, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let choice = self.choice(candidate.index)?;
        let mut warnings = Vec::new();
        for part in std::mem::take(&mut candidate.content.parts) {
            if let Some(part) = parts::read(part, &mut warnings) {
                choice.part(part, events);
            }
        }
        events.extend(warnings.into_iter().map(StreamEvent::Warning));
        if let Some(result) = &candidate.logprobs_result {
            events.push(StreamEvent::Logprobs { choice: choice.index, logprobs: parts::logprobs(result) });
        }
        if let Some(metadata) = candidate.rest.get("groundingMetadata") {
            choice.citations(metadata, events);
        }
        let extra = parts::extra(&mut candidate);
        if !extra.is_empty() {
            events.push(StreamEvent::Extra { choice: Some(choice.index), extra });
        }
        choice.reason = candidate.finish_reason.or(choice.reason.take());
        choice.message = candidate.finish_message.or(choice.message.take());
        Ok(())
    }

    fn choice(&mut self, index: u32) -> Result<&mut Choice, ApiError> {
        let at = self.choices.iter().position(|choice| choice.index == index).unwrap_or(self.choices.len());
        if at == MAX_CHOICES {
            return Err(ApiError::upstream(format!("the stream has more than {MAX_CHOICES} candidates")));
        }
        if at == self.choices.len() {
            self.choices.push(Choice { index, ..Choice::default() });
        }
        Ok(&mut self.choices[at])
    }
}

/// A piece is an answer, or, when it holds an error, sometimes a list of one.
fn read(bytes: &[u8]) -> Result<Answer, ApiError> {
    let parsed = if bytes.starts_with(b"[") {
        serde_json::from_slice::<[Answer; 1]>(bytes).map(|[answer]| answer)
    } else {
        serde_json::from_slice(bytes)
    };
    parsed.map_err(|e| unreadable("Gemini", &e))
}

impl Choice {
    fn part(&mut self, part: Part, events: &mut Vec<StreamEvent>) {
        let choice = self.index;
        self.has_content = true;
        match part {
            Part::Text(mut text) => {
                let words = std::mem::take(&mut text.text);
                self.keep(&words);
                if !words.is_empty() {
                    events.push(StreamEvent::Text { choice, text: words });
                }
                // A text part without text brings the rest to the text before it.
                if text != Text::default() {
                    events.push(StreamEvent::Part { choice, part: Part::Text(text) });
                }
            }
            Part::Reasoning(reasoning) => {
                if !reasoning.text.is_empty() {
                    events.push(StreamEvent::Reasoning { choice, text: reasoning.text });
                }
                if let Some(signature) = reasoning.signature {
                    events.push(StreamEvent::ReasoningSignature { choice, signature });
                }
            }
            Part::ToolCall(call) => self.call(call, events),
            part => events.push(StreamEvent::Part { choice, part }),
        }
    }

    fn keep(&mut self, words: &str) {
        if self.text_too_long || self.text.len() + words.len() > MAX_TEXT {
            self.text_too_long = true;
            self.text = String::new();
        } else {
            self.text.push_str(words);
        }
    }

    fn call(&mut self, call: ToolCall, events: &mut Vec<StreamEvent>) {
        let (choice, index) = (self.index, self.calls);
        self.calls += 1;
        let ToolCall { id, name, arguments, kind, signature, extra, .. } = call;
        events.extend(extra.keys().map(|member| StreamEvent::Warning(parts::lost(member))));
        events.push(StreamEvent::ToolCallStart { choice, index, id, name, kind, signature });
        events.push(StreamEvent::ToolCallArguments { choice, index, fragment: arguments });
    }

    fn citations(&self, metadata: &Value, events: &mut Vec<StreamEvent>) {
        let choice = self.index;
        if self.text_too_long {
            let note = Some("text_too_long".to_owned());
            let warning = Warning { verdict: Verdict::Dropped, param: "annotations".into(), note };
            events.push(StreamEvent::Warning(warning));
            return;
        }
        let annotations = grounding::annotations(metadata, &self.text, &[]);
        events
            .extend(annotations.into_iter().map(|annotation| StreamEvent::Annotation { choice, annotation }));
    }
}

#[cfg(test)]
mod tests;
