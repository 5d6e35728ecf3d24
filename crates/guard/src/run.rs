//! Runs hooks over one body and says what they found.
//!
//! Hooks do not see each other's changes, and neither do the checks of a guardrail unless it is `sequential`; each starts
//! from the body as it came. When several change it, the last one's body stands.

use serde_json::Value;

use crate::check::{CheckError, Finding, Function, Scene};
use crate::hook::{Check, Hook};
use crate::report;
use crate::{Input, Side};

/// What the hooks of one side found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// One object per hook that ran, for `hook_results`. Empty when none ran.
    pub results: Vec<Value>,
    /// A hook with `deny` failed: the request or the answer must not go on (446).
    pub denied: bool,
    /// A hook failed, with or without `deny` (246 unless denied).
    pub failed: bool,
    /// The body to send in place of the request.
    pub transformed_request: Option<Value>,
    /// The body to answer with in place of the response.
    pub transformed_response: Option<Value>,
}

/// Judges one side of `input`. Hooks on a response are for answers with status 200. `now_unix_ms` says the time, in ms since
/// 1970, before and after each hook and check.
pub fn run(hooks: &[Hook], side: Side, input: Input<'_>, now_unix_ms: &dyn Fn() -> u64) -> Outcome {
    let scene = Scene::new(side, input);
    let mut outcome = Outcome::default();
    let mut transformed = None;
    for hook in hooks.iter().filter(|hook| hook.runs_on(side, input.shape)) {
        let started_ms = now_unix_ms();
        let (checks, changed) = run_checks(hook, scene, now_unix_ms);
        let verdict = checks.iter().all(CheckRun::passes);
        outcome.failed |= !verdict;
        outcome.denied |= !verdict && hook.deny;
        let run =
            HookRun { hook, checks, verdict, started_ms, took_ms: now_unix_ms().saturating_sub(started_ms) };
        outcome.results.push(report::hook_result(&run));
        transformed = changed.or(transformed);
    }
    match side {
        Side::Request => outcome.transformed_request = transformed,
        Side::Response => outcome.transformed_response = transformed,
    }
    outcome
}

/// A hook that has run.
pub(crate) struct HookRun<'h> {
    pub(crate) hook: &'h Hook,
    pub(crate) checks: Vec<CheckRun<'h>>,
    pub(crate) verdict: bool,
    pub(crate) started_ms: u64,
    pub(crate) took_ms: u64,
}

/// A check that has run.
pub(crate) struct CheckRun<'h> {
    pub(crate) check: &'h Check,
    /// `Err` when the check could not judge at all.
    pub(crate) found: Result<Finding, CheckError>,
    pub(crate) changed: bool,
    pub(crate) started_ms: u64,
    pub(crate) took_ms: u64,
}

fn run_checks<'h>(
    hook: &'h Hook,
    scene: Scene<'_>,
    now_unix_ms: &dyn Fn() -> u64,
) -> (Vec<CheckRun<'h>>, Option<Value>) {
    let mut runs = Vec::new();
    let mut latest: Option<Value> = None;
    for check in hook.active_checks() {
        let started_ms = now_unix_ms();
        let seen = match &latest {
            Some(changed) if hook.in_sequence() => scene.with_body(changed),
            _ => scene,
        };
        let mut found = judge(check, seen);
        let changed = found.as_mut().ok().and_then(|finding| finding.transformed.take());
        let took_ms = now_unix_ms().saturating_sub(started_ms);
        runs.push(CheckRun { check, found, changed: changed.is_some(), started_ms, took_ms });
        latest = changed.or(latest);
    }
    (runs, latest)
}

fn judge(check: &Check, scene: Scene<'_>) -> Result<Finding, CheckError> {
    match check.function {
        Function::Local(function) => {
            function(&scene, &check.parameters).map_err(|_| CheckError::not_executed())
        }
        Function::Unavailable => Err(CheckError::unavailable(&check.id)),
        Function::Unknown => Err(CheckError::not_executed()),
    }
}

impl CheckRun<'_> {
    /// Whether the check lets its hook pass: errors do, unless it says otherwise.
    fn passes(&self) -> bool {
        self.verdict() || (self.has_error() && !self.check.parameters.fail_on_error())
    }

    pub(crate) fn verdict(&self) -> bool {
        self.found.as_ref().is_ok_and(|finding| finding.verdict)
    }

    pub(crate) fn has_error(&self) -> bool {
        self.found.as_ref().map_or(true, |finding| finding.error.is_some())
    }
}

#[cfg(test)]
mod tests;
