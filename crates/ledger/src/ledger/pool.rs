//! Budgets that several processes share: each claims slices from one place, and hands them out from memory.

use std::fmt;

use super::{ChangeError, Ledger, Reservation};
use crate::amount::Amount;
use crate::budget::Budget;
use crate::desk::{BudgetId, Demand, PeriodOf, Refusal};

/// One place that knows, for every budget and period, how much of it was claimed by whom: a table in a database.
///
/// What every pool promises:
/// * `claim` gives so much that all claims of a period together do not exceed the budget, in one atomic step, and keeps
///   it on record for this process before it answers. What a process claimed and did not give back counts as spent, so
///   a crash between the two loses nothing but the use of a slice, until somebody resolves it.
/// * A claim for a period that is over, or of a budget that is unknown there, gives zero.
///
/// Budgets of one process alone need no pool: see [`Share::Whole`](crate::Share::Whole).
pub trait Pool: Send + Sync {
    /// Gives `claim.want`, or what is left of it if that is at least `claim.least`, or zero.
    fn claim(&self, claim: &Claim) -> impl Future<Output = Result<Amount, PoolAway>> + Send;

    /// The process will not hand this out any more.
    fn give_back(&self, claim: &Claim, rest: Amount) -> impl Future<Output = Result<(), PoolAway>> + Send;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub budget: Budget,
    /// Milliseconds since 1970 UTC. The same in all processes, whatever they number it.
    pub period_start: u64,
    /// What a request needs now.
    pub least: Amount,
    /// That, and some more for the next ones.
    pub want: Amount,
}

/// The pool could not be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolAway {
    /// For the operator's log, not for clients.
    pub reason: String,
}

/// Why a request of a shared budget may not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedRefusal {
    Refused(Refusal),
    Away(PoolAway),
}

/// So many millionths of a budget are claimed at a time, or what one request needs if that is more.
const SLICE: u32 = 2_000;

impl Ledger {
    /// As [`Ledger::reserve`]; where this process has not enough of a budget, it claims more first. Nothing is awaited
    /// otherwise.
    ///
    /// # Errors
    /// A budget that has not enough left anywhere, and a pool that is away when it is needed.
    pub async fn reserve_shared<P: Pool>(
        &self,
        demand: &Demand<'_>,
        pool: &P,
    ) -> Result<Reservation, SharedRefusal> {
        loop {
            let refusal = match self.reserve(demand) {
                Ok(reservation) => return Ok(reservation),
                Err(refusal) => refusal,
            };
            let Refusal::Exceeded(exceeded) = &refusal else { return Err(SharedRefusal::Refused(refusal)) };
            // Others may have used or claimed meanwhile: each round brings something, or is the last.
            let short = exceeded.needed - exceeded.standing.free;
            let Some((of, mut claim)) = self.claim_for(exceeded.budget) else {
                return Err(SharedRefusal::Refused(refusal));
            };
            claim.least = short.max(Amount::SMALLEST);
            claim.want = claim.want.max(claim.least).min(exceeded.standing.unclaimed);
            if claim.want < claim.least {
                return Err(SharedRefusal::Refused(refusal));
            }
            let slice = pool.claim(&claim).await.map_err(SharedRefusal::Away)?;
            if slice <= Amount::ZERO {
                return Err(SharedRefusal::Refused(refusal));
            }
            if !self.with_desk(|desk, queue| desk.add_slice(of, slice, queue)) {
                // A new period has begun; the old slice is nobody's.
                pool.give_back(&claim, slice).await.map_err(SharedRefusal::Away)?;
            }
        }
    }

    /// Gives back what is free of a shared budget here: when it was not used for a while, and before a stop.
    ///
    /// # Errors
    /// [`ChangeError::NotThere`]; [`ChangeError::Closed`] when it could not be put on record that it is gone, or the
    /// pool is away: it then counts as spent until the period ends.
    pub async fn give_back<P: Pool>(&self, id: BudgetId, pool: &P) -> Result<Amount, ChangeError> {
        let (of, claim) = self.claim_for(id).ok_or(ChangeError::NotThere)?;
        let rest = self.with_desk(|desk, queue| desk.take_slice(of, queue));
        // On record here before it is there: after a crash between the two it is nobody's, not both's.
        self.flush().await.map_err(|_| ChangeError::Closed)?;
        pool.give_back(&claim, rest).await.map_err(|_| ChangeError::Closed)?;
        Ok(rest)
    }

    fn claim_for(&self, id: BudgetId) -> Option<(PeriodOf, Claim)> {
        self.with_desk(|desk, _| {
            let of = desk.running(id)?;
            let (budget, period_start) = desk.budget(id)?;
            let want = budget.limit.amount().millionths(SLICE);
            Some((of, Claim { budget, period_start, least: Amount::ZERO, want }))
        })
    }
}

impl fmt::Display for PoolAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pool of budgets is away: {}", self.reason)
    }
}

impl std::error::Error for PoolAway {}

impl fmt::Display for SharedRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Away(away) => away.fmt(f),
        }
    }
}

impl std::error::Error for SharedRefusal {}
