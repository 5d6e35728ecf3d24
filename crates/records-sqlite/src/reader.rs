//! The store's reading end: day after day, newest first.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params_from_iter};
use tidegate_records::{Filter, Found, ListRow, Page, ReadError, Reader, RecordId, body, codec};

use crate::files::{self, BODIES, ROWS};
use crate::query::Conditions;
use crate::schema;

/// Files that stay open between calls.
const OPEN: usize = 16;
const MOST_ROWS: usize = 1_000;

const COLUMNS: [&str; 26] = [
    "id",
    "status",
    "workspace",
    "api_key",
    "user",
    "route",
    "provider",
    "virtual_key",
    "config",
    "asked_model",
    "model",
    "\"end\"",
    "error",
    "cache",
    "guardrail",
    "flags",
    "attempts",
    "total_us",
    "ttft_us",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cost",
    "currency",
    "trace",
];

/// Reads the files of a directory, also while they are written and while days are dropped.
#[derive(Debug)]
pub struct SqliteReader {
    directory: PathBuf,
    open: HashMap<(&'static str, u32), File>,
}

#[derive(Debug)]
struct File {
    connection: Connection,
    /// Of the names that were needed; numbers never change their name.
    names: HashMap<i64, String>,
}

impl SqliteReader {
    /// Opens nothing yet; a directory that is not there has no records.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), open: HashMap::new() }
    }

    /// Newest first. Files of days that were dropped are let go.
    fn days(
        &mut self,
        what: &'static str,
        filter: &Filter,
        before: Option<RecordId>,
    ) -> Result<Vec<u32>, ReadError> {
        let days = match files::days(&self.directory, what) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            other => other.map_err(|error| ReadError(error.to_string()))?,
        };
        self.open.retain(|(kind, day), _| *kind != what || days.contains(day));
        let first = filter.from_ms.map_or(0, |ms| RecordId::first_of(ms).day());
        let last = [filter.to_ms.map(RecordId::first_of), before].into_iter().flatten().min();
        let last = last.map_or(u32::MAX, RecordId::day);
        Ok(days.into_iter().filter(|day| (first..=last).contains(day)).collect())
    }

    /// `None`: the file is not there (any more).
    fn file(&mut self, what: &'static str, day: u32) -> Result<Option<&mut File>, ReadError> {
        let path = files::path(&self.directory, what, day);
        if !path.exists() {
            self.open.remove(&(what, day));
            return Ok(None);
        }
        if !self.open.contains_key(&(what, day)) {
            if self.open.len() >= OPEN {
                self.open.clear();
            }
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&path, flags).map_err(read_error)?;
            connection.busy_timeout(Duration::from_secs(2)).map_err(read_error)?;
            connection.set_prepared_statement_cache_capacity(32);
            // Made, but its tables are not there yet.
            let version: i64 =
                connection.query_row("pragma user_version", [], |row| row.get(0)).map_err(read_error)?;
            if version == 0 {
                return Ok(None);
            }
            self.open.insert((what, day), File { connection, names: HashMap::new() });
        }
        Ok(self.open.get_mut(&(what, day)))
    }
}

impl Reader for SqliteReader {
    fn list(&mut self, filter: &Filter, before: Option<RecordId>, limit: usize) -> Result<Page, ReadError> {
        let limit = limit.clamp(1, MOST_ROWS);
        let mut rows = Vec::new();
        for day in self.days(ROWS, filter, before)? {
            let Some(file) = self.file(ROWS, day)? else { continue };
            // One more than asked for tells whether there is a next page.
            file.list(filter, before, limit + 1 - rows.len(), &mut rows).map_err(read_error)?;
            if rows.len() > limit {
                break;
            }
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().map(|row: &ListRow| row.id).filter(|_| more);
        Ok(Page { rows, next })
    }

    fn get(&mut self, id: RecordId) -> Result<Option<Found>, ReadError> {
        let Some(file) = self.file(ROWS, id.day())? else { return Ok(None) };
        let find = |connection: &Connection, sql: &str| {
            connection
                .prepare_cached(sql)?
                .query_row([id.signed()], |row| row.get::<_, Vec<u8>>(0))
                .optional()
        };
        let bytes = find(&file.connection, "select record from whole where id = ?").map_err(read_error)?;
        let Some(bytes) = bytes else { return Ok(None) };
        let record = codec::decode(&bytes).map_err(|error| ReadError(error.to_string()))?;
        let bodies = match self.file(BODIES, id.day())? {
            Some(file) => {
                find(&file.connection, "select bodies from body where id = ?").map_err(read_error)?
            }
            None => None,
        };
        let bodies =
            bodies.map(|bytes| body::from_bytes(&bytes).map_err(|error| ReadError(error.to_string())));
        Ok(Some(Found { record, bodies: bodies.transpose()? }))
    }

    fn count(&mut self, filter: &Filter, most: u64) -> Result<u64, ReadError> {
        let mut count = 0;
        for day in self.days(ROWS, filter, None)? {
            if count >= most {
                break;
            }
            let Some(file) = self.file(ROWS, day)? else { continue };
            count += file.count(filter, most - count).map_err(read_error)?;
        }
        Ok(count)
    }
}

impl File {
    fn list(
        &mut self,
        filter: &Filter,
        before: Option<RecordId>,
        limit: usize,
        rows: &mut Vec<ListRow>,
    ) -> rusqlite::Result<()> {
        let Some(conditions) = Conditions::of(filter, before, &self.connection)? else { return Ok(()) };
        let columns = COLUMNS.join(",");
        let (sql, values) = conditions.list(&columns, limit);
        let (connection, names) = (&self.connection, &mut self.names);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut found = statement.query(params_from_iter(&values))?;
        while let Some(row) = found.next()? {
            rows.push(list_row(row, &mut |number| name(connection, names, number))?);
        }
        Ok(())
    }

    fn count(&self, filter: &Filter, most: u64) -> rusqlite::Result<u64> {
        let Some(conditions) = Conditions::of(filter, None, &self.connection)? else { return Ok(0) };
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let (conditions, values) = conditions.plain();
        let sql = format!("select count(*) from (select 1 from row{conditions} limit {most})");
        let count: i64 =
            self.connection.prepare_cached(&sql)?.query_row(params_from_iter(&values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

fn name(connection: &Connection, names: &mut HashMap<i64, String>, number: i64) -> rusqlite::Result<String> {
    if number == 0 {
        return Ok(String::new());
    }
    if let Some(name) = names.get(&number) {
        return Ok(name.clone());
    }
    let find = "select text from name where id = ?";
    let name: String = connection.prepare_cached(find)?.query_row([number], |row| row.get(0))?;
    if names.len() >= 50_000 {
        names.clear();
    }
    names.insert(number, name.clone());
    Ok(name)
}

fn list_row(
    row: &Row<'_>,
    name: &mut dyn FnMut(i64) -> rusqlite::Result<String>,
) -> rusqlite::Result<ListRow> {
    let number =
        |at: usize| -> rusqlite::Result<u64> { Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0)) };
    let maybe = |at: usize| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(at)?.and_then(|number| u64::try_from(number).ok()))
    };
    let mut text = |at: usize| name(row.get(at)?);
    let flags: i64 = row.get(15)?;
    Ok(ListRow {
        id: RecordId::from_bits(number(0)?),
        status: u16::try_from(number(1)?).unwrap_or(0),
        workspace: text(2)?,
        api_key: text(3)?,
        user: text(4)?,
        route: text(5)?,
        provider: text(6)?,
        virtual_key: text(7)?,
        config: text(8)?,
        asked_model: text(9)?,
        model: text(10)?,
        end: text(11)?,
        error: text(12)?,
        cache: text(13)?,
        guardrail: text(14)?,
        stream: flags & schema::STREAM != 0,
        estimate: flags & schema::ESTIMATE != 0,
        unpriced: flags & schema::UNPRICED != 0,
        has_bodies: flags & schema::HAS_BODIES != 0,
        attempts: number(16)?,
        total_us: number(17)?,
        ttft_us: maybe(18)?,
        input_tokens: maybe(19)?,
        output_tokens: maybe(20)?,
        cached_tokens: maybe(21)?,
        reasoning_tokens: maybe(22)?,
        cost: row.get(23)?,
        currency: text(24)?,
        trace: row.get(25)?,
    })
}

fn read_error(error: rusqlite::Error) -> ReadError {
    ReadError(error.to_string())
}
