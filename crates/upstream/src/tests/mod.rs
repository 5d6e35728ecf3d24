//! The client over real sockets on this machine, against servers written by hand.

mod plain;
mod server;
