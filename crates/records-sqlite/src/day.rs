//! One day's two files, open for writing.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Result, params};
use tidegate_records::{Entry, RequestRecord, Written, body};

use crate::files::{self, BODIES, ROWS};
use crate::schema;

/// Names kept in memory per day; beyond it they are asked for again.
const MOST_NAMES: usize = 50_000;

#[derive(Debug)]
pub(crate) struct Day {
    rows: Connection,
    bodies: Option<Connection>,
    names: HashMap<Box<str>, i64>,
}

impl Day {
    pub(crate) fn open(directory: &Path, day: u32, patience: Duration) -> Result<Self> {
        let rows = connect(&files::path(directory, ROWS, day), schema::ROWS, patience)?;
        Ok(Self { rows, bodies: None, names: HashMap::new() })
    }

    /// One transaction per file, bodies first: a row that says it has bodies has them. Should the process stop between the
    /// two, bodies without a row are left, which the batch finds when it comes again.
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
                // A clashing id keeps the bodies that it has, as it keeps its row.
                let mut insert =
                    transaction.prepare_cached("insert or ignore into body(id, bodies) values (?, ?)")?;
                for entry in entries.iter().filter(|entry| with_bodies(entry)) {
                    if let Some(stored) = entry.bodies {
                        insert.execute(params![entry.id().signed(), body::to_bytes(stored)])?;
                    }
                }
            }
            transaction.commit()?;
        }
        let names = std::mem::take(&mut self.names);
        let transaction = self.rows.transaction()?;
        let mut writing = Writing { connection: &transaction, names };
        let mut written = Written::default();
        for entry in entries {
            writing.entry(entry, with_bodies(entry), &mut written)?;
        }
        let names = writing.names;
        transaction.commit()?;
        // Only now: numbers from a transaction that failed mean nothing.
        if names.len() <= MOST_NAMES {
            self.names = names;
        }
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

struct Writing<'a> {
    connection: &'a Connection,
    names: HashMap<Box<str>, i64>,
}

impl Writing<'_> {
    fn entry(&mut self, entry: &Entry<'_>, has_bodies: bool, written: &mut Written) -> Result<()> {
        let id = entry.id().signed();
        let seal = i64::from(crc32fast::hash(entry.encoded));
        let there: Option<i64> = self
            .connection
            .prepare_cached("select seal from row where id = ?")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        match there {
            Some(there) if there == seal => written.known += 1,
            Some(_) => written.clashed += 1,
            None => {
                self.row(id, seal, &entry.record, has_bodies)?;
                let mut insert =
                    self.connection.prepare_cached("insert into whole(id, record) values (?, ?)")?;
                insert.execute(params![id, entry.encoded])?;
                written.new += 1;
            }
        }
        Ok(())
    }

    fn row(&mut self, id: i64, seal: i64, record: &RequestRecord, has_bodies: bool) -> Result<()> {
        let mut flags = 0;
        for (set, flag) in [
            (record.stream, schema::STREAM),
            (record.cost.estimate || record.usage_estimated, schema::ESTIMATE),
            (record.cost.unpriced, schema::UNPRICED),
            (has_bodies, schema::HAS_BODIES),
        ] {
            flags |= if set { flag } else { 0 };
        }
        let usage = record.usage.as_ref();
        let names = [
            &record.who.workspace,
            &record.who.api_key,
            &record.who.user,
            &record.route,
            &record.provider,
            &record.virtual_key,
            &record.config,
            &record.asked_model,
            &record.model,
            &record.end,
            &record.error,
            &record.cache,
            &record.guardrail,
            &record.cost.currency,
        ];
        let mut n = [0i64; 14];
        for (number, name) in n.iter_mut().zip(names) {
            *number = self.name(name)?;
        }
        self.connection
            .prepare_cached("insert into row(id, seal, status, workspace, api_key, user, route, provider, virtual_key, config, \
                 asked_model, model, \"end\", error, cache, guardrail, flags, attempts, total_us, ttft_us, input_tokens, \
                 output_tokens, cached_tokens, reasoning_tokens, cost, currency, trace) values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")?
            .execute(params![
                id,
                seal,
                record.status,
                n[0],
                n[1],
                n[2],
                n[3],
                n[4],
                n[5],
                n[6],
                n[7],
                n[8],
                n[9],
                n[10],
                n[11],
                n[12],
                flags,
                signed(record.attempts.len() as u64),
                signed(record.timing.total_us),
                record.timing.ttft_us.map(signed),
                usage.map(|usage| signed(usage.prompt())),
                usage.map(|usage| signed(usage.output)),
                usage.and_then(|usage| usage.cache_read).map(signed),
                usage.and_then(|usage| usage.reasoning).map(signed),
                &*record.cost.amount,
                n[13],
                &*record.span.trace,
            ])?;
        Ok(())
    }

    /// 0 is the number of no name.
    fn name(&mut self, name: &str) -> Result<i64> {
        if name.is_empty() {
            return Ok(0);
        }
        if let Some(number) = self.names.get(name) {
            return Ok(*number);
        }
        let there = self
            .connection
            .prepare_cached("select id from name where text = ?")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        let number = match there {
            Some(number) => number,
            None => {
                self.connection.prepare_cached("insert into name(text) values (?)")?.execute([name])?;
                self.connection.last_insert_rowid()
            }
        };
        self.names.insert(name.into(), number);
        Ok(number)
    }
}

/// Figures beyond what the store can hold stand at its end.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
