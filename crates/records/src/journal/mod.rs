//! Records on disk, while the store is slow or away.
//!
//! Segments are files named after the number of their first entry. An entry is a mark, its number, the payload's length,
//! a checksum over all of these and the payload. Numbers have no gaps, so when bytes were changed on disk the reader knows how many
//! entries are lost. A process never appends to a segment of another: a torn end stays where it is. A segment is deleted
//! when the store has made all its entries durable.

mod disk;
mod segment;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

pub use disk::{Disk, RealDisk, SegmentFile};
pub use segment::{Scan, scan};

use crate::options::JournalOptions;

/// Why entries were not taken. Nothing of the batch counts as journaled.
#[derive(Debug)]
pub enum JournalError {
    /// The bound on bytes is reached.
    Full,
    Io(io::Error),
}

/// What was found at the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    pub entries: u64,
    /// Entries whose bytes were changed.
    pub damaged: u64,
    /// Segments that end in an unfinished entry.
    pub torn: u64,
    pub unclean: bool,
}

#[derive(Debug)]
struct Sealed {
    path: PathBuf,
    bytes: u64,
    /// Not yet replayed.
    entries: u64,
    /// The number after the last of them.
    end: u64,
}

struct Open {
    file: Box<dyn SegmentFile>,
    path: PathBuf,
    bytes: u64,
    entries: u64,
}

pub struct Journal {
    options: JournalOptions,
    disk: Box<dyn Disk>,
    sealed: VecDeque<Sealed>,
    open: Option<Open>,
    next: u64,
    bytes: u64,
    /// Held as long as the journal is.
    _lock: File,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("sealed", &self.sealed)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// What a segment holds, read back.
#[derive(Debug, Default)]
pub struct Oldest {
    pub payloads: Vec<Vec<u8>>,
    /// Entries that were readable when the journal was opened or written, and are not any more.
    pub lost: u64,
}

const SUFFIX: &str = "journal";
/// There while a process uses the journal; found at the start it means that the last one did not end by itself.
const MARK: &str = "in-use";

impl Journal {
    /// # Errors
    /// The directory cannot be made or read, or another process uses it.
    pub fn open(options: JournalOptions, disk: Box<dyn Disk>) -> io::Result<(Self, Found)> {
        fs::create_dir_all(&options.directory)?;
        let lock = File::options().create(true).append(true).open(options.directory.join("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other("another process uses this journal"))?;
        let mark = options.directory.join(MARK);
        let mut found = Found { unclean: mark.exists(), ..Found::default() };
        File::create(mark)?;
        let mut journal =
            Self { options, disk, sealed: VecDeque::new(), open: None, next: 1, bytes: 0, _lock: lock };
        let names = journal.names()?;
        for (at, (first, path)) in names.iter().enumerate() {
            let bytes = fs::read(path)?;
            let scan = scan(&bytes);
            // What should be here: up to where the next segment begins, or to the last entry that can be read.
            let end = names.get(at + 1).map_or(0, |(next, _)| *next).max(scan.next(*first));
            let readable = scan.entries.len() as u64;
            let lost = (end - first).saturating_sub(readable).max(u64::from(scan.bad_end));
            let end = end.max(first + readable + lost);
            found.entries += readable;
            found.damaged += lost;
            found.torn += u64::from(scan.torn);
            journal.next = journal.next.max(end);
            if readable + lost == 0 {
                // Its name will be given again.
                fs::remove_file(path)?;
                continue;
            }
            journal.bytes += bytes.len() as u64;
            journal.sealed.push_back(Sealed {
                path: path.clone(),
                bytes: bytes.len() as u64,
                entries: readable,
                end,
            });
        }
        Ok((journal, found))
    }

    /// Segments in the order of their entries.
    fn names(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut names = Vec::new();
        for file in fs::read_dir(&self.options.directory)? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == SUFFIX) {
                let first = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
                names.extend(first.map(|first| (first, path)));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// All payloads or none.
    ///
    /// # Errors
    /// [`JournalError`]; what was taken before is not touched.
    pub fn append<'a>(&mut self, payloads: impl IntoIterator<Item = &'a [u8]>) -> Result<u64, JournalError> {
        let (mut bytes, mut count) = (Vec::new(), 0);
        for payload in payloads {
            segment::write(self.next + count, payload, &mut bytes);
            count += 1;
        }
        let length = bytes.len() as u64;
        if self.bytes + length > self.options.most_bytes {
            return Err(JournalError::Full);
        }
        if self.open.as_ref().is_some_and(|open| open.bytes + length > self.options.segment_bytes) {
            self.seal();
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(begin(&*self.disk, &self.options.directory, self.next)?),
        };
        let sync = self.options.sync;
        let done = open.file.append(&bytes).and_then(|()| if sync { open.file.sync() } else { Ok(()) });
        if let Err(error) = done {
            // What got through of this batch must not stand before the next; if it cannot be cut off, the segment ends here.
            if open.file.cut(open.bytes).is_err() {
                self.seal();
            }
            return Err(JournalError::Io(error));
        }
        open.bytes += length;
        open.entries += count;
        self.bytes += length;
        self.next += count;
        Ok(count)
    }

    /// Ends the segment that is being written: what comes next begins another.
    pub fn seal(&mut self) {
        let Some(open) = self.open.take() else { return };
        if open.entries == 0 {
            // The next segment has the same name, so this must not wait to be forgotten.
            let _ = fs::remove_file(open.path);
        } else {
            self.sealed.push_back(Sealed {
                path: open.path,
                bytes: open.bytes,
                entries: open.entries,
                end: self.next,
            });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.sealed.is_empty() && self.open.as_ref().is_none_or(|open| open.entries == 0)
    }

    /// Segments to which nothing is added any more.
    pub fn sealed(&self) -> usize {
        self.sealed.len()
    }

    /// Entries of the segment that is being written.
    pub fn open_entries(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.entries)
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The entries of the oldest segment.
    ///
    /// # Errors
    /// The file cannot be read now.
    pub fn oldest(&mut self) -> io::Result<Oldest> {
        if self.sealed.is_empty() {
            self.seal();
        }
        let Some(oldest) = self.sealed.front() else { return Ok(Oldest::default()) };
        let bytes = fs::read(&oldest.path)?;
        // A batch that failed and could not be cut off stands behind the others; its records are in memory still.
        let entries = scan(&bytes).entries.into_iter().filter(|(number, _)| *number < oldest.end);
        let payloads: Vec<_> = entries.map(|(_, payload)| payload.to_vec()).collect();
        let lost = oldest.entries.saturating_sub(payloads.len() as u64);
        Ok(Oldest { payloads, lost })
    }

    /// The store has all of the oldest segment.
    ///
    /// # Errors
    /// The file is still there, and would come again at the next start: the store knows its entries then.
    pub fn forget_oldest(&mut self) -> io::Result<()> {
        let Some(oldest) = self.sealed.pop_front() else { return Ok(()) };
        self.bytes = self.bytes.saturating_sub(oldest.bytes);
        fs::remove_file(oldest.path)
    }

    /// An orderly end.
    pub fn close(mut self) {
        self.seal();
        let _ = fs::remove_file(self.options.directory.join(MARK));
    }
}

fn begin(disk: &dyn Disk, directory: &Path, first: u64) -> Result<Open, JournalError> {
    let path = directory.join(format!("{first:020}.{SUFFIX}"));
    let file = disk.create(&path).map_err(JournalError::Io)?;
    Ok(Open { file, path, bytes: 0, entries: 0 })
}
