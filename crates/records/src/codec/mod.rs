//! The form of records in the queue, in the journal and in stores.
//!
//! A byte with the version, then fields: a key (number × 4 + kind) and a value. Kinds: 0 a number, 1 bytes with their
//! length before them, 2 a group of fields with its length. Numbers are base-128, low digits first; a group's length is
//! four bytes, because it is written before it is known. Fields with their default value are left out.
//!
//! Why not JSON lines: this is written on the path of every request, where it costs a fourth of the time and a third of
//! the bytes. Every value says where it ends, so a reader skips fields that it does not know: an older binary reads what
//! a newer one wrote, and stores that keep the bytes keep those fields too. The version changes only if that breaks.

mod field;
mod wire;

use std::fmt;

pub(crate) use field::{Field, Message, fields};
pub use wire::Malformed;
pub(crate) use wire::{Cursor, Value, varint};

use crate::record::RequestRecord;

/// The version that this binary writes, and the highest that it reads.
pub const VERSION: u8 = 1;

/// Appends a record to `out`. Costs a few hundred nanoseconds and no allocation beyond `out`'s growth.
pub fn encode(record: &RequestRecord, out: &mut Vec<u8>) {
    encode_message(record, out);
}

/// # Errors
/// The bytes are not a record, or of a version that this binary does not know. Unknown fields are no error.
pub fn decode(bytes: &[u8]) -> Result<RequestRecord, DecodeError> {
    decode_message(bytes)
}

pub(crate) fn encode_message<M: Message>(message: &M, out: &mut Vec<u8>) {
    out.push(VERSION);
    message.write(out);
}

pub(crate) fn decode_message<M: Message>(bytes: &[u8]) -> Result<M, DecodeError> {
    M::read(body(bytes)?).map_err(DecodeError::Malformed)
}

/// The fields behind the version.
pub(crate) fn body(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let (version, rest) = bytes.split_first().ok_or(DecodeError::Malformed(Malformed))?;
    if *version != VERSION {
        return Err(DecodeError::Version(*version));
    }
    Ok(rest)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// Written by a binary that is newer than this one and changed the form itself.
    Version(u8),
    Malformed(Malformed),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => {
                write!(f, "a record of version {version}; this binary reads up to {VERSION}")
            }
            Self::Malformed(_) => f.write_str("the bytes are not a record"),
        }
    }
}

impl std::error::Error for DecodeError {}
