//! A dollar under sixty-four clients while the gateway, or one of three, is killed again and again.
//!
//! A kill costs what the requests in flight were set aside, less what they did cost: nobody knows, so it counts as spent
//! until somebody says. On top comes what may have gone out before its entry was on disk, a thousandth of the budget for
//! each of the first five kills. How much of a dollar that is depends on what a request costs beside it: sixty-four at the
//! price of a cent are most of the dollar, whatever a gateway does. So these ask what is usual for a budget of a dollar, a
//! short question to a small model with sixteen tokens for an answer (0.000062 USD at most, 0.000021 on average), and a
//! kill comes after every ten thousand answers, some seconds apart: a quarter of a percent for each, and the tenth. Fifty
//! thousand requests take their time, so that is the long form (`TIDEGATE_CHAOS=full`), which asks for 98 cents; the short
//! one has dearer questions and asks for all else.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidegate_ledger::Amount;
use tidegate_testkit::Server;
use tidegate_testkit::client;

use crate::books::{Lines, Sums};
use crate::budgets::{alone, dollars};
use crate::crowd::{Crowd, Tally, question, small_question};
use crate::fleet::{Fleet, REPLICAS};
use crate::is_full;
use crate::node::Node;
use crate::tenant::usd;
use crate::till::Till;

/// Answers between two kills in the long form and in the short one, and how long a gateway lives at least.
const ANSWERS: u64 = 10_000;
const FEW_ANSWERS: u64 = 1_000;
const LIFE: Duration = Duration::from_secs(2);
const SHORT_LIFE: Duration = Duration::from_millis(300);
/// The slowest answer of the upstream.
const SLOWEST: Duration = Duration::from_millis(20);
/// An answer that was received so long before a kill is in the books at its cost: they are written every 25 ms, and the rest
/// is for a machine that has other things to do.
const SAFE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dollar_is_used_and_not_spent_twice_over_kills() {
    let upstream = Server::start(Till::new(SLOWEST)).await;
    let (node, tenant, key) = alone(&upstream).await;
    let admin = tenant.admin().await;
    run("alone", &upstream, &mut [node], &key, &admin).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dollar_is_used_and_not_spent_twice_over_kills_of_replicas() {
    let upstream = Server::start(Till::new(SLOWEST)).await;
    let mut fleet = Fleet::start(&upstream, usd(&json!(1)), &[]).await;
    let admin = fleet.tenant.admin().await;
    run("replicas", &upstream, &mut fleet.nodes, &fleet.key, &admin).await;
    assert_eq!(fleet.nodes.len(), REPLICAS);
}

async fn run(what: &str, upstream: &Server<Till>, nodes: &mut [Node], key: &str, admin: &str) {
    let addresses: Vec<_> = nodes.iter().map(Node::address).collect();
    let (asked, every, least) = match is_full() {
        true => (small_question(), ANSWERS, LIFE),
        false => (question(), FEW_ANSWERS, SHORT_LIFE),
    };
    let crowd = Crowd::asking(&asked, &addresses, key);
    let mut lines: Vec<Lines> = nodes.iter().map(|_| Lines::default()).collect();
    let mut kills = Vec::new();
    {
        let used_up = crowd.tally.wait_until_used_up(upstream);
        tokio::pin!(used_up);
        loop {
            let answers = crowd.tally.served() + every;
            let life = async {
                tokio::time::sleep(least).await;
                crowd.tally.wait_for("served", |tally| tally.served() >= answers).await;
            };
            tokio::select! {
                () = &mut used_up => break,
                () = life => {}
            }
            let at = kills.len() % nodes.len();
            kills.push(Instant::now());
            nodes[at].kill().await;
            lines[at].read(&nodes[at]);
            nodes[at].start().await;
        }
    }
    let tally = crowd.stop().await;
    for (node, lines) in nodes.iter_mut().zip(&mut lines) {
        node.stop().await;
        lines.read(node);
    }
    judge(what, upstream, &tally, &Sums::of(&*nodes), &lines, &kills);
    resolve(upstream, nodes, &lines, admin).await;
    let (taken, sums) = (upstream.handler().taken(), Sums::of(&*nodes));
    assert_eq!((sums.settled, sums.held), (taken, Amount::ZERO), "to the last digit, once the rest is told");
}

/// What holds after crashes, request by request.
fn judge(
    what: &str,
    upstream: &Server<Till>,
    tally: &Tally,
    sums: &Sums,
    lines: &[Lines],
    kills: &[Instant],
) {
    let (taken, costs, one) = (upstream.handler().taken(), upstream.handler().costs(), dollars("1"));
    let held: BTreeSet<&str> =
        lines.iter().flat_map(|lines| lines.held.values()).map(|(trace, _)| trace.as_str()).collect();
    let doubt: Amount = lines.iter().flat_map(|lines| lines.doubts.values()).copied().sum();
    let settled: std::collections::BTreeMap<&str, Amount> =
        lines.iter().flat_map(|lines| &lines.settled).map(|(trace, cost)| (trace.as_str(), *cost)).collect();
    // What the upstream served and no book has: it went out ahead of the disk, right before a kill.
    let is_unseen = |trace: &str| !settled.contains_key(trace) && !held.contains(trace);
    let unseen: Amount = costs.iter().filter(|(trace, _)| is_unseen(trace)).map(|(_, cost)| *cost).sum();
    let never_left = held.iter().filter(|trace| !costs.contains_key(**trace)).count();
    println!(
        "{what}: {} kills, {} requests, {taken} of 1 USD usable, {} settled, {} held for {} requests ({never_left} of them never left) and {doubt} in doubt ({unseen} of it went out); clients: {} answers, {} broken, {:?}",
        kills.len(),
        upstream.handler().served(),
        sums.settled,
        sums.held,
        held.len(),
        tally.served(),
        tally.broken.load(std::sync::atomic::Ordering::SeqCst),
        tally.statuses.lock().unwrap(),
    );
    assert!(kills.len() >= 3, "{} kills", kills.len());
    assert_eq!(sums.open, 0);
    assert!(sums.settled <= taken && sums.settled + sums.held <= one, "{taken} was served, {sums:?}");
    for (trace, cost) in &settled {
        assert_eq!(costs.get(*trace).copied(), Some(*cost), "{trace}, to the last digit");
    }
    let of_held: Amount = held.iter().filter_map(|trace| costs.get(*trace)).copied().sum();
    assert_eq!(sums.settled + of_held + unseen, taken, "every request is settled, held or in doubt");
    assert!(unseen <= doubt, "{unseen} went out unseen, {doubt} was set ahead");
    let answers = tally.answers.lock().unwrap();
    for answer in answers.iter().filter(|answer| !settled.contains_key(answer.trace.as_str())) {
        let is_near = kills.iter().any(|kill| *kill < answer.received + SAFE && answer.asked < *kill + SAFE);
        assert!(is_near, "{} was answered long before a kill, and is not settled", answer.trace);
    }
    assert!(!is_full() || taken >= dollars("0.98"), "{taken}");
}

/// Says of everything that is held what it cost, as an operator would who has the provider's bill.
async fn resolve(upstream: &Server<Till>, nodes: &mut [Node], lines: &[Lines], admin: &str) {
    let costs = upstream.handler().costs();
    let seen: BTreeSet<&str> = lines
        .iter()
        .flat_map(|lines| {
            lines
                .settled
                .keys()
                .map(String::as_str)
                .chain(lines.held.values().map(|(trace, _)| trace.as_str()))
        })
        .collect();
    let mut unseen: Amount =
        costs.iter().filter(|(trace, _)| !seen.contains(trace.as_str())).map(|(_, cost)| *cost).sum();
    let headers = [("x-portkey-api-key", admin)];
    for node in nodes {
        node.start().await;
        for row in held(node, admin).await {
            let cost = match row["trace_id"].as_str() {
                Some(trace) => costs.get(trace).copied().unwrap_or_default(),
                None => {
                    let most: Amount = row["budgets"][0]["held"].as_str().unwrap().parse().unwrap();
                    let cost = unseen.min(most);
                    unseen -= cost;
                    cost
                }
            };
            let path = format!("/v1/admin/held-reservations/{}/resolve", row["id"].as_str().unwrap());
            let answer = client::post(&node.url(&path), &headers, &json!({"cost": cost.to_string()})).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        assert_eq!(held(node, admin).await, Vec::<Value>::new());
        node.stop().await;
    }
}

/// What is held, as the admin API tells it.
async fn held(node: &Node, admin: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    loop {
        let path =
            format!("/v1/admin/held-reservations?page_size=100&current_page={}", rows.len().div_ceil(100));
        let answer = client::get(&node.url(&path), &[("x-portkey-api-key", admin)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json()["data"].as_array().unwrap().clone();
        let is_last = page.len() < 100;
        rows.extend(page);
        if is_last {
            return rows;
        }
    }
}
