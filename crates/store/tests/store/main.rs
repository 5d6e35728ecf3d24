//! The store as its users see it: the same suite against every database, and what is particular to one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

#[macro_use]
mod suite;

mod crash;
mod files;
mod masters;
mod migrations;
mod model;
mod postgres;
mod sqlite;
mod stolen;
mod tampered;
mod world;
