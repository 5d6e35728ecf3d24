//! Roll-ups: a row per batch, day and cube, in the transaction that writes the records. Rows are only ever added by those who
//! write; many become one in the housekeeping, whichever gateway does it.

use std::collections::HashMap;

use tidegate_insight::{Block, Combination, Cube, Gather, MOST_COMBINATIONS, Measure, Names, merged};
use tidegate_records::Facts;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Transaction};

use crate::numbers::Numbers;
use crate::session::Connected;

const INSERT: &str = "INSERT INTO request_rollup (day, cube, tier, records, cells) \
     SELECT * FROM unnest($1::INT[], $2::INT[], $3::INT[], $4::BIGINT[], $5::BYTEA[])";
/// Rows of a day that are few enough to be read one by one.
const FEW: i64 = 16;
/// Combinations of metadata in a batch. Of a day with more somewhere the records are read.
const FEW_COMBINATIONS: usize = 256;
/// Rows that are merged in one step.
const AT_ONCE: i64 = 256;
/// Steps of one housekeeping, besides the last.
const MOST_ROUNDS: usize = 8;
/// What becomes one: the smallest first. Rows that another gateway is merging are left to it.
const TAKE: &str = "DELETE FROM request_rollup WHERE id IN (SELECT id FROM request_rollup WHERE day = $1 AND cube = $2 \
     AND tier = $3 ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING records, cells";
const MANY: &str = "SELECT day, cube, tier FROM request_rollup WHERE tier < 6 GROUP BY day, cube, tier \
     HAVING count(*) > $1 ORDER BY day, cube, tier LIMIT 64";

/// Rows for the records of a batch that are new.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    days: Vec<i32>,
    cubes: Vec<i32>,
    tiers: Vec<i32>,
    records: Vec<i64>,
    cells: Vec<Vec<u8>>,
}

impl Rows {
    pub(crate) fn of(new: &[&Facts<'_>]) -> Self {
        let mut rows = Self::default();
        let mut days: Vec<u32> = new.iter().map(|facts| facts.id.day()).collect();
        days.sort_unstable();
        days.dedup();
        let mut numbers = Numbers::default();
        for day in days {
            let mut gather = Gather::new(&Cube::FIGURES);
            let mut combinations = HashMap::<&[(&str, &str)], u64>::new();
            for facts in new.iter().filter(|facts| facts.id.day() == day) {
                let metadata = match combinations.get(&facts.metadata[..]) {
                    Some(number) => *number,
                    None => {
                        let number = numbers.of(&Combination::write(&facts.metadata));
                        combinations.insert(&facts.metadata, number);
                        number
                    }
                };
                let names = Names {
                    organisation: numbers.of(facts.organisation),
                    workspace: numbers.of(facts.workspace),
                    provider: numbers.of(facts.provider),
                    model: numbers.of(facts.model),
                    route: numbers.of(facts.route),
                    cache: numbers.of(facts.cache),
                    api_key: numbers.of(facts.api_key),
                    key_owner: numbers.of(facts.key_owner),
                    virtual_key: numbers.of(facts.virtual_key),
                    config: numbers.of(facts.config),
                    user: numbers.of(facts.user),
                    metadata,
                };
                gather.add(&Measure::of(facts), &names);
            }
            let records = gather.records().cast_signed();
            let has_few = combinations.len() <= FEW_COMBINATIONS;
            for cells in
                numbers.finish(gather).into_iter().filter(|cells| has_few || cells.cube != Cube::Metadata)
            {
                rows.add(day.cast_signed(), cells.cube.number().into(), 0, records, cells.bytes);
            }
        }
        rows
    }

    fn add(&mut self, day: i32, cube: i32, tier: i32, records: i64, cells: Vec<u8>) {
        self.days.push(day);
        self.cubes.push(cube);
        self.tiers.push(tier);
        self.records.push(records);
        self.cells.push(cells);
    }

    pub(crate) async fn insert(&self, transaction: &Transaction<'_>) -> Result<(), Error> {
        let values: [&(dyn ToSql + Sync); 5] =
            [&self.days, &self.cubes, &self.tiers, &self.records, &self.cells];
        transaction.execute(INSERT, &values).await?;
        Ok(())
    }
}

/// Merges rows where there are many. Called by the housekeeping of every gateway; they take different rows.
pub(crate) async fn merge(server: &mut Connected) -> Result<(), Error> {
    // As many as a busy minute leaves behind, and what a merge makes is merged, too.
    for _ in 0..MOST_ROUNDS {
        if !merge_once(server, AT_ONCE).await? {
            break;
        }
    }
    merge_once(server, FEW).await.map(drop)
}

/// Where there are more rows than `least`, makes some of them one. False: there are nowhere so many.
async fn merge_once(server: &mut Connected, least: i64) -> Result<bool, Error> {
    let many = server.client.query(MANY, &[&least]).await?;
    for row in &many {
        let (day, cube, tier): (i32, i32, i32) = (row.get(0), row.get(1), row.get(2));
        let Some(known) = Cube::FIGURES.into_iter().find(|known| i32::from(known.number()) == cube) else {
            continue;
        };
        let transaction = server.client.transaction().await?;
        let taken = transaction.query(TAKE, &[&day, &cube, &tier, &AT_ONCE]).await?;
        let bytes: Vec<&[u8]> = taken.iter().map(|row| row.get(1)).collect();
        let blocks: Option<Vec<Block<'_>>> = bytes.iter().map(|bytes| Block::read(bytes)).collect();
        // One that cannot be read stays where it is, and so do the others.
        let Some(blocks) = blocks.filter(|blocks| blocks.len() > 1) else { continue };
        let Some(cells) = merged(known, &blocks) else { continue };
        let is_too_many = known == Cube::Metadata
            && Block::read(&cells.bytes).is_none_or(|block| block.len() > MOST_COMBINATIONS);
        let mut rows = Rows::default();
        let records = taken.iter().map(|row| row.get::<_, i64>(0)).sum();
        if !is_too_many {
            rows.add(day, cube, tier + 1, records, cells.bytes);
        }
        rows.insert(&transaction).await?;
        transaction.commit().await?;
    }
    Ok(!many.is_empty())
}
