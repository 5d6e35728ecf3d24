//! `kill -9` again and again, at random moments, under load.
//!
//! A record is acknowledged by time here: whose answer was received whole [`SAFE`] before a kill has its record, in the
//! files or in the journal. (The pipe gathers records for a tenth of a second before it writes them; the rest is for a
//! machine that has other things to do. What the pipe itself acknowledges is tested with its store.)

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_core::id;
use tidegate_records::{Filter, Reader};
use tidegate_records_sqlite::SqliteReader;
use tidegate_store::entity::Limits;
use tidegate_testkit::{Scratch, Server};

use crate::books::Sums;
use crate::crowd::Crowd;
use crate::is_full;
use crate::node::Node;
use crate::tenant::{Tenant, usd};
use crate::till::Till;

const KILLS: u32 = 20;
const ALL_KILLS: u32 = 200;
const SAFE: Duration = Duration::from_secs(1);
/// The longest life between a start and a kill.
const LIFE_MS: f64 = 2_500.0;
/// Of the kills, how many come while it starts.
const EARLY: f64 = 0.2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_received_is_on_record_and_the_books_balance() {
    let upstream = Server::start(Till::new(Duration::from_millis(50))).await;
    let directory = Scratch::new();
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
    let (_, key) = tenant.key(workspace, "app", usd(&json!(1_000))).await;
    let mut node = Node::new(directory);
    node.start().await;
    let crowd = Crowd::start(&[node.address()], &key);
    let kills = if is_full() { ALL_KILLS } else { KILLS };
    let mut killed = Vec::new();
    for _ in 0..kills {
        let life = Duration::from_millis((id::draw() * LIFE_MS) as u64);
        tokio::time::sleep(life).await;
        killed.push(Instant::now());
        node.kill().await;
        tidegate_ledger::verify(&node.data("ledger")).unwrap();
        if id::draw() < EARLY {
            killed.push(Instant::now());
            node.start_and_kill(Duration::from_millis((id::draw() * 300.0) as u64)).await;
            tidegate_ledger::verify(&node.data("ledger")).unwrap();
        }
        node.start().await;
    }
    let served = crowd.tally.served();
    crowd.tally.wait_for("served after the last kill", |tally| tally.served() > served).await;
    let tally = crowd.stop().await;
    node.stop().await;

    let (taken, sums) = (upstream.handler().taken(), Sums::of([&node]));
    assert!(sums.settled <= taken && taken <= sums.settled + sums.held, "{taken} was served, {sums:?}");
    assert_eq!(sums.open, 0);
    let rows = rows(&node);
    let answers = tally.answers.lock().unwrap();
    let acknowledged = |received: Instant| {
        let next = killed.iter().find(|kill| **kill > received);
        next.is_none_or(|kill| received + SAFE < *kill)
    };
    let (mut safe, mut lost) = (0, 0);
    for answer in answers.iter() {
        let count = rows.get(&answer.trace).copied().unwrap_or(0);
        assert!(count <= 1, "{} has {count} records", answer.trace);
        if acknowledged(answer.received) {
            safe += 1;
            assert_eq!(count, 1, "{} has no record", answer.trace);
        } else {
            lost += 1 - count;
        }
    }
    println!(
        "kills: {} of them, {} answers, {safe} acknowledged and on record, {lost} of the others lost; {taken} taken, {} settled, {} held, {} broken",
        killed.len(),
        answers.len(),
        sums.settled,
        sums.held,
        tally.broken.load(std::sync::atomic::Ordering::SeqCst),
    );
    assert!(safe > 0);
}

/// How many records there are of each trace.
fn rows(node: &Node) -> HashMap<String, u64> {
    let mut reader = SqliteReader::new(node.data("records"));
    let (mut rows, mut before) = (HashMap::new(), None);
    loop {
        let page = reader.list(&Filter::default(), before, 1_000).unwrap();
        page.rows.into_iter().for_each(|row| *rows.entry(row.trace).or_default() += 1);
        before = page.next;
        if before.is_none() {
            return rows;
        }
    }
}
