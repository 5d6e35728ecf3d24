//! HTTP/1.1, as both ends of the gateway speak it: the server's side whole ([`server`]), and the parts that a client's side
//! is made of ([`answer`], [`send`], [`receive`]).
//!
//! It is the gateway's own because of what an open stream holds and a request costs: a connection that waits holds no
//! buffer, nothing has a task or a channel that could do without, and data is never copied to be framed. Heads are still
//! parsed by `httparse` and built on the types of the `http` crate.
//!
//! Facts are from RFC 9112. Where it leaves a choice, the strict side is taken: what two readers could read in two ways is
//! refused, in requests and in answers.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod answer;
pub mod body;
mod busy;
pub mod chunked;
mod fields;
mod gather;
mod names;
pub mod receive;
pub mod request;
pub mod send;
pub mod server;

pub mod upgrade;

pub use busy::give_way;
pub use fields::MoreFields;

#[cfg(test)]
mod tests;

/// The largest head of an answer, and the most that chunk extensions and trailers of one body may take.
pub const MAX_HEAD_BYTES: usize = 128 * 1024;

/// What came is not HTTP/1.1, or could be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;
