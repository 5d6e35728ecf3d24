//! The crate from outside: worked requests with their costs, and what holds for any request.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod cases;
mod chance;
mod invariants;
mod names;
mod quick;
mod rates;
mod reservations;
