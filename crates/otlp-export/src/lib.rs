//! Requests told to a collector of OpenTelemetry, as spans.
//!
//! [`Tee`] stands before the store of records, on the writer's thread: what the store took goes into a bounded queue as the
//! bytes that it is, and what finds no room is counted. [`Exporter::run`] makes spans of them and sends batches through
//! [`tidegate_upstream::Egress`], so the collector's address is judged like any other. The path of a request pays nothing.
//!
//! A batch that the store takes again after a crash is sent again, with the same ids of spans.

mod exporter;
mod options;
mod send;
mod tee;

pub use exporter::{Exporter, Outcome};
pub use options::Options;
pub use tee::Tee;

use tidegate_core::FieldError;
use tidegate_records::Sink;
use tidegate_upstream::Egress;
use tokio::sync::mpsc;

/// Both ends.
///
/// # Errors
/// An endpoint or a header that is none.
pub fn channel(
    options: Options,
    egress: Egress,
    store: Box<dyn Sink>,
) -> Result<(Tee, Exporter), FieldError> {
    let (sender, queue) = mpsc::channel(options.queue.max(1));
    let sender_of_spans = send::Sender::new(&options, egress)?;
    let (tee, dropped) = Tee::new(store, sender);
    Ok((tee, Exporter::new(options, sender_of_spans, queue, dropped)))
}
