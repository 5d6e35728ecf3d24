//! One day's two files, open for writing.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Result, params};
use tidegate_records::{Entry, Written, body};

use crate::files::{self, BODIES, ROWS};
use crate::schema;
use crate::settled;
use crate::sink::SqliteOptions;
use crate::words;
use crate::write::{self, Known, seal};

#[derive(Debug)]
pub(crate) struct Day {
    rows: Connection,
    bodies: Option<Connection>,
    known: Known,
}

impl Day {
    pub(crate) fn open(options: &SqliteOptions, day: u32) -> Result<Self> {
        let rows = connect(&files::path(&options.directory, ROWS, day), schema::ROWS, options.patience)?;
        let known = Known::of(&rows, options.roll_records)?;
        Ok(Self { rows, bodies: None, known })
    }

    /// One transaction per file, bodies first: a row that says it has bodies has them. Should the process stop between the
    /// two, bodies without a row are left, which the batch finds when it comes again. After an error the day is opened anew:
    /// what it knows may be of a transaction that was not made.
    pub(crate) fn write(
        &mut self,
        options: &SqliteOptions,
        day: u32,
        entries: &[&Entry<'_>],
        keeps_bodies: bool,
    ) -> Result<Written> {
        let with_bodies = |entry: &Entry<'_>| keeps_bodies && entry.bodies.is_some();
        if entries.iter().any(|entry| with_bodies(entry)) {
            let bodies = match &mut self.bodies {
                Some(bodies) => bodies,
                None => {
                    let path = files::path(&options.directory, BODIES, day);
                    let bodies = connect(&path, schema::BODIES, options.patience)?;
                    bodies.execute_batch(schema::WORDS)?;
                    self.bodies.insert(bodies)
                }
            };
            let transaction = bodies.transaction()?;
            {
                // A clashing id keeps the bodies that it has, as it keeps its row; what it had none of is not found there.
                let mut insert = transaction
                    .prepare_cached("insert or ignore into body(id, seal, bodies) values (?, ?, ?)")?;
                for entry in entries.iter().filter(|entry| with_bodies(entry)) {
                    if let Some(stored) = entry.bodies {
                        let id = entry.id().signed();
                        let new = insert.execute(params![id, seal(entry.encoded), body::to_bytes(stored)])?;
                        if new > 0 {
                            words::insert(&transaction, id, stored)?;
                        }
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

    /// The day is over: what is not rolled up is few, and stays where it is from now on; and the day has cells of its own. A
    /// newer binary's day is left to it.
    pub(crate) fn roll(&mut self) -> Result<()> {
        if self.known.is_frozen() || self.known.is_rolled() && settled::is_settled(&self.rows)? {
            return Ok(());
        }
        let transaction = self.rows.transaction()?;
        self.known.roll(&transaction)?;
        settled::settle(&transaction)?;
        transaction.commit()
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
