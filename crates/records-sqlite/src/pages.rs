//! What one day has for a list or a count.

use std::collections::{BinaryHeap, HashMap};

use rusqlite::{Connection, Result, params};
use tidegate_records::codec::DecodeError;
use tidegate_records::{Facts, Filter, RecordId};

use crate::columns::{Block, Column};
use crate::names;
use crate::scan::Question;
use crate::schema::HAS_BODIES;

/// Chunks kept while a list is made: neighbours in a list mostly stand in the same.
const CHUNKS: usize = 16;

/// Blocks that may have what is asked for, the one with the latest record first.
pub(crate) const BLOCKS: &str =
    "select id, first, last, count from block where last >= ? and first < ? order by last desc";

/// Up to `limit` rows, newest first; `found_in_bodies`: only of these ids. One transaction, so that a block that is merged meanwhile is not met twice.
///
/// Blocks overlap: a long request is written after short ones that began later. A record is next when no block that is still
/// to be read has a later one.
pub(crate) fn list<T>(
    connection: &Connection,
    filter: &Filter,
    found_in_bodies: Option<Vec<u64>>,
    before: Option<RecordId>,
    limit: usize,
    make: impl Fn(&[u8], &Facts<'_>, bool) -> std::result::Result<T, DecodeError>,
    rows: &mut Vec<(RecordId, T)>,
) -> Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let Some(mut question) = Question::of(filter, before, |name| names::find(&transaction, name))? else {
        return Ok(());
    };
    if let Some(ids) = found_in_bodies {
        question.among(ids);
    }
    let mut chunks = Chunks::new(&transaction);
    let (mut waiting, mut found) = (BinaryHeap::<(u64, Place, bool)>::new(), Vec::new());
    let full = rows.len() + limit;
    let mut blocks = transaction.prepare_cached(BLOCKS)?;
    let mut blocks = blocks.query(params![question.first(), question.end()])?;
    let mut more = true;
    while more && rows.len() < full {
        let next = blocks.next()?.map(|row| Ok::<_, rusqlite::Error>((row.get(0)?, row.get::<_, i64>(2)?)));
        let next = next.transpose()?;
        more = next.is_some();
        let last = next.map_or(0, |(_, last)| last.unsigned_abs());
        while waiting.peek().is_some_and(|(id, ..)| !more || *id > last) && rows.len() < full {
            let Some((id, place, has_bodies)) = waiting.pop() else { break };
            let id = RecordId::from_bits(id);
            let encoded = chunks.find(place)?;
            let facts = Facts::read(encoded).map_err(|_| damaged("a record"))?;
            // If not, it only looked as if it fits: two names had the same hash.
            if filter.fits(&facts) {
                rows.push((id, make(encoded, &facts, has_bodies).map_err(|_| damaged("a record"))?));
            }
        }
        if let Some((block, _)) = next.filter(|_| rows.len() < full) {
            each(&transaction, block, &question, &mut found, |block, found| {
                waiting.extend(found.iter().map(|at| {
                    let at = *at as usize;
                    let has_bodies = block.get(Column::Flags, at) & HAS_BODIES != 0;
                    (block.get(Column::Id, at), Place::of(block, at), has_bodies)
                }));
            })?;
        }
    }
    Ok(())
}

pub(crate) fn count(
    connection: &Connection,
    filter: &Filter,
    found_in_bodies: Option<Vec<u64>>,
    most: u64,
) -> Result<u64> {
    let transaction = connection.unchecked_transaction()?;
    let Some(mut question) = Question::of(filter, None, |name| names::find(&transaction, name))? else {
        return Ok(0);
    };
    if let Some(ids) = found_in_bodies {
        question.among(ids);
    }
    let (mut counted, mut found) = (0, Vec::new());
    let mut blocks = transaction.prepare_cached(BLOCKS)?;
    let mut blocks = blocks.query(params![question.first(), question.end()])?;
    while let Some(row) = blocks.next()? {
        let (block, first, last): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if question.is_range() && first >= question.first() && last < question.end() {
            counted += row.get::<_, i64>(3)?.unsigned_abs();
        } else {
            each(&transaction, block, &question, &mut found, |_, found| counted += found.len() as u64)?;
        }
        if counted >= most {
            return Ok(most);
        }
    }
    Ok(counted)
}

/// The record as it was encoded.
pub(crate) fn record(connection: &Connection, id: RecordId) -> Result<Option<Vec<u8>>> {
    let transaction = connection.unchecked_transaction()?;
    let (mut place, id) = (None, id.signed());
    around(&transaction, id, id, |block| {
        place = place.or(block.position(id.unsigned_abs()).map(|at| Place::of(block, at)));
    })?;
    let mut chunks = Chunks::new(&transaction);
    place.map(|place| chunks.find(place).map(<[u8]>::to_vec)).transpose()
}

/// Blocks that may have records of a range of ids, both ends included.
pub(crate) fn around(
    connection: &Connection,
    first: i64,
    last: i64,
    mut then: impl FnMut(&Block<'_>),
) -> Result<()> {
    let mut find = connection.prepare_cached("select columns from block where last >= ? and first <= ?")?;
    let mut rows = find.query([first, last])?;
    while let Some(row) = rows.next()? {
        then(&Block::read(row.get_ref(0)?.as_blob()?).ok_or_else(|| damaged("a block"))?);
    }
    Ok(())
}

pub(crate) fn each(
    connection: &Connection,
    block: i64,
    question: &Question,
    found: &mut Vec<u32>,
    then: impl FnOnce(&Block<'_>, &[u32]),
) -> Result<()> {
    let mut find = connection.prepare_cached("select columns from block where id = ?")?;
    let mut rows = find.query([block])?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let bytes = row.get_ref(0)?.as_blob()?;
    let block = Block::read(bytes).ok_or_else(|| damaged("a block"))?;
    question.select(&block, found);
    then(&block, found);
    Ok(())
}

/// Where a record's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    chunk: i64,
    at: usize,
}

impl Place {
    pub(crate) fn of(block: &Block<'_>, at: usize) -> Self {
        let get = |column| block.get(column, at);
        let start = usize::try_from(get(Column::At)).unwrap_or(usize::MAX);
        Self { chunk: get(Column::Chunk).cast_signed(), at: start }
    }
}

pub(crate) struct Chunks<'a> {
    connection: &'a Connection,
    read: HashMap<i64, Vec<u8>>,
}

impl<'a> Chunks<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self { connection, read: HashMap::new() }
    }

    pub(crate) fn find(&mut self, Place { chunk, at }: Place) -> Result<&[u8]> {
        if !self.read.contains_key(&chunk) {
            let bytes = self
                .connection
                .prepare_cached("select records from chunk where id = ?")?
                .query_row([chunk], |row| row.get(0))?;
            if self.read.len() >= CHUNKS {
                self.read.clear();
            }
            self.read.insert(chunk, bytes);
        }
        let record = || {
            let (length, rest) = self.read.get(&chunk)?.get(at..)?.split_at_checked(4)?;
            rest.get(..u32::from_le_bytes(length.try_into().ok()?) as usize)
        };
        record().ok_or_else(|| damaged("a chunk of records"))
    }
}

pub(crate) fn damaged(what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        0,
        rusqlite::types::Type::Blob,
        format!("{what} is damaged, or was written by a newer version of Tidegate").into(),
    )
}
