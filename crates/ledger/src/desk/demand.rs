//! What one request asks of all the budgets above it, and what it is told.

use std::fmt;

use tidegate_pricing::Money;

use crate::amount::Amount;
use crate::budget::{Scope, Unit};

/// A budget in these books. Stays the same over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetId(pub(crate) u32);

/// Everything that is reserved in one step, or not at all. When several budgets refuse, the first one is named.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// One that stands there twice is charged once.
    pub budgets: &'a [BudgetId],
    /// The highest possible cost. `None` for a request without a price that is sent all the same: budgets in money
    /// then hold nothing for it, and the books say so.
    pub cost: Option<Money>,
    /// The highest possible number of tokens, prompt and answer together.
    pub tokens: u64,
    /// With how little the request can be content; `None` when it is the ceiling or nothing. See [`Least`].
    pub least: Option<Least>,
    /// For the books, and for whoever looks into them after a crash.
    pub request: &'a str,
    pub trace: &'a str,
}

/// What a request will probably use. When less than its ceiling is free, but at least this, it is given what is free,
/// and whoever asked must see to it that it uses no more (a lower `max_tokens`). So the last cents of a budget can be
/// used, and still not be exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Least {
    pub cost: Money,
    pub tokens: u64,
}

/// What a request used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// `None` when nobody knows: what was reserved counts, so that it is not free.
    pub cost: Option<Money>,
    pub tokens: u64,
    /// Counted by the gateway, not told by the provider.
    pub estimated: bool,
}

/// What was reserved on every budget of a unit. Not above the ceiling, and below it only by [`Least`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    pub usd: Amount,
    pub tokens: Amount,
    /// It is less than the ceiling: the request must be held to it.
    pub lowered: bool,
}

/// Why a request may not go on. Nothing was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A budget has not enough left.
    Exceeded(Box<Exceeded>),
    /// There is no such budget (any more).
    NoSuchBudget(BudgetId),
    /// The journal has as many entries waiting as it may. Passes.
    Busy,
    /// The disk fails, and requests are not let through without it.
    Journal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    pub budget: BudgetId,
    pub scope: Scope,
    /// The slug or name.
    pub id: String,
    pub unit: Unit,
    pub needed: Amount,
    pub standing: Standing,
}

/// How a budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub amount: Amount,
    pub settled: Amount,
    pub reserved: Amount,
    /// Left open by crashes, and as good as spent.
    pub held: Amount,
    /// What the next request can have at most. Below zero when it was overspent.
    pub free: Amount,
    /// What this process has not claimed of a budget that it shares with others: see [`Pool`](crate::Pool). Zero
    /// for budgets that are its own.
    pub unclaimed: Amount,
    /// Milliseconds since 1970 UTC.
    pub start: u64,
    /// The next reset; [`Reset::NEVER`](crate::Reset::NEVER) for none.
    pub end: u64,
}

impl Charge {
    pub const NOTHING: Self = Self { cost: Some(Money::ZERO), tokens: 0, estimated: false };
}

impl Grant {
    /// As a number for `max_tokens`.
    pub fn whole_tokens(&self) -> u64 {
        self.tokens.whole()
    }
}

impl Standing {
    /// As the reference's `status` has it: usage is at the limit.
    pub fn is_exhausted(&self) -> bool {
        self.settled + self.held >= self.amount
    }
}

impl Exceeded {
    /// The request would fit if those that are running came back with nothing. Waiting may help.
    pub fn may_pass(&self) -> bool {
        self.standing.free + self.standing.reserved >= self.needed
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exceeded(exceeded) => {
                write!(f, "Usage limit exceeded for {} '{}'", exceeded.scope.word(), exceeded.id)
            }
            Self::NoSuchBudget(id) => write!(f, "there is no budget {}", id.0),
            Self::Busy => f.write_str("too many entries wait to be written to the ledger"),
            Self::Journal => f.write_str("the ledger cannot be written"),
        }
    }
}

impl std::error::Error for Refusal {}
