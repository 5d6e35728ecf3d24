//! The admin API from outside: whole requests in, whole answers out, over a store in a directory of the test's own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod alerts;
mod analytics;
mod api_keys;
mod audit_logs;
mod configs;
mod exports;
mod feedback;
mod first_start;
mod frame;
mod fuzz;
mod held;
mod integrations;
mod isolation;
mod logs;
mod matrix;
mod otlp;
mod ours;
mod people;
mod policies;
mod prices;
mod providers;
mod retention;
mod saved_views;
mod secrets;
mod sessions;
mod tail;
mod tell;
mod telling;
mod usage;
mod workspaces;
mod world;
