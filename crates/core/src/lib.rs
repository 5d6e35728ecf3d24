//! The words every other crate uses: secrets that cannot be printed, usage, errors that say whose fault they are,
//! warnings about what a translation could not keep, ids, and time as a value.
//!
//! Nothing here does I/O, and nothing here depends on a runtime. It changes rarely, because everything is built on it.

pub mod clock;
pub mod error;
pub mod field;
pub mod id;
pub mod secret;
pub mod usage;
pub mod warning;

pub use clock::{Clock, Moment, SystemClock};
pub use error::{ApiError, ErrorKind, Fault};
pub use field::FieldError;
pub use secret::Secret;
pub use usage::{ServiceTier, Usage};
pub use warning::{Verdict, Warning, Warnings};
