//! Figures of many records: from roll-ups, and from the records themselves where those do not have what is asked for.

use std::ops::Range;
use std::pin::pin;

use futures_util::TryStreamExt;
use tidegate_insight::{
    Block, Cells, Combination, Cube, Measure, Reading, Scanned, Seen, Source, Verified, Wanted,
};
use tidegate_records::{Facts, Filter, ReadError};
use tokio_postgres::Error;

use crate::query::Conditions;
use crate::reader::PostgresReader;
use crate::session::Connected;
use crate::settled::{self, Days};
use crate::users;

const DAY_MS: u64 = 86_400_000;
const CELLS: &str = "SELECT cells, day, records FROM request_rollup WHERE cube = $1 AND day = ANY ($2)";
/// Days before roll-ups that are looked for.
const OLD_DAYS: i32 = 400;

impl Source for PostgresReader {
    fn scan(
        &mut self,
        filter: &Filter,
        wanted: Wanted<'_>,
        most: u64,
        each: &mut dyn FnMut(Seen<'_>),
    ) -> Result<Scanned, ReadError> {
        let conditions = Conditions::of(filter, None);
        // One more than is wanted tells whether there are more.
        let limit = i64::try_from(most).unwrap_or(i64::MAX - 1) + 1;
        let sql = format!(
            "SELECT record FROM request_record{} ORDER BY id DESC LIMIT {limit}",
            conditions.clause()
        );
        let (mut scanned, mut damaged) = (Scanned::default(), None);
        self.ask_once(async |server: &mut Connected| {
            scanned = Scanned::default();
            let values = conditions.values();
            let rows = server.client.query_raw(&sql, values).await?;
            let mut rows = pin!(rows);
            while let Some(row) = rows.try_next().await? {
                let encoded: &[u8] = row.get(0);
                let facts = match Facts::read(encoded) {
                    Ok(facts) => facts,
                    Err(error) => {
                        damaged = Some(error.to_string());
                        break;
                    }
                };
                // Two long names can look the same to the server.
                if !filter.fits(&facts) {
                    continue;
                }
                if scanned.records == most {
                    scanned.cut = true;
                    break;
                }
                scanned.records += 1;
                let key = wanted.group.map(|group| group.of(&facts)).unwrap_or_default();
                let user = if wanted.user { facts.user } else { "" };
                each(Seen { key: &key, user, measure: &Measure::of(&facts) });
            }
            Ok(())
        })?;
        damaged.map_or(Ok(scanned), |cause| Err(ReadError(cause)))
    }

    fn cells(
        &mut self,
        cube: Cube,
        hours: Range<u32>,
        reading: Reading,
        each: &mut dyn FnMut(&Block<'_>),
    ) -> Result<Vec<u32>, ReadError> {
        let (missing, blocks) =
            self.ask(async |server: &mut Connected| cells_of(server, cube, &hours, reading).await)?;
        for bytes in &blocks {
            each(&Block::read(bytes).ok_or_else(|| ReadError("a roll-up is damaged".to_owned()))?);
        }
        Ok(missing)
    }

    fn verify(&mut self, day: u32) -> Result<Verified, ReadError> {
        let time = |day: u64| Some(day * DAY_MS);
        let filter =
            Filter { from_ms: time(day.into()), to_ms: time(u64::from(day) + 1), ..Filter::default() };
        let sql = format!("SELECT record FROM request_record{}", Conditions::of(&filter, None).clause());
        let records: Vec<Vec<u8>> = self.ask(async |server: &mut Connected| {
            let rows = server.client.query(&sql, &Conditions::of(&filter, None).values()).await?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        })?;
        let mut verified = Verified { records: records.len() as u64, ..Verified::default() };
        let mut stored = Vec::new();
        for cube in [Cube::Traffic, Cube::Callers, Cube::Users] {
            let mut own = Vec::new();
            let missing = self.cells(cube, day * 24..day * 24 + 24, Reading::ALL, &mut |block| {
                let mut cells = Cells::new(cube);
                cells.merge(block);
                own.push(cells.encode());
            })?;
            verified.wrong += u64::from(!missing.is_empty());
            stored.push((cube, false, own));
        }
        let settled =
            self.ask(async |server: &mut Connected| settled::all(server, day.cast_signed()).await)?;
        stored.extend(settled.into_iter().map(|(cube, bytes)| (cube, true, vec![bytes])));
        let facts: Result<Vec<_>, _> = records.iter().map(|encoded| Facts::read(encoded)).collect();
        let facts = facts.map_err(|error| ReadError(error.to_string()))?;
        let metadata: Vec<String> = facts.iter().map(|facts| Combination::write(&facts.metadata)).collect();
        for (cube, days, parts) in &stored {
            let empty = || if *days { Cells::of_days(*cube) } else { Cells::new(*cube) };
            let (mut cells, mut anew) = (empty(), empty());
            for bytes in parts {
                cells.merge(&Block::read(bytes).ok_or_else(|| ReadError("a roll-up is damaged".to_owned()))?);
            }
            for (facts, metadata) in facts.iter().zip(&metadata) {
                anew.add(facts, metadata, &Measure::of(facts));
            }
            verified.cells += cells.len() as u64;
            verified.wrong += u64::from(cells != anew);
        }
        Ok(verified)
    }
}

/// Days that may have records without cells, and the blocks of all others. One snapshot, so that rows that are merged
/// meanwhile are not met twice.
async fn cells_of(
    server: &mut Connected,
    cube: Cube,
    hours: &Range<u32>,
    reading: Reading,
) -> Result<(Vec<u32>, Vec<Vec<u8>>), Error> {
    let (first, last) = ((hours.start / 24).cast_signed(), (hours.end.saturating_sub(1) / 24).cast_signed());
    let level = tokio_postgres::IsolationLevel::RepeatableRead;
    let transaction =
        server.client.build_transaction().isolation_level(level).read_only(true).start().await?;
    let since: i32 = transaction.query_one("SELECT max(day) FROM request_rollup_since", &[]).await?.get(0);
    let mut missing: Vec<u32> =
        (first.max(since.saturating_sub(OLD_DAYS))..=last.min(since)).map(i32::cast_unsigned).collect();
    let days = (first.max(since.saturating_add(1)), last);
    let by_day = reading.by_day || cube.hours() == 24;
    let is_wanted = |day: i32| {
        let start = day.cast_unsigned() * 24;
        by_day && hours.start <= start && start + 24 <= hours.end
    };
    let Days { mut open, without, mut blocks } =
        settled::read(&transaction, cube, days, is_wanted, reading).await?;
    missing.extend(without.iter().map(|day| day.cast_unsigned()));
    if let Cube::UsersBy(by) = cube {
        drop(transaction);
        for day in open.keys() {
            match users::cells(server, by, day.cast_unsigned()).await? {
                Some(cells) => blocks.push(cells),
                None => missing.push(day.cast_unsigned()),
            }
        }
        return Ok((missing, blocks));
    }
    let wanted: Vec<i32> = open.keys().copied().collect();
    let rows = transaction.query(CELLS, &[&i32::from(cube.number()), &wanted]).await?;
    for row in &rows {
        if let Some(left) = open.get_mut(&row.get(1)) {
            *left -= row.get::<_, i64>(2);
        }
    }
    // Where a batch had too much metadata its row is not there.
    let is_whole = |day: i32| open.get(&day).is_none_or(|left| *left == 0);
    missing.extend(open.iter().filter(|(_, left)| **left != 0).map(|(day, _)| day.cast_unsigned()));
    blocks.extend(rows.iter().filter(|row| is_whole(row.get(1))).map(|row| row.get(0)));
    Ok((missing, blocks))
}
