//! The admin API from outside: whole requests in, whole answers out, over a store in a directory of the test's own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

mod configs;
mod frame;
mod providers;
mod world;
