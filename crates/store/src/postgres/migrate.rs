//! Bringing a database to this program's schema.

use super::question::at;
use super::session::Session;
use crate::error::StoreError;
use crate::migration::{Applied, Migration, Plan, plan};
use crate::row::natural;
use crate::sql;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations \
     (number BIGINT NOT NULL PRIMARY KEY, hash TEXT NOT NULL, min_reader BIGINT NOT NULL)";

/// Runs what has not run, all of it in one transaction; replicas that start together do so one after the other.
pub(super) async fn run(session: &Session, known: &[Migration]) -> Result<Plan, StoreError> {
    session.begin().await?;
    let outcome = steps(session, known).await;
    session.end(if matches!(outcome, Ok(Plan::RunFrom(_))) { "COMMIT" } else { "ROLLBACK" }).await?;
    outcome
}

async fn steps(session: &Session, known: &[Migration]) -> Result<Plan, StoreError> {
    session.batch(TABLE).await?;
    let plan = plan(known, &applied(session).await?)?;
    if let Plan::RunFrom(done) = plan {
        for migration in known.iter().skip(done) {
            let number = migration.number;
            let failed = |error: StoreError| match error {
                StoreError::Internal { reason } => StoreError::MigrationFailed { number, reason },
                other => other,
            };
            session.batch(migration.sql).await.map_err(failed)?;
            let row = (i64::from(number), migration.hash(), i64::from(migration.min_reader));
            session.run(sql::INSERT_MIGRATION, &[&row.0, &row.1, &row.2]).await.map_err(failed)?;
        }
    }
    Ok(plan)
}

async fn applied(session: &Session) -> Result<Applied, StoreError> {
    let mut applied = Applied::default();
    for columns in session.many(sql::APPLIED, &[]).await? {
        let small = |value: i64| u32::try_from(natural(value)).unwrap_or(u32::MAX);
        applied.migrations.push((small(at(&columns, 0)?), at(&columns, 1)?));
        // The strictest that was ever asked for: a later step does not take an earlier one's demand back.
        applied.min_reader = applied.min_reader.max(small(at(&columns, 2)?));
    }
    Ok(applied)
}
