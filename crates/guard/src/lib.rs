//! Guardrails and mutators of the config object: what the hooks of a target say about one request or one answer.
//!
//! Two stages: [`parse_hooks`] turns what was written into [`Hook`]s, once per config; [`run`] judges one JSON body with
//! them. What follows from the verdicts (statuses, not calling the provider, where `hook_results` goes) is the caller's.
//! Checks work on what they are given: nothing here does I/O or reads a clock. Checks that need a service elsewhere are
//! known by name and answer with an error; see [`Hook::unavailable_checks`].

use serde_json::{Map, Value};

mod check;
mod found_json;
mod hook;
mod js;
mod pattern;
mod report;
mod run;
mod schema;
mod text;

pub use hook::{Hook, HookError, HookLists, parse_hooks};
pub use report::{denied_body, hook_results};
pub use run::{Outcome, run};

/// Which body hooks look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Request,
    Response,
}

/// The endpoints with hooks, by the shape of their bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/completions`.
    Complete,
    /// `/v1/embeddings`: only guardrails on the request run.
    Embed,
    /// `/v1/messages`.
    Messages,
}

impl Shape {
    /// The name configs call it by (`allowedRequestTypes`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chatComplete",
            Self::Complete => "complete",
            Self::Embed => "embed",
            Self::Messages => "messages",
        }
    }
}

/// What hooks may look at, in the dialect of the client.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    pub shape: Shape,
    /// The body with `override_params` merged in.
    pub request: &'a Value,
    /// The translated answer. `None` counts as an empty one (a stream that has not been read).
    pub response: Option<&'a Value>,
    /// The request's metadata.
    pub metadata: &'a Map<String, Value>,
}
