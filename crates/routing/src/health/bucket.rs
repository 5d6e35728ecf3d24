//! A token bucket that is filled by calls: extra calls (retries, hedges) stay a share of all calls, whatever
//! the load.

use tidegate_core::Moment;

/// A quiet upstream may still get this many extra calls at once, and earns one back per second.
const RESERVE: f64 = 10.0;
/// Savings of busy times that a burst of failures can spend.
const CEILING: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Bucket {
    tokens: f64,
    filled: Moment,
    /// Tokens per second that come without calls, up to the reserve.
    trickle: f64,
}

impl Bucket {
    /// Starts with the reserve.
    pub(super) fn new(now: Moment) -> Self {
        Self { tokens: RESERVE, filled: now, trickle: 1.0 }
    }

    /// Starts with nothing, and only calls fill it.
    pub(super) fn empty(now: Moment) -> Self {
        Self { tokens: 0.0, filled: now, trickle: 0.0 }
    }

    /// A call was made: `share` of an extra call is earned.
    pub(super) fn deposit(&mut self, share: f64, now: Moment) {
        self.refill(now);
        self.tokens = (self.tokens + share).min(CEILING);
    }

    pub(super) fn has_one(&mut self, now: Moment) -> bool {
        self.refill(now);
        // Ten deposits of 0.1 must buy one call in spite of rounding.
        self.tokens > 0.999_999
    }

    pub(super) fn take(&mut self, now: Moment) -> bool {
        let affordable = self.has_one(now);
        if affordable {
            self.tokens -= 1.0;
        }
        affordable
    }

    fn refill(&mut self, now: Moment) {
        let earned = now.since(self.filled) as f64 / 1_000.0 * self.trickle;
        if self.tokens < RESERVE {
            self.tokens = (self.tokens + earned).min(RESERVE);
        }
        self.filled = now.max(self.filled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_calls_are_a_share_of_calls() {
        let mut bucket = Bucket::empty(Moment(0));
        let mut taken = 0;
        for _ in 0..1_000 {
            bucket.deposit(0.1, Moment(0));
            taken += u32::from(bucket.take(Moment(0)));
        }
        assert_eq!(taken, 100);
    }

    #[test]
    fn a_reserve_is_there_from_the_start_and_comes_back() {
        let mut bucket = Bucket::new(Moment(0));
        assert_eq!((0..20).filter(|_| bucket.take(Moment(0))).count(), 10);
        assert_eq!((0..20).filter(|_| bucket.take(Moment(3_000))).count(), 3);
        assert_eq!((0..20).filter(|_| bucket.take(Moment(1_000_000))).count(), 10);
    }

    #[test]
    fn savings_have_a_ceiling() {
        let mut bucket = Bucket::empty(Moment(0));
        for _ in 0..10_000 {
            bucket.deposit(1.0, Moment(0));
        }
        assert_eq!((0..1_000).filter(|_| bucket.take(Moment(0))).count(), 100);
    }
}
