//! Whether the same target is called again, and after what wait.
//!
//! The rules are those of the config's `retry` object. Moving on to another target is not decided here.

use std::sync::Arc;

use tidegate_core::Fault;

use crate::plan::Target;
use crate::walk::{Env, Outcome};

/// Providers' requested waits: each must be shorter, and all of one target's together may not be longer.
const HINT_BUDGET_MS: u64 = 60_000;
const FIRST_BACKOFF_MS: u64 = 1_000;

/// One target's calls within a request.
#[derive(Debug)]
pub(crate) struct Attempts {
    pub(crate) target: Arc<Target>,
    pub(crate) retries: u32,
    /// What is left for waits that the provider asks for.
    hint_budget_ms: u64,
    /// After the first wait asked for by the provider, retries of other failures come without a wait.
    hinted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Again { wait_ms: u64 },
    Stop { retry_count: i32 },
}

impl Attempts {
    pub(crate) fn new(target: Arc<Target>) -> Self {
        Self { target, retries: 0, hint_budget_ms: HINT_BUDGET_MS, hinted: false }
    }

    /// Ends the calls: -1 tells the client that retries were wanted and used up.
    fn stop(&self, outcome: &Outcome) -> Verdict {
        let policy = &self.target.retry;
        let used_up = self.retries >= policy.attempts && policy.lists(outcome.status);
        let made = i32::try_from(self.retries).unwrap_or(i32::MAX);
        Verdict::Stop { retry_count: if used_up { -1 } else { made } }
    }
}

pub(crate) fn decide(attempts: &mut Attempts, outcome: &Outcome, env: &mut Env<'_>) -> Verdict {
    let target = Arc::clone(&attempts.target);
    let policy = &target.retry;
    // An address that may not be called, or a client that left, is not mended by another try.
    let unanswered = outcome.network && !outcome.timed_out && outcome.fault != Fault::Caller;
    let worth_one = policy.lists(outcome.status) || unanswered;
    if outcome.gateway_exception || outcome.denied_before_call {
        return Verdict::Stop { retry_count: i32::try_from(attempts.retries).unwrap_or(i32::MAX) };
    }
    if !worth_one || attempts.retries >= policy.attempts {
        return attempts.stop(outcome);
    }
    let given_up = Verdict::Stop { retry_count: -1 };
    if outcome.provider_said_no_retry {
        return given_up;
    }
    let Some(wait_ms) = wait_ms(attempts, outcome, env) else { return given_up };
    if policy.budget.is_some() && !env.health.take_retry(&target.key, env.now) {
        return given_up;
    }
    attempts.retries += 1;
    Verdict::Again { wait_ms }
}

/// `None` when the provider asks for a longer wait than is worth it.
fn wait_ms(attempts: &mut Attempts, outcome: &Outcome, env: &mut Env<'_>) -> Option<u64> {
    let policy = &attempts.target.retry;
    let longest = policy.max_wait_ms.unwrap_or(u64::MAX);
    if let Some(asked_ms) = asked_wait_ms(attempts, outcome) {
        if asked_ms >= HINT_BUDGET_MS || asked_ms > attempts.hint_budget_ms || asked_ms > longest {
            return None;
        }
        attempts.hint_budget_ms -= asked_ms;
        attempts.hinted = true;
        return Some(asked_ms);
    }
    // A guardrail's verdict on the answer: the provider is not the reason to wait.
    let refused_answer = matches!(outcome.status, 246 | 446) && !outcome.network;
    if attempts.hinted || refused_answer {
        return Some(0);
    }
    let backoff_ms = FIRST_BACKOFF_MS.saturating_mul(2u64.saturating_pow(attempts.retries)).min(longest);
    if policy.jitter {
        let share = 0.5 + 0.5 * (env.draw)();
        return Some((backoff_ms as f64 * share) as u64);
    }
    Some(backoff_ms)
}

fn asked_wait_ms(attempts: &Attempts, outcome: &Outcome) -> Option<u64> {
    let honoured = attempts.target.retry.use_retry_after_header && matches!(outcome.status, 429 | 503 | 529);
    outcome.retry_after_ms.filter(|ms| honoured && *ms > 0)
}

#[cfg(test)]
mod tests;
