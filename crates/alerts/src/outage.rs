//! Whether a provider is well, by what became of the requests that were sent to it.
//!
//! A fault is the provider's own: an answer from 500 on, silence, a connection that fails or breaks. What its callers did
//! wrong (4xx, a limit of their account) says nothing about it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::standing::{Finding, Verdict};

/// One request that was sent to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub provider: String,
    /// Milliseconds since 1970.
    pub at: u64,
    pub is_fault: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Ok,
    /// A tenth of its requests or more ended in a fault of its own.
    Degraded,
    /// Half of them or more.
    Down,
    /// Too few requests to say.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub provider: String,
    pub state: State,
    /// Of one that is not well: the first of the faults that make it so, milliseconds since 1970.
    pub since: Option<u64>,
    pub requests: u64,
    pub faults: u64,
}

/// In percent.
const DEGRADED: u64 = 10;
const DOWN: u64 = 50;

impl State {
    fn of(requests: u64, faults: u64, least: u64) -> Self {
        match faults.saturating_mul(100) {
            _ if requests < least.max(1) => Self::Unknown,
            share if share >= requests.saturating_mul(DOWN) => Self::Down,
            share if share >= requests.saturating_mul(DEGRADED) => Self::Degraded,
            _ => Self::Ok,
        }
    }

    fn is_ill(self) -> bool {
        matches!(self, Self::Degraded | Self::Down)
    }
}

impl Health {
    /// In percent; nothing of nothing.
    pub fn share(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.faults as f64 * 100.0 / self.requests as f64)
    }

    /// For a rule about outages: fires when it is down, or when it is `degraded` too.
    pub fn finding(&self, degraded: bool) -> Finding {
        let verdict = match self.state {
            State::Down => Verdict::Out,
            State::Degraded if degraded => Verdict::Out,
            // Better than down, but not well.
            State::Degraded => Verdict::Between,
            State::Ok => Verdict::Well,
            State::Unknown => Verdict::Unknown,
        };
        Finding { key: self.provider.clone(), value: self.share(), requests: self.requests, verdict }
    }
}

/// By provider: those of which something was sent within `window_ms` before `now`. What is older helps to say since when.
/// Fewer than `least` requests say nothing.
pub fn health(sent: &[Sent], now: u64, window_ms: u64, least: u64) -> Vec<Health> {
    let mut of: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
    for one in sent {
        of.entry(&one.provider).or_default().push(one);
    }
    let from = now.saturating_sub(window_ms);
    let one = |(provider, mut sent): (&str, Vec<&Sent>)| {
        sent.sort_by_key(|one| std::cmp::Reverse(one.at));
        let recent = sent.iter().take_while(|one| one.at >= from);
        let (requests, faults) = recent
            .fold((0u64, 0u64), |(requests, faults), one| (requests + 1, faults + u64::from(one.is_fault)));
        let state = State::of(requests, faults, least);
        let since = if state.is_ill() { since(&sent, state) } else { None };
        (requests > 0).then(|| Health { provider: provider.to_owned(), state, since, requests, faults })
    };
    of.into_iter().filter_map(one).collect()
}

/// The oldest fault from which on the provider is as ill as it is now. `sent` is in order, the newest first.
fn since(sent: &[&Sent], state: State) -> Option<u64> {
    let bound = if state == State::Down { DOWN } else { DEGRADED };
    let (mut requests, mut faults, mut since) = (0u64, 0u64, None);
    for one in sent {
        requests += 1;
        faults += u64::from(one.is_fault);
        if one.is_fault && faults * 100 >= requests * bound {
            since = Some(one.at);
        }
    }
    since
}
