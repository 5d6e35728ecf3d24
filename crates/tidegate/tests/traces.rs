//! Requests in the traces of their callers.

use std::time::Instant;

use serde_json::{Value, json};
use tidegate_store::entity::Limits;
use tidegate_testkit::{Collector, Scratch, Scripted, Server, Span, client};

use crate::stage::{CHAT, MESSAGES, PATIENCE, Setup, Tidegate, chat, fallback, messages, scripted, streamed};
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

/// A collector that takes only what the published protocol and the conventions allow.
#[tokio::test]
async fn exported_spans_are_as_the_conventions_say() {
    let (collector, upstream) =
        (Server::start(Collector::default()).await, Server::start(Scripted::default()).await);
    let directory = Scratch::new();
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    let (_, key) = tenant.key(workspace, "agent", Limits::default()).await;
    let settings = format!("[otlp]\nendpoint = '{}'\n", collector.url());
    let tidegate = Setup::default().directory(directory).settings(&settings).start().await;
    let key = ("x-portkey-api-key", key.as_str());
    let w3c = format!("00-{TRACE}-{PARENT}-01");
    let (text, fails) = (scripted(&upstream, "txt:a"), scripted(&upstream, "st500"));
    let second = fallback(&[fails.clone(), text.clone()]).to_string();
    let (text, fails) = (text.to_string(), fails.to_string());
    tidegate
        .post(CHAT, &[key, config(&text), ("traceparent", &w3c), ("baggage", "session.id=s")], &chat("m"))
        .await;
    tidegate.post(CHAT, &[key, config(&text)], &streamed("m")).await;
    tidegate.post(CHAT, &[key, config(&second)], &chat("m")).await;
    tidegate.post(CHAT, &[key, config(&fails)], &chat("m")).await;
    tidegate.post(MESSAGES, &[key, config(&text)], &messages("m", true)).await;
    // It reaches no model.
    tidegate.post(CHAT, &[key, ("x-portkey-provider", "@nothing")], &chat("m")).await;
    tidegate.post("/v1/embeddings", &[key, config(&text)], &json!({"model": "m", "input": "a"})).await;
    client::get(&tidegate.url("/v1/things"), &[key, config(&text)]).await;
    let spans = exported(&collector, 8).await;
    assert_eq!(collector.handler().mistakes(), [""; 0]);
    let request = spans.iter().find(|span| span.trace == TRACE && span.kind == "SERVER").unwrap();
    assert_eq!(request.parent, PARENT, "{request:?}");
    assert_eq!(request.attributes["gen_ai.conversation.id"], "s");
    assert!(spans.iter().any(|span| span.parent == request.id && span.trace == TRACE), "an attempt is below");
    let roots = spans.iter().filter(|span| span.kind == "SERVER" && span.parent.is_empty()).count();
    assert_eq!(roots, 7, "the others begin traces of their own");
    let calls = |name: &str| {
        spans
            .iter()
            .filter(|span| {
                span.attributes.get("gen_ai.operation.name") == Some(&json!(name)) && span.kind == "SERVER"
            })
            .count()
    };
    assert_eq!((calls("chat"), calls("embeddings")), (5, 1), "{spans:#?}");
    assert!(spans.iter().any(|span| span.is_error && span.attributes.contains_key("error.type")));
}

/// What arrived once so many requests are among it.
async fn exported(collector: &Server<Collector>, requests: usize) -> Vec<Span> {
    let started = Instant::now();
    loop {
        let spans = collector.handler().spans();
        if spans.iter().filter(|span| span.kind == "SERVER").count() >= requests {
            return spans;
        }
        assert!(started.elapsed() < PATIENCE, "{spans:#?}: {:?}", collector.handler().mistakes());
        tokio::task::yield_now().await;
    }
}

/// Programs tell of more at once than an object of the API may have.
#[tokio::test]
async fn what_is_told_may_be_large_and_is_bounded() {
    let (tidegate, key) = gateway().await;
    let text = "x".repeat(1_000);
    let items = |count: usize| {
        let item = |i| json!({"trace_id": "large", "span_id": format!("s{i}"), "span_name": text, "request": {"input": text}});
        Value::from((0..count).map(item).collect::<Vec<_>>()).to_string()
    };
    let send = async |path: &str, body: String| {
        let headers = [("x-portkey-api-key", key.as_str()), ("content-type", "application/json")];
        client::send("POST", &tidegate.url(path), &headers, body.into()).await
    };
    let told = send("/v1/logs", items(2_000)).await;
    assert_eq!(
        (told.status, told.json()["ids"].as_array().map(Vec::len)),
        (200, Some(2_000)),
        "{}",
        told.text()
    );
    for (path, bytes) in [("/v1/logs", 16 << 20), ("/v1/otel/v1/traces", 16 << 20), ("/v1/feedback", 1 << 20)]
    {
        let refused = send(path, " ".repeat(bytes + 1)).await;
        assert_eq!(refused.status, 413, "{path}: {}", refused.text());
        assert!(refused.text().contains(&bytes.to_string()), "{path}: {}", refused.text());
    }
}

fn config(config: &str) -> (&str, &str) {
    ("x-portkey-config", config)
}

/// A record leaves when the last byte has, so a question can come between the two. Without anybody's hurry it would be
/// asked hundreds of times for each request, until the writer has gathered enough.
#[tokio::test]
async fn who_was_answered_finds_the_request_at_once() {
    const REQUESTS: u64 = 20;
    let (tidegate, key) = gateway().await;
    let headers =
        [("x-portkey-api-key", key.as_str()), ("x-portkey-provider", "@demo"), ("x-portkey-trace-id", "now")];
    let mut in_vain = 0;
    for asked in 1..=REQUESTS {
        let mut body = chat("echo");
        if asked % 2 == 0 {
            // With its usage, which would be counted behind the answer otherwise.
            body = streamed("echo");
            body["stream_options"] = json!({"include_usage": true});
        }
        assert_eq!(tidegate.post(CHAT, &headers, &body).await.status, 200);
        loop {
            let found = client::get(&tidegate.url("/v1/traces/now"), &headers[..1]).await.json();
            if found["requests"].as_u64() == Some(asked) {
                break;
            }
            in_vain += 1;
            assert!(in_vain < REQUESTS, "{found}");
        }
    }
}
