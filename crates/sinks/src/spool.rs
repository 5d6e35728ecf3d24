//! What waits for the warehouse, on disk. Calls block.

use std::io;
use std::time::Instant;

use tidegate_records::journal::{Found, Journal, JournalError, RealDisk};
use tidegate_records::options::JournalOptions;

use crate::batch::Batch;
use crate::options::SpoolOptions;

#[derive(Debug)]
pub(crate) struct Spool {
    journal: Journal,
    options: SpoolOptions,
    /// When the batch that is being filled began.
    began: Option<Instant>,
}

/// What became of records that were to be spooled.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Appended {
    /// The bound on bytes is reached.
    pub(crate) full: u64,
    /// The disk took them not.
    pub(crate) failed: u64,
}

impl Spool {
    /// # Errors
    /// The directory cannot be used, or another process uses it.
    pub(crate) fn open(options: &SpoolOptions) -> io::Result<(Self, Found)> {
        let journal = JournalOptions {
            directory: options.directory.clone(),
            most_bytes: options.most_bytes,
            segment_bytes: options.batch_bytes,
            sync: true,
        };
        let (journal, found) = Journal::open(journal, Box::new(RealDisk))?;
        Ok((Self { journal, options: options.clone(), began: None }, found))
    }

    /// What an earlier process left is a batch already; what this one appends becomes one when it is large or old enough.
    pub(crate) fn append(&mut self, records: &[Vec<u8>], now: Instant) -> Appended {
        let mut appended = Appended::default();
        let mut rest = records;
        while !rest.is_empty() {
            let room = self.options.batch_records.saturating_sub(self.journal.open_entries()).max(1);
            let (part, later) = rest.split_at(rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            rest = later;
            match self.journal.append(part.iter().map(Vec::as_slice)) {
                Ok(_) => {
                    // The first of a batch: also where the journal began a new segment for want of room.
                    if self.began.is_none() || self.journal.open_entries() == part.len() as u64 {
                        self.began = Some(now);
                    }
                    if self.journal.open_entries() >= self.options.batch_records {
                        self.seal();
                    }
                }
                Err(JournalError::Full) => appended.full += part.len() as u64,
                Err(JournalError::Io(_)) => appended.failed += part.len() as u64,
            }
        }
        appended
    }

    /// When the batch that is being filled has waited long enough.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.began.map(|began| began + self.options.interval)
    }

    pub(crate) fn seal(&mut self) {
        self.journal.seal();
        self.began = None;
    }

    /// The oldest batch; `None`: there is none that is complete.
    ///
    /// # Errors
    /// It cannot be read now.
    pub(crate) fn oldest(&mut self) -> io::Result<Option<(Batch, u64)>> {
        if self.journal.sealed() == 0 {
            return Ok(None);
        }
        let oldest = self.journal.oldest()?;
        Ok(Some((Batch::of(&oldest.payloads), oldest.lost)))
    }

    /// # Errors
    /// The file is still there, and would be sent again at the next start, under the same name.
    pub(crate) fn forget_oldest(&mut self) -> io::Result<()> {
        self.journal.forget_oldest()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.journal.bytes()
    }

    /// An orderly end.
    pub(crate) fn close(self) {
        self.journal.close();
    }
}
