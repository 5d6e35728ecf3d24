//! What is on record of what was asked, in the database that replicas share.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use tidegate_records::{Filter, Reader};
use tidegate_records_postgres::PostgresReader;

use crate::crowd::{PATIENCE, Tally};
use crate::fleet::Fleet;

/// Every request of `asked` that was answered is a row, once what waits is written. Gives the rows by status.
///
/// # Panics
/// When a record is missing, is there twice or was dropped.
pub async fn complete(fleet: &mut Fleet, tally: &Tally, asked: u64) -> BTreeMap<u16, u64> {
    wait_until_written(fleet, asked).await;
    let url = fleet.postgres.url();
    // It waits on its thread.
    let rows = tokio::task::spawn_blocking(move || Rows::read(&url)).await.unwrap();
    assert_eq!(rows.statuses.values().sum::<u64>(), asked, "{:?}", rows.statuses);
    for answer in tally.answers.lock().unwrap().iter() {
        assert_eq!(rows.traces.get(&answer.trace), Some(&1), "records of {}", answer.trace);
    }
    rows.statuses
}

async fn wait_until_written(fleet: &mut Fleet, asked: u64) {
    let patience = Instant::now() + PATIENCE;
    loop {
        let (mut accepted, mut waiting, mut dropped) = (0, 0, 0);
        for node in &mut fleet.nodes {
            assert!(node.is_running());
            accepted += node.metric("tidegate_records_accepted_total").await;
            waiting += node.metric("tidegate_records_queued").await;
            waiting += node.metric("tidegate_records_journaled").await;
            dropped += node.metric("tidegate_records_dropped_total").await;
        }
        assert_eq!(dropped, 0);
        if accepted == asked && waiting == 0 {
            return;
        }
        assert!(Instant::now() < patience, "{asked} asked, {accepted} records, {waiting} wait");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[derive(Default)]
struct Rows {
    statuses: BTreeMap<u16, u64>,
    /// How many there are of each trace.
    traces: HashMap<String, u64>,
}

impl Rows {
    fn read(url: &str) -> Self {
        let mut reader = PostgresReader::new(url.parse().unwrap(), Duration::from_secs(10));
        let (mut rows, mut before) = (Self::default(), None);
        loop {
            let page = reader.list(&Filter::default(), before, 1_000).unwrap();
            for row in page.rows {
                *rows.statuses.entry(row.status).or_default() += 1;
                *rows.traces.entry(row.trace).or_default() += 1;
            }
            before = page.next;
            if before.is_none() {
                return rows;
            }
        }
    }
}
