//! The books as entries make them: the slow and plain form that replay, snapshots and proofs share.
//!
//! [`Books::apply`] takes one entry, checks every rule, and names the one that was broken. The writer keeps a copy of
//! its own, so a mistake in the quick form (`desk`) is found before it has been handed out for long.

mod apply;
mod entry;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::budget::Budget;

pub use entry::{Account, Entry, How, Move, What};

/// All budgets with what is in their accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// Of the last entry; 0 before the first.
    pub seq: u64,
    /// When the last entry was made.
    pub at: u64,
    /// The greatest id of a reservation so far.
    pub last_id: u64,
    /// The number of the next new budget.
    pub next_budget: u32,
    pub budgets: BTreeMap<u32, Shelf>,
    /// Reservations that may still be running.
    pub open: BTreeMap<u64, Open>,
    /// What crashes left open.
    pub held: BTreeMap<u64, Open>,
    /// Thresholds that were reached and whose events were not handed over yet.
    pub due: Vec<Due>,
}

/// One budget and its periods: the running one, and those with something open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    pub budget: Budget,
    pub last_period: u32,
    /// Nobody can reserve from it any more.
    pub removed: bool,
    pub periods: BTreeMap<u32, Period>,
}

/// One period of one budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balances {
    pub granted: Amount,
    pub free: Amount,
    pub reserved: Amount,
    pub settled: Amount,
    pub held: Amount,
    pub ahead: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub start: u64,
    pub end: u64,
    pub balances: Balances,
    /// All that was ever held in doubt in this period, resolved or not.
    pub doubted: Amount,
    /// The thresholds that were reached.
    pub fired: Vec<Amount>,
}

/// A reservation, or what is left of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub at: u64,
    /// Empty for what went out ahead of the disk: nobody knows which requests those were.
    pub request: Box<str>,
    pub trace: Box<str>,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub budget: u32,
    pub period: u32,
    pub amount: Amount,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    pub budget: u32,
    pub period: u32,
    pub mark: Amount,
    pub at: u64,
}

/// A rule that an entry broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Of the entry.
    pub seq: u64,
    pub rule: Broken,
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Entries are numbered without gaps, and time does not run backwards.
    Order,
    /// An entry names a budget, period or reservation that is not there (or is there already).
    Unknown,
    /// Each move is above zero, between two accounts, and one that its entry may make.
    Move,
    /// A reservation ends once, with exactly what was reserved.
    Settlement,
    /// No account but `free` falls below zero, and that not by a reservation; what is reserved is what is open.
    Balance,
    /// A threshold is reached once in a period, and not before usage is there.
    Alert,
    /// A snapshot says what the entries before it say.
    Snapshot,
}

impl Books {
    pub(crate) fn period(&self, budget: u32, period: u32) -> Option<&Period> {
        self.budgets.get(&budget)?.periods.get(&period)
    }

    /// Checks what no single entry shows: that every account of every period adds up with the others, and that what is
    /// reserved and held is the sum of what is open.
    ///
    /// # Errors
    /// The first account that does not add up.
    pub fn prove(&self) -> Result<(), Violation> {
        let (mut reserved, mut held) = (BTreeMap::new(), BTreeMap::new());
        for (sums, all) in [(&mut reserved, &self.open), (&mut held, &self.held)] {
            for part in all.values().flat_map(|open| &open.parts) {
                *sums.entry((part.budget, part.period)).or_insert(Amount::ZERO) += part.amount;
            }
        }
        let wrong = |detail: String| Err(Violation { seq: self.seq, rule: Broken::Balance, detail });
        for (id, shelf) in &self.budgets {
            for (number, period) in &shelf.periods {
                let name = format!("budget {id} ({}), period {number}", shelf.budget.id);
                let balances = &period.balances;
                if !balances.sum().is_zero() {
                    return wrong(format!("{name}: the accounts add up to {}", balances.sum()));
                }
                for (word, balance, sums) in
                    [("reserved", balances.reserved, &mut reserved), ("held", balances.held, &mut held)]
                {
                    let sum = sums.remove(&(*id, *number)).unwrap_or_default();
                    if sum != balance {
                        return wrong(format!("{name}: {balance} is {word}, but {sum} is open"));
                    }
                }
            }
        }
        match reserved.into_keys().chain(held.into_keys()).next() {
            Some((budget, period)) => wrong(format!("budget {budget}, period {period} is gone, and open")),
            None => Ok(()),
        }
    }
}

impl Balances {
    pub(crate) const EMPTY: Self = Self {
        granted: Amount::ZERO,
        free: Amount::ZERO,
        reserved: Amount::ZERO,
        settled: Amount::ZERO,
        held: Amount::ZERO,
        ahead: Amount::ZERO,
    };

    /// Zero, always.
    pub fn sum(&self) -> Amount {
        [self.granted, self.free, self.reserved, self.settled, self.held, self.ahead].into_iter().sum()
    }

    /// What counts against the budget for good, as far as anybody knows.
    pub fn used(&self) -> Amount {
        self.settled + self.held
    }

    pub(crate) fn account(&mut self, account: Account) -> &mut Amount {
        match account {
            Account::Granted => &mut self.granted,
            Account::Free => &mut self.free,
            Account::Reserved => &mut self.reserved,
            Account::Settled => &mut self.settled,
            Account::Held => &mut self.held,
            Account::Ahead => &mut self.ahead,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = match self.rule {
            Broken::Order => "entries are numbered without gaps, and time does not run backwards",
            Broken::Unknown => "an entry names what is there, and makes what is not",
            Broken::Move => {
                "a move is above zero, between two accounts, and of a kind that its entry may make"
            }
            Broken::Settlement => "a reservation ends once, with exactly what was reserved",
            Broken::Balance => "accounts add up, and do not fall below zero",
            Broken::Alert => "a threshold is reached once in a period, and not early",
            Broken::Snapshot => "a snapshot says what the entries before it say",
        };
        write!(f, "entry {}: {} ({rule})", self.seq, self.detail)
    }
}

impl std::error::Error for Violation {}
