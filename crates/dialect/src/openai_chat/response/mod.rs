//! Whole answers: a provider's read into the neutral form, and the neutral form written for a client.

mod content;
mod finish;
mod read;
mod usage;
mod write;

pub(super) use content::{argument_text, content_parts, made_up_call_id};
pub(super) use finish::{Ended, ended, word};
pub(super) use read::{answer, is_chat_logprobs, read, take_usage};
pub(super) use usage::{read_usage, write_usage};
pub(super) use write::{specific_fields, tier, write};
