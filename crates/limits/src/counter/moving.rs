//! Usage by the time it happened: never more than the amount in any stretch of the window's length.
//!
//! The usual estimate from two buckets supposes that the last window was used evenly. When it was used at its end, half
//! as much again passes, so it cannot keep the promise above. This is a log instead, and its memory is bounded by
//! joining neighbours: an entry counts as used at its *latest* time, so joining never lets more through.
//!
//! * Amounts up to [`EXACT`] are exact: an entry per millisecond in use, and there are never more than the amount.
//! * Above it, entries within a 128th of the window are one. Usage comes back late by that much at most (0.5 s of a
//!   minute), and 129 entries of 16 bytes are the most there are.
//! * Corrections can make a few more; [`MOST`] is never passed.

use std::collections::VecDeque;

use super::Correction;

const EXACT: u64 = 128;
const STEPS: u64 = 128;
const MOST: usize = 256;

#[derive(Debug)]
pub(super) struct Moving {
    window_ms: u64,
    /// Oldest first, times strictly rising, no weight of zero.
    log: VecDeque<Entry>,
    total: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: u64,
    weight: u64,
}

impl Moving {
    pub(super) fn new(window_ms: u64) -> Self {
        Self { window_ms, log: VecDeque::new(), total: 0 }
    }

    pub(super) fn advance(&mut self, now: u64) {
        while let Some(oldest) = self.log.front().filter(|entry| entry.at + self.window_ms <= now) {
            self.total = self.total.saturating_sub(oldest.weight);
            self.log.pop_front();
        }
    }

    pub(super) fn used(&self) -> u64 {
        self.total
    }

    /// Until so much has left that `need` fits, or everything.
    pub(super) fn wait(&self, need: u64, amount: u64, now: u64) -> u64 {
        let mut left = self.total;
        for entry in &self.log {
            left = left.saturating_sub(entry.weight);
            if super::fits(left, need, amount) {
                return (entry.at + self.window_ms).saturating_sub(now).max(1);
            }
        }
        self.window_ms
    }

    pub(super) fn charge(&mut self, need: u64, amount: u64, now: u64) {
        if need == 0 {
            return;
        }
        self.total = self.total.saturating_add(need);
        let step = self.step(amount);
        let is_full = self.log.len() >= MOST;
        match self.log.back_mut() {
            Some(latest) if is_full || latest.at / step == now / step => {
                latest.at = latest.at.max(now);
                latest.weight = latest.weight.saturating_add(need);
            }
            _ => self.log.push_back(Entry { at: now, weight: need }),
        }
    }

    pub(super) fn correct(&mut self, correction: Correction, amount: u64, now: u64) {
        let Correction { at, from, to } = correction;
        if at + self.window_ms <= now {
            return;
        }
        // A charge is in the first entry that does not end before it.
        let i = self.log.partition_point(|entry| entry.at < at);
        if to < from {
            self.take_back(i, from - to);
        } else {
            self.add_late(i, at, to - from, amount);
        }
    }

    fn take_back(&mut self, i: usize, less: u64) {
        let Some(entry) = self.log.get_mut(i) else { return };
        let less = less.min(entry.weight);
        entry.weight -= less;
        self.total = self.total.saturating_sub(less);
        if entry.weight == 0 {
            self.log.remove(i);
        }
    }

    fn add_late(&mut self, i: usize, at: u64, more: u64, amount: u64) {
        let step = self.step(amount);
        let is_full = self.log.len() >= MOST;
        self.total = self.total.saturating_add(more);
        match self.log.get_mut(i) {
            Some(entry) if is_full || entry.at / step == at / step => {
                entry.weight = entry.weight.saturating_add(more);
            }
            None if is_full => self.charge_latest(at, more),
            _ => self.log.insert(i, Entry { at, weight: more }),
        }
    }

    fn charge_latest(&mut self, at: u64, more: u64) {
        if let Some(latest) = self.log.back_mut() {
            latest.at = at;
            latest.weight = latest.weight.saturating_add(more);
        }
    }

    /// When the last of what is used leaves.
    pub(super) fn reset_ms(&self, now: u64) -> u64 {
        self.log.back().map_or(0, |latest| (latest.at + self.window_ms).saturating_sub(now))
    }

    /// Times within the same multiple of this are one entry.
    fn step(&self, amount: u64) -> u64 {
        if amount <= EXACT { 1 } else { (self.window_ms / STEPS).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    /// Uses `weight` whenever it fits, `each` milliseconds apart.
    fn used_at(amount: u64, weight: u64, each: u64, until: u64) -> (Moving, Vec<u64>) {
        let mut moving = Moving::new(MINUTE);
        let mut times = Vec::new();
        for now in (0..until).step_by(each as usize) {
            moving.advance(now);
            if crate::counter::fits(moving.used(), weight, amount) {
                moving.charge(weight, amount, now);
                times.push(now);
            }
            assert!(moving.log.len() <= MOST);
            assert_eq!(moving.total, moving.log.iter().map(|entry| entry.weight).sum::<u64>());
        }
        (moving, times)
    }

    fn most_in_any_minute(times: &[u64]) -> usize {
        let within = |from: u64| times.iter().filter(|at| (from..from + MINUTE).contains(*at)).count();
        times.iter().map(|at| within(*at)).max().unwrap_or(0)
    }

    #[test]
    fn small_amounts_are_exact() {
        for amount in [1, 2, 100, EXACT] {
            let (_, times) = used_at(amount, 1, 97, 5 * MINUTE);
            for (i, at) in times.iter().enumerate().skip(amount as usize) {
                let freed = times[i - amount as usize] + MINUTE;
                assert!((freed..freed + 97).contains(at), "{amount}: use {i} at {at}, freed at {freed}");
            }
        }
    }

    #[test]
    fn large_amounts_are_never_passed_and_at_most_a_step_late() {
        for amount in [129, 500, 3_000] {
            let (moving, times) = used_at(amount, 1, 7, 4 * MINUTE);
            assert!(moving.log.len() <= STEPS as usize + 1, "{}", moving.log.len());
            assert_eq!(most_in_any_minute(&times), amount as usize);
            for (i, at) in times.iter().enumerate().skip(amount as usize) {
                let freed = times[i - amount as usize] + MINUTE;
                assert!(*at < freed + MINUTE / STEPS + 7, "{amount}: use {i} at {at}, freed at {freed}");
            }
        }
    }

    #[test]
    fn the_wait_is_what_it_takes() {
        for amount in [50, 5_000] {
            let (mut moving, _) = used_at(amount, 10, 1_000, 30_000);
            while crate::counter::fits(moving.used(), 10, amount) {
                moving.charge(10, amount, 30_000);
            }
            for need in [1, 10, 25, amount, amount * 2] {
                let wait = moving.wait(need, amount, 30_000);
                let fits_after = |wait| {
                    let mut later =
                        Moving { window_ms: MINUTE, log: moving.log.clone(), total: moving.total };
                    later.advance(30_000 + wait);
                    crate::counter::fits(later.used(), need, amount)
                };
                assert!(fits_after(wait) && !fits_after(wait - 1), "{amount} {need} {wait}");
            }
        }
    }

    #[test]
    fn late_knowledge_goes_where_it_belongs_and_memory_stays_bounded() {
        for amount in [100, 1_000] {
            let mut moving = Moving::new(MINUTE);
            // Nothing was known at first, so nothing was entered.
            for at in (0..50_000).rev().step_by(10) {
                moving.correct(Correction { at, from: 0, to: 3 }, amount, 50_000);
                assert!(moving.log.len() <= MOST);
                assert!(moving.log.iter().zip(moving.log.iter().skip(1)).all(|(a, b)| a.at < b.at));
            }
            assert_eq!(moving.used(), 15_000);
            moving.advance(MINUTE + 50_000);
            assert_eq!((moving.used(), moving.log.len()), (0, 0));
            moving.correct(Correction { at: 50_000, from: 0, to: 3 }, amount, MINUTE + 50_000);
            assert_eq!(moving.used(), 0, "too late");
        }
    }
}
