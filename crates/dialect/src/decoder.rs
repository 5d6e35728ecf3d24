//! What stream decoders share: a body is split into frames, one error or `End` is the last event, and nothing is read
//! after it.

use tidegate_core::ApiError;

use crate::StreamDecoder;
use crate::body::{Frame, StreamBody};
use crate::chat::StreamEvent;

/// A dialect's reading of frames; its state is what has to be remembered from frame to frame.
pub(crate) trait FrameReader: Send {
    /// Appends the events of a frame, `End` after the last of the answer. An error ends the stream.
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<StreamEvent>) -> Result<(), ApiError>;

    /// The body ended and there was no `End`.
    fn end(&mut self, _events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        Err(incomplete())
    }
}

pub(crate) fn incomplete() -> ApiError {
    ApiError::upstream("the stream ended before the answer was complete")
}

#[derive(Debug, Default)]
pub(crate) struct FramedDecoder<R> {
    body: StreamBody,
    answer: Answer<R>,
}

#[derive(Debug, Default)]
struct Answer<R> {
    reader: R,
    /// `End` or `Error` was given.
    over: bool,
}

impl<R: Default> FramedDecoder<R> {
    pub(crate) fn of(body: StreamBody) -> Self {
        Self { body, answer: Answer::default() }
    }
}

impl<R: FrameReader> StreamDecoder for FramedDecoder<R> {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<StreamEvent>) {
        let answer = &mut self.answer;
        if answer.over {
            return;
        }
        if let Err(e) = self.body.push(bytes, &mut |frame| answer.frame(frame, events)) {
            answer.note(Err(ApiError::upstream(e.to_string())), events);
        }
    }

    fn finish(&mut self, events: &mut Vec<StreamEvent>) {
        let answer = &mut self.answer;
        if answer.over {
            return;
        }
        if let Err(e) = self.body.finish(&mut |frame| answer.frame(frame, events)) {
            answer.note(Err(ApiError::upstream(e.to_string())), events);
        }
        if !answer.over {
            let ended = answer.reader.end(events);
            answer.note(ended, events);
        }
    }
}

impl<R: FrameReader> Answer<R> {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<StreamEvent>) {
        if !self.over {
            let read = self.reader.frame(frame, events);
            self.note(read, events);
        }
    }

    fn note(&mut self, outcome: Result<(), ApiError>, events: &mut Vec<StreamEvent>) {
        if self.over {
            return;
        }
        events.extend(outcome.err().map(StreamEvent::Error));
        self.over = matches!(events.last(), Some(StreamEvent::End | StreamEvent::Error(_)));
    }
}
