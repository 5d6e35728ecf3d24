//! Thresholds of budgets that several replicas share: each is told once, by one of them.

use tidegate_ledger::{Amount, Budget};
use tokio_postgres::Row;

use crate::error::PoolError;
use crate::key::{Key, amount, milliseconds};
use crate::pool::Postgres;
use crate::session::told;

const REACH: &str = "SELECT mark::TEXT, used::TEXT FROM tidegate_ledger_reach($1, $2, $3, $4, $5, $6, \
    $7::TEXT::NUMERIC, $8::TEXT[]::NUMERIC[])";

/// A threshold that nobody has told yet: whoever gets this one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    pub mark: Amount,
    /// What all replicas have used, as far as each has said it.
    pub used: Amount,
}

impl Postgres {
    /// Says what these books have used of a period, and gives the thresholds of the budget (its amount among them) that are
    /// reached by that. Each is given once over all replicas and all times of the period; one that is given and not told,
    /// because the process ended in between, is lost.
    ///
    /// # Errors
    /// [`PoolError::Away`].
    pub async fn reached(
        &self,
        budget: &Budget,
        period_start: u64,
        used: Amount,
    ) -> Result<Vec<Reached>, PoolError> {
        let (key, start) = (Key::of(budget), milliseconds(period_start));
        let used = used.max(Amount::ZERO).to_string();
        let marks = budget.limit.alerts().iter().copied().chain([budget.limit.amount()]);
        let marks: Vec<String> = marks.map(|mark| mark.to_string()).collect();
        let holder = self.holder();
        let rows = self
            .rows(REACH, &[&holder, &key.scope, &key.owner, &key.unit, &key.reset, &start, &used, &marks])
            .await?;
        rows.iter().map(reached).collect()
    }
}

fn reached(row: &Row) -> Result<Reached, PoolError> {
    let read = |at| {
        let text: String = row.try_get(at).map_err(|error| told(&error))?;
        amount(&text).ok_or_else(|| PoolError::Refused("an amount cannot be read".to_owned()))
    };
    Ok(Reached { mark: read(0)?, used: read(1)? })
}
