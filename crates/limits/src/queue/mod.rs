//! Waiting instead of being refused: bounded, and fair by tokens between keys.
//!
//! Each key has a lane. An item's start is where its lane's last one ended, in tokens; the least start goes next, and
//! virtual time is the start of what was served last (start-time fair queueing). A key that asks for much thereby moves
//! far ahead of the others and waits for them; a key that comes anew starts at virtual time and neither pays for having
//! been away nor gains by it.
//!
//! Nothing waits unseen: whatever goes in comes out once, served, expired, displaced, or taken back.

mod lane;

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::ops::ControlFlow;

use tidegate_core::Moment;

use lane::{Lane, Stand, Waiting};

/// Bounds of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueRules {
    /// Items of all keys together; 0 refuses everything.
    pub max_len: usize,
    /// Items of one key.
    pub max_per_key: usize,
    /// The longest that anything waits, in milliseconds.
    pub max_wait_ms: u64,
}

/// Items of type `T` that wait for their turn among keys of type `K`. The owner puts a lock around it.
#[derive(Debug)]
pub struct FairQueue<K, T> {
    rules: QueueRules,
    /// Keys with items, and keys that are ahead of virtual time.
    lanes: HashMap<K, Lane<T>>,
    /// The first item of each lane, by start and then by arrival.
    heads: BTreeMap<(u64, u64), K>,
    deadlines: BTreeMap<(Moment, u64), K>,
    /// Empty lanes that are ahead, by the end of what they had.
    resting: BTreeMap<(u64, u64), K>,
    virtual_time: u64,
    sequence: u64,
    len: usize,
}

/// Names an item in the queue, to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place<K> {
    key: K,
    sequence: u64,
}

/// An item that got in.
#[derive(Debug)]
pub struct Queued<K, T> {
    pub place: Place<K>,
    /// The newest item of the key with most tokens waiting, which had to make room: refuse it.
    pub displaced: Option<Left<K, T>>,
}

/// An item that is not in the queue any more.
#[derive(Debug, PartialEq, Eq)]
pub struct Left<K, T> {
    pub key: K,
    pub item: T,
    pub tokens: u64,
    pub since: Moment,
}

/// An item that did not get in.
#[derive(Debug, PartialEq, Eq)]
pub struct Rejected<T> {
    pub item: T,
    pub reason: Rejection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// The queue is full, and no key has more tokens waiting than this one would have.
    Full,
    /// This key has as many items waiting as it may.
    KeyFull,
}

/// What becomes of an item that is offered its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer<R> {
    /// It goes, with this.
    Take(R),
    /// Something of its own is in the way; others may go before it.
    Skip,
    /// Nothing can go now.
    Stop,
}

impl<K: Clone + Eq + Hash, T> FairQueue<K, T> {
    pub fn new(rules: QueueRules) -> Self {
        Self {
            rules,
            lanes: HashMap::new(),
            heads: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            resting: BTreeMap::new(),
            virtual_time: 0,
            sequence: 0,
            len: 0,
        }
    }

    /// From now on. Who waits already stays, until its own deadline.
    pub fn set_rules(&mut self, rules: QueueRules) {
        self.rules = rules;
    }

    /// Puts an item of `tokens` (at least 1 is counted) at the end of its key's lane. It waits until `now` plus the
    /// shorter of `wait_ms` and the queue's own bound.
    ///
    /// When the queue is full, room is made at the cost of the key with most tokens waiting, so that nobody keeps others
    /// out by filling it.
    pub fn push(
        &mut self,
        key: K,
        tokens: u64,
        item: T,
        wait_ms: u64,
        now: Moment,
    ) -> Result<Queued<K, T>, Rejected<T>> {
        let tokens = tokens.max(1);
        let (items, waiting) = self.lanes.get(&key).map_or((0, 0), |lane| (lane.len(), lane.tokens()));
        if items >= self.rules.max_per_key {
            return Err(Rejected { item, reason: Rejection::KeyFull });
        }
        let mut displaced = None;
        if self.len >= self.rules.max_len {
            displaced = self.displace(waiting.saturating_add(tokens));
            if displaced.is_none() {
                return Err(Rejected { item, reason: Rejection::Full });
            }
        }
        self.sequence += 1;
        let sequence = self.sequence;
        let deadline = now.plus(wait_ms.min(self.rules.max_wait_ms));
        self.deadlines.insert((deadline, sequence), key.clone());
        self.len += 1;
        let lane = self.lanes.entry(key.clone()).or_default();
        lane.push(Waiting { sequence, tokens, since: now, deadline, item });
        let start = lane.start();
        self.restand(&key, start);
        Ok(Queued { place: Place { key, sequence }, displaced })
    }

    /// Offers the first item of each key its turn, the fairest first, until one is taken. Items whose time is up are not
    /// offered. `offer` sees the key, the item and its tokens; it may well ask the limits.
    pub fn serve<R>(
        &mut self,
        now: Moment,
        mut offer: impl FnMut(&K, &T, u64) -> Offer<R>,
    ) -> Option<(Left<K, T>, R)> {
        let taken = self.heads.iter().try_for_each(|(at, key)| {
            let waiting = self.lanes.get(key).and_then(Lane::first).filter(|waiting| waiting.deadline > now);
            match waiting.map(|waiting| offer(key, &waiting.item, waiting.tokens)) {
                Some(Offer::Take(with)) => ControlFlow::Break(Some((*at, key.clone(), with))),
                Some(Offer::Stop) => ControlFlow::Break(None),
                Some(Offer::Skip) | None => ControlFlow::Continue(()),
            }
        });
        let ControlFlow::Break(Some(((start, sequence), key, with))) = taken else { return None };
        self.virtual_time = self.virtual_time.max(start);
        if let Some(lane) = self.lanes.get_mut(&key) {
            let tokens = lane.first().map_or(0, |waiting| waiting.tokens);
            lane.ends = start.saturating_add(tokens);
        }
        let left = self.take(&key, sequence)?;
        self.wake_resting();
        Some((left, with))
    }

    /// What an item that was served truly took, where it was not `estimated`: its key pays for the difference.
    pub fn correct(&mut self, key: &K, estimated: u64, used: u64) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        let before = lane.ends;
        lane.ends = before.saturating_add(used.max(1)).saturating_sub(estimated.max(1));
        let ends = lane.ends;
        let start = match lane.stand {
            Stand::Head((start, _)) if ends >= before => Some(start.max(ends)),
            Stand::Head((start, _)) => Some(start.min(ends.max(self.virtual_time))),
            Stand::Resting(_) | Stand::Nowhere => None,
        };
        self.restand(key, start);
    }

    /// Takes an item back, because its client has gone. `None` when it is not there any more.
    pub fn take_back(&mut self, place: &Place<K>) -> Option<Left<K, T>> {
        self.take(&place.key, place.sequence)
    }

    /// Takes out everything that has waited as long as it may, longest overdue first: refuse it.
    pub fn expire(&mut self, now: Moment) -> Vec<Left<K, T>> {
        let mut expired = Vec::new();
        while let Some((&(deadline, sequence), key)) = self.deadlines.first_key_value() {
            if deadline > now {
                break;
            }
            let key = key.clone();
            match self.take(&key, sequence) {
                Some(left) => expired.push(left),
                None => drop(self.deadlines.remove(&(deadline, sequence))),
            }
        }
        expired
    }

    /// When to call [`FairQueue::expire`] next.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes out the newest item of the key that has most tokens waiting, if they are more than `than`. Looks at every
    /// key; only a full queue pays for that.
    fn displace(&mut self, than: u64) -> Option<Left<K, T>> {
        let heaviest = self.lanes.iter().filter(|(_, lane)| lane.tokens() > than);
        let heaviest =
            heaviest.max_by_key(|(_, lane)| (lane.tokens(), lane.last().map(|last| last.sequence)));
        let (key, sequence) =
            heaviest.and_then(|(key, lane)| lane.last().map(|last| (key.clone(), last.sequence)))?;
        self.take(&key, sequence)
    }

    /// Takes an item out, wherever in its lane it is.
    fn take(&mut self, key: &K, sequence: u64) -> Option<Left<K, T>> {
        let lane = self.lanes.get_mut(key)?;
        let waiting = lane.take(sequence)?;
        // Who goes without being served leaves its start to the next one.
        let start = lane.start().filter(|start| *start >= lane.ends);
        self.deadlines.remove(&(waiting.deadline, sequence));
        self.len -= 1;
        self.restand(key, start);
        if self.len == 0 {
            self.forget_all();
        }
        let Waiting { item, tokens, since, .. } = waiting;
        Some(Left { key: key.clone(), item, tokens, since })
    }

    /// Moves a lane to where it belongs after it changed: among the heads, among the resting, or nowhere. Without a
    /// `start`, its first item starts where the lane ends, or at virtual time if that is later.
    fn restand(&mut self, key: &K, start: Option<u64>) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        match std::mem::take(&mut lane.stand) {
            Stand::Head(at) => drop(self.heads.remove(&at)),
            Stand::Resting(at) => drop(self.resting.remove(&at)),
            Stand::Nowhere => {}
        }
        if let Some(first) = lane.first() {
            let at = (start.unwrap_or(lane.ends.max(self.virtual_time)), first.sequence);
            lane.stand = Stand::Head(at);
            self.heads.insert(at, key.clone());
        } else if lane.ends > self.virtual_time {
            let at = lane.resting_at();
            lane.stand = Stand::Resting(at);
            self.resting.insert(at, key.clone());
            self.bound_resting();
        } else {
            self.lanes.remove(key);
        }
    }

    /// Virtual time stands still while there is always a new key, so the resting are bounded like the rest.
    fn bound_resting(&mut self) {
        if self.resting.len() > self.rules.max_len
            && let Some((_, key)) = self.resting.pop_first()
        {
            self.lanes.remove(&key);
        }
    }

    /// Forgets the keys that virtual time has caught up with.
    fn wake_resting(&mut self) {
        while let Some(first) = self.resting.first_entry().filter(|first| first.key().0 <= self.virtual_time)
        {
            let key = first.remove();
            self.lanes.remove(&key);
        }
    }

    /// Nobody waits, so nobody is ahead of anybody.
    fn forget_all(&mut self) {
        self.lanes.clear();
        self.resting.clear();
        self.virtual_time = 0;
    }
}

#[cfg(test)]
mod tests;
