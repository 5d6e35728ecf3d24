//! Roll-ups of a day. When so many records have come, or the day is over, their cells are made from their blocks, and a row
//! per cube is written with the word that those blocks are rolled up. The figures of blocks that are not are made when they
//! are asked for: few records at any time, and what is known of a record is the same either way. Eight rows of a tier become
//! one of the next, so a question opens some dozens of rows.

use rusqlite::{Connection, Result, params};
use tidegate_insight::{Block as CellBlock, Cells, Combination, Cube, Gather, Gathered, Measure, merged};
use tidegate_records::Facts;

use crate::columns::Block;
use crate::merge::Tiers;
use crate::pages::damaged;
use crate::texts::Texts;

const TOGETHER: u64 = 8;
/// Rows of this tier stay as they are.
const LAST: usize = 7;

/// What is rolled up, and what is not.
#[derive(Debug, Default)]
pub(crate) struct Rollups {
    /// Rows of each cube and tier.
    rows: [[u64; LAST]; Cube::ROLLED.len()],
    /// Records in blocks that are not rolled up.
    left: u64,
    /// So many are rolled up together.
    together: u64,
}

impl Rollups {
    pub(crate) fn of(connection: &Connection, together: u64) -> Result<Self> {
        let mut rollups = Self { together: together.max(1), ..Self::default() };
        let mut count = connection.prepare("select count(*) from rollup where cube = ? and tier = ?")?;
        for (cube, rows) in Cube::ROLLED.into_iter().zip(&mut rollups.rows) {
            for (tier, rows) in rows.iter_mut().enumerate() {
                let counted: i64 = count.query_row(params![cube.number(), tier as i64], |row| row.get(0))?;
                *rows = counted.unsigned_abs();
            }
        }
        let left: i64 = connection.query_row(
            "select coalesce(sum(count), 0) from block where id > (select block from rolled)",
            [],
            |row| row.get(0),
        )?;
        rollups.left = left.unsigned_abs();
        Ok(rollups)
    }

    /// So many records are in a new block.
    pub(crate) fn came(&mut self, records: u64) {
        self.left += records;
    }

    pub(crate) fn are_due(&self) -> bool {
        self.left >= self.together
    }

    pub(crate) fn are_whole(&self) -> bool {
        self.left == 0
    }

    /// Rolls up what is left, within a transaction. A newer binary's blocks are left to it: they may have figures that this
    /// one would lose.
    pub(crate) fn roll(&mut self, connection: &Connection, tiers: &mut Tiers) -> Result<()> {
        if tiers.frozen || self.left == 0 {
            return Ok(());
        }
        let gather = gather(connection, &Cube::ROLLED, i64::MIN, i64::MAX)?;
        let records = gather.records();
        let mut texts = Texts::new(connection);
        for cells in gather.finish(|number| texts.get(number))? {
            self.add(connection, &cells, records)?;
        }
        self.left = 0;
        tiers.settle(connection)
    }

    fn add(&mut self, connection: &Connection, cells: &Gathered, records: u64) -> Result<()> {
        let cube = cells.cube;
        insert(connection, cube, 0, (cells.first, cells.last), records, &cells.bytes)?;
        let Some(at) = Cube::ROLLED.iter().position(|own| *own == cube) else { return Ok(()) };
        let mut tier = 0;
        self.rows[at][0] += 1;
        while tier < LAST && self.rows[at][tier] >= TOGETHER {
            merge(connection, cube, tier)?;
            self.rows[at][tier] = 0;
            tier += 1;
            if let Some(rows) = self.rows[at].get_mut(tier) {
                *rows += 1;
            }
        }
        Ok(())
    }
}

/// The last block that is rolled up.
pub(crate) fn rolled(connection: &Connection) -> Result<i64> {
    connection.prepare_cached("select block from rolled")?.query_row([], |row| row.get(0))
}

/// The cells of all blocks that are not rolled up and have records of a range of ids (the last not included), with their
/// other records.
pub(crate) fn gather(connection: &Connection, cubes: &[Cube], first: i64, end: i64) -> Result<Gather> {
    let (mut gather, mut texts) = (Gather::new(cubes), Texts::new(connection));
    let mut find = connection.prepare_cached(
        "select columns from block where id > (select block from rolled) and last >= ? and first < ?",
    )?;
    let mut rows = find.query([first, end])?;
    while let Some(row) = rows.next()? {
        let block = Block::read(row.get_ref(0)?.as_blob()?).ok_or_else(|| damaged("a block"))?;
        for at in 0..block.count as usize {
            let measure = texts.measure(&block, at)?;
            gather.add(&measure, &block.names(at));
        }
    }
    Ok(gather)
}

fn insert(
    connection: &Connection,
    cube: Cube,
    tier: usize,
    (first, last): (u32, u32),
    records: u64,
    cells: &[u8],
) -> Result<()> {
    connection
        .prepare_cached(
            "insert into rollup(cube, tier, first, last, records, cells) values (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![cube.number(), tier as i64, first, last, records.cast_signed(), cells])?;
    Ok(())
}

/// All of a tier becomes one row of the next.
fn merge(connection: &Connection, cube: Cube, tier: usize) -> Result<()> {
    let (mut ids, mut bytes, mut records) = (Vec::<i64>::new(), Vec::<Vec<u8>>::new(), 0u64);
    {
        let mut find =
            connection.prepare_cached("select id, records, cells from rollup where cube = ? and tier = ?")?;
        let mut rows = find.query(params![cube.number(), tier as i64])?;
        while let Some(row) = rows.next()? {
            ids.push(row.get(0)?);
            records += row.get::<_, i64>(1)?.unsigned_abs();
            bytes.push(row.get(2)?);
        }
    }
    let blocks: Option<Vec<CellBlock<'_>>> = bytes.iter().map(|bytes| CellBlock::read(bytes)).collect();
    // One that cannot be read stays where it is, and so do the others.
    let Some(blocks) = blocks else { return Ok(()) };
    let Some(cells) = merged(cube, &blocks) else { return Ok(()) };
    let mut delete = connection.prepare_cached("delete from rollup where id = ?")?;
    for id in ids {
        delete.execute([id])?;
    }
    insert(connection, cube, tier + 1, (cells.first, cells.last), records, &cells.bytes)
}

/// Chunks that are read together.
const AT_ONCE: usize = 64;

/// The cells that cubes are to have, of days or as they are kept, from the records themselves; with their number.
pub(crate) fn made_anew<T>(
    connection: &Connection,
    cubes: &[(Cube, bool)],
    then: impl FnOnce(&[Cells<'_>], u64) -> Result<T>,
) -> Result<T> {
    let empty =
        || cubes.iter().map(|(cube, days)| if *days { Cells::of_days(*cube) } else { Cells::new(*cube) });
    let (mut parts, mut records, mut more) = (vec![Vec::new(); cubes.len()], 0, true);
    let mut find = connection.prepare("select records from chunk order by id")?;
    let mut rows = find.query([])?;
    while more {
        let mut chunks: Vec<Vec<u8>> = Vec::with_capacity(AT_ONCE);
        while chunks.len() < AT_ONCE && more {
            match rows.next()? {
                Some(row) => chunks.push(row.get(0)?),
                None => more = false,
            }
        }
        let all = chunks.iter().flat_map(|chunk| each_of(chunk)).map(|encoded| {
            let facts = Facts::read(encoded?).map_err(|_| damaged("a record"))?;
            Ok((Combination::write(&facts.metadata), facts))
        });
        let all: Vec<(String, Facts<'_>)> = all.collect::<Result<_>>()?;
        let mut cells: Vec<Cells<'_>> = empty().collect();
        for (metadata, facts) in &all {
            let measure = Measure::of(facts);
            cells.iter_mut().for_each(|cells| cells.add(facts, metadata, &measure));
        }
        records += all.len() as u64;
        parts.iter_mut().zip(&cells).for_each(|(parts, cells)| parts.push(cells.encode()));
    }
    let mut all: Vec<Cells<'_>> = empty().collect();
    for (cells, parts) in all.iter_mut().zip(&parts) {
        for part in parts {
            cells.merge(&CellBlock::read(part).ok_or_else(|| damaged("a roll-up"))?);
        }
    }
    then(&all, records)
}

/// The records of a chunk, each behind its length.
fn each_of(chunk: &[u8]) -> impl Iterator<Item = Result<&[u8]>> {
    let mut rest = chunk;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let split = || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            after.split_at_checked(u32::from_le_bytes(*length) as usize)
        };
        match split() {
            Some((record, after)) => {
                rest = after;
                Some(Ok(record))
            }
            None => {
                rest = &[];
                Some(Err(damaged("a chunk of records")))
            }
        }
    })
}
