//! Splits and joins the frames of a streamed body: server-sent events, one JSON text a line, and the elements of a
//! top-level JSON array.
//!
//! A splitter takes bytes cut anywhere (inside a UTF-8 sequence, between CR and LF) and calls back with whole frames,
//! in order. What a frame means is not decided here. Each splitter is bounded: a frame larger than its maximum is an
//! error, and no more than that is ever held. After an error a splitter has nothing more to say: stop pushing.

use std::fmt;

pub mod json_array;
pub mod ndjson;
pub mod sse;

pub use json_array::JsonArray;
pub use ndjson::Ndjson;
pub use sse::{Sse, SseEvent, write_event};

/// Largest frame a splitter accepts unless told otherwise, in bytes. An inline image is the largest frame of practice.
pub const MAX_FRAME: usize = 16 * 1024 * 1024;

/// Why bytes could not be split into frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// One frame has more bytes than allowed.
    TooLarge { max: usize },
    /// The body is not a JSON array.
    NotAnArray,
    /// The body ended inside a JSON array.
    Truncated,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { max } => write!(f, "an event of the stream is larger than {max} bytes"),
            Self::NotAnArray => f.write_str("the stream is not a JSON array"),
            Self::Truncated => f.write_str("the stream ended inside its JSON array"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Appends to `carry`, which may not exceed `max`.
fn keep(carry: &mut Vec<u8>, bytes: &[u8], max: usize) -> Result<(), FrameError> {
    if carry.len() + bytes.len() > max {
        return Err(FrameError::TooLarge { max });
    }
    carry.extend_from_slice(bytes);
    Ok(())
}
