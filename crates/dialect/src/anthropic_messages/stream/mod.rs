//! Streams: read from Anthropic, written for its clients.

mod decode;
mod encode;
mod events;
mod json_end;

#[cfg(test)]
mod grammar;

pub(super) use decode::Decoder;
pub(super) use encode::{Encoder, error_event};
