//! What must hold for any bytes whatever. Each function takes one input and panics when something does not hold; the
//! programs in `targets/` hand them to libFuzzer.
//!
//! Everywhere: no panic, no overflow. Beyond that, bytes cut anywhere must read as the same bytes in one piece, and what
//! is written must be well-formed.

pub mod answer;
pub mod config;
pub mod error;
pub mod framing;
pub mod http1;
pub mod peek;
mod pieces;
pub mod request;
pub mod tap;
pub mod websocket;
