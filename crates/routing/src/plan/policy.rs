//! The settings of a target that are more than one value: retries, time limits, cache, hooks, hedging,
//! circuit breaking. They say what is wanted; what they cause is decided in `retry`, `health` and the
//! gateway.

use std::sync::Arc;

use serde_json::Value;

/// When and how often the same target is called again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Calls after the first one. 0 = none.
    pub attempts: u32,
    /// Statuses worth another call. Without effect when `attempts` is 0.
    pub on_status_codes: StatusCodes,
    /// Wait as long as the provider asks, and give up when it asks for too long.
    pub use_retry_after_header: bool,
    /// Longest single wait in ms: a longer backoff is cut to it, a provider asking for more ends the retries.
    pub max_wait_ms: Option<u64>,
    /// Spread each backoff evenly over 50-100 % of its length.
    pub jitter: bool,
    /// Retries as a share (0-1) of the calls to this upstream; `None` = unlimited.
    pub budget: Option<f64>,
}

/// A set of HTTP statuses. Cloning is a reference count, or nothing for the default set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusCodes {
    Default,
    Listed(Arc<[u16]>),
}

/// Time limits of one attempt in ms; `None` = the gateway's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// Until the response's head has arrived.
    pub request_ms: Option<u64>,
    pub connect_ms: Option<u64>,
    /// Until the first byte of the body.
    pub first_byte_ms: Option<u64>,
    /// Between two chunks of a stream.
    pub between_chunks_ms: Option<u64>,
}

/// Response caching, as wished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheMode {
    pub kind: CacheKind,
    pub max_age_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheKind {
    Simple,
    Semantic,
}

/// Guardrails and mutators around a call, as written (raw JSON).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hooks {
    pub before: Option<Arc<HookList>>,
    pub after: Option<Arc<HookList>>,
}

/// One side's hooks. They run in the order of the members.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HookList {
    /// Full form: `before_request_hooks`, `after_request_hooks`.
    pub hooks: Vec<Value>,
    /// Shorthand: `input_guardrails`, `output_guardrails`.
    pub guardrails: Vec<Value>,
    /// Shorthand: `input_mutators`, `output_mutators`.
    pub mutators: Vec<Value>,
    /// Shorthand: `default_input_guardrails`, `default_output_guardrails` of the root. A request header
    /// replaces them.
    pub defaults: Vec<Value>,
}

/// A second call to the same upstream while the first is still silent; the first answer wins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HedgePolicy {
    pub after: HedgeAfter,
    /// Hedged calls as a share (0-1) of all calls to this upstream.
    pub max_share: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HedgeAfter {
    /// The upstream's 95th percentile of time to the first byte; no hedging until it is known.
    P95,
    Ms(u64),
}

/// When an upstream counts as down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitPolicy {
    /// Failures of the provider's own within the window that open the circuit, if they are at least half of
    /// the calls.
    pub failures: u32,
    pub window_ms: u64,
    /// How long an open circuit stays open before a probe.
    pub open_ms: u64,
    /// Probes at a time while half open; the first success closes the circuit.
    pub half_open: u32,
    /// Refuse the call when the circuit is open, also when there is no other target.
    pub strict: bool,
}

impl RetryPolicy {
    /// Whether `status` is worth another call under this policy.
    pub fn lists(&self, status: u16) -> bool {
        self.attempts > 0 && self.on_status_codes.contains(status)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 0,
            on_status_codes: StatusCodes::Default,
            use_retry_after_header: false,
            max_wait_ms: None,
            jitter: true,
            budget: None,
        }
    }
}

impl StatusCodes {
    /// What is retried when a config does not say.
    pub const DEFAULT: [u16; 5] = [429, 500, 502, 503, 504];

    pub fn contains(&self, status: u16) -> bool {
        match self {
            Self::Default => Self::DEFAULT.contains(&status),
            Self::Listed(codes) => codes.contains(&status),
        }
    }
}

impl Hooks {
    pub fn is_empty(&self) -> bool {
        self.before.is_none() && self.after.is_none()
    }
}

impl HookList {
    /// Whether the node it was written at has hooks of its own. Defaults do not count: they come on top.
    pub(crate) fn has_own(&self) -> bool {
        !(self.hooks.is_empty() && self.guardrails.is_empty() && self.mutators.is_empty())
    }
}

impl HedgePolicy {
    pub const DEFAULT_SHARE: f64 = 0.1;
}

impl Default for CircuitPolicy {
    fn default() -> Self {
        Self { failures: 5, window_ms: 30_000, open_ms: 10_000, half_open: 1, strict: false }
    }
}
