//! The store against a Redis server of the tests' own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod changes;
mod encrypted;
mod faults;
mod keys;
mod leases;
mod model;
mod numbers;
mod replicas;
mod world;
