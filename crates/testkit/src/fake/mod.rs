//! Strict stand-ins for providers. Each refuses, in the provider's own words, what the provider's published schema
//! refuses (unknown members, wrong order of tool messages, values out of range, missing headers ..), and answers
//! everything else with the one [`story`], so that the answers of all of them can be compared.
//!
//! They are [`Handler`](crate::Handler)s: pure functions of the request.

pub mod anthropic;
pub mod azure;
pub mod cohere;
pub mod gemini;
pub mod openai;
mod shape;
pub mod story;
pub mod vector;

/// The one key that no fake accepts.
pub const BAD_KEY: &str = "bad";
/// The one model (deployment, at Azure) that no fake has.
pub const MISSING_MODEL: &str = "missing";
