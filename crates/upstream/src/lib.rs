//! The one way out: every byte the gateway sends to a provider, or to anything else, goes through [`Egress`].
//!
//! It decides which addresses may be reached, how a connection is made (directly, through a proxy, with TLS), how long
//! that may take, how connections are kept, how a request is signed, and what a failure is called. It does not decide
//! where to send, whether to try again, or how long to wait for an answer: those are the caller's.
//!
//! Redirects are never followed: a `3xx` is an answer like any other.

mod address;
mod answer;
mod body;
mod client;
mod connector;
mod dial;
mod error;
mod link;
mod percent;
mod pool;
mod proxy;
pub mod sign;
mod stats;
mod tls;
mod tunnel;
mod websocket;
mod wire;

pub use address::{AddressPolicy, AddressScope};
pub use answer::Answer;
pub use body::{BoxError, OutBody};
pub use client::{Egress, EgressSettings};
pub use dial::{Resolve, Resolving, SystemResolver};
pub use error::{SendError, SendErrorKind, SetupError};
pub use proxy::ProxyEnv;
pub use stats::EgressStats;
pub use websocket::{Handshake, Tunnel};

#[cfg(test)]
mod tests;
