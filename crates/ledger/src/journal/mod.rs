//! The books on disk: segments of lines, each with its length and checksum.
//!
//! A segment begins with a snapshot of the books and goes on with the entries after it. A new one is begun at each
//! start, when the last has grown, and after a failed write; the snapshot stands in it, synced, before an old one goes.

#[cfg(test)]
pub(crate) mod faulty;
mod files;
mod frame;
mod line;
mod read;
mod segment;
#[cfg(test)]
mod tests;
mod verify;

pub use files::{Directory, Files, Output};
pub(crate) use read::replay;
pub use read::{Place, ReadError};
pub(crate) use segment::{Segments, Sizes, WriteError};
pub use verify::{Report, entries, verify, verify_files};
