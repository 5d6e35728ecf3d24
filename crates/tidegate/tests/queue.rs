//! Requests over a rate limit that wait for their turn instead of being refused.

use serde_json::json;
use tidegate_store::entity::Limits;
use tidegate_testkit::Scratch;

use crate::paced::{Paced, Wire};
use crate::stage::{CHAT, Setup, Tidegate, chat, held};
use crate::tenant::Tenant;

const QUEUED: &str = "x-tidegate-queued-ms";

/// An answer that an upstream of the test writes by hand.
const ANSWER: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{\"choices\": [ ]}";

fn one_at_once() -> Limits {
    Limits { rates: vec![json!({"type": "concurrency", "value": 1})], ..Limits::default() }
}

/// A gateway whose key may do one thing at a time, and that lets others wait.
async fn start(upstream: &Paced, settings: &str) -> (Tidegate, String) {
    let directory = Scratch::new();
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
    let (_, key) = tenant.key(workspace, "app", one_at_once()).await;
    (Setup::default().directory(directory).settings(settings).start().await, key)
}

async fn ask(tidegate: &Tidegate, key: &str) -> Wire {
    let mut wire = Wire::connect(tidegate.address()).await;
    let body = chat("gpt-4o").to_string();
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    wire.write(head + &body).await;
    wire
}

#[tokio::test]
async fn the_next_one_goes_when_the_one_before_is_over() {
    let upstream = Paced::start().await;
    let (tidegate, key) = start(&upstream, "[rate_limits]\nqueue = 2\nqueue_wait = '1h'").await;
    let mut first = ask(&tidegate, &key).await;
    let mut at_provider = upstream.accept().await;
    at_provider.read_request().await;
    let mut second = ask(&tidegate, &key).await;
    tidegate.wait_for_metric("tidegate_queue_waiting", 1).await;
    at_provider.write(ANSWER).await;
    let told = first.read_to_end().await;
    assert!(told.starts_with("HTTP/1.1 200") && !told.contains(QUEUED), "{told}");
    // The connection is kept for the next request.
    at_provider.read_requests(2).await;
    at_provider.write(ANSWER).await;
    let told = second.read_to_end().await;
    assert!(told.starts_with("HTTP/1.1 200") && told.contains(QUEUED), "{told}");
    assert_eq!(tidegate.metric("tidegate_queue_waiting").await, 0);
    assert_eq!(tidegate.metric("tidegate_queue_ends_total{reason=\"admitted\"}").await, 1);
}

#[tokio::test]
async fn a_full_queue_a_client_that_leaves_and_an_end() {
    let upstream = Paced::start().await;
    let settings = "[server]\ngrace_period = '1s'\n[rate_limits]\nqueue = 1\nqueue_wait = '1h'";
    let (mut tidegate, key) = start(&upstream, settings).await;
    let _first = ask(&tidegate, &key).await;
    let mut at_provider = upstream.accept().await;
    at_provider.read_request().await;
    let second = ask(&tidegate, &key).await;
    tidegate.wait_for_metric("tidegate_queue_waiting", 1).await;
    let refused = ask(&tidegate, &key).await.read_to_end().await;
    assert!(refused.starts_with("HTTP/1.1 429"), "{refused}");
    assert!(refused.contains("Rate limit exceeded for api key 'app'"), "{refused}");
    drop(second);
    tidegate.wait_for_metric("tidegate_queue_ends_total{reason=\"left\"}", 1).await;
    // Its place is free.
    let mut third = ask(&tidegate, &key).await;
    tidegate.wait_for_metric("tidegate_queue_waiting", 1).await;
    let (_, told) = tokio::join!(tidegate.process.terminate(), third.read_to_end());
    assert!(told.starts_with("HTTP/1.1 429") && told.contains(QUEUED), "{told}");
}

#[tokio::test]
async fn without_a_queue_a_limit_refuses_at_once_and_by_default() {
    let upstream = Paced::start().await;
    let settings = held(&upstream.url(), "mine") + "[rate_limits]\nper_route = '1/hour'";
    let tidegate = Setup::default().settings(&settings).start().await;
    let headers = [("x-portkey-provider", "@mine")];
    let first = async { tidegate.post(CHAT, &headers, &chat("gpt-4o")).await };
    let provider = async {
        let mut at_provider = upstream.accept().await;
        at_provider.read_request().await;
        at_provider.write(ANSWER).await;
        at_provider
    };
    let (first, _kept) = tokio::join!(first, provider);
    assert_eq!(first.status, 200);
    assert_eq!(tidegate.post(CHAT, &headers, &chat("gpt-4o")).await.status, 429);
    assert_eq!(tidegate.metric("tidegate_queue_waiting").await, 0);
}
