//! Slices of budgets that several processes share.

use super::Desk;
use super::demand::BudgetId;
use crate::amount::Amount;
use crate::books::{Account, Entry, What};

/// A period of a budget, as a pool knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeriodOf {
    pub(crate) budget: BudgetId,
    pub(crate) period: u32,
}

impl Desk {
    pub(crate) fn running(&self, budget: BudgetId) -> Option<PeriodOf> {
        let slot = self.slots.get(budget.0).filter(|slot| slot.running && !slot.removed)?;
        Some(PeriodOf { budget, period: slot.now.number })
    }

    /// A slice that was claimed for a period. `false` when another one runs by now: the slice is of no use.
    pub(crate) fn add_slice(&mut self, of: PeriodOf, slice: Amount, out: &mut Vec<Entry>) -> bool {
        if self.running(of.budget) != Some(of) {
            return false;
        }
        let (stake, seq, id) = (self.stake, self.seq, of.budget.0);
        let Some(slot) = self.slots.get_mut(id) else { return false };
        let amount = slot.budget.limit.amount();
        let tally = &mut slot.now;
        let mut moves = Vec::new();
        tally.step(id, Account::Granted, Account::Free, slice, &mut moves);
        let most = amount.millionths(stake.ahead).min(amount.millionths(stake.doubt) - tally.doubted);
        let ahead = slice.millionths(stake.ahead).min(most - tally.balances.ahead).min(tally.balances.free);
        if ahead > Amount::ZERO {
            tally.step(id, Account::Free, Account::Ahead, ahead, &mut moves);
            tally.ahead_since = seq + 1;
        }
        self.write(What::Slice { budget: id, period: of.period }, moves, out);
        true
    }

    /// Takes everything that is free out of a running period, to be given back to the pool.
    pub(crate) fn take_slice(&mut self, of: PeriodOf, out: &mut Vec<Entry>) -> Amount {
        if self.running(of.budget) != Some(of) {
            return Amount::ZERO;
        }
        let (seq, id) = (self.seq, of.budget.0);
        let Some(slot) = self.slots.get_mut(id) else { return Amount::ZERO };
        let tally = &mut slot.now;
        let mut moves = Vec::new();
        let ahead = tally.balances.ahead;
        tally.step(id, Account::Ahead, Account::Free, ahead, &mut moves);
        tally.ahead_since = seq + 1;
        let free = tally.balances.free.max(Amount::ZERO);
        tally.step(id, Account::Free, Account::Granted, free, &mut moves);
        if !moves.is_empty() {
            self.write(What::Slice { budget: id, period: of.period }, moves, out);
        }
        free
    }
}
