//! A budget of one dollar under sixty-four clients: alone, and over replicas.

use std::time::Duration;

use serde_json::json;
use tidegate_ledger::Amount;
use tidegate_store::entity::Limits;
use tidegate_testkit::client;
use tidegate_testkit::{Scratch, Server};
use tokio::task::JoinSet;

use crate::books::Sums;
use crate::crowd::{CLIENTS, Crowd, question};
use crate::fleet::Fleet;
use crate::node::Node;
use crate::tenant::{Tenant, usd};
use crate::till::Till;

/// Slow enough that nobody waits for it who is in a hurry.
const SLOW: Duration = Duration::from_millis(400);

pub fn dollars(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A key with a dollar, and the gateway that knows it.
pub async fn alone(upstream: &Server<Till>) -> (Node, Tenant, String) {
    let directory = Scratch::new();
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
    let (_, key) = tenant.key(workspace, "app", usd(&json!(1))).await;
    let mut node = Node::new(directory);
    node.start().await;
    (node, tenant, key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dollar_is_spent_to_the_cent_and_no_further() {
    let upstream = Server::start(Till::new(Duration::from_millis(20))).await;
    let (mut node, _, key) = alone(&upstream).await;
    let crowd = Crowd::start(&[node.address()], &key);
    crowd.tally.wait_until_used_up(&upstream).await;
    let tally = crowd.stop().await;
    node.stop().await;

    let (taken, sums) = (upstream.handler().taken(), Sums::of([&node]));
    println!("alone: {} requests, {taken} of 1 USD; books: {sums:?}", upstream.handler().served());
    assert_eq!((sums.settled, sums.held, sums.open), (taken, Amount::ZERO, 0), "to the last digit");
    assert!(taken <= dollars("1") && taken >= dollars("0.98"), "{taken}");
    assert_eq!(tally.served(), upstream.handler().served(), "{:?}", tally.statuses);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_before_the_answer_pays_for_it() {
    /// Questions of each client, and how long it waits for an answer.
    const QUESTIONS: usize = 60;
    const HASTE: Duration = Duration::from_millis(60);
    let upstream = Server::start(Till::new(SLOW)).await;
    let (mut node, _, key) = alone(&upstream).await;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (url, bearer) = (node.url("/v1/chat/completions"), format!("Bearer {key}"));
        clients.spawn(async move {
            let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
            for _ in 0..QUESTIONS {
                let asking = client::open("POST", &url, &headers, question().to_string().into());
                let _ = tokio::time::timeout(HASTE, asking).await;
            }
        });
    }
    clients.join_all().await;
    node.stop().await;

    let (taken, sums) = (upstream.handler().taken(), Sums::of([&node]));
    println!("leaving: {} requests, {taken} of 1 USD; books: {sums:?}", upstream.handler().served());
    assert!(upstream.traffic().now().cancelled > 0, "somebody left");
    assert!(taken <= sums.settled && sums.settled <= dollars("1"), "{taken} was served, {sums:?}");
    assert_eq!(sums.open, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dollar_is_spent_once_by_three_replicas() {
    let upstream = Server::start(Till::new(Duration::from_millis(20))).await;
    let mut fleet = Fleet::start(&upstream, usd(&json!(1)), &[]).await;
    let crowd = Crowd::start(&fleet.addresses(), &fleet.key);
    crowd.tally.wait_until_used_up(&upstream).await;
    let tally = crowd.stop().await;
    fleet.stop().await;

    let (taken, sums) = (upstream.handler().taken(), Sums::of(&fleet.nodes));
    println!("replicas: {} requests, {taken} of 1 USD; books: {sums:?}", upstream.handler().served());
    assert_eq!((sums.settled, sums.held, sums.open), (taken, Amount::ZERO, 0), "to the last digit");
    assert!(taken <= dollars("1") && taken >= dollars("0.98"), "{taken}");
    assert_eq!(tally.served(), upstream.handler().served(), "{:?}", tally.statuses);
}
