//! Counters and books, in this process or shared with others. What is here is asked without waiting; what is shared is
//! asked through a trait, so that the path of a request knows no server.

use std::fmt;
use std::pin::Pin;

use tidegate_core::Moment;
use tidegate_ledger::{self as ledger, Ledger, Reservation, SharedRefusal};
use tidegate_limits::{self as limits, Demand, Denial, Limits, Memory, Standing};

/// What a call over a network comes back with.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who counts.
#[derive(Debug)]
pub enum Limiter {
    Here(Limits<Memory>),
    Shared(Box<dyn SharedLimits>),
}

/// Counters of several replicas.
pub trait SharedLimits: Send + Sync + fmt::Debug {
    fn admit<'a>(
        &'a self,
        demand: &'a Demand<'a>,
        now: Moment,
    ) -> Answer<'a, Result<Box<dyn Charged>, Denial>>;

    /// The shared counters cannot be asked: what is done then is the operator's choice.
    fn is_away(&self) -> bool;

    /// What they count about themselves, for `/metrics`: name, help, value.
    fn figures(&self) -> Vec<(&'static str, &'static str, u64)>;

    /// Housekeeping, now and then.
    fn tend(&self, now: Moment);
}

/// What was charged, until it is settled. Dropped, it settles with what is known.
pub trait Charged: Send + fmt::Debug {
    fn standing(&self) -> Standing;
    fn settle(self: Box<Self>, tokens: u64, now: Moment);
    /// The request never took place.
    fn cancel(self: Box<Self>, now: Moment);
}

/// A charge of either kind.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "counted in this process is the rule, and a box for each request its price"
)]
pub enum Permit {
    Here(limits::Permit),
    Shared(Box<dyn Charged>),
}

impl Limiter {
    /// # Errors
    /// Over a limit, or nobody can count and the operator wants nobody served then.
    pub async fn admit(&self, demand: &Demand<'_>, now: Moment) -> Result<Permit, Denial> {
        match self {
            Self::Here(limits) => limits.admit_now(demand, now).map(Permit::Here).map_err(Denial::Refused),
            Self::Shared(limits) => limits.admit(demand, now).await.map(Permit::Shared),
        }
    }

    pub fn is_away(&self) -> bool {
        match self {
            Self::Here(_) => false,
            Self::Shared(limits) => limits.is_away(),
        }
    }

    pub fn figures(&self) -> Vec<(&'static str, &'static str, u64)> {
        match self {
            Self::Here(_) => Vec::new(),
            Self::Shared(limits) => limits.figures(),
        }
    }

    /// Forgets what nobody uses any more.
    pub fn tend(&self, now: Moment) {
        match self {
            Self::Here(limits) => drop(limits.store().sweep(now)),
            Self::Shared(limits) => limits.tend(now),
        }
    }
}

impl Permit {
    pub fn standing(&self) -> Standing {
        match self {
            Self::Here(permit) => permit.standing(),
            Self::Shared(charged) => charged.standing(),
        }
    }

    pub fn settle(self, tokens: u64, now: Moment) {
        match self {
            Self::Here(permit) => permit.settle(tokens, now),
            Self::Shared(charged) => charged.settle(tokens, now),
        }
    }

    /// The request never took place: everything is given back.
    pub fn cancel(self, now: Moment) {
        match self {
            Self::Here(permit) => permit.cancel(now),
            Self::Shared(charged) => charged.cancel(now),
        }
    }
}

/// Who keeps the books of budgets.
#[derive(Debug)]
pub enum Books {
    /// This process alone.
    Own(Ledger),
    /// This process has slices of budgets that others have slices of, too.
    Shared(Ledger, Box<dyn SharedBooks>),
}

/// Where slices of budgets come from.
pub trait SharedBooks: Send + Sync + fmt::Debug {
    fn reserve<'a>(
        &'a self,
        ledger: &'a Ledger,
        demand: &'a ledger::Demand<'a>,
    ) -> Answer<'a, Result<Reservation, SharedRefusal>>;
}

impl Books {
    pub fn ledger(&self) -> &Ledger {
        match self {
            Self::Own(ledger) | Self::Shared(ledger, _) => ledger,
        }
    }

    /// # Errors
    /// A budget that has not enough left, or books that cannot be written or asked.
    pub async fn reserve(&self, demand: &ledger::Demand<'_>) -> Result<Reservation, SharedRefusal> {
        match self {
            Self::Own(ledger) => ledger.reserve(demand).map_err(SharedRefusal::Refused),
            Self::Shared(ledger, books) => books.reserve(ledger, demand).await,
        }
    }
}
