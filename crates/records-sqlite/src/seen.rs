//! Which records a day has already: batches come again after a crash, and two gateways with one number make the same ids.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Result};

use crate::columns::Column;
use crate::pages::around;

/// Ids of this many records are held, and once more as many.
const HELD: usize = 114_688;

/// Ids are times, so nearly all are later than what was written some time ago. Marks of those written since are held; an id that
/// is neither later nor has a mark that is held is looked for in the blocks around it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    now: HashSet<u32, foldhash::fast::FixedState>,
    before: HashSet<u32, foldhash::fast::FixedState>,
    /// The latest id of what is held no more, and of what is in `before`.
    past: u64,
    next_past: u64,
    latest: u64,
}

impl Seen {
    pub(crate) fn of(connection: &Connection) -> Result<Self> {
        let last: i64 =
            connection.query_row("select coalesce(max(last), 0) from block", [], |row| row.get(0))?;
        let past = last.unsigned_abs();
        Ok(Self { past, next_past: past, latest: past, ..Self::default() })
    }

    /// False: it is surely new.
    pub(crate) fn may_have(&self, id: u64) -> bool {
        let is_held = |mark| self.now.contains(&mark) || self.before.contains(&mark);
        id <= self.past || (id <= self.latest && is_held(mark(id)))
    }

    pub(crate) fn add(&mut self, id: u64) {
        if self.now.len() >= HELD {
            self.past = self.next_past;
            self.next_past = self.latest;
            std::mem::swap(&mut self.now, &mut self.before);
            self.now.clear();
        }
        self.now.insert(mark(id));
        self.latest = self.latest.max(id);
    }
}

/// Half the room of an id. One in twenty thousand that is new has another's mark, and is looked for in vain.
fn mark(id: u64) -> u32 {
    (id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

/// The seals of those of some ids (in their order) that are there.
pub(crate) fn seals(connection: &Connection, ids: &[u64]) -> Result<HashMap<u64, u64>> {
    let mut found = HashMap::new();
    let Some((first, last)) = ids.first().zip(ids.last()) else { return Ok(found) };
    around(connection, first.cast_signed(), last.cast_signed(), |block| {
        let (least, most) = block.bounds(Column::Id);
        let from = ids.partition_point(|id| *id < least);
        for id in ids[from..].iter().take_while(|id| **id <= most) {
            if let Some(at) = block.position(*id) {
                found.insert(*id, block.get(Column::Seal, at));
            }
        }
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_may_be_there_however_long_ago() {
        let mut seen = Seen { past: 10, next_past: 10, latest: 10, ..Seen::default() };
        assert!(seen.may_have(3) && seen.may_have(10) && !seen.may_have(11));
        let ids: Vec<u64> = (0..3 * HELD as u64).map(|i| 100 + i * 7 % 3_000_000).collect();
        for (at, id) in ids.iter().enumerate() {
            seen.add(*id);
            assert!(seen.may_have(*id) && seen.may_have(ids[at / 2]) && seen.may_have(ids[0]));
        }
        let (most, held) = (ids.iter().max().copied().unwrap_or(0), seen.now.len() + seen.before.len());
        assert!(!seen.may_have(most + 1) && held <= 2 * HELD);
        // Among those that are held, one that was not written is known to be new.
        assert!(!seen.may_have(most - 1));
    }
}
