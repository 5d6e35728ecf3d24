//! Figures of many records: from roll-ups, and from blocks where those do not have what is asked for.

use std::ops::Range;

use rusqlite::{Connection, params};
use tidegate_insight::{
    Block as CellBlock, Cells, Cube, Measure, Reading, Scanned, Seen, Source, Verified, Wanted,
};
use tidegate_records::{Facts, Filter, ReadError, RecordId};

use crate::columns::Column;
use crate::combinations::Values;
use crate::files::ROWS;
use crate::names;
use crate::pages::{BLOCKS, Chunks, Place, damaged, each as each_block};
use crate::reader::{SqliteReader, read_error};
use crate::rollups;
use crate::scan::Question;
use crate::settled::{self, Has};
use crate::texts::Texts;

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
            let found = self.found_in_bodies(day, filter, None)?;
            let Some(file) = self.file(ROWS, day)? else { continue };
            day_of(file, filter, found, wanted, most, &mut scanned, each).map_err(read_error)?;
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
        reading: Reading,
        each: &mut dyn FnMut(&CellBlock<'_>),
    ) -> Result<Vec<u32>, ReadError> {
        let ms = |hour: u32| u64::from(hour) * HOUR_MS;
        let time =
            Filter { from_ms: Some(ms(hours.start)), to_ms: Some(ms(hours.end) - 1), ..Filter::default() };
        let mut without = Vec::new();
        for day in self.days(ROWS, &time, None)? {
            let Some(file) = self.file(ROWS, day)? else { continue };
            if cells_of(file, day, cube, &hours, reading, each).map_err(read_error)? == Has::Records {
                without.push(day);
            }
        }
        Ok(without)
    }

    fn verify(&mut self, day: u32) -> Result<Verified, ReadError> {
        let Some(file) = self.file(ROWS, day)? else { return Ok(Verified::default()) };
        verify(file).map_err(read_error)
    }
}

/// One transaction, so that what is rolled up or merged meanwhile is not met twice.
fn cells_of(
    connection: &Connection,
    day: u32,
    cube: Cube,
    hours: &Range<u32>,
    reading: Reading,
    each: &mut dyn FnMut(&CellBlock<'_>),
) -> rusqlite::Result<Has> {
    let transaction = connection.unchecked_transaction()?;
    let is_whole = hours.start <= day * 24 && day * 24 + 24 <= hours.end;
    if is_whole && (reading.by_day || cube.hours() == 24) {
        let has = settled::read(&transaction, cube, reading, each)?;
        if has != Has::NotYet {
            return Ok(has);
        }
    }
    let id = |hour: u32| RecordId::first_of(u64::from(hour) * HOUR_MS).signed();
    if !Cube::ROLLED.contains(&cube) {
        let made = settled::made(&transaction, &[cube], id(hours.start), id(hours.end))?;
        let Some(cells) = made.into_iter().next().flatten() else { return Ok(Has::Records) };
        each(&CellBlock::read(&cells).ok_or_else(|| damaged("a roll-up"))?);
        return Ok(Has::Cells);
    }
    let mut find = transaction
        .prepare_cached("select cells from rollup where cube = ? and last > ? - ? and first < ?")?;
    let mut rows = find.query(params![cube.number(), hours.start, cube.hours(), hours.end])?;
    while let Some(row) = rows.next()? {
        each(&CellBlock::read(row.get_ref(0)?.as_blob()?).ok_or_else(|| damaged("a roll-up"))?);
    }
    let mut texts = Texts::new(&transaction);
    let gather = rollups::gather(&transaction, &[cube], id(hours.start), id(hours.end))?;
    for cells in gather.finish(|number| texts.get(number))? {
        each(&CellBlock::read(&cells.bytes).ok_or_else(|| damaged("a roll-up"))?);
    }
    Ok(Has::Cells)
}

/// Hours as they are kept, and the day where it is settled.
fn verify(connection: &Connection) -> rusqlite::Result<Verified> {
    let transaction = connection.unchecked_transaction()?;
    let (mut kinds, mut stored) = (Vec::new(), Vec::<Vec<Vec<u8>>>::new());
    for cube in Cube::ROLLED {
        let mut find = transaction.prepare("select cells from rollup where cube = ?")?;
        let mut own: Vec<Vec<u8>> =
            find.query_map([cube.number()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut texts = Texts::new(&transaction);
        let left = rollups::gather(&transaction, &[cube], i64::MIN, i64::MAX)?;
        own.extend(left.finish(|number| texts.get(number))?.into_iter().map(|cells| cells.bytes));
        kinds.push((cube, false));
        stored.push(own);
    }
    for cube in Cube::all() {
        let mut own = Vec::new();
        let mut keep = |block: &CellBlock<'_>| {
            let mut cells = Cells::of_days(cube);
            cells.merge(block);
            own.push(cells.encode());
        };
        if settled::read(&transaction, cube, Reading::ALL, &mut keep)? == Has::Cells {
            kinds.push((cube, true));
            stored.push(own);
        }
    }
    rollups::made_anew(&transaction, &kinds, |anew, records| {
        let mut verified = Verified { records, ..Verified::default() };
        for (((cube, days), stored), anew) in kinds.iter().zip(&stored).zip(anew) {
            let mut cells = if *days { Cells::of_days(*cube) } else { Cells::new(*cube) };
            for bytes in stored {
                cells.merge(&CellBlock::read(bytes).ok_or_else(|| damaged("a roll-up"))?);
            }
            verified.cells += cells.len() as u64;
            verified.wrong += u64::from(*anew != cells);
        }
        Ok(verified)
    })
}

fn day_of(
    connection: &Connection,
    filter: &Filter,
    found_in_bodies: Option<Vec<u64>>,
    wanted: Wanted<'_>,
    most: u64,
    scanned: &mut Scanned,
    each: &mut dyn FnMut(Seen<'_>),
) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let Some(mut question) = Question::of(filter, None, |name| names::find(&transaction, name))? else {
        return Ok(());
    };
    if let Some(ids) = found_in_bodies {
        question.among(ids);
    }
    // Blocks have hashes of these, and no text.
    let is_hashed = !filter.metadata.is_empty() || !filter.trace.is_empty() || !filter.span.is_empty();
    let (mut texts, mut chunks) = (Texts::new(&transaction), Chunks::new(&transaction));
    let mut values = Values::new(&transaction, wanted.group);
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
                let value = if is_hashed { None } else { values.of(block, at)? };
                if is_hashed || value.is_none() && values.are_wanted() {
                    let encoded = chunks.find(Place::of(block, at))?;
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
                let key = match value {
                    Some(value) => Some(value),
                    None => wanted.group.map(|group| texts.key(group, block, at)).transpose()?,
                };
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
