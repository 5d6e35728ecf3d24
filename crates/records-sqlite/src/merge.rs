//! Small blocks become large ones: quiet hours write a block per request, and a list is not to open a hundred thousand of
//! them. When a tier has eight blocks they become one, so each record is copied about once per tier, and only what lists
//! filter by: the records themselves stay where they are. Blocks whose figures are rolled up stay as they are.

use std::ops::Range;

use rusqlite::{Connection, Result, params};

use crate::columns::{Block, Columns};
use crate::schema;

const TOGETHER: u64 = 8;
/// Blocks with fewer records belong to the tier; those with more are never copied.
const BELOW: [u64; 3] = [16, 128, 1_024];

/// How many blocks each tier has.
#[derive(Debug, Default)]
pub(crate) struct Tiers {
    blocks: [u64; BELOW.len()],
    /// A newer binary's blocks may have columns that this one would lose.
    pub(crate) frozen: bool,
    /// The last block whose figures are rolled up: a block that is neither is made of others that are not.
    pub(crate) rolled: i64,
}

fn tier(records: u64) -> u32 {
    (0..).zip(BELOW).find(|(_, below)| records < *below).map_or(3, |(tier, _)| tier)
}

impl Tiers {
    pub(crate) fn of(connection: &Connection) -> Result<Self> {
        let mut tiers = Self::default();
        let version: i64 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
        tiers.frozen = version > schema::VERSION;
        tiers.rolled = crate::rollups::rolled(connection)?;
        let mut count =
            connection.prepare("select count(*) from block where tier = ? and tier < 3 and id > ?")?;
        for (tier, blocks) in (0u32..).zip(&mut tiers.blocks) {
            let counted: i64 = count.query_row(params![tier, tiers.rolled], |row| row.get(0))?;
            *blocks = counted.unsigned_abs();
        }
        Ok(tiers)
    }

    pub(crate) fn add(
        &mut self,
        connection: &Connection,
        columns: &Columns,
        records: u64,
        first: i64,
        last: i64,
    ) -> Result<()> {
        let mut full = self.insert(connection, columns, records, first, last)?;
        while let Some(tier) = full.take() {
            full = self.merge(connection, tier as usize..tier as usize + 1)?;
        }
        Ok(())
    }

    /// Gives the tier if it is full now.
    fn insert(
        &mut self,
        connection: &Connection,
        columns: &Columns,
        records: u64,
        first: i64,
        last: i64,
    ) -> Result<Option<u32>> {
        let tier = tier(records);
        connection
            .prepare_cached("insert into block(first, last, tier, count, columns) values (?, ?, ?, ?, ?)")?
            .execute(params![first, last, tier, records.cast_signed(), columns.encode()])?;
        let Some(blocks) = self.blocks.get_mut(tier as usize) else { return Ok(None) };
        *blocks += 1;
        Ok((*blocks >= TOGETHER && !self.frozen).then_some(tier))
    }

    /// All blocks there are will stay as they are: the small ones become few before.
    pub(crate) fn settle(&mut self, connection: &Connection) -> Result<()> {
        if self.blocks.iter().sum::<u64>() > 1 {
            self.merge(connection, 0..BELOW.len())?;
        }
        let last = connection.query_row("select coalesce(max(id), 0) from block", [], |row| row.get(0))?;
        connection.execute("update rolled set block = ?", [last])?;
        (self.blocks, self.rolled) = ([0; BELOW.len()], last);
        Ok(())
    }

    fn merge(&mut self, connection: &Connection, tiers: Range<usize>) -> Result<Option<u32>> {
        let (mut ids, mut bytes) = (Vec::<i64>::new(), Vec::<Vec<u8>>::new());
        let (mut first, mut last, mut records) = (i64::MAX, i64::MIN, 0);
        {
            let mut find = connection.prepare_cached(
                "select id, first, last, count, columns from block where tier >= ? and tier < ? \
                 and tier < 3 and id > ?",
            )?;
            let mut rows = find.query(params![tiers.start as i64, tiers.end as i64, self.rolled])?;
            while let Some(row) = rows.next()? {
                ids.push(row.get(0)?);
                first = first.min(row.get(1)?);
                last = last.max(row.get(2)?);
                records += row.get::<_, i64>(3)?.unsigned_abs();
                bytes.push(row.get(4)?);
            }
        }
        self.blocks[tiers].fill(0);
        let blocks: Option<Vec<_>> = bytes.iter().map(|bytes| Block::read(bytes)).collect();
        // One that cannot be read stays where it is, and so do the others.
        let Some(blocks) = blocks else { return Ok(None) };
        let mut delete = connection.prepare_cached("delete from block where id = ?")?;
        for id in ids {
            delete.execute([id])?;
        }
        self.insert(connection, &Columns::merged(&blocks), records, first, last)
    }
}
