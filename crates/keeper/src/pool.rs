//! Where budgets are told that several replicas share.

use std::fmt;
use std::pin::Pin;

use tidegate_ledger::Budget;

pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), PoolAway>> + Send + 'a>>;

/// The pool cannot be told at this moment. It is told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolAway;

/// Knows how much there is of each budget, for all replicas.
pub trait Pooled: Send + Sync + fmt::Debug {
    /// Sets a budget up, or changes its amount. `version` is that of the object it belongs to: the highest counts.
    fn put<'a>(&'a self, budget: &'a Budget, version: u64) -> Answer<'a>;

    /// Begins its period anew. `epoch` numbers the resets: saying one again changes nothing.
    fn reset<'a>(&'a self, budget: &'a Budget, epoch: u64) -> Answer<'a>;
}

/// What the pool has to hear.
#[derive(Debug, Clone)]
pub(crate) enum News {
    Put(Budget, u64),
    Reset(Budget, u64),
}

impl News {
    pub async fn tell(&self, pool: &dyn Pooled) -> Result<(), PoolAway> {
        match self {
            Self::Put(budget, version) => pool.put(budget, *version).await,
            Self::Reset(budget, epoch) => pool.reset(budget, *epoch).await,
        }
    }
}
