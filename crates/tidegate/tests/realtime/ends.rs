//! How sessions end: by either side, by the gateway, and by what their caller may no longer do.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidegate_store::entity::Limits;
use tidegate_testkit::{SocketEnd, client};

use super::{Office, answer};
use crate::stage::{PATIENCE, Setup};
use crate::tenant::usd;

fn code(end: &SocketEnd) -> Option<u16> {
    match end {
        SocketEnd::Closed { code, .. } => Some(*code),
        SocketEnd::Broken => None,
    }
}

fn last_error(events: &[Value]) -> &Value {
    let last = events.last().unwrap_or(&Value::Null);
    assert_eq!(last["type"], "error", "{events:?}");
    &last["error"]
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_providers_session() {
    let office = Office::new(Limits::default()).await;
    let mut socket = office.connect().await.unwrap();
    socket.until("session.created").await.unwrap();
    drop(socket);
    assert_eq!(office.upstream_end().await, Some(1001));
    office.gateway.wait_for_metric("tidegate_stream_ends_total{reason=\"client_gone\"}", 1).await;
}

#[tokio::test]
async fn a_provider_that_leaves_is_told_of() {
    let office = Office::new(Limits::default()).await;
    let mut socket = office.connect().await.unwrap();
    socket.send(&answer(json!({"end": "drop"}))).await;
    let (events, end) = socket.end().await;
    assert_eq!(last_error(&events)["code"], "upstream_stream_interrupted");
    assert_eq!(code(&end), Some(1011));
    let log = office.log().await;
    assert_eq!(log["tidegate"]["usage_estimated"], true, "what was cut off is paid for: {log}");
    assert!(log["tidegate"]["cost"].as_str().is_some_and(|cost| cost > "0"), "{log}");
    assert_eq!(log["tidegate"]["end"], "upstream_cut", "{log}");

    let mut socket = office.connect().await.unwrap();
    socket.send(&answer(json!({"end": "4123"}))).await;
    let (_, end) = socket.end().await;
    assert_eq!(end, SocketEnd::Closed { code: 4123, reason: "as asked".into() }, "its own words pass");
}

/// What is left after each answer is set aside for the next, until that is too little for a short one.
#[tokio::test]
async fn a_budget_that_is_used_up_ends_the_session() {
    /// Of 0.00698 USD each: one more would be more than a dollar.
    const ANSWERS: usize = 143;
    let office = Office::new(usd(&json!(1))).await;
    let mut socket = office.connect().await.unwrap();
    for _ in 0..ANSWERS {
        socket.send(&answer(json!({}))).await;
        socket.until("response.done").await.unwrap();
    }
    let (events, end) = socket.end().await;
    assert_eq!(end, SocketEnd::Closed { code: 1008, reason: "budget".into() });
    let error = last_error(&events);
    assert_eq!(error["type"], "usage_limit_exceeded", "{error}");
    assert!(error["message"].as_str().unwrap().contains("Usage limit exceeded"), "{error}");
    assert_eq!(office.upstream_end().await, Some(1001));
    let log = office.log().await;
    assert_eq!(log["tidegate"]["cost"], "0.99814", "{log}");
    assert_eq!(
        (&log["tidegate"]["end"], &log["tidegate"]["limit"]),
        (&json!("refused"), &json!("budget")),
        "{log}"
    );
    // What is left is too little for another session.
    let refused = office.connect().await.unwrap_err();
    assert_eq!(refused.status, 412, "{}", refused.text());
    assert_eq!(refused.json()["error"]["type"], "usage_limit_exceeded", "{}", refused.text());
}

/// Answers that end side by side are over before anything can be set aside for all but one of them.
#[tokio::test]
async fn what_the_log_says_is_what_the_budget_paid() {
    for (budget, times) in [(10, 3), (1, 150)] {
        let office = Office::new(usd(&json!(budget))).await;
        let mut socket = office.connect().await.unwrap();
        socket.send(&answer(json!({"times": times.to_string()}))).await;
        for _ in 0..times {
            // More than the budget ends the session, before or after the client has heard all of it.
            if socket.until("response.done").await.is_err() {
                break;
            }
        }
        socket.close(1000).await;
        let log = office.log().await;
        let cost: f64 = log["tidegate"]["cost"].as_str().unwrap().parse().unwrap();
        assert!(cost >= 0.02094, "{log}");
        assert_eq!(office.used().await, cost, "{log}");
    }
}

/// The dearest answer there can be is more than a budget of a dollar: two sessions do not share it.
#[tokio::test]
async fn what_one_session_holds_another_has_not() {
    let office = Office::new(usd(&json!(1))).await;
    let mut first = office.connect().await.unwrap();
    first.until("session.created").await.unwrap();
    assert_eq!(office.connect().await.unwrap_err().status, 412);
    first.close(1000).await;
    office.gateway.wait_for_metric("tidegate_open_streams", 0).await;
    assert!(office.connect().await.is_ok(), "nothing was used, and nothing is held");
}

#[tokio::test]
async fn a_key_that_is_revoked_ends_its_sessions() {
    let office = Office::new(Limits::default()).await;
    let mut socket = office.connect().await.unwrap();
    socket.until("session.created").await.unwrap();
    let url = office.gateway.url(&format!("/v1/api-keys/{}", office.key_id));
    let headers = [("x-portkey-api-key", office.admin.as_str())];
    let revoked = client::send("DELETE", &url, &headers, "".into()).await;
    assert!(revoked.status < 300, "{}", revoked.text());
    let since = Instant::now();
    let (events, end) = socket.end().await;
    // It is looked at twice a second; a machine that is busy with other tests takes longer.
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    assert_eq!(code(&end), Some(1008));
    assert!(last_error(&events)["message"].is_string());
    assert_eq!(office.upstream_end().await, Some(1001));
    assert_eq!(office.connect().await.unwrap_err().status, 401);
}

#[tokio::test]
async fn a_gateway_that_stops_closes_what_outlasts_its_grace_period() {
    let setup = Setup::default().settings("[server]\ngrace_period = '200ms'");
    let Office { gateway, upstream, key, .. } = Office::with(Limits::default(), setup).await;
    let bearer = format!("Bearer {key}");
    let mut socket = tidegate_testkit::connect(gateway.address(), super::PATH, &[("authorization", &bearer)])
        .await
        .unwrap();
    socket.until("session.created").await.unwrap();
    let mut process = gateway.process;
    let (status, (events, end)) = tokio::join!(process.terminate(), socket.end());
    assert!(status.success());
    assert_eq!(last_error(&events)["code"], "gateway_stopping");
    assert_eq!(code(&end), Some(1001));
    let started = Instant::now();
    while upstream.ends().is_empty() {
        assert!(started.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
    assert_eq!(upstream.ends(), [Some(1001)]);
}

#[tokio::test]
async fn silence_ends_a_session() {
    let setup = Setup::default().settings("[timeouts]\nidle = '1s'");
    let office = Office::with(Limits::default(), setup).await;
    let mut socket = office.connect().await.unwrap();
    socket.until("session.created").await.unwrap();
    let (_, end) = socket.end().await;
    assert_eq!(end, SocketEnd::Closed { code: 1001, reason: "idle".into() });
    office.gateway.wait_for_metric("tidegate_stream_ends_total{reason=\"idle\"}", 1).await;
}
