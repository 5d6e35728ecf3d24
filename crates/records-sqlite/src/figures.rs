//! Figures of many records: from roll-ups, and from blocks where those do not have what is asked for.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use rusqlite::{Connection, params};
use tidegate_insight::{
    Block as CellBlock, Cached, Cells, Cube, Dimension, Measure, Scanned, Seen, Source, Verified, Wanted,
    is_usd,
};
use tidegate_records::{Facts, Filter, ReadError, RecordId};

use crate::columns::{Block, Column};
use crate::files::ROWS;
use crate::names;
use crate::pages::{BLOCKS, Chunks, damaged, each as each_block};
use crate::reader::{SqliteReader, read_error};
use crate::rollups;
use crate::scan::Question;
use crate::schema;

const HOUR_MS: u64 = 3_600_000;

impl Source for SqliteReader {
    fn scan(
        &mut self,
        filter: &Filter,
        wanted: Wanted<'_>,
        most: u64,
        each: &mut dyn FnMut(Seen<'_>),
    ) -> Result<Scanned, ReadError> {
        let mut scanned = Scanned::default();
        for day in self.days(ROWS, filter, None)? {
            let Some(file) = self.file(ROWS, day)? else { continue };
            day_of(file, filter, wanted, most, &mut scanned, each).map_err(read_error)?;
            if scanned.cut {
                break;
            }
        }
        Ok(scanned)
    }

    fn cells(
        &mut self,
        cube: Cube,
        hours: Range<u32>,
        each: &mut dyn FnMut(&CellBlock<'_>),
    ) -> Result<Vec<u32>, ReadError> {
        let ms = |hour: u32| u64::from(hour) * HOUR_MS;
        let time =
            Filter { from_ms: Some(ms(hours.start)), to_ms: Some(ms(hours.end) - 1), ..Filter::default() };
        let mut missing = Vec::new();
        for day in self.days(ROWS, &time, None)? {
            let Some(file) = self.file(ROWS, day)? else { continue };
            if !cells_of(file, cube, &hours, each).map_err(read_error)? {
                missing.push(day);
            }
        }
        Ok(missing)
    }

    fn verify(&mut self, day: u32) -> Result<Verified, ReadError> {
        let Some(file) = self.file(ROWS, day)? else { return Ok(Verified::default()) };
        verify(file).map_err(read_error)
    }
}

/// False: the day has records without roll-ups. One transaction, so that rows that are merged meanwhile are not met twice.
fn cells_of(
    connection: &Connection,
    cube: Cube,
    hours: &Range<u32>,
    each: &mut dyn FnMut(&CellBlock<'_>),
) -> rusqlite::Result<bool> {
    let transaction = connection.unchecked_transaction()?;
    if !rollups::is_whole(&transaction, cube)? {
        return Ok(false);
    }
    let mut find = transaction
        .prepare_cached("select cells from rollup where cube = ? and last > ? - ? and first < ?")?;
    let mut rows = find.query(params![cube.number(), hours.start, cube.hours(), hours.end])?;
    while let Some(row) = rows.next()? {
        each(&CellBlock::read(row.get_ref(0)?.as_blob()?).ok_or_else(|| damaged("a roll-up"))?);
    }
    Ok(true)
}

fn verify(connection: &Connection) -> rusqlite::Result<Verified> {
    let transaction = connection.unchecked_transaction()?;
    let mut verified = Verified::default();
    for cube in Cube::ALL {
        if !rollups::is_whole(&transaction, cube)? {
            verified.wrong += 1;
            continue;
        }
        let mut find = transaction.prepare("select cells from rollup where cube = ?")?;
        let stored: Vec<Vec<u8>> =
            find.query_map([cube.number()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut cells = Cells::new(cube);
        for bytes in &stored {
            cells.merge(&CellBlock::read(bytes).ok_or_else(|| damaged("a roll-up"))?);
        }
        let (is_same, records) =
            rollups::made_anew(&transaction, cube, |anew, records| Ok((*anew == cells, records)))?;
        verified.records = records;
        verified.cells += cells.len() as u64;
        verified.wrong += u64::from(!is_same);
    }
    Ok(verified)
}

fn day_of(
    connection: &Connection,
    filter: &Filter,
    wanted: Wanted<'_>,
    most: u64,
    scanned: &mut Scanned,
    each: &mut dyn FnMut(Seen<'_>),
) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let Some(question) = Question::of(filter, None, |name| names::find(&transaction, name))? else {
        return Ok(());
    };
    // Blocks have hashes of these, and no text.
    let is_of_text = matches!(wanted.group, Some(Dimension::Metadata(_)));
    let is_hashed = is_of_text || !filter.metadata.is_empty() || !filter.trace.is_empty();
    let (mut texts, mut chunks) = (Texts::new(&transaction), Chunks::new(&transaction));
    let mut found = Vec::new();
    let mut blocks = transaction.prepare_cached(BLOCKS)?;
    let mut blocks = blocks.query(params![question.first(), question.end()])?;
    while let Some(row) = blocks.next()? {
        let mut told: rusqlite::Result<()> = Ok(());
        each_block(&transaction, row.get(0)?, &question, &mut found, |block, found| {
            told = found.iter().rev().try_for_each(|at| {
                if scanned.records == most {
                    scanned.cut = true;
                    return Ok(());
                }
                let at = *at as usize;
                if is_hashed {
                    let id = RecordId::from_bits(block.get(Column::Id, at));
                    let encoded = chunks.find(id)?.ok_or_else(|| damaged("a record's place"))?;
                    let facts = Facts::read(encoded).map_err(|_| damaged("a record"))?;
                    if filter.fits(&facts) {
                        scanned.records += 1;
                        let key = wanted.group.map(|group| group.of(&facts)).unwrap_or_default();
                        let user = if wanted.user { facts.user } else { "" };
                        each(Seen { key: &key, user, measure: &Measure::of(&facts) });
                    }
                    return Ok(());
                }
                scanned.records += 1;
                let measure = texts.measure(block, at)?;
                let key = wanted.group.map(|group| texts.key(group, block, at)).transpose()?;
                let user = if wanted.user { Some(texts.get(block.get(Column::User, at))?) } else { None };
                let (key, user) = (key.as_deref().unwrap_or(""), user.as_deref().unwrap_or(""));
                each(Seen { key, user, measure: &measure });
                Ok(())
            });
        })?;
        told?;
        if scanned.cut {
            break;
        }
    }
    Ok(())
}

/// A day's names by their numbers.
struct Texts<'a> {
    connection: &'a Connection,
    known: HashMap<u64, Rc<str>, foldhash::fast::RandomState>,
    /// The last ones: they are mostly the next ones as well.
    cache: (u64, Cached),
    currency: (u64, bool),
}

impl<'a> Texts<'a> {
    fn new(connection: &'a Connection) -> Self {
        Self { connection, known: HashMap::default(), cache: (0, Cached::Off), currency: (0, true) }
    }

    fn get(&mut self, number: u64) -> rusqlite::Result<Rc<str>> {
        if let Some(text) = self.known.get(&number) {
            return Ok(Rc::clone(text));
        }
        let text: Rc<str> = match number {
            0 => "".into(),
            number => self
                .connection
                .prepare_cached("select text from name where id = ?")?
                .query_row([number.cast_signed()], |row| row.get::<_, String>(0))?
                .into(),
        };
        self.known.insert(number, Rc::clone(&text));
        Ok(text)
    }

    fn key(&mut self, group: &Dimension, block: &Block<'_>, at: usize) -> rusqlite::Result<Rc<str>> {
        let column = match group {
            Dimension::Workspace => Column::Workspace,
            Dimension::Provider => Column::Provider,
            Dimension::Model => Column::Model,
            Dimension::Route => Column::Route,
            Dimension::Cache => Column::Cache,
            Dimension::ApiKey => Column::ApiKey,
            Dimension::KeyOwner => Column::KeyOwner,
            Dimension::VirtualKey => Column::VirtualKey,
            Dimension::Config => Column::Config,
            Dimension::User => Column::User,
            Dimension::Status => return Ok(block.get(Column::Status, at).to_string().into()),
            // Read from the record.
            Dimension::Metadata(_) => return Ok("".into()),
        };
        self.get(block.get(column, at))
    }

    fn measure(&mut self, block: &Block<'_>, at: usize) -> rusqlite::Result<Measure> {
        let get = |column| block.get(column, at);
        let known = |column| get(column).checked_sub(1);
        let flags = get(Column::Flags);
        let is = |flag| flags & flag != 0;
        let (cache, currency) = (get(Column::Cache), get(Column::Currency));
        if self.cache.0 != cache {
            self.cache = (cache, Cached::of(&self.get(cache)?));
        }
        if self.currency.0 != currency {
            self.currency = (currency, is_usd(&self.get(currency)?));
        }
        Ok(Measure {
            at_ms: RecordId::from_bits(get(Column::Id)).unix_ms(),
            status: u16::try_from(get(Column::Status)).unwrap_or(u16::MAX),
            stream: is(schema::STREAM),
            client_gone: is(schema::CLIENT_GONE),
            broken: is(schema::BROKEN),
            limited: is(schema::LIMITED),
            attempts: get(Column::Attempts),
            retries: get(Column::Retries),
            fell_back: is(schema::FELL_BACK),
            first_failed: is(schema::FIRST_FAILED),
            upstream_us: get(Column::UpstreamUs),
            total_us: get(Column::TotalUs),
            ttft_us: known(Column::Ttft),
            waited_us: get(Column::WaitedUs),
            prompt: known(Column::PromptTokens),
            output: known(Column::OutputTokens),
            cache_read: known(Column::CachedTokens).unwrap_or(0),
            cache_write: get(Column::CacheWriteTokens),
            reasoning: known(Column::ReasoningTokens).unwrap_or(0),
            audio: get(Column::AudioTokens),
            image: get(Column::ImageTokens),
            searches: get(Column::Searches),
            usage_estimated: is(schema::USAGE_ESTIMATED),
            unpriced: is(schema::UNPRICED),
            cost: known(Column::Cost).filter(|_| self.currency.1),
            saved: get(Column::Saved),
            request_bytes: get(Column::RequestBytes),
            response_bytes: get(Column::ResponseBytes),
            cache: self.cache.1,
            has_user: get(Column::User) != 0,
        })
    }
}
