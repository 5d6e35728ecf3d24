//! What is told about requests beside the records of the gateway itself: the marks that people give a trace, and the spans
//! of programs around the calls of models.
//!
//! They stand with the records and not with the control plane's objects: lists and analytics join them by trace id, they
//! come at the rate of requests and go with the days of the records, and no audit log is kept of them.

mod book;
mod feedback;
mod span;

pub use book::{Book, BookError, MOST_FEEDBACK, MOST_SPANS};
pub use feedback::{Feedback, FeedbackChange, Place, Value, Weight};
pub use span::{ToldSpan, attempt_span, told_id};
