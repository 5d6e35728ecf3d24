//! HTTP/1.1 as a client speaks it: what a request looks like on the wire, and what an answer's bytes mean. No sockets here
//! but in [`receive`] and [`send`], which move bytes and know no meaning.
//!
//! Facts are from RFC 9112. Where it leaves a choice, the strict side is taken: what could be read in two ways is no answer.

pub(crate) mod chunked;
pub(crate) mod head;
pub(crate) mod receive;
pub(crate) mod send;

/// The largest head of an answer, trailers included.
pub(crate) const MAX_HEAD_BYTES: usize = 128 * 1024;

/// What came is not an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;
