//! What one request asks of all the limits above it.

use crate::rule::Rule;

/// Whose limit it is. With an id it names one set of counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    ApiKey,
    Workspace,
    Integration,
    VirtualKey,
    /// A rate limit policy; its id holds the policy and the values that it groups by.
    Policy,
    /// The user that the request's metadata names.
    User,
    Model,
    Route,
    Ip,
}

impl Scope {
    /// As messages have it: `api key`.
    pub fn word(self) -> &'static str {
        match self {
            Self::ApiKey => "api key",
            Self::Workspace => "workspace",
            Self::Integration => "integration",
            Self::VirtualKey => "provider",
            Self::Policy => "policy",
            Self::User => "user",
            Self::Model => "model",
            Self::Route => "route",
            Self::Ip => "ip",
        }
    }
}

/// All rules of one scope for one request. The same scope and id may stand there twice with different rules; then each
/// of them has counters of its own, by the order in which they stand.
///
/// An id brings the same rules each time. When they change, usage is kept for those that differ in their amount only.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    pub scope: Scope,
    pub id: &'a str,
    pub rules: &'a [Rule],
}

/// Everything that is checked, and then charged, in one step. When several layers refuse, the first one is named.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    pub layers: &'a [Layer<'a>],
    /// Tokens to reserve until the true usage is known: prompt and the longest answer, or 0 when nobody can say.
    /// More than [`Demand::MAX_TOKENS`] counts as that.
    pub tokens: u64,
}

impl Demand<'_> {
    /// No request has more tokens; a provider's figure above it is a mistake that must not close a key for ever.
    pub const MAX_TOKENS: u64 = 1 << 32;
}
