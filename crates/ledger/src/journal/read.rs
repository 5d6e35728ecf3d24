//! From segments to books.

use std::fmt;
use std::io;

use super::files::Files;
use super::frame::{self, Found, Line};
use crate::books::{Books, Broken, Entry, Violation};

/// A segment is named by its number, so that names sort as they were written.
const PREFIX: &str = "segment-";
const SUFFIX: &str = ".ledger";

/// Where in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    /// In bytes from the beginning.
    pub offset: u64,
}

#[derive(Debug)]
pub enum ReadError {
    Io {
        file: String,
        error: io::Error,
    },
    /// Bytes were changed: there are whole lines behind this one, or a later segment goes on where this one does not.
    Damaged(Place),
    /// The lines are whole, and break a rule.
    Violation {
        place: Place,
        violation: Violation,
    },
}

/// What the segments come to.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) books: Books,
    /// All that are there, rising.
    pub(crate) segments: Vec<u64>,
    pub(crate) entries: u64,
    /// Of the last segment: the rest of a line whose writing was cut off.
    pub(crate) torn: u64,
}

pub(super) fn name(number: u64) -> String {
    format!("{PREFIX}{number:012}{SUFFIX}")
}

/// The segments that are there, rising.
pub(super) fn numbers(files: &dyn Files) -> io::Result<Vec<u64>> {
    let number = |name: &String| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok();
    let mut numbers: Vec<u64> = files.names()?.iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads everything, and proves it on the way.
pub(crate) fn replay(files: &dyn Files) -> Result<Replay, ReadError> {
    replay_for(files, &mut |_| {})
}

/// As [`replay`], and tells every entry once it was checked.
pub(super) fn replay_for(files: &dyn Files, told: &mut dyn FnMut(&Entry)) -> Result<Replay, ReadError> {
    let segments = numbers(files).map_err(|error| ReadError::Io { file: String::new(), error })?;
    let (chain, torn) = chain(files, &segments)?;
    let mut replay = Replay { books: Books::default(), segments, entries: 0, torn };
    for (i, segment) in chain.iter().enumerate() {
        let until = chain.get(i + 1).map(Segment::from);
        segment.read(i == 0, until, &mut replay, told)?;
    }
    replay.books.prove().map_err(|violation| {
        let place = chain.last().map(|last| last.place(last.text.len()));
        ReadError::Violation { place: place.unwrap_or(Place { file: String::new(), offset: 0 }), violation }
    })?;
    Ok(replay)
}

/// The segments that count. Left out are those that were cut off before they held anything, and those that a failed
/// write left behind: a later one begins before they do. And how many bytes were cut off behind the last that counts.
fn chain(files: &dyn Files, numbers: &[u64]) -> Result<(Vec<Segment>, u64), ReadError> {
    let (mut chain, mut torn): (Vec<Segment>, u64) = (Vec::new(), 0);
    for number in numbers.iter().rev() {
        let file = name(*number);
        let text = files.read(&file).map_err(|error| ReadError::Io { file: file.clone(), error })?;
        // The first of all may have been cut off, an only one that comes after others not.
        let must_be_whole = numbers.len() == 1 && *number > 1;
        let length = text.len() as u64;
        let Some(segment) = Segment::open(file, text, must_be_whole)? else {
            torn += if chain.is_empty() { length } else { 0 };
            continue;
        };
        if chain.last().is_none_or(|next| segment.snapshot.seq <= next.from()) {
            chain.push(segment);
        }
    }
    chain.reverse();
    Ok((chain, torn))
}

struct Segment {
    file: String,
    text: Vec<u8>,
    carry: Vec<Entry>,
    snapshot: Books,
    /// Where the entries begin.
    body: usize,
}

impl Segment {
    /// `None` when its head is not whole and nothing stands behind it.
    fn open(file: String, text: Vec<u8>, must_be_whole: bool) -> Result<Option<Self>, ReadError> {
        let mut segment = Self { file, text, carry: Vec::new(), snapshot: Books::default(), body: 0 };
        loop {
            let rest = &segment.text[segment.body..];
            let Found::Line { payload, length } = frame::find(rest) else {
                let is_lost = frame::goes_on(rest) || must_be_whole;
                return if is_lost { Err(ReadError::Damaged(segment.place(segment.body))) } else { Ok(None) };
            };
            let line = serde_json::from_slice(payload);
            segment.body += length;
            match line {
                Ok(Line::Carry(carry)) if segment.carry.is_empty() => segment.carry = carry,
                Ok(Line::Snapshot(snapshot)) => {
                    segment.snapshot = *snapshot;
                    return Ok(Some(segment));
                }
                _ => return Err(segment.violation(0, 0, "a segment begins with a snapshot")),
            }
        }
    }

    /// The last entry that this one takes from those before it.
    fn from(&self) -> u64 {
        self.carry.first().map_or(self.snapshot.seq, |entry| entry.seq.saturating_sub(1))
    }

    fn read(
        &self,
        is_first: bool,
        until: Option<u64>,
        replay: &mut Replay,
        told: &mut dyn FnMut(&Entry),
    ) -> Result<(), ReadError> {
        let is_beginning = self.carry.first().is_some_and(|entry| entry.seq == 1);
        if is_first && !is_beginning {
            replay.books = self.snapshot.clone();
        } else {
            for entry in &self.carry {
                self.apply(0, entry, replay)?;
                told(entry);
            }
            if replay.books != self.snapshot {
                return Err(self.violation(0, self.snapshot.seq, "it differs from the entries before it"));
            }
        }
        let mut at = self.body;
        while until.is_none_or(|until| replay.books.seq < until) {
            let rest = &self.text[at..];
            let (payload, length) = match frame::find(rest) {
                Found::Line { payload, length } => (payload, length),
                Found::End if until.is_none() => break,
                Found::Damaged if until.is_none() && !frame::goes_on(rest) => {
                    replay.torn += rest.len() as u64;
                    break;
                }
                Found::End | Found::Damaged => return Err(ReadError::Damaged(self.place(at))),
            };
            let Ok(Line::Entry(entry)) = serde_json::from_slice(payload) else {
                return Err(self.violation(at, replay.books.seq, "an entry stands here"));
            };
            self.apply(at, &entry, replay)?;
            told(&entry);
            at += length;
        }
        Ok(())
    }

    fn apply(&self, at: usize, entry: &Entry, replay: &mut Replay) -> Result<(), ReadError> {
        let applied = replay.books.apply(entry);
        applied.map_err(|violation| ReadError::Violation { place: self.place(at), violation })?;
        replay.entries += 1;
        Ok(())
    }

    fn place(&self, offset: usize) -> Place {
        Place { file: self.file.clone(), offset: offset as u64 }
    }

    fn violation(&self, offset: usize, seq: u64, detail: &str) -> ReadError {
        let violation = Violation { seq, rule: Broken::Snapshot, detail: detail.to_owned() };
        ReadError::Violation { place: self.place(offset), violation }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, byte {}", self.file, self.offset)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { file, error } => write!(f, "{file}: {error}"),
            Self::Damaged(place) => {
                write!(f, "{place}: the line is damaged, and the journal goes on behind it")
            }
            Self::Violation { place, violation } => write!(f, "{place}: {violation}"),
        }
    }
}

impl std::error::Error for ReadError {}
