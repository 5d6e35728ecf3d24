//! Counters in the process, behind one lock.
//!
//! One lock, because a request needs several keys at once: with a lock per shard it takes up to one per layer, in
//! order, and the layers that all requests share (workspace, model, route) meet on the same shard anyway. Keys are
//! hashed before it is taken, and what happens under it is a handful of look-ups and additions.
//!
//! Memory is bounded by [`MemoryOptions::max_keys`]. Every admission looks at a few keys and forgets those that are
//! idle, so that nobody pays for a sweep; [`Memory::sweep`] does the same at once, for a quiet process. A key that still
//! counts something is never forgotten, because that would give its owner a fresh limit: when there is no room, new
//! keys are refused, and counted.

mod key;
mod part;
mod receipt;
mod state;

use std::collections::hash_map::RandomState;
use std::future::{Future, ready};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidegate_core::{Clock, Moment};

use crate::decision::{Cause, Refusal, Standing};
use crate::demand::Demand;
use crate::store::{Admission, Denial, End, Store};

use key::KeyRef;
use part::Part;
use receipt::{Ticket, Tickets};
use state::{PARTS, State};

pub use receipt::MemoryReceipt;

/// Times are cut to this (the year 287396), so that a window can be added to any of them.
const LATEST: u64 = 1 << 53;
/// How long to wait when there is no room.
const NO_ROOM_WAIT_MS: u64 = 1_000;

/// The default [`Store`].
#[derive(Debug)]
pub struct Memory {
    options: MemoryOptions,
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
pub struct MemoryOptions {
    /// Keys kept at most. One with three rules takes some 450 bytes, and up to 4 KB more for each moving window in full
    /// use.
    pub max_keys: usize,
    /// Milliseconds since 1970 (UTC) at `Moment(0)`. Calendar windows follow it; it is taken once, because a step of
    /// the wall clock must not open a window twice.
    pub epoch_unix_ms: u64,
}

/// For metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryStats {
    /// Kept now.
    pub keys: usize,
    /// Idle keys that were forgotten.
    pub evicted: u64,
    /// Requests refused because there was no room for their keys.
    pub no_room: u64,
}

impl MemoryOptions {
    /// A million keys, calendar windows by `clock`.
    pub fn new(clock: &dyn Clock) -> Self {
        Self { max_keys: 1_000_000, epoch_unix_ms: clock.unix_ms().saturating_sub(clock.now().0) }
    }
}

impl Memory {
    pub fn new(options: MemoryOptions) -> Self {
        let options = MemoryOptions { epoch_unix_ms: options.epoch_unix_ms.min(LATEST), ..options };
        let state = State::new(options.epoch_unix_ms);
        Self { options, hasher: RandomState::new(), state: Mutex::new(state) }
    }

    /// As [`Store::admit`], at once.
    pub fn admit_now(&self, demand: &Demand<'_>, now: Moment) -> Result<Admission<MemoryReceipt>, Refusal> {
        const FEW: usize = 8;
        let layers = demand.layers;
        let tokens = demand.tokens.min(Demand::MAX_TOKENS);
        let mut few = [None; FEW];
        few.iter_mut().enumerate().for_each(|(i, key)| *key = KeyRef::of(layers, i, &self.hasher));

        let mut state = self.lock();
        let now = state.hear(self.time(now));
        state.sequence += 1;
        let mut tickets = Tickets::default();
        for (i, layer) in layers.iter().enumerate().filter(|(_, layer)| !layer.rules.is_empty()) {
            let key = few.get(i).copied().unwrap_or_else(|| KeyRef::of(layers, i, &self.hasher));
            let place = key.and_then(|key| state.place(key, self.options.max_keys, now));
            let Some((part, slot)) = place else {
                state.unpin(&tickets);
                state.stats.no_room += 1;
                return Err(no_room());
            };
            let sequence = state.sequence;
            if let Some(slot) = state.slot(part, slot) {
                slot.pins += 1;
                slot.conform(layer.rules, sequence, now);
            }
            tickets.push(Ticket { part, slot, layer: u32::try_from(i).unwrap_or(u32::MAX) });
        }
        let refusal = state.check(&tickets, demand, tokens, now);
        if let Some(refusal) = refusal {
            state.unpin(&tickets);
            state.look_around(now);
            return Err(refusal);
        }
        let standing = state.charge(&tickets, tokens, now);
        state.look_around(now);
        let receipt = MemoryReceipt { tickets, sequence: state.sequence, at: now, tokens };
        Ok(Admission { receipt, standing, at: Moment(now.saturating_sub(self.options.epoch_unix_ms)) })
    }

    /// Forgets all keys that are idle at `now`, and gives memory back. The lock is taken anew for every few hundred keys,
    /// so that nobody waits long. How many they were. For a timer, every minute or so.
    pub fn sweep(&self, now: Moment) -> usize {
        const AT_ONCE: usize = 512;
        let now = self.time(now);
        let mut evicted = 0;
        for part in 0..PARTS {
            let mut from = 0;
            loop {
                let mut state = self.lock();
                let now = state.hear(now);
                let places = state.parts.get(part).map_or(0, Part::places);
                let until = places.min(from + AT_ONCE);
                evicted += (from..until).filter(|place| state.evict(part, *place, now)).count();
                from = until;
                if from >= places {
                    state.parts.get_mut(part).into_iter().for_each(Part::shrink);
                    break;
                }
            }
        }
        evicted
    }

    pub fn stats(&self) -> MemoryStats {
        self.lock().stats
    }

    fn time(&self, now: Moment) -> u64 {
        now.0.saturating_add(self.options.epoch_unix_ms).min(LATEST)
    }

    /// A panic elsewhere cannot leave counters half written: nothing under the lock panics or calls out.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    type Receipt = MemoryReceipt;

    fn admit(
        &self,
        demand: &Demand<'_>,
        now: Moment,
    ) -> impl Future<Output = Result<Admission<MemoryReceipt>, Denial>> + Send {
        ready(self.admit_now(demand, now).map_err(Denial::Refused))
    }

    fn settle(&self, receipt: MemoryReceipt, end: End, now: Option<Moment>) {
        let mut state = self.lock();
        let now = now.map_or(0, |now| self.time(now));
        let now = state.hear(now);
        for ticket in receipt.tickets.as_slice() {
            if let Some(slot) = state.slot(ticket.part, ticket.slot) {
                slot.settle(&receipt, end, now);
            }
        }
    }
}

fn no_room() -> Refusal {
    Refusal { cause: Cause::NoRoom, retry_after_ms: NO_ROOM_WAIT_MS, standing: Standing::default() }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod threads;
