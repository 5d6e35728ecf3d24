//! What the lock protects: all keys, and the time and the number of the last admission.

use crate::counter::Correction;
use crate::decision::{Cause, Refusal, Standing};
use crate::demand::Demand;
use crate::rule::Unit;
use crate::store::End;

use super::MemoryStats;
use super::key::KeyRef;
use super::part::{Part, Slot};
use super::receipt::{MemoryReceipt, Tickets};

pub(super) const PARTS: usize = 64;
/// Keys that each admission looks at, besides one for each that it makes.
const LOOKED_AT: usize = 2;
/// Keys that an admission looks at when it needs room.
const LOOKED_AT_FOR_ROOM: usize = 64;

#[derive(Debug)]
pub(super) struct State {
    pub(super) parts: Vec<Part>,
    /// The latest time heard of. Threads bring their readings in any order; counters only see it rise.
    latest: u64,
    /// Number of the last admission.
    pub(super) sequence: u64,
    /// Where the search for idle keys goes on: part, place.
    hand: (usize, usize),
    /// Keys made since the last look around.
    made: usize,
    pub(super) stats: MemoryStats,
}

impl State {
    pub(super) fn new(now: u64) -> Self {
        let parts = std::iter::repeat_with(Part::default).take(PARTS).collect();
        Self { parts, latest: now, sequence: 0, hand: (0, 0), made: 0, stats: MemoryStats::default() }
    }

    pub(super) fn hear(&mut self, now: u64) -> u64 {
        self.latest = self.latest.max(now);
        self.latest
    }

    pub(super) fn slot(&mut self, part: u32, slot: u32) -> Option<&mut Slot> {
        self.parts.get_mut(part as usize)?.slot(slot)
    }

    /// Finds the key's place or makes one. `None` when there is no room.
    pub(super) fn place(&mut self, key: KeyRef<'_>, max_keys: usize, now: u64) -> Option<(u32, u32)> {
        // The tables themselves look at the lowest and the highest bits.
        let part = ((key.hash >> 32) % PARTS as u64) as u32;
        if let Some(slot) = self.parts.get(part as usize)?.find(key) {
            return Some((part, slot));
        }
        if self.stats.keys >= max_keys {
            self.look_at(LOOKED_AT_FOR_ROOM, now);
        }
        if self.stats.keys >= max_keys {
            return None;
        }
        let slot = self.parts.get_mut(part as usize)?.insert(key)?;
        self.stats.keys += 1;
        self.made += 1;
        Some((part, slot))
    }

    /// What refuses the request, if anything does.
    pub(super) fn check(
        &mut self,
        tickets: &Tickets,
        demand: &Demand<'_>,
        tokens: u64,
        now: u64,
    ) -> Option<Refusal> {
        let mut cause = None;
        let mut retry_after_ms = 0;
        for ticket in tickets.as_slice() {
            let Some(slot) = self.slot(ticket.part, ticket.slot) else { continue };
            for cell in &mut slot.cells {
                cell.advance(now);
                let wait = cell.wait(cell.need(tokens), now);
                retry_after_ms = retry_after_ms.max(wait);
                if wait > 0 && cause.is_none() {
                    cause = Some((ticket.layer as usize, *cell.rule(), cell.gauge(now)));
                }
            }
        }
        let (layer, rule, gauge) = cause?;
        let scope = demand.layers.get(layer)?.scope;
        let standing = self.standing(tickets, now);
        Some(Refusal { cause: Cause::Rule { layer, scope, rule, gauge }, retry_after_ms, standing })
    }

    pub(super) fn charge(&mut self, tickets: &Tickets, tokens: u64, now: u64) -> Standing {
        let mut standing = Standing::default();
        for ticket in tickets.as_slice() {
            let Some(slot) = self.slot(ticket.part, ticket.slot) else { continue };
            for cell in &mut slot.cells {
                cell.charge(cell.need(tokens), now);
                let gauge = cell.gauge(now);
                slot.idle_at = slot.idle_at.max(now.saturating_add(gauge.reset_ms));
                standing.note(cell.rule().unit(), gauge);
            }
        }
        standing
    }

    fn standing(&mut self, tickets: &Tickets, now: u64) -> Standing {
        let mut standing = Standing::default();
        for ticket in tickets.as_slice() {
            let Some(slot) = self.slot(ticket.part, ticket.slot) else { continue };
            slot.cells.iter().for_each(|cell| standing.note(cell.rule().unit(), cell.gauge(now)));
        }
        standing
    }

    pub(super) fn unpin(&mut self, tickets: &Tickets) {
        for ticket in tickets.as_slice() {
            if let Some(slot) = self.slot(ticket.part, ticket.slot) {
                slot.pins = slot.pins.saturating_sub(1);
            }
        }
    }

    pub(super) fn look_around(&mut self, now: u64) {
        let made = std::mem::take(&mut self.made);
        self.look_at(LOOKED_AT + made, now);
    }

    /// Looks at the next `count` places and forgets the keys there that are idle.
    fn look_at(&mut self, count: usize, now: u64) {
        for _ in 0..count {
            let (part, place) = self.hand;
            if self.parts.get(part).is_some_and(|part| place < part.places()) {
                self.evict(part, place, now);
                self.hand = (part, place + 1);
            } else {
                self.hand = ((part + 1) % PARTS, 0);
            }
        }
    }

    pub(super) fn evict(&mut self, part: usize, place: usize, now: u64) -> bool {
        let evicted = self.parts.get_mut(part).is_some_and(|part| part.evict(place, now));
        if evicted {
            self.stats.keys = self.stats.keys.saturating_sub(1);
            self.stats.evicted += 1;
        }
        evicted
    }
}

impl Slot {
    pub(super) fn settle(&mut self, receipt: &MemoryReceipt, end: End, now: u64) {
        self.pins = self.pins.saturating_sub(1);
        for cell in self.cells.iter_mut().filter(|cell| cell.born() <= receipt.sequence) {
            let from = cell.need(receipt.tokens);
            let to = match (end, cell.rule().unit()) {
                (End::Used(tokens), Unit::Tokens) => tokens.min(Demand::MAX_TOKENS),
                (End::Used(_), Unit::Requests) => from,
                (End::Used(_), Unit::Concurrency) | (End::Cancelled, _) => 0,
            };
            cell.correct(Correction { at: receipt.at, from, to }, now);
        }
    }
}
