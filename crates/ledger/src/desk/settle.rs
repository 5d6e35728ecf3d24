//! The one way by which reservations end, whatever happened to the request.

use super::Desk;
use super::demand::Charge;
use super::reserve::{Line, Receipt};
use super::tally::Tally;
use crate::amount::Amount;
use crate::books::{Account, Entry, How, Move, Open, What};
use crate::budget::Unit;

/// What a settlement came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The entry that says so.
    pub(crate) seq: u64,
    /// It cost more than its ceiling, and the budget carries that.
    pub(crate) over: bool,
    pub(crate) adjusted: bool,
}

/// A charge in the books' own terms.
#[derive(Clone, Copy)]
struct Figures {
    /// `None`: what was reserved.
    usd: Option<Amount>,
    tokens: Amount,
    adjusted: bool,
}

impl Desk {
    pub(crate) fn settle(
        &mut self,
        receipt: Receipt,
        charge: &Charge,
        how: How,
        now: u64,
        out: &mut Vec<Entry>,
    ) -> Outcome {
        self.tick(now);
        let Receipt { id, lines } = receipt;
        let what = What::Settle { id, how, estimated: charge.estimated, unpriced: charge.cost.is_none() };
        self.end(what, &lines, Account::Reserved, charge, out)
    }

    /// Ends what a crash left open. `None` when a budget's unit is not known any more, which cannot be while something
    /// of it is held.
    pub(crate) fn resolve(
        &mut self,
        id: u64,
        held: &Open,
        charge: &Charge,
        now: u64,
        out: &mut Vec<Entry>,
    ) -> Option<Outcome> {
        self.tick(now);
        let line = |part: &crate::books::Part| {
            let unit = self.slots.get(part.budget)?.budget.limit.unit();
            Some(Line { budget: part.budget, period: part.period, unit, amount: part.amount })
        };
        let lines: Option<Vec<Line>> = held.parts.iter().map(line).collect();
        Some(self.end(What::Resolve { id }, &lines?, Account::Held, charge, out))
    }

    fn end(
        &mut self,
        what: What,
        lines: &[Line],
        from: Account,
        charge: &Charge,
        out: &mut Vec<Entry>,
    ) -> Outcome {
        let figures = Figures::of(charge);
        let mut moves = Vec::with_capacity(2 * lines.len());
        let (mut over, mut look_again) = (false, false);
        for line in lines {
            let Some(slot) = self.slots.get_mut(line.budget) else { continue };
            let is_running = slot.now.number == line.period;
            let Some(tally) = slot.tally(line.period) else { continue };
            over |= pay(tally, line, from, figures, &mut moves);
            let used = tally.balances.used();
            look_again |= if is_running { used >= tally.next_mark } else { tally.is_done() };
        }
        let seq = self.write(what, moves, out);
        if look_again {
            lines.iter().for_each(|line| self.after(line, out));
        }
        Outcome { seq, over, adjusted: figures.adjusted }
    }

    /// Thresholds that were reached, and periods that are over.
    fn after(&mut self, line: &Line, out: &mut Vec<Entry>) {
        let Some(slot) = self.slots.get_mut(line.budget) else { return };
        if slot.now.number == line.period && !slot.removed {
            self.alert(line.budget, out);
            return;
        }
        let Some(at) = slot.past.iter().position(|tally| tally.number == line.period && tally.is_done())
        else {
            return;
        };
        let tally = slot.past.swap_remove(at);
        let is_last = slot.removed && slot.past.is_empty();
        self.close(line.budget, tally, out);
        if is_last {
            self.slots.remove(line.budget);
        }
    }

    pub(super) fn alert(&mut self, budget: u32, out: &mut Vec<Entry>) {
        let share = self.share;
        while let Some(slot) = self.slots.get_mut(budget)
            && slot.now.balances.used() >= slot.now.next_mark
        {
            let (period, mark) = (slot.now.number, slot.now.next_mark);
            slot.now.fired.push(mark);
            slot.set_next_mark(share);
            self.write(What::Alert { budget, period, mark }, Vec::new(), out);
        }
    }
}

/// Whether it was more than what lay there.
fn pay(tally: &mut Tally, line: &Line, from: Account, figures: Figures, moves: &mut Vec<Move>) -> bool {
    let cost = match line.unit {
        Unit::Usd => figures.usd.unwrap_or(line.amount),
        Unit::Tokens => figures.tokens,
    };
    let covered = cost.min(line.amount);
    tally.step(line.budget, from, Account::Settled, covered, moves);
    tally.step(line.budget, from, Account::Free, line.amount - covered, moves);
    tally.step(line.budget, Account::Free, Account::Settled, cost - covered, moves);
    cost > line.amount
}

impl Figures {
    fn of(charge: &Charge) -> Self {
        let (usd, tokens) = (charge.cost.map(Amount::of_request), Amount::tokens_of_request(charge.tokens));
        Self {
            usd: usd.map(|usd| usd.amount),
            tokens: tokens.amount,
            adjusted: tokens.adjusted || usd.is_some_and(|usd| usd.adjusted),
        }
    }
}
