//! `kill -9` again and again, at random moments, under load.
//!
//! What the gateway's own figures say is kept, in the files or in the journal, is there after the kill.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_core::id;
use tidegate_records::{Filter, Reader};
use tidegate_records_sqlite::SqliteReader;
use tidegate_store::entity::Limits;
use tidegate_testkit::client;
use tidegate_testkit::{Scratch, Server};

use crate::books::Sums;
use crate::crowd::{Answered, Crowd};
use crate::is_full;
use crate::node::Node;
use crate::tenant::{Tenant, usd};
use crate::till::Till;
use crate::watch::Watch;

const KILLS: u32 = 20;
const ALL_KILLS: u32 = 200;
/// The longest life between a start and a kill.
const LIFE_MS: f64 = 2_500.0;
/// Of the kills, how many come while it starts.
const EARLY: f64 = 0.2;
/// First starts that are cut off, and how long they live.
const ROUNDS: u32 = 20;
const FIRST_START_MS: f64 = 250.0;

struct Kill {
    began: Instant,
    /// Nothing of the process is left.
    gone: Instant,
}

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
    let watch = Watch::start(node.url("/metrics"));
    let kills = if is_full() { ALL_KILLS } else { KILLS };
    let mut killed = Vec::new();
    for _ in 0..kills {
        let life = Duration::from_millis((id::draw() * LIFE_MS) as u64);
        tokio::time::sleep(life).await;
        let began = Instant::now();
        node.kill().await;
        killed.push(Kill { began, gone: Instant::now() });
        tidegate_ledger::verify(&node.data("ledger")).unwrap();
        if id::draw() < EARLY {
            let began = node.start_and_kill(Duration::from_millis((id::draw() * 300.0) as u64)).await;
            killed.push(Kill { began, gone: Instant::now() });
            tidegate_ledger::verify(&node.data("ledger")).unwrap();
        }
        node.start().await;
    }
    let served = crowd.tally.served();
    crowd.tally.wait_for("served after the last kill", |tally| tally.served() > served).await;
    let tally = crowd.stop().await;
    let seen = watch.end().await;
    node.stop().await;

    let (taken, sums) = (upstream.handler().taken(), Sums::of([&node]));
    assert!(sums.settled <= taken && taken <= sums.settled + sums.held, "{taken} was served, {sums:?}");
    assert_eq!(sums.open, 0);
    let rows = rows(&node);
    let answers = tally.answers.lock().unwrap();
    // The gateway is the one that was asked: what it wrote may be read after its end. The last one was stopped, not killed.
    let is_acknowledged = |answer: &Answered| {
        let Some(at) = killed.iter().position(|kill| kill.gone > answer.asked) else { return true };
        let born = at.checked_sub(1).map(|before| killed[before].gone);
        seen.acknowledged(born, killed[at].began, answer.received)
    };
    let (mut safe, mut lost, mut missing) = (0, 0, Vec::new());
    for answer in answers.iter() {
        let count = rows.get(&answer.trace).copied().unwrap_or(0);
        assert!(count <= 1, "{} has {count} records", answer.trace);
        match (is_acknowledged(answer), count) {
            (true, 0) => missing.push(&answer.trace),
            (true, _) => safe += 1,
            (false, count) => lost += 1 - count,
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
    assert!(missing.is_empty(), "{} of {} are missing: {missing:?}", missing.len(), answers.len());
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_is_cut_off_is_finished_by_the_next() {
    for _ in 0..ROUNDS {
        let mut node = Node::new(Scratch::new());
        node.start_and_kill(Duration::from_millis((id::draw() * FIRST_START_MS) as u64)).await;
        node.start().await;
        let key = std::fs::read_to_string(node.data("admin.key")).unwrap();
        let headers = [("x-portkey-api-key", key.trim())];
        let answer = client::get(&node.url("/v1/admin/users"), &headers).await;
        assert_eq!(answer.status, 200, "nobody can administer it: {}", answer.text());
        node.stop().await;
    }
}
