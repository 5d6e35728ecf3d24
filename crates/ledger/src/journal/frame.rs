//! One line: eight hex digits of length, eight of CRC-32, a space, JSON, a line feed. A person can read it, and a
//! machine can tell a line that was cut off from one that was changed.

use serde::{Deserialize, Serialize};

use super::line;
use crate::books::{Books, Entry};

/// Length and checksum, and the space after them.
const HEAD: usize = 17;

/// What a line is, when it is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Entry(Entry),
    /// The books before the entries that follow.
    Snapshot(Box<Books>),
    /// Before a snapshot: entries that may or may not have reached the segment before. The snapshot has them in it.
    Carry(Vec<Entry>),
}

/// The same, when it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LineRef<'a> {
    Entry(&'a Entry),
    Snapshot(&'a Books),
    Carry(&'a [Entry]),
}

/// What stands at a place.
pub(super) enum Found<'a> {
    Line {
        payload: &'a [u8],
        length: usize,
    },
    /// Nothing: the text ends here.
    End,
    Damaged,
}

/// # Errors
/// None that the types of this crate can cause.
pub(super) fn write(value: &LineRef<'_>, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let start = out.len();
    out.extend_from_slice(&[b' '; HEAD]);
    let is_written = matches!(value, LineRef::Entry(entry) if line::write(entry, out));
    if !is_written && let Err(error) = serde_json::to_writer(&mut *out, value) {
        out.truncate(start);
        return Err(error);
    }
    let payload = &out[start + HEAD..];
    let numbers = [payload.len() as u32, crc32fast::hash(payload)];
    for (number, digits) in numbers.into_iter().zip(out[start..].chunks_exact_mut(8)) {
        for (at, digit) in digits.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(number >> (28 - 4 * at)) as usize & 15];
        }
    }
    out.push(b'\n');
    Ok(())
}

pub(super) fn find(text: &[u8]) -> Found<'_> {
    if text.is_empty() {
        return Found::End;
    }
    let hex = |range: std::ops::Range<usize>| {
        let digits = std::str::from_utf8(text.get(range)?).ok()?;
        // `from_str_radix` would take a sign.
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let payload = || {
        let (length, sum) = (hex(0..8)? as usize, hex(8..16)?);
        let payload = text.get(HEAD..HEAD.checked_add(length)?)?;
        let is_whole = text[16] == b' ' && text.get(HEAD + length) == Some(&b'\n');
        (is_whole && crc32fast::hash(payload) == sum).then_some(payload)
    };
    match payload() {
        Some(payload) => Found::Line { payload, length: HEAD + payload.len() + 1 },
        None => Found::Damaged,
    }
}

/// Whether a whole line stands anywhere behind a damaged one. If not, the damage is where writing was cut off. Looked for
/// at every byte: the line feed before it may be what was changed.
pub(super) fn goes_on(damaged: &[u8]) -> bool {
    (1..damaged.len()).any(|start| matches!(find(&damaged[start..]), Found::Line { .. }))
}
