//! One request on its way through a plan: what to try, when to try it again, where to go next, when to stop.
//!
//! The gateway asks for a [`Step`], does it, describes what happened as an [`Outcome`] and asks again.
//! Nothing is sent from here and nothing waits here. Health is read, never written: the gateway records every
//! attempt, hedged ones included, with [`Health::record`].

use std::fmt;
use std::sync::Arc;

use tidegate_core::{Fault, Moment};

use crate::health::Health;
use crate::plan::{Group, JsonMap, Node, Plan, Target};
use crate::retry::{self, Attempts, Verdict};
use crate::strategy;

/// What strategies may look at. Members a plan does not need (see [`crate::plan::Needs`]) may be empty.
pub struct Facts<'a> {
    /// The caller's metadata object.
    pub metadata: &'a JsonMap,
    /// The request's body before `override_params`; empty when it is not a JSON object.
    pub params: &'a JsonMap,
    pub url_path: &'a str,
    /// A request header by its lower-case name.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    /// Hash over the first [`crate::plan::Needs::prompt_prefix_chars`] characters of the prompt.
    pub prompt_prefix_hash: Option<u64>,
}

/// What decisions depend on beside the request.
pub struct Env<'a> {
    pub now: Moment,
    /// Uniform draws in `0.0..1.0`.
    pub draw: &'a mut dyn FnMut() -> f64,
    pub health: &'a Health,
    /// Nano-USD per million tokens, input and output blended; `None` when unknown.
    pub price: &'a dyn Fn(&Target) -> Option<u64>,
}

/// The state of one request. Small; a plan with a single target allocates nothing here.
#[derive(Debug)]
pub struct Walk {
    root: Node,
    /// Groups entered and not left, outermost first.
    stack: Vec<Frame>,
    attempts: Option<Attempts>,
}

/// What to do next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Wait, then call `target`. `retry` is 0 for its first call.
    Try { target: Arc<Target>, retry: u32, wait_ms: u64, hedge_after_ms: Option<u64> },
    /// The last outcome is the answer. `retry_count` is the value of `x-portkey-retry-attempt-count`: retries
    /// made on the target that answered, or -1 when they were used up or given up on a status that was worth
    /// one.
    Done { retry_count: i32 },
}

/// What an attempt led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Status the client would see; for failures without one, the gateway's own (408, 500, 503).
    pub status: u16,
    /// Only [`Fault::Provider`] counts against the upstream. Without meaning for a success.
    pub fault: Fault,
    /// No HTTP status came from the upstream: connection refused, reset, broken.
    pub network: bool,
    /// The gateway itself could not make the call or read the answer: retries and fallback stop.
    pub gateway_exception: bool,
    /// A time limit of the gateway ended the attempt.
    pub timed_out: bool,
    /// A guardrail refused the request before it was sent: never retried, but fallback goes on.
    pub denied_before_call: bool,
    /// How long the provider asked to wait; `None` when it did not say or in a form that cannot be read.
    pub retry_after_ms: Option<u64>,
    pub first_byte_ms: Option<u64>,
    /// The provider said that the same request cannot succeed (`x-should-retry: false`).
    pub provider_said_no_retry: bool,
}

/// The plan leads nowhere for this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteError {
    pub status: u16,
    pub message: String,
}

/// A group on the way down: the children chosen, and which of them is being tried.
#[derive(Debug)]
struct Frame {
    group: Arc<Group>,
    order: Vec<usize>,
    at: usize,
}

impl Walk {
    pub fn new(plan: &Plan) -> Self {
        Self { root: plan.root.clone(), stack: Vec::new(), attempts: None }
    }

    /// The first step.
    ///
    /// # Errors
    /// No target can be chosen: a condition without a match, a group without a usable target, a strict
    /// circuit that is open.
    pub fn begin(&mut self, facts: &Facts<'_>, env: &mut Env<'_>) -> Result<Step, RouteError> {
        self.stack.clear();
        let root = self.root.clone();
        self.enter(root, facts, env)
    }

    /// The step after an attempt that ended in `outcome`.
    ///
    /// # Errors
    /// As [`Self::begin`], when the way on leads into a group.
    pub fn after(
        &mut self,
        outcome: &Outcome,
        facts: &Facts<'_>,
        env: &mut Env<'_>,
    ) -> Result<Step, RouteError> {
        let Some(attempts) = self.attempts.as_mut() else { return Ok(Step::Done { retry_count: 0 }) };
        let retry_count = match retry::decide(attempts, outcome, env) {
            Verdict::Again { wait_ms } => return Ok(try_step(attempts, wait_ms, env)),
            Verdict::Stop { retry_count } => retry_count,
        };
        self.attempts = None;
        match self.next_sibling(outcome, env) {
            Some(node) => self.enter(node, facts, env),
            None => Ok(Step::Done { retry_count }),
        }
    }

    /// Goes down from `node` to a target.
    fn enter(&mut self, mut node: Node, facts: &Facts<'_>, env: &mut Env<'_>) -> Result<Step, RouteError> {
        loop {
            if strategy::is_barred(&node, env.health, env.now) {
                return Err(RouteError::circuit_open(node.path()));
            }
            match node {
                Node::Target(target) => return Ok(self.arrive(target, env)),
                Node::Group(group) => {
                    let order = strategy::choose(&group, facts, env)?;
                    let Some(first) = order.first() else {
                        return Err(strategy::nothing_to_choose(&group, env));
                    };
                    node = group.children[*first].clone();
                    self.stack.push(Frame { group, order, at: 0 });
                }
            }
        }
    }

    fn arrive(&mut self, target: Arc<Target>, env: &mut Env<'_>) -> Step {
        let attempts = self.attempts.insert(Attempts::new(target));
        try_step(attempts, 0, env)
    }

    /// The child to try after the one that ended in `outcome`: in the innermost group that goes on. Circuits
    /// that opened meanwhile are passed by.
    fn next_sibling(&mut self, outcome: &Outcome, env: &Env<'_>) -> Option<Node> {
        if outcome.gateway_exception {
            return None;
        }
        while let Some(frame) = self.stack.last_mut() {
            if strategy::moves_on(&frame.group.strategy, outcome)
                && let Some(next) = frame.advance(env)
            {
                return Some(next);
            }
            self.stack.pop();
        }
        None
    }
}

impl Frame {
    fn advance(&mut self, env: &Env<'_>) -> Option<Node> {
        let left = self.order.iter().enumerate().skip(self.at + 1);
        let mut left = left.map(|(at, index)| (at, &self.group.children[*index]));
        let (at, child) = left.find(|(_, child)| !strategy::is_barred(child, env.health, env.now))?;
        let child = child.clone();
        self.at = at;
        Some(child)
    }
}

fn try_step(attempts: &Attempts, wait_ms: u64, env: &mut Env<'_>) -> Step {
    let target = Arc::clone(&attempts.target);
    let hedge_after_ms = env.health.begin(&target, attempts.retries > 0, env.now);
    Step::Try { target, retry: attempts.retries, wait_ms, hedge_after_ms }
}

impl Outcome {
    /// An answer from the upstream.
    pub fn of_status(status: u16) -> Self {
        Self { status, fault: Fault::of_status(status), ..Self::default() }
    }

    /// Whether the upstream failed, and by its own fault.
    pub fn is_provider_failure(&self) -> bool {
        self.fault == Fault::Provider
            && (self.network || self.timed_out || !(200..300).contains(&self.status))
    }
}

impl Default for Outcome {
    /// A success.
    fn default() -> Self {
        Self {
            status: 200,
            fault: Fault::Caller,
            network: false,
            gateway_exception: false,
            timed_out: false,
            denied_before_call: false,
            retry_after_ms: None,
            first_byte_ms: None,
            provider_said_no_retry: false,
        }
    }
}

impl RouteError {
    /// The config asks for something that this request cannot be given.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }

    pub(crate) fn nothing_selected(message: impl Into<String>) -> Self {
        Self { status: 500, message: message.into() }
    }

    pub(crate) fn circuit_open(path: &str) -> Self {
        Self { status: 503, message: format!("The circuit of '{path}' is open after repeated failures") }
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RouteError {}

impl fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts").field("url_path", &self.url_path).finish_non_exhaustive()
    }
}

impl fmt::Debug for Env<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("now", &self.now).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
