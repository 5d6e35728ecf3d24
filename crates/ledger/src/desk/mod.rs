//! The quick form of the books, which decides. No I/O, no clock: time is an argument, entries are what comes out.
//!
//! Everything that a decision needs is in numbers at fixed places; nothing here is read from the entries again. That
//! both forms say the same is what the writer checks all the time.

mod change;
mod demand;
#[cfg(test)]
mod model;
mod reserve;
mod settle;
mod slice;
mod slots;
mod tally;

use foldhash::HashMap;

use crate::amount::Amount;
use crate::books::{Account, Books, Entry, Move, What};
use crate::budget::{Budget, Key, Scope};

pub use demand::{BudgetId, Charge, Demand, Exceeded, Grant, Least, Refusal, Standing};
pub(crate) use reserve::{Admitted, Receipt};
pub(crate) use slice::PeriodOf;
use slots::Slots;
use tally::{Slot, Tally};

/// How much may be at stake in a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stake {
    /// So many millionths of a budget are set aside for requests that go out before their entry is on disk. 0 makes
    /// every request wait for the disk.
    pub ahead: u32,
    /// Crashes may put so many millionths of a budget in doubt in one period; then every request waits for the disk.
    pub doubt: u32,
}

impl Default for Stake {
    /// A thousandth ahead, a two-hundredth in doubt: after five crashes in a period nothing is ahead any more.
    fn default() -> Self {
        Self { ahead: 1_000, doubt: 5_000 }
    }
}

/// Whose the budgets are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Share {
    /// This process's alone: each period begins with the whole amount.
    #[default]
    Whole,
    /// Of several processes: each period begins with nothing, and slices are claimed from a [`Pool`](crate::Pool).
    /// Thresholds are the pool's to watch.
    Slices,
}

#[derive(Debug)]
pub(crate) struct Desk {
    slots: Slots,
    keys: HashMap<Key, u32>,
    by_scope: HashMap<(Scope, String), Vec<BudgetId>>,
    next_budget: u32,
    /// Of the last entry.
    seq: u64,
    last_id: u64,
    /// The latest time that anybody said. A clock that is set back stands still here.
    latest: u64,
    stake: Stake,
    share: Share,
}

impl Desk {
    /// Goes on where the books end. Nothing may be open, and nothing set aside ahead: a start sees to that.
    pub(crate) fn new(books: &Books, stake: Stake, share: Share) -> Self {
        let mut desk = Self {
            slots: Slots::default(),
            keys: HashMap::default(),
            by_scope: HashMap::default(),
            next_budget: books.next_budget,
            seq: books.seq,
            last_id: books.last_id,
            latest: books.at,
            stake,
            share,
        };
        for (id, shelf) in &books.budgets {
            let mut slot = Slot::new(*id, shelf.budget.clone());
            slot.removed = shelf.removed;
            slot.now.number = if shelf.removed { 0 } else { shelf.last_period };
            for (number, period) in &shelf.periods {
                let tally = Tally::of(*number, period);
                if *number == slot.now.number {
                    slot.now = tally;
                    slot.running = true;
                } else {
                    slot.past.push(tally);
                }
            }
            slot.set_next_mark(share);
            if !slot.removed {
                desk.name(&slot);
            }
            desk.slots.insert(slot);
        }
        desk
    }

    fn name(&mut self, slot: &Slot) {
        let budget = &slot.budget;
        self.keys.insert(budget.key(), slot.id);
        self.by_scope.entry((budget.scope, budget.id.clone())).or_default().push(BudgetId(slot.id));
    }

    pub(crate) fn find(&self, scope: Scope, id: &str) -> Vec<BudgetId> {
        self.by_scope.get(&(scope, id.to_owned())).cloned().unwrap_or_default()
    }

    pub(crate) fn budgets(&self) -> Vec<BudgetId> {
        self.slots.ids().into_iter().map(BudgetId).collect()
    }

    pub(crate) fn budget(&self, id: BudgetId) -> Option<(Budget, u64)> {
        self.slots.get(id.0).map(|slot| (slot.budget.clone(), slot.now.start))
    }

    pub(crate) fn budget_by_number(&self, number: u32) -> Option<Budget> {
        self.slots.get(number).map(|slot| slot.budget.clone())
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// How a budget stands. Opens its period if need be.
    pub(crate) fn standing(&mut self, id: BudgetId, now: u64, out: &mut Vec<Entry>) -> Option<Standing> {
        let now = self.tick(now);
        self.roll(id.0, now, out);
        self.slots.get(id.0).filter(|slot| !slot.removed).map(standing)
    }

    pub(crate) fn alert_handed(&mut self, budget: u32, period: u32, mark: Amount, out: &mut Vec<Entry>) {
        self.write(What::Handed { budget, period, mark }, Vec::new(), out);
    }

    fn tick(&mut self, now: u64) -> u64 {
        self.latest = self.latest.max(now);
        self.latest
    }

    fn write(&mut self, what: What, moves: Vec<Move>, out: &mut Vec<Entry>) -> u64 {
        self.seq += 1;
        out.push(Entry { seq: self.seq, at: self.latest, what, moves });
        self.seq
    }

    /// Begins the period that holds `now`, if another one is running.
    fn roll(&mut self, id: u32, now: u64, out: &mut Vec<Entry>) {
        let Some(slot) = self.slots.get(id) else { return };
        if slot.removed || (slot.running && !slot.is_over(now)) {
            return;
        }
        self.next_period(id, now, out);
    }

    /// Ends the running period, if there is one, and begins the next.
    fn next_period(&mut self, id: u32, now: u64, out: &mut Vec<Entry>) {
        self.end_period(id, out);
        let (stake, share) = (self.stake, self.share);
        let Some(slot) = self.slots.get_mut(id) else { return };
        let range = slot.budget.limit.reset().period(now);
        let mut moves = Vec::with_capacity(2);
        let tally = &mut slot.now;
        *tally = Tally {
            number: tally.number + 1,
            start: range.start,
            end: range.end,
            balances: crate::books::Balances::EMPTY,
            doubted: Amount::ZERO,
            fired: Vec::new(),
            next_mark: Amount::MAX,
            ahead_since: self.seq + 1,
        };
        let amount = match share {
            Share::Whole => slot.budget.limit.amount(),
            Share::Slices => Amount::ZERO,
        };
        tally.step(id, Account::Granted, Account::Free, amount, &mut moves);
        tally.step(
            id,
            Account::Free,
            Account::Ahead,
            amount.millionths(stake.ahead.min(stake.doubt)),
            &mut moves,
        );
        let what = What::Period { budget: id, period: tally.number, start: range.start, end: range.end };
        slot.running = true;
        slot.all_written();
        slot.set_next_mark(share);
        self.write(what, moves, out);
    }

    /// Takes the running period away. It is closed, or kept until its last reservation ends.
    fn end_period(&mut self, id: u32, out: &mut Vec<Entry>) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        if !slot.running {
            return;
        }
        slot.running = false;
        let mut old = slot.now.clone();
        slot.now.balances = crate::books::Balances::EMPTY;
        if old.is_done() {
            self.close(id, old, out);
            return;
        }
        let mut moves = Vec::new();
        let ahead = old.balances.ahead;
        old.step(id, Account::Ahead, Account::Free, ahead, &mut moves);
        let what = What::Ahead { budget: id, period: old.number };
        slot.past.push(old);
        if !moves.is_empty() {
            self.write(what, moves, out);
        }
    }

    /// What was not used goes back to where it came from.
    fn close(&mut self, id: u32, mut tally: Tally, out: &mut Vec<Entry>) {
        let mut moves = Vec::with_capacity(2);
        let ahead = tally.balances.ahead;
        tally.step(id, Account::Ahead, Account::Free, ahead, &mut moves);
        let free = tally.balances.free;
        tally.step(id, Account::Free, Account::Granted, free, &mut moves);
        tally.step(id, Account::Granted, Account::Free, Amount::ZERO - free, &mut moves);
        self.write(What::Close { budget: id, period: tally.number }, moves, out);
    }
}

fn standing(slot: &Slot) -> Standing {
    let balances = &slot.now.balances;
    Standing {
        amount: slot.budget.limit.amount(),
        settled: balances.settled,
        reserved: balances.reserved,
        held: balances.held,
        free: slot.available(),
        unclaimed: slot.unclaimed(),
        start: slot.now.start,
        end: slot.now.end,
    }
}
