//! Bringing a file to this program's schema.

use rusqlite::{Connection, TransactionBehavior, params};

use super::{APPLICATION, failed};
use crate::error::StoreError;
use crate::migration::{Applied, Migration, Plan, plan};
use crate::sql;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations \
     (number INTEGER NOT NULL PRIMARY KEY, hash TEXT NOT NULL, min_reader INTEGER NOT NULL) STRICT";

/// Runs what has not run, all of it in one transaction that also holds off other processes.
pub(super) fn run(connection: &mut Connection, known: &[Migration]) -> Result<Plan, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    check_owner(&transaction)?;
    transaction.execute_batch(TABLE).map_err(failed)?;
    let plan = plan(known, &applied(&transaction)?)?;
    if let Plan::RunFrom(done) = plan {
        for migration in known.iter().skip(done) {
            let step = || -> rusqlite::Result<()> {
                transaction.execute_batch(migration.sql)?;
                let row = params![migration.number, migration.hash(), migration.min_reader];
                transaction.execute(sql::INSERT_MIGRATION, row).map(|_| ())
            };
            step().map_err(|error| StoreError::MigrationFailed {
                number: migration.number,
                reason: error.to_string(),
            })?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(plan)
}

/// A file of another program is left alone.
pub(super) fn check_owner(connection: &Connection) -> Result<(), StoreError> {
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if id != APPLICATION && (id != 0 || tables != 0) {
        return Err(StoreError::internal("is a database of another program"));
    }
    Ok(())
}

pub(super) fn applied(connection: &Connection) -> Result<Applied, StoreError> {
    let read = || -> rusqlite::Result<Vec<(u32, String, u32)>> {
        let mut statement = connection.prepare(sql::APPLIED)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    };
    let rows = read().map_err(failed)?;
    Ok(Applied {
        // The strictest that was ever asked for: a later step does not take an earlier one's demand back.
        min_reader: rows.iter().map(|row| row.2).max().unwrap_or(0),
        migrations: rows.into_iter().map(|(number, hash, _)| (number, hash)).collect(),
    })
}
