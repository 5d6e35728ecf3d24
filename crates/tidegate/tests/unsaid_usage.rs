//! Answers whose provider does not say what they used: their tokens are counted, and what was set aside is settled.

use serde_json::json;
use tidegate_store::entity::Limits;
use tidegate_testkit::Scratch;

use crate::paced::{Paced, Wire};
use crate::stage::{CHAT, Setup, Tidegate, streamed};
use crate::tenant::Tenant;

const COUNTED: &str = "tidegate_usage_estimates_total{reason=\"counted\"}";
const LIMIT: u64 = 100_000;

/// Five bytes and one token, each.
fn tides(count: usize) -> String {
    " tide".repeat(count)
}

fn event(text: &str) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": text}}]}))
}

/// A gateway whose key has so many tokens, and an upstream that writes by hand.
async fn start() -> (Paced, Tidegate, String) {
    let upstream = Paced::start().await;
    let directory = Scratch::new();
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
    let limits =
        Limits { rates: vec![json!({"type": "tokens", "unit": "rpd", "value": LIMIT})], ..Limits::default() };
    let (_, key) = tenant.key(workspace, "app", limits).await;
    (upstream, Setup::default().directory(directory).start().await, key)
}

async fn ask(tidegate: &Tidegate, key: &str, stream: bool) -> Wire {
    let mut wire = Wire::connect(tidegate.address()).await;
    let mut body = streamed("gpt-4o");
    body["stream"] = json!(stream);
    let body = body.to_string();
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    wire.write(head + &body).await;
    wire
}

/// What the requests before used of the key's tokens, with what the last answer's own was let in for.
fn used(told: &str) -> u64 {
    let remaining = told.lines().find_map(|line| line.strip_prefix("x-ratelimit-remaining-tokens: "));
    LIMIT - remaining.unwrap_or_else(|| panic!("no limit in {told}")).trim().parse::<u64>().unwrap()
}

fn whole(text: &str) -> String {
    let body =
        json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}).to_string();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_whole_answer_is_counted_by_its_text() {
    let (upstream, tidegate, key) = start().await;
    let mut client = ask(&tidegate, &key, false).await;
    let mut provider = upstream.accept().await;
    provider.read_request().await;
    provider.write(whole(&tides(1_000))).await;
    let before = used(&client.read_to_end().await);
    tidegate.wait_for_metric(COUNTED, 1).await;
    let mut client = ask(&tidegate, &key, false).await;
    // The connection is kept for the next request.
    provider.read_requests(2).await;
    provider.write(whole("Noon.")).await;
    // By the length it would be 1,250 and more.
    let used = used(&client.read_to_end().await) - before;
    assert!((1_000..1_040).contains(&used), "{used}");
}

#[tokio::test]
async fn what_a_client_left_in_the_middle_of_counts() {
    let (upstream, tidegate, key) = start().await;
    let mut client = ask(&tidegate, &key, true).await;
    let mut provider = upstream.accept().await;
    provider.read_request().await;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    provider.write(head).await;
    for _ in 0..4 {
        provider.write_chunk(event(&tides(250))).await;
    }
    provider.write_chunk(event(" ebb")).await;
    let before = used(&client.read_until(" ebb").await);
    drop(client);
    tidegate.wait_for_metric(COUNTED, 1).await;
    let mut client = ask(&tidegate, &key, false).await;
    let mut provider = upstream.accept().await;
    provider.read_request().await;
    provider.write(whole("Noon.")).await;
    // By the length of its few events it would be some 30.
    let used = used(&client.read_to_end().await) - before;
    assert!((1_000..1_040).contains(&used), "{used}");
}
