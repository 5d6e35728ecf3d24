//! The store's reading end.

use std::time::Duration;

use tidegate_postgres::Server;
use tidegate_records::codec::{self, DecodeError};
use tidegate_records::{
    Facts, Filter, Found, ListRow, Page, ReadError, Reader, RecordId, RequestRecord, body,
};

use crate::query::Conditions;
use crate::session::{Connected, Fault, Session};

const MOST_ROWS: usize = 1_000;

/// Reads a database, also while it is written and while days are dropped.
#[derive(Debug)]
pub struct PostgresReader {
    session: Session,
}

impl PostgresReader {
    /// Connects when it is asked; a database without tables has no records. `patience`:
    /// how long an answer may take.
    pub fn new(server: Server, patience: Duration) -> Self {
        Self { session: Session::new(server, patience) }
    }

    /// A connection that broke while nobody used it is made anew once.
    pub(crate) fn ask<T: Default>(
        &mut self,
        ask: impl AsyncFn(&mut Connected) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, ReadError> {
        let first = self.session.call(&ask);
        let answer = if matches!(first, Err(Fault::Away(_))) { self.session.call(&ask) } else { first };
        match answer {
            Err(Fault::NoTable(_)) => Ok(T::default()),
            answer => answer.map_err(|fault| ReadError(fault.to_string())),
        }
    }
}

impl PostgresReader {
    /// For what must not be asked twice. A connection that broke while nobody used it is made anew before.
    pub(crate) fn ask_once(
        &mut self,
        ask: impl AsyncFnOnce(&mut Connected) -> Result<(), tokio_postgres::Error>,
    ) -> Result<(), ReadError> {
        self.ask(async |server: &mut Connected| server.client.simple_query("").await.map(drop))?;
        match self.session.call(ask) {
            Err(Fault::NoTable(_)) => Ok(()),
            answer => answer.map_err(|fault| ReadError(fault.to_string())),
        }
    }

    fn page<T>(
        &mut self,
        filter: &Filter,
        before: Option<RecordId>,
        limit: usize,
        make: impl Fn(&[u8], &Facts<'_>, bool) -> Result<T, DecodeError>,
    ) -> Result<Page<T>, ReadError> {
        let limit = limit.clamp(1, MOST_ROWS);
        let conditions = Conditions::of(filter, before);
        // One more than asked for tells whether there is a next page.
        let sql = format!(
            "SELECT record, has_bodies FROM request_record{} ORDER BY id DESC LIMIT {}",
            conditions.clause(),
            limit + 1
        );
        let mut found: Vec<(Vec<u8>, bool)> = self.ask(async |server: &mut Connected| {
            let rows = server.client.query(&sql, &conditions.values()).await?;
            Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
        })?;
        let more = found.len() > limit;
        found.truncate(limit);
        let damaged = |error: DecodeError| ReadError(error.to_string());
        let (mut rows, mut last) = (Vec::with_capacity(found.len()), None);
        for (encoded, has_bodies) in &found {
            let facts = Facts::read(encoded).map_err(damaged)?;
            last = Some(facts.id);
            // Two long names can look the same to the server.
            if filter.fits(&facts) {
                rows.push(make(encoded, &facts, *has_bodies).map_err(damaged)?);
            }
        }
        Ok(Page { rows, next: last.filter(|_| more) })
    }
}

impl Reader for PostgresReader {
    fn list(&mut self, filter: &Filter, before: Option<RecordId>, limit: usize) -> Result<Page, ReadError> {
        self.page(filter, before, limit, |_, facts, has_bodies| Ok(ListRow::of(facts, has_bodies)))
    }

    fn records(
        &mut self,
        filter: &Filter,
        before: Option<RecordId>,
        limit: usize,
    ) -> Result<Page<RequestRecord>, ReadError> {
        self.page(filter, before, limit, |encoded, _, _| codec::decode(encoded))
    }

    fn get(&mut self, id: RecordId) -> Result<Option<Found>, ReadError> {
        const FIND: &str = "SELECT r.record, b.bodies FROM request_record r LEFT JOIN request_body b ON b.id = $1 \
             WHERE r.id = $1";
        let id = id.signed();
        let found: Option<(Vec<u8>, Option<Vec<u8>>)> = self.ask(async |server: &mut Connected| {
            Ok(server.client.query_opt(FIND, &[&id]).await?.map(|row| (row.get(0), row.get(1))))
        })?;
        let Some((encoded, bodies)) = found else { return Ok(None) };
        let record = codec::decode(&encoded).map_err(|error| ReadError(error.to_string()))?;
        let bodies = bodies.map(|bytes| body::from_bytes(&bytes)).transpose();
        Ok(Some(Found { record, bodies: bodies.map_err(|error| ReadError(error.to_string()))? }))
    }

    fn count(&mut self, filter: &Filter, most: u64) -> Result<u64, ReadError> {
        let conditions = Conditions::of(filter, None);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM request_record{} LIMIT {most}) AS found",
            conditions.clause()
        );
        let count: i64 = self.ask(async |server: &mut Connected| {
            Ok(server.client.query_one(&sql, &conditions.values()).await?.get(0))
        })?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
