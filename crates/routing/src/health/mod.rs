//! What requests remember for each other, per upstream: is it down, how fast does it answer, how many extra
//! calls may it get.
//!
//! The gateway records every attempt with [`Health::record`]; strategies and the walk read. Memory is
//! bounded: at most [`Health::MAX_KEYS`] upstreams, the longest unused one goes first. Locks are sharded and
//! held for a few dozen instructions.

mod bucket;
mod circuit;
mod latency;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_core::Moment;

use crate::plan::{CircuitPolicy, HedgeAfter, Target, TargetKey};
use crate::walk::Outcome;

use bucket::Bucket;
use circuit::Circuit;
use latency::Latency;

pub use circuit::CircuitState;

const SHARDS: usize = 16;
const KEYS_PER_SHARD: usize = 256;

/// Health of all upstreams. Share one per process.
#[derive(Debug)]
pub struct Health {
    shards: [Mutex<Shard>; SHARDS],
}

type Shard = HashMap<TargetKey, Entry, BuildHasherDefault<KeyHasher>>;

/// Keys are hashes already.
#[derive(Debug, Default)]
struct KeyHasher(u64);

/// One upstream, for metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthRow {
    pub key: TargetKey,
    /// Provider, and base URL where it is not the provider's own: `openai`, `openai https://eu.example.com`.
    pub label: Arc<str>,
    pub state: CircuitState,
    pub calls: u64,
    /// Failures of the provider's own, since the upstream was first seen.
    pub failures: u64,
    /// Moving average of the time to the first byte.
    pub first_byte_ms: Option<f64>,
    pub first_byte_p95_ms: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    label: Arc<str>,
    used: Moment,
    /// As of the last call; `None` = switched off.
    policy: Option<CircuitPolicy>,
    circuit: Circuit,
    latency: Latency,
    retries: Bucket,
    hedges: Bucket,
    calls: u64,
    failures: u64,
}

impl Health {
    /// Upstreams remembered at most.
    pub const MAX_KEYS: usize = SHARDS * KEYS_PER_SHARD;

    pub fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::new(Shard::default())) }
    }

    /// Notes that a call to `target` starts at `now`, and takes a probe when its circuit is half open. The
    /// walk does this for every step. Gives how long to wait before a hedged call, if one is wanted and
    /// affordable.
    pub(crate) fn begin(&self, target: &Target, is_retry: bool, now: Moment) -> Option<u64> {
        let mut shard = self.shard(target.key);
        if shard.len() >= KEYS_PER_SHARD && !shard.contains_key(&target.key) {
            evict_oldest(&mut shard);
        }
        let entry = shard.entry(target.key).or_insert_with(|| Entry::new(target, now));
        entry.used = now;
        entry.policy = target.circuit;
        entry.calls += 1;
        if !is_retry {
            entry.retries.deposit(target.retry.budget.unwrap_or(0.0), now);
        }
        if let Some(policy) = &target.circuit {
            entry.circuit.begin(policy, now);
        }
        let hedge = target.hedge?;
        entry.hedges.deposit(hedge.max_share, now);
        let after_ms = match hedge.after {
            HedgeAfter::Ms(ms) => ms,
            HedgeAfter::P95 => entry.latency.p95_ms()?,
        };
        entry.hedges.has_one(now).then_some(after_ms)
    }

    /// Notes how a call ended. Call it once per attempt, also for hedged ones and for streams that break
    /// later; a call that was abandoned because the client left is not recorded.
    pub fn record(&self, key: &TargetKey, outcome: &Outcome, now: Moment) {
        let mut shard = self.shard(*key);
        let Some(entry) = shard.get_mut(key) else { return };
        let failed = outcome.is_provider_failure();
        entry.failures += u64::from(failed);
        if let Some(policy) = &entry.policy {
            let says_nothing = outcome.gateway_exception || outcome.denied_before_call;
            let verdict = if says_nothing { None } else { Some(failed) };
            entry.circuit.record(policy, verdict, now);
        }
        if let Some(ms) = outcome.first_byte_ms.filter(|_| !failed) {
            entry.latency.record(ms);
        }
    }

    /// The circuit of an upstream; closed when nothing is known about it.
    pub fn state(&self, key: &TargetKey, now: Moment) -> CircuitState {
        self.read(*key, |entry| entry.state(now)).unwrap_or(CircuitState::Closed)
    }

    /// Whether a call to `target` is worth trying now: its circuit is closed, or half open with a probe left.
    pub fn is_available(&self, target: &Target, now: Moment) -> bool {
        let Some(policy) = &target.circuit else { return true };
        self.read(target.key, |entry| entry.circuit.is_available(policy, now)).unwrap_or(true)
    }

    /// Moving average of the time to the first byte; `None` before the first success.
    pub fn first_byte_ms(&self, key: &TargetKey) -> Option<f64> {
        self.read(*key, |entry| entry.latency.average_ms()).flatten()
    }

    /// 95th percentile of the time to the first byte, within 10 %; `None` until enough calls were seen.
    pub fn first_byte_p95_ms(&self, key: &TargetKey) -> Option<u64> {
        self.read(*key, |entry| entry.latency.p95_ms()).flatten()
    }

    /// Takes one retry out of the upstream's budget; `false` when it is empty.
    pub fn take_retry(&self, key: &TargetKey, now: Moment) -> bool {
        self.shard(*key).get_mut(key).is_none_or(|entry| entry.retries.take(now))
    }

    /// Takes one hedged call out of the upstream's budget. Ask when the wait of a step is over, right before
    /// sending.
    pub fn take_hedge(&self, key: &TargetKey, now: Moment) -> bool {
        self.shard(*key).get_mut(key).is_some_and(|entry| entry.hedges.take(now))
    }

    /// All upstreams known, in no particular order.
    pub fn snapshot(&self, now: Moment) -> Vec<HealthRow> {
        let mut rows = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            rows.extend(shard.iter().map(|(key, entry)| entry.row(*key, now)));
        }
        rows
    }

    fn read<T>(&self, key: TargetKey, read: impl FnOnce(&Entry) -> T) -> Option<T> {
        self.shard(key).get(&key).map(read)
    }

    fn shard(&self, key: TargetKey) -> MutexGuard<'_, Shard> {
        // The map itself looks at the lowest and the highest bits.
        lock(&self.shards[((key.0 >> 32) % SHARDS as u64) as usize])
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Entry {
    fn new(target: &Target, now: Moment) -> Self {
        let label = match &target.custom_host {
            Some(host) => format!("{} {host}", target.provider).into(),
            None => Arc::from(&*target.provider),
        };
        Self {
            label,
            used: now,
            policy: target.circuit,
            circuit: Circuit::default(),
            latency: Latency::default(),
            retries: Bucket::new(now),
            hedges: Bucket::empty(now),
            calls: 0,
            failures: 0,
        }
    }

    fn state(&self, now: Moment) -> CircuitState {
        self.policy.as_ref().map_or(CircuitState::Closed, |policy| self.circuit.state(policy, now))
    }

    fn row(&self, key: TargetKey, now: Moment) -> HealthRow {
        HealthRow {
            key,
            label: Arc::clone(&self.label),
            state: self.state(now),
            calls: self.calls,
            failures: self.failures,
            first_byte_ms: self.latency.average_ms(),
            first_byte_p95_ms: self.latency.p95_ms(),
        }
    }
}

impl Hasher for KeyHasher {
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn evict_oldest(shard: &mut Shard) {
    let oldest = shard.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key);
    if let Some(key) = oldest {
        shard.remove(&key);
    }
}

/// A panic elsewhere cannot leave an entry half written in a way that matters: counts are independent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
