//! The client over real sockets on this machine, against servers written by hand.

mod failures;
mod names;
mod plain;
mod proxied;
mod secure;
mod server;
mod streams;
