//! What the tests of the gateway stand on: upstreams over real sockets, and a client that shows what arrived when.
//!
//! * [`Scripted`] answers by the name of the model it is asked for, and is told nothing else.
//! * [`Faults`] breaks the protocol in one chosen way, below what an HTTP library would allow.
//! * [`fake`] holds strict stand-ins for providers: they refuse what the documented schemas refuse.
//! * [`Realtime`] is a strict stand-in for OpenAI's realtime API, a WebSocket.
//! * [`client`], [`Gateway`], [`Scratch`] are the test's own side.
//! * [`Redis`], [`Postgres`] are servers of the test's own, which can be stopped, paused and started again.
//!
//! Development only, never part of the binary. A failure here is a failure of the test, so it panics.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test kit fails tests by panicking"
)]

pub mod client;
mod collector;
pub mod fake;
pub mod faults;
mod log;
mod play;
mod ports;
mod postgres;
mod process;
mod realtime;
mod redis;
mod reply;
mod scratch;
mod scripted;
mod seen;
mod server;
pub mod sse;
pub mod tls;
mod traffic;

pub use collector::{Collector, Span};
pub use faults::Faults;
pub use ports::{INVALID_HOST, free_port, refused_port};
pub use postgres::Postgres;
pub use process::Gateway;
pub use realtime::{Realtime, Socket, SocketEnd, connect};
pub use redis::Redis;
pub use reply::Reply;
pub use scratch::Scratch;
pub use scripted::Scripted;
pub use seen::Seen;
pub use server::{Handler, Server};
pub use traffic::{Counts, Traffic};
