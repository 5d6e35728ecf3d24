//! Cells of days that are over: one set for the whole day, in place of one for each of its hours, and of cubes that nothing is
//! rolled up for before. Column by column, so that a question reads those it wants. They are good as long as they are of
//! as many records as the day has; when a record came late the next round of upkeep makes them again.

use rusqlite::{Connection, OptionalExtension, Result, params};
use tidegate_insight::{
    Block as CellBlock, By, Cells, Cube, Gather, Gathered, Reading, merged, merged_to_days,
};

use crate::columns::Block;
use crate::combinations::Combinations;
use crate::pages::damaged;
use crate::texts::Texts;

/// The part that says that there are no cells because they would be too many.
const NONE: i64 = -1;
/// Records whose cells are made together.
const STEP: u64 = 262_144;
/// Cells of a cube of users. Of a day with more the records are read.
const MOST_CELLS: usize = 200_000;

/// What a day has for a cube.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Has {
    Cells,
    /// Only its records.
    Records,
    NotYet,
}

fn total(connection: &Connection) -> Result<u64> {
    let mut find = connection.prepare_cached("select coalesce(sum(count), 0) from block")?;
    find.query_row([], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

pub(crate) fn is_settled(connection: &Connection) -> Result<bool> {
    let (cubes, least, most): (i64, i64, i64) = connection.query_row(
        "select count(*), coalesce(min(records), 0), coalesce(max(records), 0) from settled where part <= 0",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let all = cubes.unsigned_abs() == Cube::all().count() as u64;
    Ok(all && least == most && most.unsigned_abs() == total(connection)?)
}

/// The cells of a day that is settled, as one block.
pub(crate) fn read(
    connection: &Connection,
    cube: Cube,
    reading: Reading,
    each: &mut dyn FnMut(&CellBlock<'_>),
) -> Result<Has> {
    let find = "select bytes, records from settled where cube = ? and part = ?";
    // A file that was not written since roll-ups of days are made does not have the table.
    let Ok(mut find) = connection.prepare_cached(find) else { return Ok(Has::NotYet) };
    let mut part = |part: i64| {
        let row =
            |row: &rusqlite::Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?.unsigned_abs()));
        find.query_row(params![cube.number(), part], row).optional()
    };
    let (keys, has) = match part(0)? {
        Some(keys) => (keys, Has::Cells),
        None => match part(NONE)? {
            Some(none) => (none, Has::Records),
            None => return Ok(Has::NotYet),
        },
    };
    if keys.1 != total(connection)? {
        return Ok(Has::NotYet);
    }
    if has == Has::Cells {
        let mut parts = vec![(0, keys.0)];
        for number in reading.parts().filter(|number| *number > 0) {
            parts.extend(part(number.into())?.map(|(bytes, _)| (number, bytes)));
        }
        let parts: Vec<(u8, &[u8])> = parts.iter().map(|(number, bytes)| (*number, &bytes[..])).collect();
        let joined = CellBlock::joined(&parts).ok_or_else(|| damaged("a roll-up"))?;
        each(&CellBlock::read(&joined).ok_or_else(|| damaged("a roll-up"))?);
    }
    Ok(has)
}

/// Makes them anew, within a transaction, when all is rolled up.
pub(crate) fn settle(connection: &Connection) -> Result<()> {
    let records = total(connection)?.cast_signed();
    connection.execute("delete from settled", [])?;
    let mut insert =
        connection.prepare_cached("insert into settled(cube, part, records, bytes) values (?, ?, ?, ?)")?;
    let mut put = |cube: Cube, cells: Option<&[u8]>| {
        let Some(cells) = cells else {
            insert.execute(params![cube.number(), NONE, records, &[][..] as &[u8]])?;
            return Ok(());
        };
        for (part, bytes) in CellBlock::read(cells).ok_or_else(|| damaged("a roll-up"))?.split() {
            insert.execute(params![cube.number(), part, records, bytes])?;
        }
        Ok::<_, rusqlite::Error>(())
    };
    for cube in Cube::ROLLED {
        let mut find = connection.prepare_cached("select cells from rollup where cube = ?")?;
        let rows: Vec<Vec<u8>> = find.query_map([cube.number()], |row| row.get(0))?.collect::<Result<_>>()?;
        let blocks: Option<Vec<CellBlock<'_>>> = rows.iter().map(|bytes| CellBlock::read(bytes)).collect();
        let blocks = blocks.ok_or_else(|| damaged("a roll-up"))?;
        let nothing = Cells::of_days(cube).encode();
        put(cube, Some(merged_to_days(cube, &blocks).as_ref().map_or(&nothing, |cells| &cells.bytes)))?;
    }
    let others: Vec<Cube> = Cube::all().filter(|cube| !Cube::ROLLED.contains(cube)).collect();
    for (cube, cells) in others.iter().zip(made(connection, &others, i64::MIN, i64::MAX)?) {
        put(*cube, cells.as_deref())?;
    }
    Ok(())
}

/// The cells of cubes that nothing is rolled up for, made of the blocks that have records of a range of ids (the last not
/// included), with their other records. `None`: they would be too many.
pub(crate) fn made(
    connection: &Connection,
    cubes: &[Cube],
    first: i64,
    end: i64,
) -> Result<Vec<Option<Vec<u8>>>> {
    let (users, figures): (Vec<Cube>, Vec<Cube>) =
        cubes.iter().partition(|cube| matches!(cube, Cube::UsersBy(_)));
    let with_metadata = cubes.iter().any(|cube| matches!(cube, Cube::Metadata | Cube::UsersBy(By::Metadata)));
    let mut texts = Texts::new(connection);
    let mut combinations = Combinations::new(connection);
    let (mut of_users, mut of_figures) = (Gather::new(&users), Gather::new(&figures));
    let (mut steps, mut too_many_users) = (Vec::<Gathered>::new(), false);
    let mut find = connection.prepare_cached("select columns from block where last >= ? and first < ?")?;
    let mut rows = find.query([first, end])?;
    while let Some(row) = rows.next()? {
        let block = Block::read(row.get_ref(0)?.as_blob()?).ok_or_else(|| damaged("a block"))?;
        for at in 0..block.count as usize {
            let mut names = block.names(at);
            if with_metadata {
                names.metadata = combinations.number(&block, at)?;
            }
            if !users.is_empty() && !too_many_users {
                of_users.add_user(block.at_ms(at), block.status(at), &names);
            }
            if !figures.is_empty() && !combinations.are_too_many() {
                of_figures.add(&texts.measure(&block, at)?, &names);
            }
        }
        too_many_users |= of_users.most_cells() > MOST_CELLS;
        if of_figures.records() >= STEP {
            let step = std::mem::replace(&mut of_figures, Gather::new(&figures));
            steps.extend(step.finish(|number| combinations.text(number, &mut texts))?);
        }
    }
    steps.extend(of_figures.finish(|number| combinations.text(number, &mut texts))?);
    let users = if too_many_users {
        Vec::new()
    } else {
        of_users.finish(|number| combinations.text(number, &mut texts))?
    };
    let cells = |cube: &Cube| {
        let is_of_metadata = matches!(cube, Cube::Metadata | Cube::UsersBy(By::Metadata));
        if is_of_metadata && combinations.are_too_many() || matches!(cube, Cube::UsersBy(_)) && too_many_users
        {
            return Ok(None);
        }
        let own: Option<Vec<CellBlock<'_>>> = steps
            .iter()
            .chain(&users)
            .filter(|cells| cells.cube == *cube)
            .map(|cells| CellBlock::read(&cells.bytes))
            .collect();
        let own = own.ok_or_else(|| damaged("a roll-up"))?;
        Ok(Some(merged(*cube, &own).map_or_else(|| Cells::new(*cube).encode(), |cells| cells.bytes)))
    };
    cubes.iter().map(cells).collect()
}
