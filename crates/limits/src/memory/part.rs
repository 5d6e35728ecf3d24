//! A sixty-fourth of all keys. Growing a table moves everything in it while others wait; small tables make that short.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::counter::Cell;
use crate::rule::Rule;

use super::key::{AsKey, Key, KeyRef, Ready};

#[derive(Debug, Default)]
pub(super) struct Part {
    index: HashMap<Key, u32, BuildHasherDefault<Ready>>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
}

/// The counters of one key.
#[derive(Debug)]
pub(super) struct Slot {
    key: Key,
    /// In the order of the layer's rules.
    pub(super) cells: Box<[Cell]>,
    /// Permits that will come back to it: it keeps its place until then.
    pub(super) pins: u32,
    /// Not before this is it worth looking whether it is idle.
    pub(super) idle_at: u64,
}

impl Part {
    pub(super) fn find(&self, key: KeyRef<'_>) -> Option<u32> {
        self.index.get(&key as &dyn AsKey).copied()
    }

    pub(super) fn slot(&mut self, i: u32) -> Option<&mut Slot> {
        self.slots.get_mut(i as usize)?.as_mut()
    }

    /// A place for a key that is not there. `None` when there are 2^32 of them.
    pub(super) fn insert(&mut self, key: KeyRef<'_>) -> Option<u32> {
        let key = key.to_key();
        let slot = Slot { key: key.clone(), cells: Box::default(), pins: 0, idle_at: 0 };
        let i = match self.free.pop() {
            Some(i) => i,
            None => {
                let i = u32::try_from(self.slots.len()).ok()?;
                self.slots.push(None);
                i
            }
        };
        *self.slots.get_mut(i as usize)? = Some(slot);
        self.index.insert(key, i);
        Some(i)
    }

    /// Places, taken or not.
    pub(super) fn places(&self) -> usize {
        self.slots.len()
    }

    /// Forgets the key at place `i` if it is idle. Whether it was.
    pub(super) fn evict(&mut self, i: usize, now: u64) -> bool {
        let Some(place) = self.slots.get_mut(i) else { return false };
        if !place.as_mut().is_some_and(|slot| slot.is_idle(now)) {
            return false;
        }
        if let Some(slot) = place.take() {
            self.index.remove(&slot.key);
            self.free.extend(u32::try_from(i).ok());
        }
        true
    }

    /// Gives memory back that a crowd left behind. Costs as much as there are places.
    pub(super) fn shrink(&mut self) {
        if self.index.is_empty() {
            *self = Self::default();
            return;
        }
        while self.slots.last().is_some_and(Option::is_none) {
            self.slots.pop();
        }
        let places = self.slots.len();
        self.free.retain(|i| (*i as usize) < places);
        if self.slots.capacity() > places * 4 {
            self.slots.shrink_to(places * 2);
            self.free.shrink_to_fit();
        }
        if self.index.capacity() > self.index.len() * 4 {
            self.index.shrink_to(self.index.len() * 2);
        }
    }
}

impl Slot {
    /// Makes the cells those of `rules`. Usage stays where a rule differs in its amount only.
    pub(super) fn conform(&mut self, rules: &[Rule], sequence: u64, now: u64) {
        let is_same = self.cells.len() == rules.len()
            && self.cells.iter().zip(rules).all(|(cell, rule)| cell.rule() == rule);
        if is_same {
            return;
        }
        let mut old: Vec<Cell> = std::mem::take(&mut self.cells).into_vec();
        let cells =
            rules.iter().map(|rule| match old.iter().position(|cell| cell.rule().counts_like(rule)) {
                Some(i) => old.remove(i).with_rule(*rule),
                None => Cell::new(*rule, sequence, now),
            });
        self.cells = cells.collect();
    }

    fn is_idle(&mut self, now: u64) -> bool {
        self.pins == 0
            && self.idle_at <= now
            && self.cells.iter_mut().all(|cell| {
                cell.advance(now);
                cell.is_idle()
            })
    }
}
