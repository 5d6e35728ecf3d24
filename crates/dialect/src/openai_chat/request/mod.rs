//! Requests: a client's body read into the neutral form, and the neutral form written for a provider.

mod adjust;
mod read;
mod read_messages;
mod read_parts;
mod read_tools;
#[cfg(test)]
mod tests;
mod write;
mod write_messages;
mod write_parts;

pub use adjust::adjust_body;
pub(super) use read::{check_stream_options, read, read_shared};
pub(super) use write::write;
