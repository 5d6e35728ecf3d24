//! The stream of `/api/chat`: lines of JSON, each an answer with a piece of the message. The last one is `done`.

use tidegate_core::ApiError;
use tidegate_core::clock::rfc3339_seconds;

use super::response;
use super::wire::Answer;
use crate::body::{Frame, StreamBody};
use crate::chat::{Part, StreamEvent, ToolCall};
use crate::decoder::{FrameReader, FramedDecoder};

/// Ollama gives one answer at a time.
const CHOICE: u32 = 0;

/// A plain body is a line as well.
pub(super) fn decoder() -> FramedDecoder<Message> {
    FramedDecoder::of(StreamBody::lines())
}

/// What has to be remembered from line to line.
#[derive(Debug, Default)]
pub(super) struct Message {
    started: bool,
    calls: u32,
}

impl FrameReader for Message {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let (Frame::Piece(line) | Frame::Whole(line)) = frame;
        let line = line.trim_ascii();
        if !line.is_empty() {
            self.answer(response::read(line)?, events);
        }
        Ok(())
    }
}

impl Message {
    fn answer(&mut self, answer: Answer, events: &mut Vec<StreamEvent>) {
        if !self.started {
            self.started = true;
            let created = answer.created_at.as_deref().and_then(rfc3339_seconds);
            events.push(StreamEvent::Start { id: None, model: answer.model, created });
        }
        for part in answer.message.map(response::parts).unwrap_or_default() {
            self.part(part, events);
        }
        let logprobs = answer.logprobs.and_then(response::logprobs);
        events.extend(logprobs.map(|logprobs| StreamEvent::Logprobs { choice: CHOICE, logprobs }));
        if !answer.rest.is_empty() {
            events.push(StreamEvent::Extra { choice: None, extra: answer.rest });
        }
        if answer.done == Some(true) {
            let finish = response::finish(answer.done_reason, self.calls > 0);
            events.push(StreamEvent::Finish { choice: CHOICE, finish });
            let usage = response::usage(answer.prompt_eval_count, answer.eval_count);
            events.extend(usage.map(StreamEvent::Usage));
            events.push(StreamEvent::End);
        }
    }

    fn part(&mut self, part: Part, events: &mut Vec<StreamEvent>) {
        match part {
            Part::Text(text) => events.push(StreamEvent::Text { choice: CHOICE, text: text.text }),
            Part::Reasoning(reasoning) => {
                events.push(StreamEvent::Reasoning { choice: CHOICE, text: reasoning.text });
            }
            Part::ToolCall(call) => {
                let index = self.calls;
                self.calls += 1;
                let ToolCall { id, name, arguments, kind, signature, .. } = call;
                events.push(StreamEvent::ToolCallStart { choice: CHOICE, index, id, name, kind, signature });
                events.push(StreamEvent::ToolCallArguments { choice: CHOICE, index, fragment: arguments });
            }
            part => events.push(StreamEvent::Part { choice: CHOICE, part }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::Fixtures;
    use crate::{DialectId, StreamDecoder};

    fn fixtures() -> Fixtures {
        Fixtures::of(DialectId::Ollama, "ollama")
    }

    #[test]
    fn splits_do_not_matter() {
        fixtures().assert_splits_do_not_matter();
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
        for (file, text) in [
            ("error-mid-stream.ndjson", "llama runner process has terminated"),
            ("cut-short.ndjson", "ended before"),
            ("unreadable.ndjson", "cannot be read"),
        ] {
            let error = fixtures().folded(file).unwrap_err();
            assert_eq!(error.status, 502, "{file}");
            assert!(error.message.contains(text), "{file}: {}", error.message);
        }
    }

    fn last(body: &str) -> Option<StreamEvent> {
        let mut decoder = decoder();
        let mut events = Vec::new();
        decoder.push(body.as_bytes(), &mut events);
        decoder.finish(&mut events);
        events.pop()
    }

    #[test]
    fn a_body_answered_whole_is_a_stream_of_one_line() {
        assert_eq!(last(r#"{"model":"m","message":{"content":"a"},"done":true}"#), Some(StreamEvent::End));
    }

    #[test]
    fn only_a_line_that_is_done_ends_the_answer() {
        let error = last(r#"{"model":"m","message":{"content":"a"}}"#);
        assert!(matches!(error, Some(StreamEvent::Error(_))), "{error:?}");
    }
}
