//! Feedback and told spans in one file beside the days, `traces.db`: they are few, they change, and a trace goes over
//! midnight.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use tidegate_records::RecordId;
use tidegate_records::traces::{
    Book, BookError, Feedback, FeedbackChange, MOST_FEEDBACK, MOST_SPANS, Place, ToldSpan, Value, Weight,
};

/// Columns are only ever added, with a default. Ids of spans are made from their names: they are a workspace's own, so that nobody
/// takes the place of another's.
const TABLES: &str = "
create table if not exists feedback(
  id integer primary key, organisation text not null, workspace text not null, trace text not null,
  value integer not null, weight integer not null, metadata text not null, changed_ms integer not null
) strict;
create index if not exists feedback_place on feedback(workspace, id);
create index if not exists feedback_trace on feedback(workspace, trace);
create table if not exists told_span(
  workspace text not null, id integer not null, organisation text not null, trace text not null, span blob not null,
  primary key (workspace, id)
) strict;
create index if not exists told_span_age on told_span(id);
create index if not exists told_span_trace on told_span(workspace, trace);
";

const FEEDBACK: &str =
    "select id, organisation, workspace, trace, value, weight, metadata, changed_ms from feedback";
/// How long a call waits for another's transaction.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows that are forgotten in one transaction.
const AT_ONCE: usize = 5_000;

/// Opened when it is first asked.
#[derive(Debug)]
pub struct SqliteBook {
    path: PathBuf,
    open: Option<Connection>,
}

impl SqliteBook {
    /// `directory` is that of the records; it is made if it is not there.
    pub fn new(directory: &Path) -> Self {
        Self { path: directory.join("traces.db"), open: None }
    }

    fn with<T>(&mut self, ask: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, BookError> {
        let connection = match &mut self.open {
            Some(open) => open,
            None => {
                if let Some(directory) = self.path.parent() {
                    std::fs::create_dir_all(directory).map_err(|error| BookError(error.to_string()))?;
                }
                self.open.insert(connect(&self.path).map_err(told)?)
            }
        };
        ask(connection).map_err(told)
    }
}

fn told(error: rusqlite::Error) -> BookError {
    BookError(error.to_string())
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.execute_batch(&format!("begin immediate; {TABLES} commit;"))?;
    Ok(connection)
}

fn feedback(row: &Row<'_>) -> rusqlite::Result<Feedback> {
    let damaged = || rusqlite::Error::IntegralValueOutOfRange(4, 0);
    Ok(Feedback {
        id: id(row.get(0)?),
        place: Place { organisation: row.get(1)?, workspace: row.get(2)? },
        trace: row.get(3)?,
        value: Value::new(row.get(4)?).ok_or_else(damaged)?,
        weight: Weight::of_millionths(row.get(5)?),
        metadata: serde_json::from_str(&row.get::<_, String>(6)?).unwrap_or_default(),
        changed_ms: row.get::<_, i64>(7)?.unsigned_abs(),
    })
}

fn span(row: &Row<'_>) -> rusqlite::Result<ToldSpan> {
    let damaged = |error: tidegate_records::codec::DecodeError| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, error.to_string().into())
    };
    ToldSpan::decode(row.get_ref(0)?.as_blob()?).map_err(damaged)
}

fn id(signed: i64) -> RecordId {
    RecordId::from_bits(signed.unsigned_abs())
}

/// `?3, ?4, …`
fn places(count: usize) -> String {
    (0..count).map(|at| format!("?{}", at + 3)).collect::<Vec<_>>().join(", ")
}

fn of_traces<'a>(place: &'a Place, traces: &'a [String]) -> impl Iterator<Item = &'a str> {
    [place.organisation.as_str(), place.workspace.as_str()]
        .into_iter()
        .chain(traces.iter().map(String::as_str))
}

impl Book for SqliteBook {
    fn add_feedback(&mut self, items: &[Feedback]) -> Result<(), BookError> {
        self.with(|connection| {
            let transaction = connection.transaction()?;
            {
                let mut insert = transaction.prepare_cached(
                    "insert into feedback(id, organisation, workspace, trace, value, weight, metadata, changed_ms) \
                     values (?, ?, ?, ?, ?, ?, ?, ?)",
                )?;
                for item in items {
                    let metadata = serde_json::Value::Object(item.metadata.clone()).to_string();
                    insert.execute(params![
                        item.id.signed(),
                        item.place.organisation,
                        item.place.workspace,
                        item.trace,
                        item.value.get(),
                        item.weight.millionths(),
                        metadata,
                        item.changed_ms.cast_signed(),
                    ])?;
                }
            }
            transaction.commit()
        })
    }

    fn change_feedback(
        &mut self,
        place: &Place,
        id: RecordId,
        change: &FeedbackChange,
    ) -> Result<Option<Feedback>, BookError> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let metadata = change.metadata.as_ref().map(|members| serde_json::Value::Object(members.clone()).to_string());
            transaction.execute(
                "update feedback set value = ?4, weight = coalesce(?5, weight), metadata = coalesce(?6, metadata), \
                 changed_ms = ?7 where id = ?1 and organisation = ?2 and workspace = ?3",
                params![
                    id.signed(),
                    place.organisation,
                    place.workspace,
                    change.value.get(),
                    change.weight.map(Weight::millionths),
                    metadata,
                    change.at_ms.cast_signed(),
                ],
            )?;
            let sql = format!("{FEEDBACK} where id = ?1 and organisation = ?2 and workspace = ?3");
            let changed = transaction
                .query_row(&sql, params![id.signed(), place.organisation, place.workspace], feedback)
                .optional()?;
            transaction.commit()?;
            Ok(changed)
        })
    }

    fn feedback_on(&mut self, place: &Place, traces: &[String]) -> Result<Vec<Feedback>, BookError> {
        self.with(|connection| {
            let sql = format!(
                "{FEEDBACK} where organisation = ?1 and workspace = ?2 and trace in ({}) order by id limit {MOST_SPANS}",
                places(traces.len())
            );
            let mut find = connection.prepare(&sql)?;
            let found = find.query_map(rusqlite::params_from_iter(of_traces(place, traces)), feedback)?;
            found.collect()
        })
    }

    fn feedback_between(
        &mut self,
        place: &Place,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<Feedback>, BookError> {
        self.with(|connection| {
            let sql = format!(
                "{FEEDBACK} where workspace = ?1 and organisation = ?2 and id >= ?3 and id < ?4 order by id \
                 limit {MOST_FEEDBACK}"
            );
            let mut find = connection.prepare_cached(&sql)?;
            let (from, to) = (RecordId::first_of(from_ms).signed(), RecordId::first_of(to_ms).signed());
            let found = find.query_map(params![place.workspace, place.organisation, from, to], feedback)?;
            found.collect()
        })
    }

    fn add_spans(&mut self, spans: &[ToldSpan]) -> Result<(), BookError> {
        self.with(|connection| {
            let transaction = connection.transaction()?;
            {
                let mut insert = transaction.prepare_cached(
                    "insert or replace into told_span(id, organisation, workspace, trace, span) values (?, ?, ?, ?, ?)",
                )?;
                for span in spans {
                    insert.execute(params![
                        span.id().signed(),
                        &*span.organisation,
                        &*span.workspace,
                        &*span.trace,
                        span.encode()
                    ])?;
                }
            }
            transaction.commit()
        })
    }

    fn spans_of(&mut self, place: &Place, traces: &[String]) -> Result<Vec<ToldSpan>, BookError> {
        self.with(|connection| {
            let sql = format!(
                "select span from told_span where organisation = ?1 and workspace = ?2 and trace in ({}) order by id \
                 limit {MOST_SPANS}",
                places(traces.len())
            );
            let mut find = connection.prepare(&sql)?;
            let found = find.query_map(rusqlite::params_from_iter(of_traces(place, traces)), span)?;
            found.collect()
        })
    }

    fn spans_before(
        &mut self,
        place: &Place,
        from_ms: u64,
        before: RecordId,
        limit: usize,
    ) -> Result<Vec<ToldSpan>, BookError> {
        self.with(|connection| {
            let mut find = connection.prepare_cached(
                "select span from told_span where workspace = ?1 and organisation = ?2 and id >= ?3 and id < ?4 \
                 order by id desc limit ?5",
            )?;
            let limit = i64::try_from(limit.min(MOST_SPANS)).unwrap_or(i64::MAX);
            let from = RecordId::first_of(from_ms).signed();
            let found =
                find.query_map(params![place.workspace, place.organisation, from, before.signed(), limit], span)?;
            found.collect()
        })
    }

    fn forget(&mut self, first_ms: u64) -> Result<bool, BookError> {
        self.with(|connection| {
            let first = RecordId::first_of(first_ms).signed();
            let mut most = 0;
            for table in ["feedback", "told_span"] {
                let sql = format!(
                    "delete from {table} where rowid in (select rowid from {table} where id < ? order by id limit {AT_ONCE})"
                );
                most = most.max(connection.execute(&sql, [first])?);
            }
            Ok(most == AT_ONCE)
        })
    }
}
