//! Anthropic's bytes as neutral events: what kind of body it is, and that it ends once.

use tidegate_core::ApiError;

use super::message::Message;
use crate::StreamDecoder;
use crate::anthropic_messages::response;
use crate::chat::StreamEvent;
use crate::fold::unfold;
use crate::framing::{MAX_FRAME, Sse};

/// The state of one stream.
#[derive(Debug)]
pub(in crate::anthropic_messages) struct Decoder {
    source: Source,
    message: Message,
}

/// What the body turned out to be.
#[derive(Debug)]
enum Source {
    /// Nothing but white space so far.
    Unknown,
    Events(Sse),
    /// A JSON body, answered to a request for a stream: an answer or an error.
    Whole(Vec<u8>),
}

impl Decoder {
    pub(in crate::anthropic_messages) fn new() -> Self {
        Self { source: Source::Unknown, message: Message::default() }
    }

    fn recognise(&mut self, bytes: &[u8]) {
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => self.source = Source::Whole(Vec::new()),
            Some(_) => self.source = Source::Events(Sse::new()),
            None => {}
        }
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<StreamEvent>) {
        if self.message.ended {
            return;
        }
        if matches!(self.source, Source::Unknown) {
            self.recognise(bytes);
        }
        let message = &mut self.message;
        match &mut self.source {
            Source::Unknown => {}
            Source::Events(sse) => {
                let pushed = sse.push(bytes, &mut |event| message.data(event.data, events));
                if let Err(error) = pushed {
                    message.fail(ApiError::upstream(error.to_string()), events);
                }
            }
            Source::Whole(body) if body.len() + bytes.len() > MAX_FRAME => {
                message.fail(ApiError::upstream("the answer is too large"), events);
            }
            Source::Whole(body) => body.extend_from_slice(bytes),
        }
    }

    fn finish(&mut self, events: &mut Vec<StreamEvent>) {
        let message = &mut self.message;
        if message.ended {
            return;
        }
        match &mut self.source {
            Source::Unknown => {}
            Source::Events(sse) => {
                if let Err(error) = sse.finish(&mut |event| message.data(event.data, events)) {
                    message.fail(ApiError::upstream(error.to_string()), events);
                }
            }
            Source::Whole(body) => match response::decode(body) {
                Ok(response) => {
                    events.extend(unfold(&response));
                    message.ended = true;
                }
                Err(error) => message.fail(error, events),
            },
        }
        if !message.ended {
            message.fail(ApiError::upstream("the stream ended before `message_stop`"), events);
        }
    }
}

#[cfg(test)]
mod tests;
