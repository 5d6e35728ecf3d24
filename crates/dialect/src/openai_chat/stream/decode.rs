//! A vendor's stream of chunks. Reasons to finish are held back until the stream ends, because some vendors send them
//! early, twice, or change them; everything else goes out as it comes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tidegate_core::{ApiError, ErrorKind, Fault, ServiceTier, Usage};

use super::super::error;
use super::super::member::{take, take_text, whole};
use super::super::response::{self, Ended, content_parts, ended};
use super::calls::Calls;
use super::delta::{push_parts, say};
use crate::body::from_first;
use crate::chat::{Extra, Finish, FinishReason, StreamEvent};
use crate::fold::unfold;
use crate::framing::{FrameError, MAX_FRAME, Sse, SseEvent};
use crate::{AnswerContext, StreamDecoder};

/// As many answers as a request can ask for.
const MAX_CHOICES: usize = 128;
/// Far above what a model calls in one answer.
const MAX_CALLS: usize = 1_024;
/// Vendor members remembered so as not to repeat them; vendors have a handful.
const MAX_SEEN: usize = 64;

#[derive(Debug)]
pub(in super::super) struct Decoder {
    body: Body,
    sse: Sse,
    state: State,
}

/// What the first byte says the body is.
#[derive(Debug)]
enum Body {
    Unknown,
    Events,
    /// JSON or HTML in place of a stream, gathered to its end.
    Whole(Vec<u8>),
}

impl Body {
    /// Gives what is left to be read.
    fn recognise<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if !matches!(self, Self::Unknown) {
            return bytes;
        }
        let bytes = from_first(bytes);
        *self = match bytes.first() {
            None => Self::Unknown,
            Some(b'{' | b'[' | b'<') => Self::Whole(Vec::new()),
            Some(_) => Self::Events,
        };
        bytes
    }
}

impl Decoder {
    pub(in super::super) fn new(ctx: &AnswerContext<'_>) -> Self {
        let state = State { provider: ctx.provider.to_owned(), ..State::default() };
        Self { body: Body::Unknown, sse: Sse::new().splitting_json(), state }
    }

    fn finish_whole(&mut self, body: &[u8], events: &mut Vec<StreamEvent>) {
        let answer = match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => response::answer(members, &self.state.provider),
            _ => Err(error::unreadable(body, &self.state.provider)),
        };
        match answer {
            Ok(answer) => {
                events.extend(unfold(&answer));
                self.state.over = true;
            }
            Err(error) => self.state.fail(error, events),
        }
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<StreamEvent>) {
        if self.state.over {
            return;
        }
        let bytes = self.body.recognise(bytes);
        let result = match &mut self.body {
            Body::Whole(body) if body.len() + bytes.len() > MAX_FRAME => {
                Err(FrameError::TooLarge { max: MAX_FRAME })
            }
            Body::Whole(body) => {
                body.extend_from_slice(bytes);
                Ok(())
            }
            Body::Unknown | Body::Events => {
                let state = &mut self.state;
                self.sse.push(bytes, &mut |event| state.event(event, events))
            }
        };
        if let Err(error) = result {
            self.state.fail(ApiError::upstream(error.to_string()), events);
        }
    }

    fn finish(&mut self, events: &mut Vec<StreamEvent>) {
        if self.state.over {
            return;
        }
        if let Body::Whole(body) = &mut self.body {
            let body = std::mem::take(body);
            return self.finish_whole(&body, events);
        }
        let state = &mut self.state;
        if let Err(error) = self.sse.finish(&mut |event| state.event(event, events)) {
            state.fail(ApiError::upstream(error.to_string()), events);
        }
        if state.over {
            return;
        }
        if state.choices.values().any(|choice| choice.finish.is_some()) {
            state.end(events);
        } else {
            let message = format!("{}'s stream ended before the answer was complete", state.provider);
            state.fail(ApiError::upstream(message), events);
        }
    }
}

#[derive(Debug, Default)]
struct State {
    provider: String,
    id: String,
    started: bool,
    /// `End` or `Error` was given.
    over: bool,
    choices: BTreeMap<u32, Choice>,
    usage: Option<Usage>,
    /// Vendor members already reported: some repeat them in every chunk.
    seen: Extra,
}

#[derive(Debug, Default)]
struct Choice {
    calls: Calls,
    /// Something of the answer was said.
    said: bool,
    /// The vendor's word for the end, and its maker's own where it differs.
    finish: Option<(String, Option<String>)>,
}

impl State {
    fn event(&mut self, event: SseEvent<'_>, events: &mut Vec<StreamEvent>) {
        let data = event.data.trim_ascii();
        if self.over || data.is_empty() {
            return;
        }
        if data == b"[DONE]" {
            return self.end(events);
        }
        match serde_json::from_slice(data) {
            Ok(Value::Object(chunk)) => {
                if let Err(error) = self.chunk(chunk, events) {
                    self.fail(error, events);
                }
            }
            _ => {
                let message = format!("{} sent an event that is not a JSON object", self.provider);
                self.fail(ApiError::upstream(message), events);
            }
        }
    }

    fn chunk(
        &mut self,
        mut chunk: Map<String, Value>,
        events: &mut Vec<StreamEvent>,
    ) -> Result<(), ApiError> {
        if let Some(error) = error::in_success(&chunk) {
            return Err(error);
        }
        let mut usage = response::take_usage(&mut chunk);
        let choices = match take(&mut chunk, "choices") {
            Some(Value::Array(choices)) => choices,
            _ => Vec::new(),
        };
        self.start(&mut chunk, !choices.is_empty(), events);
        for (position, choice) in choices.into_iter().enumerate() {
            let Value::Object(mut choice) = choice else { continue };
            usage = usage.or_else(|| take(&mut choice, "usage").as_ref().and_then(response::read_usage));
            self.choice(choice, position, events)?;
        }
        let tier = chunk.get("service_tier").and_then(Value::as_str).and_then(ServiceTier::of_answer);
        if let Some(usage) = &mut usage {
            usage.tier = tier;
        }
        self.members(chunk, events);
        if let Some(usage) = usage.filter(|usage| self.usage.as_ref() != Some(usage)) {
            self.usage = Some(usage.clone());
            events.push(StreamEvent::Usage(usage));
        }
        Ok(())
    }

    /// Azure's first chunk has neither id nor choices: it is not the beginning of the answer.
    fn start(&mut self, chunk: &mut Map<String, Value>, has_choices: bool, events: &mut Vec<StreamEvent>) {
        let id = take_text(chunk, "id");
        let model = take_text(chunk, "model");
        let created = take(chunk, "created").as_ref().and_then(whole).filter(|seconds| *seconds > 0);
        if self.started || (id.is_none() && !has_choices) {
            return;
        }
        self.started = true;
        self.id = id.clone().unwrap_or_default();
        events.push(StreamEvent::Start { id, model, created });
        if !self.seen.is_empty() {
            events.push(StreamEvent::Extra { choice: None, extra: self.seen.clone() });
        }
    }

    /// Vendor members of the chunk itself. Before the start they wait in `seen`.
    fn members(&mut self, mut chunk: Map<String, Value>, events: &mut Vec<StreamEvent>) {
        chunk.retain(|key, value| {
            let known = matches!(key.as_str(), "id" | "object" | "created" | "model" | "obfuscation");
            !known && !value.is_null() && self.seen.get(key) != Some(value)
        });
        if chunk.is_empty() {
            return;
        }
        if self.seen.len() + chunk.len() <= MAX_SEEN {
            self.seen.extend(chunk.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        if self.started {
            events.push(StreamEvent::Extra { choice: None, extra: chunk });
        }
    }

    fn choice(
        &mut self,
        mut choice: Map<String, Value>,
        position: usize,
        events: &mut Vec<StreamEvent>,
    ) -> Result<(), ApiError> {
        let index = take(&mut choice, "index").as_ref().and_then(whole);
        let index = u32::try_from(index.unwrap_or(position as u64)).unwrap_or(u32::MAX);
        if self.choices.len() >= MAX_CHOICES && !self.choices.contains_key(&index) {
            return Err(self.endless("choices"));
        }
        let under_way = self.choices.entry(index).or_default();
        let before = events.len();

        let message = take(&mut choice, "message");
        let mut delta = match take(&mut choice, "delta") {
            Some(Value::Object(delta)) => delta,
            // A whole message in one chunk; but some repeat at the end what they said piece by piece.
            _ => match message {
                Some(Value::Object(message)) if !under_way.said => message,
                _ => Map::new(),
            },
        };
        let text = take(&mut choice, "text");
        say(index, &mut under_way.calls, &mut delta, &self.id, events);
        if under_way.calls.count() > MAX_CALLS {
            return Err(self.endless("tool calls"));
        }
        if events.len() == before {
            push_parts(index, content_parts(text.unwrap_or_default()), events);
        }
        if let Some(logprobs) = take(&mut choice, "logprobs").filter(response::is_chat_logprobs) {
            events.push(StreamEvent::Logprobs { choice: index, logprobs });
        }
        under_way.said |= events.len() > before;
        under_way.finish(&mut choice)?;

        choice.extend(delta);
        choice.retain(|key, value| key != "role" && says_something(value));
        if !choice.is_empty() {
            events.push(StreamEvent::Extra { choice: Some(index), extra: choice });
        }
        Ok(())
    }

    fn end(&mut self, events: &mut Vec<StreamEvent>) {
        if self.choices.is_empty() {
            let message = format!("{}'s stream ended without an answer", self.provider);
            return self.fail(ApiError::upstream(message), events);
        }
        self.over = true;
        for (&index, choice) in &mut self.choices {
            let (word, native) = choice.finish.take().unwrap_or_default();
            let reason = match ended(&word, choice.calls.any()) {
                Ended::As(reason) => reason,
                Ended::Failed | Ended::Starved => FinishReason::Length,
            };
            let raw = native.or(Some(word).filter(|word| !word.is_empty()));
            let finish = Finish { reason, raw, stop_sequence: None };
            events.push(StreamEvent::Finish { choice: index, finish });
        }
        events.push(StreamEvent::End);
    }

    fn endless(&self, what: &str) -> ApiError {
        ApiError::upstream(format!("{} sent too many {what} in one answer", self.provider))
    }

    /// Ends the stream in an error, unless it is over: the bytes that brought the end may go on with what cannot be read.
    fn fail(&mut self, error: ApiError, events: &mut Vec<StreamEvent>) {
        if !std::mem::replace(&mut self.over, true) {
            events.push(StreamEvent::Error(error));
        }
    }
}

impl Choice {
    fn finish(&mut self, choice: &mut Map<String, Value>) -> Result<(), ApiError> {
        let native = take_text(choice, "native_finish_reason");
        choice.retain(|key, value| !(key == "finish_reason" && value.as_str() == Some("")));
        let Some(word) = take_text(choice, "finish_reason") else { return Ok(()) };
        match ended(&word, false) {
            Ended::Failed => Err(ApiError::upstream("the provider failed while it answered")),
            Ended::Starved if !self.said => Err(ApiError::new(
                ErrorKind::Overloaded,
                Fault::Provider,
                503,
                "the provider ran out of resources before it answered",
            )),
            Ended::Starved | Ended::As(_) => {
                self.finish = Some((word, native));
                Ok(())
            }
        }
    }
}

/// Vendors fill chunks that have nothing to tell with nulls and empty objects.
fn says_something(value: &Value) -> bool {
    !value.is_null() && value.as_object().is_none_or(|members| !members.is_empty())
}
