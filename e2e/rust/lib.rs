//! Nothing: `tests/` drives the gateway with a Rust client of OpenAI's API.
