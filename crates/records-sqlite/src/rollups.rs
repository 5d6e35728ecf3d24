//! Roll-ups of a day. A batch adds one row per cube, in the transaction that writes its records; eight rows of a tier become
//! one of the next, so a cell is copied a few times in all, and a question opens some dozens of rows.

use rusqlite::{Connection, Result, params};
use tidegate_insight::{Block, Cells, Cube, Measure};
use tidegate_records::Facts;

use crate::pages::damaged;
use crate::schema;

const TOGETHER: u64 = 8;
/// Rows of this tier stay as they are.
const LAST: usize = 7;
/// A day with more records than this that has no roll-ups gets none: it would take too long between two batches. Its figures
/// are made from blocks.
const MENDED: i64 = 1_000_000;

/// The cells of a batch.
#[derive(Debug)]
pub(crate) struct Gathered<'a> {
    cubes: [Cells<'a>; Cube::ALL.len()],
    records: u64,
}

impl Default for Gathered<'_> {
    fn default() -> Self {
        Self { cubes: Cube::ALL.map(Cells::new), records: 0 }
    }
}

impl<'a> Gathered<'a> {
    pub(crate) fn add(&mut self, facts: &Facts<'a>, measure: &Measure) {
        self.cubes.iter_mut().for_each(|cells| cells.add(facts, measure));
        self.records += 1;
    }
}

/// How many rows there are of each cube and tier.
#[derive(Debug, Default)]
pub(crate) struct Rollups {
    rows: [[u64; LAST]; Cube::ALL.len()],
    /// A newer binary's cells may have figures that this one would lose.
    frozen: bool,
}

impl Rollups {
    pub(crate) fn of(connection: &Connection) -> Result<Self> {
        let mut rollups = Self { frozen: version(connection)? > schema::VERSION, ..Self::default() };
        let mut count = connection.prepare("select count(*) from rollup where cube = ? and tier = ?")?;
        for (cube, rows) in Cube::ALL.into_iter().zip(&mut rollups.rows) {
            for (tier, rows) in rows.iter_mut().enumerate() {
                let counted: i64 = count.query_row(params![cube.number(), tier as i64], |row| row.get(0))?;
                *rows = counted.unsigned_abs();
            }
        }
        Ok(rollups)
    }

    pub(crate) fn add(&mut self, connection: &Connection, gathered: &Gathered<'_>) -> Result<()> {
        for (at, cells) in gathered.cubes.iter().enumerate() {
            insert(connection, cells, 0, gathered.records)?;
            let mut tier = 0;
            self.rows[at][0] += 1;
            while tier < LAST && self.rows[at][tier] >= TOGETHER && !self.frozen {
                merge(connection, cells.cube(), tier)?;
                self.rows[at][tier] = 0;
                tier += 1;
                if let Some(rows) = self.rows[at].get_mut(tier) {
                    *rows += 1;
                }
            }
        }
        Ok(())
    }
}

fn version(connection: &Connection) -> Result<i64> {
    connection.query_row("pragma user_version", [], |row| row.get(0))
}

fn insert(connection: &Connection, cells: &Cells<'_>, tier: usize, records: u64) -> Result<()> {
    let Some((first, last)) = cells.hours() else { return Ok(()) };
    connection
        .prepare_cached(
            "insert into rollup(cube, tier, first, last, records, cells) values (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            cells.cube().number(),
            tier as i64,
            first,
            last,
            records.cast_signed(),
            cells.encode()
        ])?;
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
    let mut cells = Cells::new(cube);
    let blocks: Option<Vec<Block<'_>>> = bytes.iter().map(|bytes| Block::read(bytes)).collect();
    // One that cannot be read stays where it is, and so do the others.
    let Some(blocks) = blocks else { return Ok(()) };
    blocks.iter().for_each(|block| cells.merge(block));
    let mut delete = connection.prepare_cached("delete from rollup where id = ?")?;
    for id in ids {
        delete.execute([id])?;
    }
    insert(connection, &cells, tier + 1, records)
}

/// Whether a cube has all records of the day: an older binary wrote some without.
pub(crate) fn is_whole(connection: &Connection, cube: Cube) -> Result<bool> {
    if version(connection)? < schema::ROLLUPS {
        return Ok(false);
    }
    let of_cube: i64 = connection
        .prepare_cached("select coalesce(sum(records), 0) from rollup where cube = ?")?
        .query_row([cube.number()], |row| row.get(0))?;
    Ok(of_cube == all(connection)?)
}

fn all(connection: &Connection) -> Result<i64> {
    connection.prepare_cached("select coalesce(sum(count), 0) from block")?.query_row([], |row| row.get(0))
}

/// Makes the roll-ups of a day that has some records without.
pub(crate) fn mend(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction()?;
    for cube in Cube::ALL {
        if is_whole(&transaction, cube)? || all(&transaction)? > MENDED {
            continue;
        }
        transaction.execute("delete from rollup where cube = ?", [cube.number()])?;
        made_anew(&transaction, cube, |cells, records| insert(&transaction, cells, LAST, records))?;
    }
    transaction.commit()
}

/// Chunks that are read together.
const AT_ONCE: usize = 64;

/// The cells that a cube is to have, from the records themselves, with their number.
pub(crate) fn made_anew<T>(
    connection: &Connection,
    cube: Cube,
    then: impl FnOnce(&Cells<'_>, u64) -> Result<T>,
) -> Result<T> {
    let (mut parts, mut records, mut more) = (Vec::new(), 0, true);
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
        let mut cells = Cells::new(cube);
        for encoded in chunks.iter().flat_map(|chunk| each_of(chunk)) {
            let facts = Facts::read(encoded?).map_err(|_| damaged("a record"))?;
            cells.add(&facts, &Measure::of(&facts));
            records += 1;
        }
        parts.push(cells.encode());
    }
    let mut cells = Cells::new(cube);
    for part in &parts {
        cells.merge(&Block::read(part).ok_or_else(|| damaged("a roll-up"))?);
    }
    then(&cells, records)
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
