//! The data plane: the path of a request from a client's socket to a provider and back.
//!
//! Read [`pipeline`] first. Steps are modules of their own, in the order of the path; everything that decides is in the
//! pure crates below (`dialect`, `routing`, `catalog`), everything that opens a socket is in `upstream`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod accept;
mod account;
mod admit;
mod attempt;
mod authenticate;
mod body;
mod bounds;
mod charge;
pub mod control;
mod exposition;
mod guard;
pub mod headers;
mod intake;
pub mod limiter;
pub mod log;
pub mod metrics;
mod own;
mod paced;
mod pages;
mod pass;
mod patience;
pub mod pipeline;
pub mod plan;
mod policy;
mod prepare;
mod pretty;
mod queue;
pub mod realm;
mod record;
mod refuse;
mod reply;
mod responses;
mod route;
pub mod snapshot;
pub mod state;
mod tab;
pub mod tokens;
mod trace_context;
mod translated;
mod unsaid;
mod websocket;

pub use body::ClientBody;
pub use guard::Guards;
pub use refuse::unreadable;
pub use state::{Gateway, Snapshot};
