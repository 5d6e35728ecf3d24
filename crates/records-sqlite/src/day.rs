//! One day's two files, open for writing.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Result, params};
use tidegate_records::{Entry, Written, body};

use crate::files::{self, BODIES, ROWS};
use crate::rollups;
use crate::schema;
use crate::write::{self, Known, seal};

#[derive(Debug)]
pub(crate) struct Day {
    rows: Connection,
    bodies: Option<Connection>,
    known: Known,
}

impl Day {
    pub(crate) fn open(directory: &Path, day: u32, patience: Duration) -> Result<Self> {
        let mut rows = connect(&files::path(directory, ROWS, day), schema::ROWS, patience)?;
        rollups::mend(&mut rows)?;
        let known = Known::of(&rows)?;
        Ok(Self { rows, bodies: None, known })
    }

    /// One transaction per file, bodies first: a row that says it has bodies has them. Should the process stop between the
    /// two, bodies without a row are left, which the batch finds when it comes again. After an error the day is opened anew:
    /// what it knows may be of a transaction that was not made.
    pub(crate) fn write(
        &mut self,
        directory: &Path,
        day: u32,
        entries: &[&Entry<'_>],
        keeps_bodies: bool,
        patience: Duration,
    ) -> Result<Written> {
        let with_bodies = |entry: &Entry<'_>| keeps_bodies && entry.bodies.is_some();
        if entries.iter().any(|entry| with_bodies(entry)) {
            let bodies = match &mut self.bodies {
                Some(bodies) => bodies,
                None => self.bodies.insert(connect(
                    &files::path(directory, BODIES, day),
                    schema::BODIES,
                    patience,
                )?),
            };
            let transaction = bodies.transaction()?;
            {
                // A clashing id keeps the bodies that it has, as it keeps its row; what it had none of is not found there.
                let mut insert = transaction
                    .prepare_cached("insert or ignore into body(id, seal, bodies) values (?, ?, ?)")?;
                for entry in entries.iter().filter(|entry| with_bodies(entry)) {
                    if let Some(stored) = entry.bodies {
                        insert.execute(params![
                            entry.id().signed(),
                            seal(entry.encoded),
                            body::to_bytes(stored)
                        ])?;
                    }
                }
            }
            transaction.commit()?;
        }
        let transaction = self.rows.transaction()?;
        let written = write::batch(&transaction, &mut self.known, entries, with_bodies)?;
        transaction.commit()?;
        Ok(written)
    }

    pub(crate) fn forget_bodies(&mut self) {
        self.bodies = None;
    }
}

fn connect(path: &Path, tables: &str, patience: Duration) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(patience)?;
    connection.set_prepared_statement_cache_capacity(16);
    schema::prepare(&connection, tables)?;
    Ok(connection)
}
