//! All budgets of a request, or none.

use super::demand::{BudgetId, Demand, Exceeded, Grant, Refusal};
use super::{Desk, standing};
use crate::amount::Amount;
use crate::books::{Account, Entry, What};
use crate::budget::Unit;

/// What is needed to end a reservation. Not `Clone`: it is used up.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) id: u64,
    pub(super) lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) budget: u32,
    pub(super) period: u32,
    pub(super) unit: Unit,
    pub(super) amount: Amount,
}

#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) receipt: Receipt,
    pub(crate) grant: Grant,
    /// The entry that says so.
    pub(crate) seq: u64,
    /// It may go out before that entry is on disk.
    pub(crate) covered: bool,
    /// A figure was negative, too fine or too great, and was not taken as it was.
    pub(crate) adjusted: bool,
}

/// What a request asks for in each unit: the ceiling, and the least.
struct Asked {
    usd: (Amount, Amount),
    tokens: (Amount, Amount),
    adjusted: bool,
}

impl Desk {
    /// `durable` is the last entry that is on disk.
    pub(crate) fn reserve(
        &mut self,
        demand: &Demand<'_>,
        now: u64,
        durable: u64,
        out: &mut Vec<Entry>,
    ) -> Result<Admitted, Refusal> {
        let now = self.tick(now);
        let asked = Asked::by(demand);
        let mut lines = Vec::with_capacity(demand.budgets.len());
        let mut grant = Grant { usd: asked.usd.0, tokens: asked.tokens.0, lowered: false };
        for id in demand.budgets {
            if lines.iter().any(|line: &Line| line.budget == id.0) {
                continue;
            }
            self.roll(id.0, now, out);
            lines.push(self.look(*id, &asked, &mut grant)?);
        }
        Ok(self.admit(lines, grant, asked.adjusted, demand, durable, out))
    }

    /// From here on nothing fails.
    fn admit(
        &mut self,
        lines: Vec<Line>,
        grant: Grant,
        adjusted: bool,
        demand: &Demand<'_>,
        durable: u64,
        out: &mut Vec<Entry>,
    ) -> Admitted {
        let moves = Vec::with_capacity(lines.len() + 1);
        self.last_id += 1;
        let receipt = Receipt { id: self.last_id, lines };
        let mut admitted = Admitted { receipt, grant, seq: 0, covered: true, adjusted };
        self.take(&mut admitted, demand, moves, durable, out);
        admitted
    }

    /// For what has taken place without anything set aside: the same entry with nothing in it, so that a settlement can
    /// follow. Nothing is refused; budgets that are gone, or not there, are left out.
    pub(crate) fn reserve_nothing(
        &mut self,
        demand: &Demand<'_>,
        now: u64,
        durable: u64,
        out: &mut Vec<Entry>,
    ) -> Admitted {
        let now = self.tick(now);
        let mut lines: Vec<Line> = Vec::with_capacity(demand.budgets.len());
        for id in demand.budgets {
            if lines.iter().any(|line| line.budget == id.0) {
                continue;
            }
            self.roll(id.0, now, out);
            let Some(slot) = self.slots.get(id.0).filter(|slot| !slot.removed) else { continue };
            let unit = slot.budget.limit.unit();
            lines.push(Line { budget: id.0, period: slot.now.number, unit, amount: Amount::ZERO });
        }
        let nothing = Grant { usd: Amount::ZERO, tokens: Amount::ZERO, lowered: false };
        self.admit(lines, nothing, false, demand, durable, out)
    }

    /// What this budget can give; the grant of its unit becomes no greater than that.
    fn look(&self, id: BudgetId, asked: &Asked, grant: &mut Grant) -> Result<Line, Refusal> {
        let slot = self.slots.get(id.0).filter(|slot| !slot.removed).ok_or(Refusal::NoSuchBudget(id))?;
        let unit = slot.budget.limit.unit();
        let ((ceiling, least), given) = match unit {
            Unit::Usd => (asked.usd, &mut grant.usd),
            Unit::Tokens => (asked.tokens, &mut grant.tokens),
        };
        let available = slot.available();
        // A budget that is used up lets nothing through, not even what is said to cost nothing.
        if available < ceiling || available <= Amount::ZERO {
            if available < least || available <= Amount::ZERO {
                return Err(Refusal::Exceeded(Box::new(Exceeded {
                    budget: id,
                    scope: slot.budget.scope,
                    id: slot.budget.id.clone(),
                    unit,
                    needed: least,
                    standing: standing(slot),
                })));
            }
            *given = (*given).min(available);
            grant.lowered = true;
        }
        Ok(Line { budget: id.0, period: slot.now.number, unit, amount: Amount::ZERO })
    }

    fn take(
        &mut self,
        admitted: &mut Admitted,
        demand: &Demand<'_>,
        mut moves: Vec<crate::books::Move>,
        durable: u64,
        out: &mut Vec<Entry>,
    ) {
        let seq = self.seq + 1;
        for line in &mut admitted.receipt.lines {
            let Some(slot) = self.slots.get_mut(line.budget) else { continue };
            line.amount = match line.unit {
                Unit::Usd => admitted.grant.usd,
                Unit::Tokens => admitted.grant.tokens,
            };
            if slot.now.balances.free < line.amount {
                // The end of the budget: what was set aside is worth more to requests than being quick.
                let ahead = slot.now.balances.ahead;
                slot.now.step(line.budget, Account::Ahead, Account::Free, ahead, &mut moves);
                slot.now.ahead_since = seq;
            }
            slot.now.step(line.budget, Account::Free, Account::Reserved, line.amount, &mut moves);
            admitted.covered &= line.amount.is_zero() || slot.covers(line.amount, durable);
        }
        if admitted.covered {
            for line in admitted.receipt.lines.iter().filter(|line| !line.amount.is_zero()) {
                if let Some(slot) = self.slots.get_mut(line.budget) {
                    slot.went_out(line.amount, seq);
                }
            }
        }
        let what = What::Reserve {
            id: admitted.receipt.id,
            request: demand.request.into(),
            trace: demand.trace.into(),
            unpriced: demand.cost.is_none(),
        };
        admitted.seq = self.write(what, moves, out);
    }
}

impl Asked {
    fn by(demand: &Demand<'_>) -> Self {
        let (usd, tokens) = (demand.cost.map(Amount::of_request), Amount::tokens_of_request(demand.tokens));
        let ceiling = usd.map_or(Amount::ZERO, |usd| usd.amount);
        let (least_usd, least_tokens) = match demand.least {
            None => (ceiling, tokens.amount),
            Some(least) => (
                Amount::of_request(least.cost).amount.min(ceiling),
                Amount::tokens_of_request(least.tokens).amount.min(tokens.amount),
            ),
        };
        Self {
            usd: (ceiling, least_usd),
            tokens: (tokens.amount, least_tokens),
            adjusted: tokens.adjusted || usd.is_some_and(|usd| usd.adjusted),
        }
    }
}
