//! The store's reading end: day after day, newest first.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tidegate_records::codec::{self, DecodeError};
use tidegate_records::{
    Facts, Filter, Found, ListRow, Page, ReadError, Reader, RecordId, RequestRecord, body,
};

use crate::files::{self, BODIES, ROWS};
use crate::pages;
use crate::schema;
use crate::words;
use crate::write::seal;

/// Files that stay open between calls.
const OPEN: usize = 64;
const MOST_ROWS: usize = 1_000;

/// Reads the files of a directory, also while they are written and while days are dropped.
#[derive(Debug)]
pub struct SqliteReader {
    directory: PathBuf,
    open: HashMap<(&'static str, u32), Connection>,
}

impl SqliteReader {
    /// Opens nothing yet; a directory that is not there has no records.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), open: HashMap::new() }
    }

    /// Newest first. Files of days that were dropped are let go.
    pub(crate) fn days(
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
    pub(crate) fn file(&mut self, what: &'static str, day: u32) -> Result<Option<&Connection>, ReadError> {
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
            // Made, but its tables are not there yet, or not these.
            let version: i64 =
                connection.query_row("pragma user_version", [], |row| row.get(0)).map_err(read_error)?;
            if version < schema::OLDEST {
                return Ok(None);
            }
            self.open.insert((what, day), connection);
        }
        Ok(self.open.get(&(what, day)))
    }
}

impl SqliteReader {
    /// Ids of a day whose bodies have what is looked for; `None`: nothing is.
    pub(crate) fn found_in_bodies(
        &mut self,
        day: u32,
        filter: &Filter,
        before: Option<RecordId>,
    ) -> Result<Option<Vec<u64>>, ReadError> {
        if filter.search.is_any() {
            return Ok(None);
        }
        let Some(file) = self.file(BODIES, day)? else { return Ok(Some(Vec::new())) };
        words::find(file, filter, before).map(Some).map_err(read_error)
    }

    fn page<T>(
        &mut self,
        filter: &Filter,
        before: Option<RecordId>,
        limit: usize,
        make: impl Fn(&[u8], &Facts<'_>, bool) -> Result<T, DecodeError>,
    ) -> Result<Page<T>, ReadError> {
        let limit = limit.clamp(1, MOST_ROWS);
        let mut rows = Vec::new();
        for day in self.days(ROWS, filter, before)? {
            let found = self.found_in_bodies(day, filter, before)?;
            let Some(file) = self.file(ROWS, day)? else { continue };
            // One more than asked for tells whether there is a next page.
            let left = limit + 1 - rows.len();
            pages::list(file, filter, found, before, left, &make, &mut rows).map_err(read_error)?;
            if rows.len() > limit {
                break;
            }
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().map(|(id, _)| *id).filter(|_| more);
        Ok(Page { rows: rows.into_iter().map(|(_, row)| row).collect(), next })
    }
}

impl Reader for SqliteReader {
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
        let Some(file) = self.file(ROWS, id.day())? else { return Ok(None) };
        let Some(bytes) = pages::record(file, id).map_err(read_error)? else { return Ok(None) };
        let record = codec::decode(&bytes).map_err(|error| ReadError(error.to_string()))?;
        let bodies = match self.file(BODIES, id.day())? {
            Some(file) => file
                .prepare_cached("select bodies from body where id = ? and seal = ?")
                .and_then(|mut find| {
                    find.query_row([id.signed(), seal(&bytes).into()], |row| row.get::<_, Vec<u8>>(0))
                        .optional()
                })
                .map_err(read_error)?,
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
            let found = self.found_in_bodies(day, filter, None)?;
            let Some(file) = self.file(ROWS, day)? else { continue };
            count += pages::count(file, filter, found, most - count).map_err(read_error)?;
        }
        Ok(count)
    }
}

pub(crate) fn read_error(error: rusqlite::Error) -> ReadError {
    ReadError(error.to_string())
}
