//! Reading records back.

use std::fmt;

use crate::body::StoredBodies;
use crate::id::RecordId;
use crate::record::RequestRecord;

/// Which records. Everything that is set must hold; an empty list of names means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Began at this time or later, milliseconds since 1970.
    pub from_ms: Option<u64>,
    /// Began before this time.
    pub to_ms: Option<u64>,
    pub status: Option<StatusFilter>,
    pub workspace: Vec<String>,
    pub provider: Vec<String>,
    /// The model that answered.
    pub model: Vec<String>,
    pub api_key: Vec<String>,
    pub virtual_key: Vec<String>,
    pub user: Vec<String>,
    pub trace: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusFilter {
    /// Any of these.
    Is(Vec<u16>),
    /// First and last, for classes: `(400, 499)`.
    Range(u16, u16),
}

/// What a list shows of a record; no bodies are read for it. Text is empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRow {
    pub id: RecordId,
    pub workspace: String,
    pub api_key: String,
    pub user: String,
    pub route: String,
    pub provider: String,
    pub virtual_key: String,
    pub config: String,
    pub asked_model: String,
    pub model: String,
    pub status: u16,
    pub end: String,
    pub error: String,
    pub stream: bool,
    pub attempts: u64,
    pub total_us: u64,
    pub ttft_us: Option<u64>,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub cached_tokens: Option<u64>,
    pub reasoning_tokens: Option<u64>,
    /// Exact decimal; empty when unknown.
    pub cost: String,
    pub currency: String,
    pub estimate: bool,
    pub unpriced: bool,
    pub cache: String,
    pub guardrail: String,
    pub trace: String,
    pub has_bodies: bool,
}

/// A part of a list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<ListRow>,
    /// Where the next page goes on; `None`: there is none. Records that come in meanwhile do not move it.
    pub next: Option<RecordId>,
}

/// One record with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub record: RequestRecord,
    /// `None`: none were kept, or not any more.
    pub bodies: Option<StoredBodies>,
}

/// The store cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError(pub String);

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the records cannot be read: {}", self.0)
    }
}

impl std::error::Error for ReadError {}

/// Reads while the writer writes. Calls block: not for threads that serve requests.
pub trait Reader: Send {
    /// Up to `limit` records (at most 1,000) before `before`, newest first. Going on at [`Page::next`] until there is none
    /// gives every record that was there at the beginning once, whatever comes in meanwhile.
    ///
    /// # Errors
    /// [`ReadError`]
    fn list(&mut self, filter: &Filter, before: Option<RecordId>, limit: usize) -> Result<Page, ReadError>;

    /// `None`: there is no such record, or not any more.
    ///
    /// # Errors
    /// [`ReadError`]
    fn get(&mut self, id: RecordId) -> Result<Option<Found>, ReadError>;

    /// How many records there are, counted up to `most`: a result of `most` means that many or more.
    ///
    /// # Errors
    /// [`ReadError`]
    fn count(&mut self, filter: &Filter, most: u64) -> Result<u64, ReadError>;
}
