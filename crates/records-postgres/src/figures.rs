//! Figures of many records: from roll-ups, and from the records themselves where those do not have what is asked for.

use std::ops::Range;
use std::pin::pin;

use futures_util::TryStreamExt;
use tidegate_insight::{Block, Cells, Cube, Measure, Scanned, Seen, Source, Verified, Wanted};
use tidegate_records::{Facts, Filter, ReadError};
use tokio_postgres::Error;

use crate::query::Conditions;
use crate::reader::PostgresReader;
use crate::session::Connected;

const DAY_MS: u64 = 86_400_000;
const CELLS: &str = "SELECT cells FROM request_rollup WHERE cube = $1 AND day >= $2 AND day <= $3";
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
        each: &mut dyn FnMut(&Block<'_>),
    ) -> Result<Vec<u32>, ReadError> {
        let (first, last) =
            ((hours.start / 24).cast_signed(), (hours.end.saturating_sub(1) / 24).cast_signed());
        let (missing, blocks) =
            self.ask(async |server: &mut Connected| cells_of(server, cube, first, last).await)?;
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
        for cube in Cube::ALL {
            let mut stored = Vec::new();
            let missing = self.cells(cube, day * 24..day * 24 + 24, &mut |block| {
                let mut cells = Cells::new(cube);
                cells.merge(block);
                stored.push(cells.encode());
            })?;
            let (mut cells, mut anew) = (Cells::new(cube), Cells::new(cube));
            stored.iter().filter_map(|bytes| Block::read(bytes)).for_each(|block| cells.merge(&block));
            for encoded in &records {
                let facts = Facts::read(encoded).map_err(|error| ReadError(error.to_string()))?;
                anew.add(&facts, &Measure::of(&facts));
            }
            verified.cells += cells.len() as u64;
            verified.wrong += u64::from(!missing.is_empty() || cells != anew);
        }
        Ok(verified)
    }
}

/// Days that may have records without cells, and the blocks of all others. One snapshot, so that rows that are merged
/// meanwhile are not met twice.
async fn cells_of(
    server: &mut Connected,
    cube: Cube,
    first: i32,
    last: i32,
) -> Result<(Vec<u32>, Vec<Vec<u8>>), Error> {
    let level = tokio_postgres::IsolationLevel::RepeatableRead;
    let transaction =
        server.client.build_transaction().isolation_level(level).read_only(true).start().await?;
    let since: i32 = transaction.query_one("SELECT max(day) FROM request_rollup_since", &[]).await?.get(0);
    let without = first.max(since.saturating_sub(OLD_DAYS))..=last.min(since);
    let first = first.max(since.saturating_add(1));
    let rows = transaction.query(CELLS, &[&i32::from(cube.number()), &first, &last]).await?;
    Ok((without.map(i32::cast_unsigned).collect(), rows.iter().map(|row| row.get(0)).collect()))
}
