//! The commands against a gateway that speaks the admin API as its reference describes it, over a real socket.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

mod configs;
mod fake;
mod keys;
mod limits;
mod logs;
mod people;
mod providers;
mod quickstart;
mod reach;
mod stage;
mod upkeep;
