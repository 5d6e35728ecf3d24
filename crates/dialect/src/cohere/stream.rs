//! The stream of `/v2/chat`: server-sent events that begin with `message-start` and end with `message-end`. A plain body
//! answered to a stream request is read as what it is.

use serde_json::Value;
use tidegate_core::ApiError;

use super::wire::{AnswerBlock, AnsweredCall, Event, EventType, MessageEnd, One};
use super::{error, response};
use crate::body::Frame;
use crate::chat::{Part, StreamEvent, Text, ToolKind};
use crate::decoder::{FrameReader, FramedDecoder};
use crate::fold::unfold;

/// Cohere gives one answer at a time.
const CHOICE: u32 = 0;

pub(super) type Decoder = FramedDecoder<Message>;

/// What has to be remembered from event to event.
#[derive(Debug, Default)]
pub(super) struct Message {
    calls: u32,
    /// The last part sent was text: a new block of text must be told apart from it.
    in_text: bool,
}

impl FrameReader for Message {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        match frame {
            Frame::Piece(data) if data.is_empty() || data == b"[DONE]" => Ok(()),
            Frame::Piece(data) => serde_json::from_slice::<Event>(data)
                .map_err(|e| error::instead_of_answer(data, &e))
                .and_then(|event| self.event(event, events)),
            Frame::Whole(body) => response::decode(body).map(|answer| events.extend(unfold(&answer))),
        }
    }
}

impl Message {
    fn event(&mut self, event: Event, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let message = event.delta.message;
        match event.r#type {
            EventType::MessageStart => {
                events.push(StreamEvent::Start { id: event.id, model: None, created: None });
            }
            EventType::ToolPlanDelta => {
                if let Some(text) = message.tool_plan.filter(|text| !text.is_empty()) {
                    self.in_text = false;
                    events.push(StreamEvent::Reasoning { choice: CHOICE, text });
                }
            }
            EventType::ContentStart => {
                if let Some(block) = message.content.and_then(One::into_first) {
                    self.start_block(block, events);
                }
            }
            EventType::ContentDelta => {
                if let Some(block) = message.content.and_then(One::into_first) {
                    self.grow_block(block, events);
                }
                let logprobs = event.logprobs.as_ref().map(std::slice::from_ref).and_then(response::logprobs);
                events.extend(logprobs.map(|logprobs| StreamEvent::Logprobs { choice: CHOICE, logprobs }));
            }
            EventType::ToolCallStart => {
                self.start_call(message.tool_calls.and_then(One::into_first), events);
            }
            EventType::ToolCallDelta => {
                let call = message.tool_calls.and_then(One::into_first);
                self.grow_call(call.and_then(|call| call.function.arguments), events)?;
            }
            EventType::CitationStart => {
                if let Some(citation) = message.citations.and_then(One::into_first) {
                    cite(citation, events);
                }
            }
            EventType::MessageEnd => {
                self.end(&event.delta.end, events)?;
            }
            EventType::Other => {}
        }
        Ok(())
    }

    fn start_block(&mut self, block: AnswerBlock, events: &mut Vec<StreamEvent>) {
        if self.in_text && block.text.is_some() {
            // An empty text ends the one under way.
            events.push(StreamEvent::Part { choice: CHOICE, part: Part::Text(Text::default()) });
            self.in_text = false;
        }
        self.grow_block(block, events);
    }

    fn grow_block(&mut self, block: AnswerBlock, events: &mut Vec<StreamEvent>) {
        let Some(part) = response::block(block) else { return };
        self.in_text = matches!(part, Part::Text(_));
        events.push(match part {
            Part::Text(text) => StreamEvent::Text { choice: CHOICE, text: text.text },
            Part::Reasoning(reasoning) => StreamEvent::Reasoning { choice: CHOICE, text: reasoning.text },
            part => StreamEvent::Part { choice: CHOICE, part },
        });
    }

    fn start_call(&mut self, call: Option<AnsweredCall>, events: &mut Vec<StreamEvent>) {
        let AnsweredCall { id, function } = call.unwrap_or_default();
        self.in_text = false;
        events.push(StreamEvent::ToolCallStart {
            choice: CHOICE,
            index: self.calls,
            id: response::id_or_made(id),
            name: function.name.unwrap_or_default(),
            kind: ToolKind::Function,
            signature: None,
        });
        self.calls += 1;
        if let Some(fragment) = function.arguments.filter(|fragment| !fragment.is_empty()) {
            events.push(StreamEvent::ToolCallArguments { choice: CHOICE, index: self.calls - 1, fragment });
        }
    }

    fn grow_call(&mut self, fragment: Option<String>, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let Some(index) = self.calls.checked_sub(1) else {
            return Err(ApiError::upstream("the stream has arguments of a tool call before the call"));
        };
        if let Some(fragment) = fragment.filter(|fragment| !fragment.is_empty()) {
            events.push(StreamEvent::ToolCallArguments { choice: CHOICE, index, fragment });
        }
        Ok(())
    }

    fn end(&mut self, end: &MessageEnd, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        if let Some(text) = end.error.as_deref() {
            return Err(response::failed(text));
        }
        let finish = response::finish(end.finish_reason.as_deref().unwrap_or("COMPLETE"), self.calls > 0)?;
        events.push(StreamEvent::Finish { choice: CHOICE, finish });
        if let Some(usage) = &end.usage {
            let extra = response::billed(usage);
            if !extra.is_empty() {
                events.push(StreamEvent::Extra { choice: None, extra });
            }
            events.push(StreamEvent::Usage(response::usage(usage)));
        }
        events.push(StreamEvent::End);
        Ok(())
    }
}

/// An empty text brings its citations to the text under way.
fn cite(citation: Value, events: &mut Vec<StreamEvent>) {
    let text = Text { citations: vec![citation], ..Text::default() };
    events.push(StreamEvent::Part { choice: CHOICE, part: Part::Text(text) });
}

#[cfg(test)]
mod tests {
    use tidegate_core::ErrorKind;

    use super::*;
    use crate::fixtures::Fixtures;
    use crate::{DialectId, StreamDecoder};

    fn fixtures() -> Fixtures {
        Fixtures::of(DialectId::Cohere, "cohere")
    }

    fn events(body: &str) -> Vec<StreamEvent> {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        decoder.push(body.as_bytes(), &mut events);
        decoder.finish(&mut events);
        events
    }

    #[test]
    fn splits_do_not_matter() {
        fixtures().assert_splits_do_not_matter();
    }

    #[test]
    fn what_comes_before_a_body_does_not_matter() {
        fixtures().assert_what_comes_before_does_not_matter();
    }

    #[test]
    fn streams_fold_to_the_plain_answers() {
        fixtures().assert_streams_fold_to_the_plain_answers();
    }

    #[test]
    fn streams_keep_to_the_grammar() {
        fixtures().assert_grammar();
    }

    #[test]
    fn bad_ends_are_errors() {
        for (file, status, kind) in [
            ("error-mid-stream.sse", 502, ErrorKind::UpstreamBroken),
            ("timeout.sse", 504, ErrorKind::Timeout),
            ("cut-short.sse", 502, ErrorKind::UpstreamBroken),
            ("error-object.sse", 502, ErrorKind::UpstreamBroken),
        ] {
            let error = fixtures().folded(file).unwrap_err();
            assert_eq!((error.status, error.kind), (status, kind), "{file}");
        }
    }

    #[test]
    fn plain_bodies_are_read_all_the_same() {
        let body =
            r#"{"id":"1","finish_reason":"COMPLETE","message":{"content":[{"type":"text","text":"a"}]}}"#;
        assert_eq!(events(body).last(), Some(&StreamEvent::End));
        for body in ["", "<html>", r#"{"message":"no"}"#, "{", "data: {}\n\n", "data: x\n\n"] {
            let last = events(body).pop();
            assert!(matches!(last, Some(StreamEvent::Error(_))), "{body}: {last:?}");
        }
    }

    #[test]
    fn arguments_without_a_call_are_an_error() {
        let body = r#"data: {"type":"tool-call-delta","delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}"#;
        assert!(matches!(events(body).last(), Some(StreamEvent::Error(_))));
    }
}
