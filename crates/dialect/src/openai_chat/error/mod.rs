//! Errors: those of OpenAI-like vendors read, whatever their shape, and every error written for OpenAI's clients.

mod read;
mod wait;
mod write;

pub(super) use read::{in_success, read, unreadable};
pub(super) use write::{status, write, write_event};
