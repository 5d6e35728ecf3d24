//! Anthropic's bytes as neutral events: a body is the events of a message, or an answer at once.

use tidegate_core::ApiError;

use super::message::Message;
use crate::anthropic_messages::response;
use crate::body::Frame;
use crate::chat::StreamEvent;
use crate::decoder::{FrameReader, FramedDecoder};
use crate::fold::unfold;

/// The state of one stream.
pub(in crate::anthropic_messages) type Decoder = FramedDecoder<Message>;

impl FrameReader for Message {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        match frame {
            Frame::Piece(data) => self.data(data, events),
            Frame::Whole(body) => response::decode(body).map(|answer| events.extend(unfold(&answer))),
        }
    }

    fn end(&mut self, _events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        Err(ApiError::upstream("the stream ended before `message_stop`"))
    }
}

#[cfg(test)]
mod tests;
