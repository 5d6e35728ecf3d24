//! One entry into the books, or the rule that it breaks.

use super::{Account, Balances, Books, Broken, Due, Entry, Move, Open, Part, Period, Shelf, Violation, What};
use crate::amount::Amount;

type Checked<T = ()> = Result<T, (Broken, String)>;

/// A start leaves the rest of its predecessor's ids unused: requests that went out ahead of the disk may have them.
const IDS_PER_START: u32 = 32;

impl Books {
    /// # Errors
    /// The rule that the entry breaks. The books are of no use after that.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Violation> {
        let violation = |(rule, detail)| Violation { seq: entry.seq, rule, detail };
        self.enter(entry).map_err(violation)
    }

    fn enter(&mut self, entry: &Entry) -> Checked {
        if entry.seq != self.seq + 1 {
            return Err((Broken::Order, format!("it comes after entry {}", self.seq)));
        }
        if entry.at < self.at {
            return Err((
                Broken::Order,
                format!("it was made at {}, the one above at {}", entry.at, self.at),
            ));
        }
        (self.seq, self.at) = (entry.seq, entry.at);
        // A period stands before its first move; everything else looks at the moves it makes.
        if let What::Period { budget, period, start, end } = entry.what {
            self.begin(budget, period, start, end)?;
        }
        for step in &entry.moves {
            self.make(&entry.what, step)?;
        }
        self.state(entry)
    }

    fn begin(&mut self, budget: u32, number: u32, start: u64, end: u64) -> Checked {
        let shelf = self.shelf(budget)?;
        if number != shelf.last_period + 1 || start >= end {
            return Err((Broken::Unknown, format!("period {number} comes after {}", shelf.last_period)));
        }
        shelf.last_period = number;
        let balances = Balances::EMPTY;
        shelf
            .periods
            .insert(number, Period { start, end, balances, doubted: Amount::ZERO, fired: Vec::new() });
        Ok(())
    }

    fn make(&mut self, what: &What, step: &Move) -> Checked {
        let Move { from, to, amount, .. } = *step;
        if amount <= Amount::ZERO || from == to || !may(what, from, to) {
            return Err((Broken::Move, format!("{amount} from {from:?} to {to:?}")));
        }
        let period = self.period_mut(step.budget, step.period)?;
        *period.balances.account(from) -= amount;
        *period.balances.account(to) += amount;
        let lends = !matches!(from, Account::Granted | Account::Free);
        let short = period.balances.account(from).is_negative() && lends;
        let overspent = to == Account::Reserved && period.balances.free.is_negative();
        if short || overspent {
            let detail = format!("{amount} from {from:?} to {to:?} of budget {} is not there", step.budget);
            return Err((Broken::Balance, detail));
        }
        Ok(())
    }

    /// What the entry says beside its moves.
    fn state(&mut self, entry: &Entry) -> Checked {
        match &entry.what {
            What::Start => {
                self.last_id = ((self.last_id >> IDS_PER_START) + 1) << IDS_PER_START;
                Ok(())
            }
            What::Period { .. } | What::Ahead { .. } | What::Slice { .. } => Ok(()),
            What::Budget { id, budget } => self.put(*id, budget),
            What::Remove { id } => {
                self.shelf(*id)?.removed = true;
                self.forget(*id);
                Ok(())
            }
            What::Close { budget, period } => self.close(*budget, *period),
            What::Reserve { id, request, trace, .. } => {
                if *id <= self.last_id {
                    return Err((Broken::Unknown, format!("reservation {id} is not new")));
                }
                self.last_id = *id;
                let parts = parts(entry, Account::Reserved);
                let open = Open { at: entry.at, request: request.clone(), trace: trace.clone(), parts };
                self.open.insert(*id, open);
                Ok(())
            }
            What::Settle { id, .. } => {
                let open = self.open.remove(id).ok_or_else(|| not_open(*id))?;
                ends(&open, entry, Account::Reserved)
            }
            What::Hold { id } => {
                let open = self.open.remove(id).ok_or_else(|| not_open(*id))?;
                ends(&open, entry, Account::Reserved)?;
                self.held.insert(*id, open);
                Ok(())
            }
            What::Doubt { id } => self.doubt(*id, entry),
            What::Resolve { id } => {
                let held = self.held.remove(id).ok_or_else(|| not_open(*id))?;
                ends(&held, entry, Account::Held)
            }
            What::Alert { budget, period, mark } => self.alert(*budget, *period, *mark, entry.at),
            What::Handed { budget, period, mark } => {
                let is_it = |due: &Due| (due.budget, due.period, due.mark) == (*budget, *period, *mark);
                let at = self.due.iter().position(is_it);
                let at =
                    at.ok_or_else(|| (Broken::Alert, format!("{mark} was not reached, or handed over")))?;
                self.due.remove(at);
                Ok(())
            }
        }
    }

    fn put(&mut self, id: u32, budget: &crate::budget::Budget) -> Checked {
        match self.budgets.get_mut(&id) {
            None if id == self.next_budget => {
                self.next_budget += 1;
                let shelf = Shelf {
                    budget: budget.clone(),
                    last_period: 0,
                    removed: false,
                    periods: Default::default(),
                };
                self.budgets.insert(id, shelf);
                Ok(())
            }
            Some(shelf) if shelf.budget.key() == budget.key() && !shelf.removed => {
                shelf.budget = budget.clone();
                // What usage has not reached under the new thresholds may be reached again.
                if let Some(period) = shelf.periods.get_mut(&shelf.last_period) {
                    let used = period.balances.used();
                    period.fired.retain(|mark| *mark <= used);
                }
                Ok(())
            }
            _ => Err((Broken::Unknown, format!("budget {id} is another one"))),
        }
    }

    fn close(&mut self, budget: u32, number: u32) -> Checked {
        let shelf = self.shelf(budget)?;
        let period =
            shelf.periods.remove(&number).ok_or_else(|| (Broken::Unknown, format!("no period {number}")))?;
        let Balances { granted, free, reserved, settled, held, ahead } = period.balances;
        let is_empty = [free, reserved, held, ahead].into_iter().all(Amount::is_zero);
        if !is_empty || !(granted + settled).is_zero() {
            return Err((Broken::Balance, format!("period {number} of budget {budget} is not at its end")));
        }
        self.forget(budget);
        Ok(())
    }

    /// A budget that is removed goes when its last period does.
    fn forget(&mut self, budget: u32) {
        if self.budgets.get(&budget).is_some_and(|shelf| shelf.removed && shelf.periods.is_empty()) {
            self.budgets.remove(&budget);
        }
    }

    fn doubt(&mut self, id: u64, entry: &Entry) -> Checked {
        if id <= self.last_id {
            return Err((Broken::Unknown, format!("id {id} is not new")));
        }
        self.last_id = id;
        let parts = parts(entry, Account::Held);
        for part in &parts {
            self.period_mut(part.budget, part.period)?.doubted += part.amount;
        }
        let open = Open { at: entry.at, request: Box::default(), trace: Box::default(), parts };
        self.held.insert(id, open);
        Ok(())
    }

    fn alert(&mut self, budget: u32, number: u32, mark: Amount, at: u64) -> Checked {
        let marks: Vec<_> = self.shelf(budget)?.budget.limit.marks().collect();
        let period = self.period_mut(budget, number)?;
        let used = period.balances.used();
        if !marks.contains(&mark) || used < mark || period.fired.contains(&mark) {
            return Err((Broken::Alert, format!("{mark} of budget {budget} while {used} is used")));
        }
        period.fired.push(mark);
        self.due.push(Due { budget, period: number, mark, at });
        Ok(())
    }

    fn shelf(&mut self, budget: u32) -> Checked<&mut Shelf> {
        self.budgets.get_mut(&budget).ok_or_else(|| (Broken::Unknown, format!("no budget {budget}")))
    }

    fn period_mut(&mut self, budget: u32, period: u32) -> Checked<&mut Period> {
        let found = self.shelf(budget)?.periods.get_mut(&period);
        found.ok_or_else(|| (Broken::Unknown, format!("no period {period} of budget {budget}")))
    }
}

/// Which moves an entry may make.
fn may(what: &What, from: Account, to: Account) -> bool {
    use Account::{Ahead, Free, Granted, Held, Reserved, Settled};
    match what {
        What::Start | What::Remove { .. } | What::Alert { .. } | What::Handed { .. } => false,
        What::Budget { .. } => matches!((from, to), (Granted, Free) | (Free, Granted) | (Ahead, Free)),
        What::Period { .. } => matches!((from, to), (Granted, Free) | (Free, Ahead)),
        // A period that was overspent takes the excess from where budgets come from.
        What::Close { .. } => matches!((from, to), (Free, Granted) | (Granted, Free) | (Ahead, Free)),
        What::Slice { .. } => {
            matches!((from, to), (Granted, Free) | (Free, Granted) | (Free, Ahead) | (Ahead, Free))
        }
        What::Ahead { .. } => matches!((from, to), (Free, Ahead) | (Ahead, Free)),
        What::Reserve { .. } => matches!((from, to), (Free, Reserved) | (Ahead, Free)),
        What::Settle { .. } => {
            matches!((from, to), (Reserved, Settled) | (Reserved, Free) | (Free, Settled))
        }
        What::Hold { .. } => matches!((from, to), (Reserved, Held)),
        What::Doubt { .. } => matches!((from, to), (Ahead, Held)),
        What::Resolve { .. } => matches!((from, to), (Held, Settled) | (Held, Free) | (Free, Settled)),
    }
}

fn parts(entry: &Entry, account: Account) -> Vec<Part> {
    let into = entry.moves.iter().filter(|step| step.to == account);
    into.map(|step| Part { budget: step.budget, period: step.period, amount: step.amount }).collect()
}

/// A reservation ends: all that it holds leaves `account`, and nothing else does.
fn ends(open: &Open, entry: &Entry, account: Account) -> Checked {
    let wrong = |detail: String| Err((Broken::Settlement, detail));
    for part in &open.parts {
        let is_it = |step: &&Move| (step.budget, step.period) == (part.budget, part.period);
        let out: Amount = entry
            .moves
            .iter()
            .filter(is_it)
            .filter(|step| step.from == account)
            .map(|step| step.amount)
            .sum();
        if out != part.amount {
            return wrong(format!("{out} of the {} that budget {} had reserved", part.amount, part.budget));
        }
    }
    let belongs =
        |step: &&Move| open.parts.iter().any(|part| (part.budget, part.period) == (step.budget, step.period));
    match entry.moves.iter().filter(|step| step.from == account).find(|step| !belongs(step)) {
        Some(step) => wrong(format!("budget {} had nothing reserved", step.budget)),
        None => Ok(()),
    }
}

fn not_open(id: u64) -> (Broken, String) {
    (Broken::Settlement, format!("reservation {id} is not open"))
}
