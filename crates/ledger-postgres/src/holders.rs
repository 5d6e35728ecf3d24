//! Who holds how much, and what becomes of it when they do not come back.

use tidegate_ledger::{Amount, Budget};
use tokio_postgres::Row;

use crate::error::PoolError;
use crate::key::{Key, amount, milliseconds};
use crate::pool::Postgres;
use crate::session::told;

const OUTSTANDING: &str = "SELECT claims.start, claims.holder, claims.amount::TEXT \
    FROM tidegate_ledger_claims claims JOIN tidegate_ledger_budgets budgets \
    ON budgets.id = claims.budget AND budgets.epoch = claims.epoch \
    WHERE scope = $1 AND owner = $2 AND unit = $3 AND reset = $4 AND claims.amount > 0 ORDER BY 1, 2";
const RESOLVE: &str = "SELECT tidegate_ledger_resolve($1, $2, $3, $4, $5, $6, $7::TEXT::NUMERIC)::TEXT";
const PRUNE: &str = "DELETE FROM tidegate_ledger_periods WHERE ends < $1";

/// What somebody claimed of a period and did not give back: spent, or still to be handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outstanding {
    pub holder: String,
    /// Milliseconds since 1970 UTC.
    pub period_start: u64,
    pub amount: Amount,
}

impl Postgres {
    /// Everything that is claimed of a budget, by period and holder. The sum over the holders is what is not left of it.
    ///
    /// # Errors
    /// [`PoolError::Away`].
    pub async fn outstanding(&self, budget: &Budget) -> Result<Vec<Outstanding>, PoolError> {
        let key = Key::of(budget);
        let rows = self.rows(OUTSTANDING, &[&key.scope, &key.owner, &key.unit, &key.reset]).await?;
        rows.iter().map(outstanding).collect()
    }

    /// Says what a holder that does not come back has spent of a period; the rest of its claim can be claimed by others.
    /// Nobody may open its books and hand out what is left in them after that. Gives the rest.
    ///
    /// # Errors
    /// [`PoolError::NotThere`], [`PoolError::Away`]. It can be said again.
    pub async fn resolve(
        &self,
        budget: &Budget,
        holder: &str,
        period_start: u64,
        spent: Amount,
    ) -> Result<Amount, PoolError> {
        let (key, start) = (Key::of(budget), milliseconds(period_start));
        let spent = spent.max(Amount::ZERO).to_string();
        let rows = self
            .rows(RESOLVE, &[&holder, &key.scope, &key.owner, &key.unit, &key.reset, &start, &spent])
            .await?;
        let row = rows.first().ok_or(PoolError::NotThere)?;
        let rest: Option<String> = row.try_get(0).map_err(|error| told(&error))?;
        rest.as_deref().and_then(amount).ok_or(PoolError::NotThere)
    }

    /// Forgets the claims of periods that ended before `unix_ms`. For a timer, every day or so.
    ///
    /// # Errors
    /// [`PoolError::Away`].
    pub async fn prune(&self, unix_ms: u64) -> Result<u64, PoolError> {
        self.run(PRUNE, &[&milliseconds(unix_ms)]).await
    }
}

fn outstanding(row: &Row) -> Result<Outstanding, PoolError> {
    let (start, holder, text) = (row.try_get::<_, i64>(0), row.try_get(1), row.try_get::<_, String>(2));
    let text = text.map_err(|error| told(&error))?;
    Ok(Outstanding {
        holder: holder.map_err(|error| told(&error))?,
        period_start: u64::try_from(start.map_err(|error| told(&error))?).unwrap_or(0),
        amount: amount(&text).ok_or_else(|| PoolError::Refused("an amount cannot be read".to_owned()))?,
    })
}
