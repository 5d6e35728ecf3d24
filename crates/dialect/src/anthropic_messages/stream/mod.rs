//! Streams: read from Anthropic, written for its clients.

mod decode;
mod encode;
mod events;
mod json_end;
mod message;

#[cfg(test)]
mod grammar;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;
pub(super) use events::error_event;
