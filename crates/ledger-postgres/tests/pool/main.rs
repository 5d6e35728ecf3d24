//! The pool against a PostgreSQL server of the tests' own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod budgets;
mod faults;
mod ledgers;
mod server;
mod world;
