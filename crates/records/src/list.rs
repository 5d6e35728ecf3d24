//! Reading records back.

use std::fmt;

use tidegate_core::Usage;

use crate::body::StoredBodies;
use crate::facts::Facts;
use crate::filter::Filter;
use crate::id::RecordId;
use crate::record::RequestRecord;

/// What a list shows of a record; no bodies are read for it. Text is empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRow {
    pub id: RecordId,
    pub organisation: String,
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
    pub session: String,
    /// As the client sent it, in its order.
    pub metadata: Vec<(String, String)>,
    pub has_bodies: bool,
}

impl ListRow {
    pub fn of(facts: &Facts<'_>, has_bodies: bool) -> Self {
        let usage = facts.usage.as_ref();
        Self {
            id: facts.id,
            organisation: facts.organisation.into(),
            workspace: facts.workspace.into(),
            api_key: facts.api_key.into(),
            user: facts.user.into(),
            route: facts.route.into(),
            provider: facts.provider.into(),
            virtual_key: facts.virtual_key.into(),
            config: facts.config.into(),
            asked_model: facts.asked_model.into(),
            model: facts.model.into(),
            status: facts.status,
            end: facts.end.into(),
            error: facts.error.into(),
            stream: facts.stream,
            attempts: facts.attempts,
            total_us: facts.total_us,
            ttft_us: facts.ttft_us,
            input_tokens: usage.map(Usage::prompt),
            output_tokens: usage.map(|usage| usage.output),
            cached_tokens: usage.and_then(|usage| usage.cache_read),
            reasoning_tokens: usage.and_then(|usage| usage.reasoning),
            cost: facts.cost.into(),
            currency: facts.currency.into(),
            estimate: facts.estimate,
            unpriced: facts.unpriced,
            cache: facts.cache.into(),
            guardrail: facts.guardrail.into(),
            trace: facts.trace.into(),
            session: facts.session.into(),
            metadata: facts.metadata.iter().map(|&(name, value)| (name.into(), value.into())).collect(),
            has_bodies,
        }
    }
}

/// A part of a list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page<T = ListRow> {
    pub rows: Vec<T>,
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

    /// As [`Reader::list`], with everything that is known but bodies: for exports and for lists that show more.
    ///
    /// # Errors
    /// [`ReadError`]
    fn records(
        &mut self,
        filter: &Filter,
        before: Option<RecordId>,
        limit: usize,
    ) -> Result<Page<RequestRecord>, ReadError>;

    /// `None`: there is no such record, or not any more. Whose it is says [`RequestRecord::who`]: the caller looks.
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
