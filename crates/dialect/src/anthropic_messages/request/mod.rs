//! Requests: read from an Anthropic client, written for Anthropic.

mod decode;
mod encode;
mod media;
mod thinking;
mod tools;
mod turns;

pub(super) use decode::{decode, decode_count_tokens};
pub(super) use encode::{Purpose, encode};
pub(super) use thinking::effort_of_budget;
