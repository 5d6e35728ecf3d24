//! One budget, as the desk keeps it: the balances of its running period, and of older ones with something open.

use std::collections::VecDeque;

use super::Share;
use crate::amount::Amount;
use crate::books::{Account, Balances, Move, Period};
use crate::budget::{Budget, Reset};

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: u32,
    pub(super) budget: Budget,
    pub(super) now: Tally,
    /// Older periods, with reservations that may still be running or are held.
    pub(super) past: Vec<Tally>,
    pub(super) removed: bool,
    /// `now` is a period, not the place for one.
    pub(super) running: bool,
    /// What went out before its entry was on disk, by the entry's number.
    unwritten: VecDeque<(u64, Amount)>,
    unwritten_sum: Amount,
}

#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) number: u32,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) balances: Balances,
    pub(super) doubted: Amount,
    pub(super) fired: Vec<Amount>,
    /// The lowest threshold that was not reached.
    pub(super) next_mark: Amount,
    /// The entry by which `ahead` became what it is. It may be used once that is on disk.
    pub(super) ahead_since: u64,
}

impl Slot {
    /// Before its first period.
    pub(super) fn new(id: u32, budget: Budget) -> Self {
        let now = Tally {
            number: 0,
            start: 0,
            end: 0,
            balances: Balances::EMPTY,
            doubted: Amount::ZERO,
            fired: Vec::new(),
            next_mark: Amount::MAX,
            ahead_since: 0,
        };
        let (unwritten, unwritten_sum) = (VecDeque::new(), Amount::ZERO);
        Self { id, budget, now, past: Vec::new(), removed: false, running: false, unwritten, unwritten_sum }
    }

    /// What a request can have at most.
    pub(super) fn available(&self) -> Amount {
        self.now.balances.free + self.now.balances.ahead
    }

    /// What was granted is less than the budget where it is shared.
    pub(super) fn unclaimed(&self) -> Amount {
        (self.budget.limit.amount() + self.now.balances.granted).max(Amount::ZERO)
    }

    pub(super) fn tally(&mut self, number: u32) -> Option<&mut Tally> {
        if self.now.number == number {
            return Some(&mut self.now);
        }
        self.past.iter_mut().find(|tally| tally.number == number)
    }

    /// May this much go out before its entry is on disk?
    pub(super) fn covers(&mut self, amount: Amount, durable: u64) -> bool {
        while self.unwritten.front().is_some_and(|(seq, _)| *seq <= durable) {
            if let Some((_, written)) = self.unwritten.pop_front() {
                self.unwritten_sum -= written;
            }
        }
        self.now.ahead_since <= durable && self.unwritten_sum + amount <= self.now.balances.ahead
    }

    pub(super) fn went_out(&mut self, amount: Amount, seq: u64) {
        self.unwritten.push_back((seq, amount));
        self.unwritten_sum += amount;
    }

    /// A new period owes nothing for what went out in the old one: by the time it may send anything ahead of the disk,
    /// its own first entry is written, and with it all entries before.
    pub(super) fn all_written(&mut self) {
        self.unwritten.clear();
        self.unwritten_sum = Amount::ZERO;
    }

    pub(super) fn is_over(&self, at: u64) -> bool {
        at >= self.now.end && self.now.end != Reset::NEVER
    }

    /// Of a budget that is shared, this process does not know what is used.
    pub(super) fn set_next_mark(&mut self, share: Share) {
        if share == Share::Slices {
            return;
        }
        let marks = self.budget.limit.marks();
        self.now.next_mark = marks.filter(|mark| !self.now.fired.contains(mark)).min().unwrap_or(Amount::MAX);
    }
}

impl Tally {
    pub(super) fn of(number: u32, period: &Period) -> Self {
        Self {
            number,
            start: period.start,
            end: period.end,
            balances: period.balances,
            doubted: period.doubted,
            fired: period.fired.clone(),
            next_mark: Amount::MAX,
            ahead_since: 0,
        }
    }

    /// Moves an amount and writes it down; nothing for zero.
    pub(super) fn step(
        &mut self,
        budget: u32,
        from: Account,
        to: Account,
        amount: Amount,
        moves: &mut Vec<Move>,
    ) {
        if amount <= Amount::ZERO {
            return;
        }
        *self.balances.account(from) -= amount;
        *self.balances.account(to) += amount;
        moves.push(Move { budget, period: self.number, from, to, amount });
    }

    pub(super) fn is_done(&self) -> bool {
        self.balances.reserved.is_zero() && self.balances.held.is_zero()
    }
}
