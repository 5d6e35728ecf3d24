//! Cells of days that are over: one set for the whole day, column by column, so that a question reads those it wants. They are
//! good as long as they are of as many records as the day's roll-ups; when a record came late the next housekeeping makes
//! them again.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_insight::{Block, By, Cube, Reading, merged_to_days};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Transaction};

use crate::schema;
use crate::session::{Connected, Fault, Session};
use crate::users;

/// The part that says that there are no cells because they would be too many.
const NONE: i32 = -1;
/// Of a day with more records the server is not asked which users it had.
const MOST_RECORDS: i64 = 2_000_000;
/// Held by the gateway that puts in a day's cells. Any number would do; it must not change.
const LOCK: &str = "SELECT pg_advisory_xact_lock(5183490263710485513)";
/// Days that are over and have other cells than they are to have; `$2` is how many cubes there are.
const OPEN: &str = "SELECT r.day, r.records FROM (SELECT day, sum(records)::BIGINT AS records FROM request_rollup \
     WHERE cube = 1 AND day < $1 AND day > (SELECT max(day) FROM request_rollup_since) GROUP BY day) r \
     WHERE (SELECT count(*) FROM request_rollup_settled d WHERE d.day = r.day AND d.part <= 0 \
     AND d.records = r.records) <> $2 ORDER BY r.day DESC LIMIT 31";
/// How many records days have, and whether a cube's cells are those of as many: its part 0 or -1.
const DAYS: &str = "SELECT r.day, r.records, d.part FROM (SELECT day, sum(records)::BIGINT AS records \
     FROM request_rollup WHERE cube = 1 AND day >= $2 AND day <= $3 GROUP BY day) r LEFT JOIN request_rollup_settled d \
     ON d.day = r.day AND d.cube = $1 AND d.part <= 0 AND d.records = r.records";
const PARTS: &str = "SELECT day, part, bytes FROM request_rollup_settled WHERE cube = $1 AND day = ANY ($2) AND part = ANY ($3)";
const INSERT: &str = "INSERT INTO request_rollup_settled (day, cube, part, records, bytes) \
     SELECT $1::INT, cube, part, $2::BIGINT, bytes FROM unnest($3::INT[], $4::INT[], $5::BYTEA[]) AS t (cube, part, bytes)";

/// How the days of a question stand.
#[derive(Debug, Default)]
pub(crate) struct Days {
    /// Those that have no settled cells, and their records.
    pub(crate) open: BTreeMap<i32, i64>,
    /// Those that have only records.
    pub(crate) without: BTreeSet<i32>,
    /// The blocks of all others.
    pub(crate) blocks: Vec<Vec<u8>>,
}

/// Of some days, both included, with records; settled cells of those that are wanted.
pub(crate) async fn read(
    transaction: &Transaction<'_>,
    cube: Cube,
    (first, last): (i32, i32),
    is_wanted: impl Fn(i32) -> bool,
    reading: Reading,
) -> Result<Days, Error> {
    let (mut days, mut settled) = (Days::default(), Vec::new());
    let number = i32::from(cube.number());
    for row in transaction.query(DAYS, &[&number, &first, &last]).await? {
        let (day, records) = (row.get::<_, i32>(0), row.get::<_, i64>(1));
        match row.get::<_, Option<i32>>(2).filter(|_| is_wanted(day)) {
            None => drop(days.open.insert(day, records)),
            Some(NONE) => drop(days.without.insert(day)),
            Some(_) => settled.push(day),
        }
    }
    if settled.is_empty() {
        return Ok(days);
    }
    let wanted: Vec<i32> = reading.parts().map(i32::from).collect();
    let rows = transaction.query(PARTS, &[&number, &settled, &wanted]).await?;
    let mut parts = BTreeMap::<i32, Vec<(u8, &[u8])>>::new();
    for row in &rows {
        let part = u8::try_from(row.get::<_, i32>(1)).unwrap_or(u8::MAX);
        parts.entry(row.get(0)).or_default().push((part, row.get(2)));
    }
    // What cannot be joined cannot be read either, and whoever reads says so.
    days.blocks.extend(parts.values().map(|parts| Block::joined(parts).unwrap_or_default()));
    Ok(days)
}

/// Settles days that are over. Called by the housekeeping of every gateway.
pub(crate) fn settle(session: &mut Session, today: i32) -> Result<(), Fault> {
    let cubes = Cube::all().count() as i64;
    let open = session.call(async |server: &mut Connected| {
        let rows = server.client.query(OPEN, &[&today, &cubes]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(i32, i64)>>())
    })?;
    for (day, records) in open {
        // A record that comes meanwhile makes it more records than are said here.
        let mut parts = Parts::default();
        for cube in Cube::FIGURES {
            let cells =
                session.call(async |server: &mut Connected| of_hours(server, cube, day, records).await)?;
            parts.add(cube, cells.as_deref());
        }
        for by in By::ALL {
            let mut cells = None;
            if records <= MOST_RECORDS {
                let ask = async |server: &mut Connected| users::cells(server, by, day.cast_unsigned()).await;
                cells = session.call(ask)?;
            }
            parts.add(Cube::UsersBy(by), cells.as_deref());
        }
        session.call(async |server: &mut Connected| {
            let transaction = server.client.transaction().await?;
            transaction.execute(LOCK, &[]).await?;
            transaction.execute("DELETE FROM request_rollup_settled WHERE day = $1", &[&day]).await?;
            let values: [&(dyn ToSql + Sync); 5] = [&day, &records, &parts.cubes, &parts.parts, &parts.bytes];
            transaction.execute(INSERT, &values).await?;
            transaction.commit().await?;
            server.client.batch_execute(&schema::finish(day.cast_unsigned())).await
        })?;
    }
    Ok(())
}

/// `None`: there are no cells of all its records.
async fn of_hours(
    server: &mut Connected,
    cube: Cube,
    day: i32,
    records: i64,
) -> Result<Option<Vec<u8>>, Error> {
    let find = "SELECT cells, records FROM request_rollup WHERE day = $1 AND cube = $2";
    let rows = server.client.query(find, &[&day, &i32::from(cube.number())]).await?;
    if rows.iter().map(|row| row.get::<_, i64>(1)).sum::<i64>() != records {
        return Ok(None);
    }
    let blocks: Option<Vec<Block<'_>>> = rows.iter().map(|row| Block::read(row.get(0))).collect();
    let cells = blocks.and_then(|blocks| merged_to_days(cube, &blocks));
    Ok(cells.map(|cells| cells.bytes))
}

#[derive(Debug, Default)]
struct Parts {
    cubes: Vec<i32>,
    parts: Vec<i32>,
    bytes: Vec<Vec<u8>>,
}

impl Parts {
    fn add(&mut self, cube: Cube, cells: Option<&[u8]>) {
        let split = match cells.map(Block::read) {
            Some(Some(block)) => block.split(),
            _ => return self.push(cube, NONE, Vec::new()),
        };
        split.into_iter().for_each(|(part, bytes)| self.push(cube, part.into(), bytes));
    }

    fn push(&mut self, cube: Cube, part: i32, bytes: Vec<u8>) {
        self.cubes.push(cube.number().into());
        self.parts.push(part);
        self.bytes.push(bytes);
    }
}

/// The cells of a day that is settled, of every cube that has any.
pub(crate) async fn all(server: &mut Connected, day: i32) -> Result<Vec<(Cube, Vec<u8>)>, Error> {
    let mut all = Vec::new();
    for cube in Cube::all() {
        let transaction = server.client.transaction().await?;
        let days = read(&transaction, cube, (day, day), |_| true, Reading::ALL).await?;
        all.extend(days.blocks.into_iter().map(|bytes| (cube, bytes)));
    }
    Ok(all)
}
