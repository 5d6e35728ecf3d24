//! Requests in the traces of their callers.

use std::time::Instant;

use serde_json::{Value, json};
use tidegate_store::entity::Limits;
use tidegate_testkit::{Scratch, client};

use crate::stage::{CHAT, PATIENCE, Setup, Tidegate, chat};
use crate::tenant::Tenant;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A gateway, and the text of a key that may call models and read traces.
async fn gateway() -> (Tidegate, String) {
    let directory = Scratch::new();
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    let (_, key) = tenant.key(workspace, "agent", Limits::default()).await;
    (Setup::default().directory(directory).start().await, key)
}

async fn ask(tidegate: &Tidegate, key: &str, headers: &[(&str, &str)]) -> client::Answer {
    let mut all = vec![("x-portkey-api-key", key), ("x-portkey-provider", "@demo")];
    all.extend(headers);
    let answer = tidegate.post(CHAT, &all, &chat("echo")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

/// The trace once all of these requests are written.
async fn trace(tidegate: &Tidegate, key: &str, id: &str, requests: u64) -> Value {
    let started = Instant::now();
    loop {
        let url = tidegate.url(&format!("/v1/traces/{id}"));
        let found = client::get(&url, &[("x-portkey-api-key", key)]).await.json();
        if found["requests"].as_u64() >= Some(requests) {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{found}");
    }
}

#[tokio::test]
async fn a_request_stands_where_its_traceparent_says() {
    let (tidegate, key) = gateway().await;
    let w3c = format!("00-{TRACE}-{PARENT}-01");
    let answer =
        ask(&tidegate, &key, &[("traceparent", &w3c), ("baggage", "session.id=tides,team=blue")]).await;
    assert_eq!(answer.header("x-portkey-trace-id"), Some(TRACE));
    let found = trace(&tidegate, &key, TRACE, 1).await;
    let span = &found["spans"][0];
    assert_eq!((&span["kind"], &span["parent_span_id"]), (&json!("request"), &json!(PARENT)));
    assert_eq!(span["span_id"].as_str().map(str::len), Some(16));
    assert_eq!(
        (&found["session"], &span["attributes"]["metadata"]),
        (&json!("tides"), &json!({"team": "blue"}))
    );
}

#[tokio::test]
async fn own_headers_make_a_tree() {
    let (tidegate, key) = gateway().await;
    let trace_id = ("x-portkey-trace-id", "task");
    ask(&tidegate, &key, &[trace_id, ("x-portkey-span-id", "plan"), ("x-portkey-span-name", "Plan")]).await;
    let below = ("x-tidegate-parent-span-id", "plan");
    // Of two words the gateway's own counts; what is no traceparent is not there.
    let bad = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-0-01");
    ask(&tidegate, &key, &[trace_id, below, bad, ("x-portkey-session-id", "s")]).await;
    let found = trace(&tidegate, &key, "task", 2).await;
    let spans = found["spans"].as_array().unwrap();
    let requests: Vec<_> = spans.iter().filter(|span| span["kind"] == "request").collect();
    assert_eq!((&requests[0]["span_id"], &requests[0]["name"]), (&json!("plan"), &json!("Plan")));
    assert_eq!(
        (&requests[0]["parent_span_id"], &requests[1]["parent_span_id"]),
        (&Value::Null, &json!("plan"))
    );
    assert_eq!((&found["name"], &found["session"]), (&json!("Plan"), &json!("s")));
}
