//! Thresholds of a budget that three replicas use up together.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidegate_store::entity::Limits;
use tidegate_testkit::{Handler, Reply, Seen, Server};

use crate::crowd::{Crowd, PATIENCE};
use crate::fleet::Fleet;
use crate::till::Till;

/// Takes notices.
struct Hook;

impl Handler for Hook {
    fn answer(&self, _: &Seen) -> Reply {
        Reply::json(200, &json!({}))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_told_once_over_all_replicas() {
    let (upstream, hook) =
        (Server::start(Till::new(Duration::from_millis(20))).await, Server::start(Hook).await);
    let budget = json!({"type": "cost", "credit_limit": 1, "alert_thresholds": ["50%", "80%"]});
    let limits = Limits { usage: vec![budget], ..Limits::default() };
    let mut fleet = Fleet::start(&upstream, limits, &[("TIDEGATE_ALERTS_WEBHOOK", &hook.url())]).await;
    let crowd = Crowd::start(&fleet.addresses(), &fleet.key);
    crowd.tally.wait_until_used_up(&upstream).await;
    crowd.stop().await;
    let patience = Instant::now() + PATIENCE;
    while hook.requests().len() < 2 {
        assert!(Instant::now() < patience, "{:?}", notices(&hook));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Everybody has said all it used by the time that it has stopped, and nobody tells it again.
    fleet.stop().await;
    let mut told: Vec<_> = notices(&hook).iter().map(|notice| notice["alert_threshold"].clone()).collect();
    told.retain(|mark| !mark.is_null());
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, [json!(0.5), json!(0.8)]);
    for notice in notices(&hook) {
        let (used, limit) =
            (notice["current_usage"].as_f64().unwrap(), notice["credit_limit"].as_f64().unwrap());
        assert!(used <= limit && notice["slug"] == "app", "{notice}");
    }
}

fn notices(hook: &Server<Hook>) -> Vec<Value> {
    hook.requests().iter().map(Seen::json).collect()
}
