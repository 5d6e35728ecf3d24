//! Bringing a database to this program's tables.

use tokio_postgres::Client;

use crate::error::PoolError;
use crate::session::told;

/// Each from the number before. Their text never changes once it is released, and they only add.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001.sql"), include_str!("../migrations/0002.sql")];

/// Any number would do; it must not change.
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(5093117462290164473); \
    CREATE TABLE IF NOT EXISTS tidegate_ledger_migrations (number INTEGER NOT NULL PRIMARY KEY)";

/// Runs what has not run, all of it in one transaction; replicas that start together do so one after the other.
pub(crate) async fn run(client: &Client) -> Result<(), PoolError> {
    let outcome = steps(client).await;
    let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
    client.batch_execute(end).await.map_err(|error| told(&error))?;
    outcome
}

async fn steps(client: &Client) -> Result<(), PoolError> {
    client.batch_execute(BEGIN).await.map_err(|error| told(&error))?;
    let found = client
        .query_one("SELECT coalesce(max(number), 0) FROM tidegate_ledger_migrations", &[])
        .await
        .and_then(|row| row.try_get::<_, i32>(0))
        .map_err(|error| told(&error))?;
    let (found, ours) = (usize::try_from(found).unwrap_or(0), MIGRATIONS.len());
    if found > ours {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        return Err(PoolError::TooNew { found: number(found), ours: number(ours) });
    }
    for (number, sql) in (1_i32..).zip(MIGRATIONS).skip(found) {
        client.batch_execute(sql).await.map_err(|error| told(&error))?;
        client
            .execute("INSERT INTO tidegate_ledger_migrations VALUES ($1)", &[&number])
            .await
            .map_err(|error| told(&error))?;
    }
    Ok(())
}
