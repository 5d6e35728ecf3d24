//! The full account of each request, written off the hot path and never lost in silence.
//!
//! [`RequestRecord`] is what a request leaves behind; [`Pipe::push`] encodes it where it was made and puts the bytes into
//! a bounded queue; one writer thread takes batches to a [`Sink`], and to the [`journal`] on disk while the sink is slow
//! or away. [`Stats`] count every record: accepted is written, queued, journaled or dropped for a named reason, at every
//! moment. [`body`] decides which bodies are kept and takes out what must not be: a pure function of policy and bytes.
//! [`search`] says which words bodies have. [`list`] is how records are read back, and [`log`] how the logs API shows one. [`traces`] has what is told beside them:
//! feedback and spans.

pub mod body;
pub mod codec;
mod counts;
mod facts;
mod filter;
pub mod id;
pub mod journal;
pub mod list;
pub mod log;
pub mod options;
mod payload;
mod pipe;
mod queue;
pub mod record;
pub mod search;
pub mod session;
pub mod sink;
mod store;
#[cfg(test)]
mod tests;
mod text;
pub mod traces;
mod writer;

pub use body::{Keep, Kind, Policy, RawBodies, RawBody, StoredBodies, StoredBody};
pub use counts::{Drops, Stats};
pub use facts::Facts;
pub use filter::{Between, Filter, StatusFilter};
pub use id::{IdSource, RecordId};
pub use list::{Found, ListRow, Page, ReadError, Reader};
pub use log::{LogObject, log_object};
pub use options::{JournalOptions, Options};
pub use pipe::{Pipe, StartError};
pub use record::{Attempt, Bytes, COUNTED_ELSEWHERE, Cost, RequestRecord, Span, Timing, Who};
pub use search::{BadSearch, Search};
pub use sink::{Batch, Entry, Sink, SinkError, Written};
pub use text::Text;
