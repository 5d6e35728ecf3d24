//! Feedback and told spans, in two tables beside the partitions: they are few, and they change.

use std::time::Duration;

use tidegate_postgres::Server;
use tidegate_records::RecordId;
use tidegate_records::traces::{
    Book, BookError, Feedback, FeedbackChange, MOST_FEEDBACK, MOST_SPANS, Place, ToldSpan, Value, Weight,
};
use tokio_postgres::{Error, Row};

use crate::session::{Connected, Fault, Session};
use crate::text::column;

/// Made under a lock, as the other tables are. Columns are only ever added, with a default.
const TABLES: &str = "SELECT pg_advisory_xact_lock(5183490263710485512);
CREATE TABLE IF NOT EXISTS trace_feedback (
  id BIGINT NOT NULL PRIMARY KEY, organisation TEXT NOT NULL, workspace TEXT NOT NULL, trace TEXT NOT NULL,
  trace_key TEXT NOT NULL, value SMALLINT NOT NULL, weight INT NOT NULL, metadata TEXT NOT NULL, changed_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS trace_feedback_place ON trace_feedback (workspace, id);
CREATE INDEX IF NOT EXISTS trace_feedback_trace ON trace_feedback (workspace, trace_key);
CREATE TABLE IF NOT EXISTS told_span (
  workspace TEXT NOT NULL, id BIGINT NOT NULL, organisation TEXT NOT NULL, trace_key TEXT NOT NULL, span BYTEA NOT NULL,
  PRIMARY KEY (workspace, id)
);
CREATE INDEX IF NOT EXISTS told_span_age ON told_span (id);
CREATE INDEX IF NOT EXISTS told_span_trace ON told_span (workspace, trace_key);";

const FEEDBACK: &str =
    "SELECT id, organisation, workspace, trace, value, weight, metadata, changed_ms FROM trace_feedback";
/// Rows that are forgotten in one statement.
const AT_ONCE: u64 = 5_000;

/// Connects when it is first asked, and makes the tables then.
#[derive(Debug)]
pub struct PostgresBook {
    session: Session,
    made: bool,
}

impl PostgresBook {
    /// `patience`: how long an answer may take.
    pub fn new(server: Server, patience: Duration) -> Self {
        Self { session: Session::new(server, patience), made: false }
    }

    /// A connection that broke while nobody used it is made anew once; what is asked for twice does the same twice.
    fn ask<T>(&mut self, ask: impl AsyncFn(&mut Connected) -> Result<T, Error>) -> Result<T, BookError> {
        let mut last = String::new();
        for _ in 0..2 {
            if !self.made {
                let made = self
                    .session
                    .call(async |server: &mut Connected| server.client.batch_execute(TABLES).await);
                if let Err(fault) = made {
                    last = fault.to_string();
                    continue;
                }
                self.made = true;
            }
            match self.session.call(&ask) {
                Ok(answer) => return Ok(answer),
                Err(Fault::Refused(cause)) => return Err(BookError(cause)),
                Err(fault) => {
                    self.made &= !matches!(fault, Fault::NoTable(_));
                    last = fault.to_string();
                }
            }
        }
        Err(BookError(last))
    }
}

/// What no column takes is left out: NUL.
fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn keys(traces: &[String]) -> Vec<String> {
    traces.iter().map(|trace| column(trace).into_owned()).collect()
}

fn id(signed: i64) -> RecordId {
    RecordId::from_bits(signed.unsigned_abs())
}

fn feedback(row: &Row) -> Option<Feedback> {
    Some(Feedback {
        id: id(row.get(0)),
        place: Place { organisation: row.get(1), workspace: row.get(2) },
        trace: row.get(3),
        value: Value::new(row.get::<_, i16>(4).into())?,
        weight: Weight::of_millionths(row.get::<_, i32>(5).unsigned_abs()),
        metadata: serde_json::from_str(row.get(6)).unwrap_or_default(),
        changed_ms: row.get::<_, i64>(7).unsigned_abs(),
    })
}

fn spans(rows: &[Vec<u8>]) -> Result<Vec<ToldSpan>, BookError> {
    rows.iter().map(|bytes| ToldSpan::decode(bytes).map_err(|error| BookError(error.to_string()))).collect()
}

fn json(members: &serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::Value::Object(members.clone()).to_string()
}

impl Book for PostgresBook {
    fn add_feedback(&mut self, items: &[Feedback]) -> Result<(), BookError> {
        let texts = |of: fn(&Feedback) -> String| items.iter().map(of).collect::<Vec<String>>();
        let ids: Vec<i64> = items.iter().map(|item| item.id.signed()).collect();
        let organisations = texts(|item| plain(&item.place.organisation));
        let workspaces = texts(|item| plain(&item.place.workspace));
        let traces = texts(|item| plain(&item.trace));
        let trace_keys = texts(|item| column(&item.trace).into_owned());
        let values: Vec<i16> = items.iter().map(|item| item.value.get().into()).collect();
        let weights: Vec<i32> = items.iter().map(|item| item.weight.millionths().cast_signed()).collect();
        let metadata = texts(|item| json(&item.metadata));
        let changed: Vec<i64> = items.iter().map(|item| item.changed_ms.cast_signed()).collect();
        // Asked a second time after a connection that broke, it finds what it did: nothing is doubled.
        self.ask(async |server: &mut Connected| {
            let sql = "INSERT INTO trace_feedback (id, organisation, workspace, trace, trace_key, value, weight, metadata, \
                 changed_ms) SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], \
                 $6::SMALLINT[], $7::INT[], $8::TEXT[], $9::BIGINT[]) ON CONFLICT (id) DO NOTHING";
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] = [
                &ids, &organisations, &workspaces, &traces, &trace_keys, &values, &weights, &metadata, &changed,
            ];
            server.client.execute(sql, &values).await.map(drop)
        })
    }

    fn change_feedback(
        &mut self,
        place: &Place,
        id: RecordId,
        change: &FeedbackChange,
    ) -> Result<Option<Feedback>, BookError> {
        let value = i16::from(change.value.get());
        let weight = change.weight.map(|weight| weight.millionths().cast_signed());
        let metadata = change.metadata.as_ref().map(json);
        let at = change.at_ms.cast_signed();
        self.ask(async |server: &mut Connected| {
            let sql = "UPDATE trace_feedback SET value = $4, weight = COALESCE($5, weight), \
                 metadata = COALESCE($6, metadata), changed_ms = $7 \
                 WHERE id = $1 AND organisation = $2 AND workspace = $3 \
                 RETURNING id, organisation, workspace, trace, value, weight, metadata, changed_ms";
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
                [&id.signed(), &place.organisation, &place.workspace, &value, &weight, &metadata, &at];
            Ok(server.client.query_opt(sql, &values).await?.as_ref().and_then(feedback))
        })
    }

    fn feedback_on(&mut self, place: &Place, traces: &[String]) -> Result<Vec<Feedback>, BookError> {
        let keys = keys(traces);
        self.ask(async |server: &mut Connected| {
            let sql = format!(
                "{FEEDBACK} WHERE organisation = $1 AND workspace = $2 AND trace_key = ANY ($3) ORDER BY id \
                 LIMIT {MOST_SPANS}"
            );
            let rows = server.client.query(&sql, &[&place.organisation, &place.workspace, &keys]).await?;
            Ok(rows.iter().filter_map(feedback).collect())
        })
    }

    fn feedback_between(
        &mut self,
        place: &Place,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<Feedback>, BookError> {
        let (from, to) = (RecordId::first_of(from_ms).signed(), RecordId::first_of(to_ms).signed());
        self.ask(async |server: &mut Connected| {
            let sql = format!(
                "{FEEDBACK} WHERE organisation = $1 AND workspace = $2 AND id >= $3 AND id < $4 ORDER BY id \
                 LIMIT {MOST_FEEDBACK}"
            );
            let rows =
                server.client.query(&sql, &[&place.organisation, &place.workspace, &from, &to]).await?;
            Ok(rows.iter().filter_map(feedback).collect())
        })
    }

    fn add_spans(&mut self, spans: &[ToldSpan]) -> Result<(), BookError> {
        // One statement changes a row once: of two with one id the later counts.
        let mut by_id = std::collections::BTreeMap::new();
        for span in spans {
            by_id.insert((&*span.workspace, span.id), span);
        }
        let spans: Vec<&ToldSpan> = by_id.into_values().collect();
        let texts = |of: fn(&ToldSpan) -> String| spans.iter().map(|span| of(span)).collect::<Vec<String>>();
        let ids: Vec<i64> = spans.iter().map(|span| span.id().signed()).collect();
        let organisations = texts(|span| plain(&span.organisation));
        let workspaces = texts(|span| plain(&span.workspace));
        let traces = texts(|span| column(&span.trace).into_owned());
        let bytes: Vec<Vec<u8>> = spans.iter().map(|span| span.encode()).collect();
        self.ask(async |server: &mut Connected| {
            let sql = "INSERT INTO told_span (id, organisation, workspace, trace_key, span) \
                 SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::BYTEA[]) \
                 ON CONFLICT (workspace, id) DO UPDATE SET organisation = EXCLUDED.organisation, \
                 trace_key = EXCLUDED.trace_key, span = EXCLUDED.span";
            server.client.execute(sql, &[&ids, &organisations, &workspaces, &traces, &bytes]).await.map(drop)
        })
    }

    fn spans_of(&mut self, place: &Place, traces: &[String]) -> Result<Vec<ToldSpan>, BookError> {
        let keys = keys(traces);
        let rows: Vec<Vec<u8>> = self.ask(async |server: &mut Connected| {
            let sql = format!(
                "SELECT span FROM told_span WHERE organisation = $1 AND workspace = $2 AND trace_key = ANY ($3) \
                 ORDER BY id LIMIT {MOST_SPANS}"
            );
            let rows = server.client.query(&sql, &[&place.organisation, &place.workspace, &keys]).await?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        })?;
        spans(&rows)
    }

    fn spans_before(
        &mut self,
        place: &Place,
        from_ms: u64,
        before: RecordId,
        limit: usize,
    ) -> Result<Vec<ToldSpan>, BookError> {
        let (from, before) = (RecordId::first_of(from_ms).signed(), before.signed());
        let limit = i64::try_from(limit.min(MOST_SPANS)).unwrap_or(i64::MAX);
        let rows: Vec<Vec<u8>> = self.ask(async |server: &mut Connected| {
            let sql = "SELECT span FROM told_span WHERE organisation = $1 AND workspace = $2 AND id >= $3 AND id < $4 \
                 ORDER BY id DESC LIMIT $5";
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                [&place.organisation, &place.workspace, &from, &before, &limit];
            Ok(server.client.query(sql, &values).await?.iter().map(|row| row.get(0)).collect())
        })?;
        spans(&rows)
    }

    fn forget(&mut self, first_ms: u64) -> Result<bool, BookError> {
        let first = RecordId::first_of(first_ms).signed();
        let most = self.ask(async |server: &mut Connected| {
            let mut most = 0;
            for table in ["trace_feedback", "told_span"] {
                let sql = format!(
                    "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE id < $1 ORDER BY id \
                     LIMIT {AT_ONCE}))"
                );
                most = most.max(server.client.execute(&sql, &[&first]).await?);
            }
            Ok(most)
        })?;
        Ok(most == AT_ONCE)
    }
}
