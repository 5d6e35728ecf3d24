//! What is changed in the database is in force on all replicas within a second.

use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_store::audit::By;
use tidegate_store::entity::{ApiKey, Config, Limits};
use tidegate_store::{Expected, Scope};
use tidegate_testkit::Server;
use tidegate_testkit::client::{self, Answer};

use crate::crowd::question;
use crate::fleet::Fleet;
use crate::node::Node;
use crate::till::Till;

const SOON: Duration = Duration::from_secs(1);

async fn ask(node: &Node, key: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("x-portkey-config", "pc-plain")];
    client::post(&node.url("/v1/chat/completions"), &headers, &question()).await
}

/// How long it takes until all replicas answer like this.
async fn until_all(fleet: &Fleet, what: &str, began: Instant, is_so: impl Fn(&Answer) -> bool) {
    for node in &fleet.nodes {
        loop {
            let asked = began.elapsed();
            let answer = ask(node, &fleet.key).await;
            if is_so(&answer) {
                break;
            }
            assert!(asked < SOON, "{what} after {asked:?}: {} {}", answer.status, answer.text());
        }
    }
    println!("{what}: everywhere within {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_in_force_everywhere_within_a_second() {
    let upstream = Server::start(Till::new(Duration::ZERO)).await;
    let mut fleet = Fleet::start(&upstream, Limits::default(), &[]).await;
    let (by, scope) = (By::system(), Scope::Organisation(fleet.stored.home.organisation));
    until_all(&fleet, "served", Instant::now(), |answer| answer.json()["model"] == "gpt-4o").await;
    let store = fleet.tenant.store.clone();

    let began = Instant::now();
    let change = |config: &mut Config| {
        config.content = json!({"provider": "@openai", "override_params": {"model": "gpt-4o-mini"}});
        Ok(())
    };
    store.update(&by, &scope, fleet.config.id, Expected::Latest, change).await.unwrap();
    until_all(&fleet, "config", began, |answer| answer.json()["model"] == "gpt-4o-mini").await;

    let began = Instant::now();
    let change = |key: &mut ApiKey| {
        key.limits.rates = vec![json!({"type": "requests", "unit": "rpd", "value": 1})];
        Ok(())
    };
    store.update(&by, &scope, fleet.stored.id, Expected::Latest, change).await.unwrap();
    until_all(&fleet, "limit", began, |answer| answer.status == 429).await;

    let began = Instant::now();
    store.revoke_key(&by, &scope, fleet.stored.id).await.unwrap();
    until_all(&fleet, "revoked key", began, |answer| answer.status == 401).await;
    fleet.stop().await;
}
