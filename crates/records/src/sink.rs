//! Where records go.

use std::fmt;

use crate::body::StoredBodies;
use crate::facts::Facts;
use crate::id::RecordId;

/// One record of a batch.
#[derive(Debug)]
pub struct Entry<'a> {
    pub facts: Facts<'a>,
    /// The whole record, with the fields that this binary does not know.
    pub encoded: &'a [u8],
    pub bodies: Option<&'a StoredBodies>,
}

impl Entry<'_> {
    pub fn id(&self) -> RecordId {
        self.facts.id
    }
}

pub type Batch<'a> = [Entry<'a>];

/// What became of a batch. The numbers add up to its length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub new: u64,
    /// There already, with the same content.
    pub known: u64,
    /// There is another record under this id: this one was not stored.
    pub clashed: u64,
    /// Older than what the store keeps.
    pub expired: u64,
}

#[derive(Debug)]
pub enum SinkError {
    /// The store cannot be reached, is busy or full: the batch can be tried again.
    Away(String),
    /// The store will never take this batch. The pipe tries its records one by one and drops those that are refused alone.
    Refused(String),
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(cause) => write!(f, "the store is away: {cause}"),
            Self::Refused(cause) => write!(f, "the store refuses the record: {cause}"),
        }
    }
}

impl std::error::Error for SinkError {}

/// A store for records, called from one thread only.
///
/// * A batch is stored whole or not at all.
/// * Writing a record a second time changes nothing and is told as `known`: after a crash batches come again.
/// * Every call returns within bounded time (a store on a network needs its own time limits): while it does not, records
///   wait in memory.
pub trait Sink: Send {
    /// # Errors
    /// Nothing of the batch was stored, as far as the store can tell.
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError>;

    /// Makes durable what was written: afterwards the journal forgets it.
    ///
    /// # Errors
    /// The journal keeps its copy and will write it again.
    fn sync(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Housekeeping such as retention, called now and then.
    ///
    /// # Errors
    /// Tried again at the next call.
    fn tend(&mut self, unix_ms: u64) -> Result<(), SinkError> {
        let _ = unix_ms;
        Ok(())
    }
}
