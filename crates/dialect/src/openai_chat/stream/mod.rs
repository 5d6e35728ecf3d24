//! Streams of chunks: a vendor's read into events, and events written for a client.

mod calls;
mod decode;
mod delta;
mod encode;
#[cfg(test)]
mod tests;

use tidegate_core::ApiError;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;

use crate::chat::ChatResponse;
use crate::fold::Fold;
use crate::{AnswerContext, StreamDecoder};

/// Whether a body is server-sent events although a whole answer was expected.
pub(super) fn looks_like_events(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    [&b"data:"[..], b"event:", b"id:", b":"].iter().any(|field| start.starts_with(field))
}

/// A stream read as the whole answer it amounts to.
///
/// # Errors
/// The stream's own error; 502 when it has no end.
pub(super) fn fold(body: &[u8], ctx: &AnswerContext<'_>) -> Result<ChatResponse, ApiError> {
    let mut decoder = Decoder::new(ctx);
    let mut events = Vec::new();
    decoder.push(body, &mut events);
    decoder.finish(&mut events);
    let mut fold = Fold::new();
    for event in &events {
        fold.push(event);
    }
    fold.finish()
}
