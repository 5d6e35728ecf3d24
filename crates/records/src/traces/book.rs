//! Where feedback and told spans are kept.

use std::fmt;

use crate::id::RecordId;

use super::{Feedback, FeedbackChange, Place, ToldSpan};

/// The most spans of one answer.
pub const MOST_SPANS: usize = 10_000;
/// The most feedback of one answer.
pub const MOST_FEEDBACK: usize = 100_000;

/// The book cannot be read or written now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookError(pub String);

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "feedback and spans cannot be read or written: {}", self.0)
    }
}

impl std::error::Error for BookError {}

/// Keeps what is told. Calls block, within bounded time: not for threads that serve requests. Every question is asked
/// within a workspace, and nothing of another is in the answer.
pub trait Book: Send {
    /// All or none of them.
    ///
    /// # Errors
    /// [`BookError`]
    fn add_feedback(&mut self, items: &[Feedback]) -> Result<(), BookError>;

    /// What it is after the change; `None`: the workspace has none of this id.
    ///
    /// # Errors
    /// [`BookError`]
    fn change_feedback(
        &mut self,
        place: &Place,
        id: RecordId,
        change: &FeedbackChange,
    ) -> Result<Option<Feedback>, BookError>;

    /// The feedback on these traces, oldest first, [`MOST_SPANS`] at most.
    ///
    /// # Errors
    /// [`BookError`]
    fn feedback_on(&mut self, place: &Place, traces: &[String]) -> Result<Vec<Feedback>, BookError>;

    /// The feedback that was given from `from_ms` until before `to_ms` (milliseconds since 1970), oldest first,
    /// [`MOST_FEEDBACK`] at most: for analytics, which join it to records by trace.
    ///
    /// # Errors
    /// [`BookError`]
    fn feedback_between(
        &mut self,
        place: &Place,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<Feedback>, BookError>;

    /// All or none of them. A span that is there already is replaced: its later word counts.
    ///
    /// # Errors
    /// [`BookError`]
    fn add_spans(&mut self, spans: &[ToldSpan]) -> Result<(), BookError>;

    /// The spans of these traces in the order of their ids, [`MOST_SPANS`] at most.
    ///
    /// # Errors
    /// [`BookError`]
    fn spans_of(&mut self, place: &Place, traces: &[String]) -> Result<Vec<ToldSpan>, BookError>;

    /// Spans that began from `from_ms` until before `before`, newest first.
    ///
    /// # Errors
    /// [`BookError`]
    fn spans_before(
        &mut self,
        place: &Place,
        from_ms: u64,
        before: RecordId,
        limit: usize,
    ) -> Result<Vec<ToldSpan>, BookError>;

    /// Forgets what is older than `first_ms`, a bounded part at a time. True: there may be more.
    ///
    /// # Errors
    /// [`BookError`]
    fn forget(&mut self, first_ms: u64) -> Result<bool, BookError>;
}
