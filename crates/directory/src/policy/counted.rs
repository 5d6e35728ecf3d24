//! The budgets of a usage policy: one for each value, made when it is first seen.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use tidegate_ledger::{Budget, BudgetId, Limit, Scope};

/// Values of one policy that have a budget at the same time. A caller chooses what his metadata says.
const MOST: usize = 100_000;

pub type Kept<'a> = Pin<Box<dyn Future<Output = Option<BudgetId>> + Send + 'a>>;

/// Sets budgets up while requests are served: here, and where other replicas share them.
pub trait Budgets: Send + Sync + fmt::Debug {
    /// Makes the budget, or brings the one that is it to this amount. `None` when nobody can keep it.
    fn keep(&self, budget: Budget, version: u64) -> Kept<'_>;
}

/// What a request takes from a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// What it consumes: money or tokens, as the limit's unit says.
    Consumption,
    /// One. The limit's tokens are requests.
    Requests,
}

pub struct Counted {
    pub measure: Measure,
    pub limit: Limit,
    /// Of the policy: where replicas differ about an amount, the highest counts.
    pub version: u64,
    budgets: Arc<dyn Budgets>,
    seen: RwLock<HashMap<Box<str>, BudgetId, foldhash::fast::RandomState>>,
}

/// No budget can be made for this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Counted {
    pub fn new(measure: Measure, limit: Limit, version: u64, budgets: Arc<dyn Budgets>) -> Self {
        Self { measure, limit, version, budgets, seen: RwLock::default() }
    }

    /// A budget that is there already, by the counter's id.
    pub fn adopt(&self, counter: &str, id: BudgetId) {
        self.seen.write().unwrap_or_else(PoisonError::into_inner).insert(counter.into(), id);
    }

    /// The budget of a counter; made when it is the first of it.
    ///
    /// # Errors
    /// There are too many, or nobody keeps budgets.
    pub async fn budget(&self, counter: &str) -> Result<BudgetId, Full> {
        {
            let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(id) = seen.get(counter) {
                return Ok(*id);
            }
            if seen.len() >= MOST {
                return Err(Full);
            }
        }
        let budget = Budget::new(Scope::Policy, counter, self.limit.clone());
        let id = self.budgets.keep(budget, self.version).await.ok_or(Full)?;
        self.adopt(counter, id);
        Ok(id)
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted")
            .field("measure", &self.measure)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
