//! A record and its bodies as one entry of the journal.

use crate::body::StoredBodies;
use crate::codec::{self, Cursor, Malformed, varint};
use crate::facts::Facts;

/// The record with its length before it, then the bodies.
pub(crate) fn write(record: &[u8], bodies: Option<&StoredBodies>) -> Vec<u8> {
    let mut out = Vec::with_capacity(record.len() + 8);
    varint(record.len() as u64, &mut out);
    out.extend_from_slice(record);
    if let Some(bodies) = bodies {
        codec::encode_message(bodies, &mut out);
    }
    out
}

/// `None`: not written by this binary or an older one, or not by a binary at all.
pub(crate) fn read(payload: &[u8]) -> Option<(&[u8], Facts<'_>, Option<StoredBodies>)> {
    let mut cursor = Cursor(payload);
    let length = cursor.varint().ok()?;
    let encoded = cursor.bytes(length).map_err(|Malformed| ()).ok()?;
    let facts = Facts::read(encoded).ok()?;
    let bodies = if cursor.0.is_empty() { None } else { Some(codec::decode_message(cursor.0).ok()?) };
    Some((encoded, facts, bodies))
}
