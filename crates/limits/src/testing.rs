//! What the tests of this crate share: rules in a word, chance that can be repeated, and a clock that is moved.

use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_core::{Clock, Moment};

use crate::rule::{Algorithm, Period, Rule, Span, Window};

pub(crate) const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::FixedOnTheClock,
    Algorithm::FixedFromFirstUse,
    Algorithm::FixedFromLastUse,
    Algorithm::Moving,
    Algorithm::TokenBucket,
];

pub(crate) fn per(count: u32, period: Period, algorithm: Algorithm) -> Window {
    Window { span: Span::new(count, period).unwrap(), algorithm }
}

pub(crate) fn minute(algorithm: Algorithm) -> Window {
    per(1, Period::Minute, algorithm)
}

pub(crate) fn rpm(amount: u64, algorithm: Algorithm) -> Rule {
    Rule::requests(amount, minute(algorithm))
}

pub(crate) fn tpm(amount: u64, algorithm: Algorithm) -> Rule {
    Rule::tokens(amount, minute(algorithm))
}

/// SplitMix64.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Starts at zero, on 1970-01-01.
#[derive(Debug, Default)]
pub(crate) struct FakeClock(pub(crate) AtomicU64);

impl Clock for FakeClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }

    fn unix_ms(&self) -> u64 {
        self.now().0
    }
}
