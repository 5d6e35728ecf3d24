//! A bucket that fills evenly and may go into debt.
//!
//! Levels are whole numbers: one unit is a millisecond's share of one token, so a token is `window_ms` units and each
//! millisecond brings `amount` units. Nothing is rounded, so nothing drifts. Amounts are below 2^50 and windows below
//! 2^39 milliseconds, so 128 bits hold every level that requests can bring about.

use super::Correction;

#[derive(Debug)]
pub(super) struct Bucket {
    window_ms: u64,
    /// Below zero when more was used than there was: the next wait pays for it.
    level: i128,
    filled: u64,
}

impl Bucket {
    pub(super) fn new(amount: u64, window_ms: u64, now: u64) -> Self {
        Self { window_ms, level: product(amount, window_ms), filled: now }
    }

    pub(super) fn advance(&mut self, amount: u64, now: u64) {
        let earned = product(amount, now.saturating_sub(self.filled));
        self.level = (self.level + earned).min(self.full(amount));
        self.filled = self.filled.max(now);
    }

    pub(super) fn wait(&self, need: u64, amount: u64) -> u64 {
        let missing = product(need.max(1), self.window_ms).min(self.full(amount)) - self.level;
        if amount == 0 {
            return self.window_ms;
        }
        time_for(missing, amount)
    }

    pub(super) fn charge(&mut self, need: u64) {
        self.level -= product(need, self.window_ms);
    }

    /// More is charged however late it is known. Less is given back within a window only: after that the bucket has
    /// filled up without it.
    pub(super) fn correct(&mut self, correction: Correction, amount: u64, now: u64) {
        let Correction { at, from, to } = correction;
        self.advance(amount, now);
        if to > from {
            self.charge(to - from);
        } else if at + self.window_ms > now {
            self.level = (self.level + product(from - to, self.window_ms)).min(self.full(amount));
        }
    }

    pub(super) fn remaining(&self) -> u64 {
        divide(self.level.max(0), self.window_ms)
    }

    /// Until it is full.
    pub(super) fn reset_ms(&self, amount: u64) -> u64 {
        if amount == 0 { 0 } else { time_for(self.full(amount) - self.level, amount) }
    }

    fn full(&self, amount: u64) -> i128 {
        product(amount, self.window_ms)
    }
}

/// Milliseconds in which `units` come in, rounded up.
fn time_for(units: i128, amount: u64) -> u64 {
    let units = units.max(0);
    divide(units + i128::from(amount.saturating_sub(1)), amount)
}

fn product(a: u64, b: u64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// Of a number that is not negative, by one that is not zero. Most fit 64 bits, where dividing is much quicker.
fn divide(number: i128, by: u64) -> u64 {
    let by = by.max(1);
    match u64::try_from(number) {
        Ok(number) => number / by,
        Err(_) => u64::try_from(number / i128::from(by)).unwrap_or(u64::MAX),
    }
}
