//! Writing: entries in, and only back when they are on disk.

use std::fmt;
use std::io;

use super::files::{Files, Output};
use super::frame::{self, LineRef};
use super::read::name;
use crate::books::{Books, Entry, Violation};

/// How segments are cut, and how many stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// A segment that is longer is followed by a new one.
    pub(crate) bytes: u64,
    /// So many stay; at least one.
    pub(crate) keep: usize,
}

/// Why a batch is not on disk.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// Try again: the next attempt goes to a new segment.
    Io(io::Error),
    /// The entries do not fit the books: a mistake of this program. They were not written.
    Violation(Violation),
}

pub(crate) struct Segments {
    files: Box<dyn Files>,
    /// With all entries that were ever given, on disk or not.
    books: Books,
    /// Those that are not.
    unsaved: Vec<Entry>,
    numbers: Vec<u64>,
    next: u64,
    open: Option<Open>,
    sizes: Sizes,
    text: Vec<u8>,
}

struct Open {
    file: Box<dyn Output>,
    length: u64,
    /// The next segment is begun at this length.
    full: u64,
}

impl Segments {
    /// `numbers` are the segments that are there. Nothing is written before the first entry.
    pub(crate) fn new(files: Box<dyn Files>, books: Books, numbers: Vec<u64>, sizes: Sizes) -> Self {
        let next = numbers.last().map_or(1, |last| last + 1);
        Self { files, books, unsaved: Vec::new(), numbers, next, open: None, sizes, text: Vec::new() }
    }

    pub(crate) fn books(&self) -> &Books {
        &self.books
    }

    /// The last entry that is on disk.
    pub(crate) fn durable(&self) -> u64 {
        self.unsaved.first().map_or(self.books.seq, |first| first.seq - 1)
    }

    /// Puts the entries on disk, and those of attempts that failed. What breaks a rule is not written.
    pub(crate) fn append(&mut self, batch: Vec<Entry>) -> Result<(), WriteError> {
        for entry in &batch {
            self.books.apply(entry).map_err(WriteError::Violation)?;
        }
        self.unsaved.extend(batch);
        let result = self.write();
        if result.is_err() {
            // What a failed write or sync has left behind nobody knows. It is never written to again.
            self.open = None;
        }
        result.map_err(WriteError::Io)
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.open else { return self.begin() };
        self.text.clear();
        for entry in &self.unsaved {
            frame::write(&LineRef::Entry(entry), &mut self.text)?;
        }
        open.file.write_all(&self.text)?;
        open.file.sync()?;
        open.length += self.text.len() as u64;
        self.unsaved.clear();
        let is_full = open.length > open.full;
        if is_full && self.begin().is_err() {
            // The entries are on disk. The next ones try again, and take the error if it is still there.
            self.open = None;
        }
        Ok(())
    }

    /// Begins a segment with everything in it so far, and then removes old ones. After a full segment there is nothing
    /// unsaved: what was acknowledged never stands in a head alone, which nothing behind it would miss.
    fn begin(&mut self) -> io::Result<()> {
        self.text.clear();
        if !self.unsaved.is_empty() {
            frame::write(&LineRef::Carry(&self.unsaved), &mut self.text)?;
        }
        frame::write(&LineRef::Snapshot(&self.books), &mut self.text)?;
        let number = self.next;
        self.next += 1;
        let mut file = self.files.create(&name(number))?;
        self.numbers.push(number);
        file.write_all(&self.text)?;
        file.sync()?;
        self.files.sync()?;
        let length = self.text.len() as u64;
        // A segment is several times as long as its snapshot, so that snapshots are a small part of what is written.
        self.open = Some(Open { file, length, full: self.sizes.bytes.max(length * 4) });
        self.unsaved.clear();
        self.text.shrink_to(1 << 20);
        self.tidy();
        Ok(())
    }

    /// An old segment that cannot be removed is tried again with the next; nothing depends on it.
    fn tidy(&mut self) {
        let surplus = self.numbers.len().saturating_sub(self.sizes.keep.max(1));
        let mut removed = 0;
        for number in &self.numbers[..surplus] {
            match self.files.remove(&name(*number)) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => removed += 1,
                // From the oldest on: a gap would look like loss.
                Err(_) => break,
            }
        }
        self.numbers.drain(..removed);
    }
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segments")
            .field("next", &self.next)
            .field("unsaved", &self.unsaved.len())
            .finish_non_exhaustive()
    }
}
