//! Budgets come, change and go.

use super::demand::BudgetId;
use super::tally::Slot;
use super::{Desk, Share};
use crate::amount::Amount;
use crate::books::{Account, Entry, What};
use crate::budget::Budget;

impl Desk {
    /// Sets up a budget, or changes the amount and the thresholds of the one with the same scope, id, unit and reset.
    pub(crate) fn put(&mut self, budget: Budget, now: u64, out: &mut Vec<Entry>) -> BudgetId {
        let now = self.tick(now);
        let id = match self.keys.get(&budget.key()) {
            Some(id) => *id,
            None => {
                let id = self.next_budget;
                self.next_budget += 1;
                let slot = Slot::new(id, budget.clone());
                self.name(&slot);
                self.slots.insert(slot);
                self.write(What::Budget { id, budget: Box::new(budget) }, Vec::new(), out);
                self.roll(id, now, out);
                return BudgetId(id);
            }
        };
        self.roll(id, now, out);
        let Some(slot) = self.slots.get_mut(id).filter(|slot| slot.budget != budget) else {
            return BudgetId(id);
        };
        let mut moves = Vec::new();
        let tally = &mut slot.now;
        let more = budget.limit.amount() - slot.budget.limit.amount();
        if more.is_negative() {
            let ahead = tally.balances.ahead;
            tally.step(id, Account::Ahead, Account::Free, ahead, &mut moves);
            tally.ahead_since = self.seq + 1;
        }
        if self.share == Share::Whole {
            tally.step(id, Account::Granted, Account::Free, more, &mut moves);
            tally.step(id, Account::Free, Account::Granted, Amount::ZERO - more, &mut moves);
        }
        let used = tally.balances.used();
        tally.fired.retain(|mark| *mark <= used);
        slot.budget = budget.clone();
        slot.set_next_mark(self.share);
        self.write(What::Budget { id, budget: Box::new(budget) }, moves, out);
        self.alert(id, out);
        BudgetId(id)
    }

    /// Nobody can reserve from it any more. What is open ends as usual.
    pub(crate) fn remove(&mut self, id: BudgetId, now: u64, out: &mut Vec<Entry>) -> bool {
        self.tick(now);
        let Some(slot) = self.slots.get_mut(id.0).filter(|slot| !slot.removed) else { return false };
        slot.removed = true;
        let (key, scope) = (slot.budget.key(), (slot.budget.scope, slot.budget.id.clone()));
        self.keys.remove(&key);
        if let Some(ids) = self.by_scope.get_mut(&scope) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_scope.remove(&scope);
            }
        }
        self.end_period(id.0, out);
        self.write(What::Remove { id: id.0 }, Vec::new(), out);
        if let Some(slot) = self.slots.get_mut(id.0) {
            // No period is running: what is open is in the past.
            slot.now.number = 0;
            if slot.past.is_empty() {
                self.slots.remove(id.0);
            }
        }
        true
    }

    /// Begins the running period anew: usage is zero, and thresholds can be reached again.
    pub(crate) fn reset(&mut self, id: BudgetId, now: u64, out: &mut Vec<Entry>) -> bool {
        let now = self.tick(now);
        if self.slots.get(id.0).is_none_or(|slot| slot.removed) {
            return false;
        }
        self.next_period(id.0, now, out);
        true
    }

    /// After a start-up: closes what is over, says which thresholds were reached by what is held, and sets aside again
    /// what may go out ahead of the disk, as much as crashes have left of the stake.
    pub(crate) fn resume(&mut self, now: u64, out: &mut Vec<Entry>) {
        self.tick(now);
        for id in self.slots.ids() {
            self.close_done(id, out);
            self.alert(id, out);
            let (stake, seq) = (self.stake, self.seq);
            let Some(slot) = self.slots.get_mut(id).filter(|slot| slot.running) else { continue };
            let amount = slot.budget.limit.amount();
            let (balances, doubted, number) = (slot.now.balances, slot.now.doubted, slot.now.number);
            let left = amount.millionths(stake.doubt) - doubted;
            let ahead = amount.millionths(stake.ahead).min(left);
            // Near its end a budget is handed out to the last digit instead.
            if ahead <= Amount::ZERO || balances.free < ahead + ahead || !balances.ahead.is_zero() {
                continue;
            }
            let mut moves = Vec::new();
            slot.now.step(id, Account::Free, Account::Ahead, ahead, &mut moves);
            slot.now.ahead_since = seq + 1;
            self.write(What::Ahead { budget: id, period: number }, moves, out);
        }
    }

    /// Before a stop: nothing is ahead of the disk any more, so the next start need not doubt it.
    pub(crate) fn withdraw(&mut self, out: &mut Vec<Entry>) {
        for id in self.slots.ids() {
            let Some(slot) = self.slots.get_mut(id) else { continue };
            let (ahead, period) = (slot.now.balances.ahead, slot.now.number);
            if ahead.is_zero() {
                continue;
            }
            let mut moves = Vec::new();
            slot.now.step(id, Account::Ahead, Account::Free, ahead, &mut moves);
            self.write(What::Ahead { budget: id, period }, moves, out);
        }
    }

    fn close_done(&mut self, id: u32, out: &mut Vec<Entry>) {
        while let Some(slot) = self.slots.get_mut(id)
            && let Some(at) = slot.past.iter().position(super::Tally::is_done)
        {
            let tally = slot.past.swap_remove(at);
            let is_last = slot.removed && slot.past.is_empty();
            self.close(id, tally, out);
            if is_last {
                self.slots.remove(id);
            }
        }
    }
}
