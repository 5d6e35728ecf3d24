//! The binary as its users meet it: a process, spoken to over sockets, in front of upstreams that misbehave in chosen
//! ways. One module per behaviour; `structure` looks at the sources instead.
//!
//! Nothing here depends on how fast anything is: waits end with what they wait for, and have deadlines only so that a
//! broken build fails instead of hanging.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod alerts;
mod anthropic;
mod attempts;
mod console;
mod credentials;
mod cuts;
mod every_path;
mod faults;
mod forgery;
mod guardrails;
mod lifecycle;
mod manage;
mod many;
mod odd_input;
mod paced;
mod pacing;
mod passthrough;
mod policies;
mod queue;
mod realtime;
mod routing;
mod safety;
mod sign_in;
mod signer;
mod sinks;
mod stage;
mod stored;
mod streams;
mod structure;
mod tails;
mod tenant;
mod tenants;
mod tokens;
mod traces;
mod unsaid_usage;
