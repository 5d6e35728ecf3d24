//! What can be set about the pipe.

use std::path::PathBuf;
use std::time::Duration;

use crate::body::Policy;

#[derive(Debug, Clone)]
pub struct Options {
    /// Records that may wait in memory.
    pub queue_records: u64,
    /// Their bytes, bodies included.
    pub queue_bytes: u64,
    /// The most records in one transaction: together with the store's speed this bounds how long the writer holds a core.
    pub batch_records: usize,
    /// The most bytes in one transaction, bodies as they came.
    pub batch_bytes: u64,
    /// How long records gather before they are written, so that quiet times cost few wake-ups.
    pub gather: Duration,
    /// First pause before a store that failed is tried again; doubled with each failure up to `retry_most`.
    pub retry: Duration,
    pub retry_most: Duration,
    /// Above this share of the queue (percent) records go to the journal without asking the store.
    pub spill_percent: u64,
    /// How often the store may do its housekeeping.
    pub tend: Duration,
    /// Added to the niceness of the writer's thread, 0 to 19.
    pub nice: i32,
    pub bodies: Policy,
    pub journal: JournalOptions,
}

#[derive(Debug, Clone)]
pub struct JournalOptions {
    /// Made if it is not there. One process at a time.
    pub directory: PathBuf,
    /// Bytes of all segments; records beyond are not taken.
    pub most_bytes: u64,
    /// A segment is read into memory as a whole, and deleted as a whole.
    pub segment_bytes: u64,
    /// Wait for the disk before a record counts as journaled. Without it a record survives the process, not the machine.
    pub sync: bool,
}

impl Options {
    /// The defaults: 64 MiB in memory, 1 GiB on disk, no bodies.
    pub fn new(journal: impl Into<PathBuf>) -> Self {
        Self {
            queue_records: 65_536,
            queue_bytes: 64 << 20,
            // A full batch is a block that the store in SQLite never copies.
            batch_records: 1_024,
            batch_bytes: 1 << 20,
            gather: Duration::from_millis(250),
            retry: Duration::from_millis(50),
            retry_most: Duration::from_secs(5),
            spill_percent: 50,
            tend: Duration::from_secs(60),
            nice: 10,
            bodies: Policy::default(),
            journal: JournalOptions {
                directory: journal.into(),
                most_bytes: 1 << 30,
                segment_bytes: 4 << 20,
                sync: true,
            },
        }
    }
}
