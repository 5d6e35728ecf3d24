//! `/v1/sessions`: what belongs to one, and pages of them.

use serde_json::{Value, json};
use tidegate_records::Keep;

use crate::telling::Telling;

/// A call of a model, with 10 tokens in and 4 out: 0.000065 USD.
fn call(trace: &str, span: &str, at: f64, metadata: Value) -> Value {
    json!({
        "trace_id": trace, "span_id": span, "start_time": at, "metadata": metadata,
        "request": {"url": "https://api.openai.com/v1/chat/completions", "provider": "openai", "body": {"model": "gpt-4o"}},
        "response": {"status": 200, "body": {"model": "gpt-4o", "usage": {"prompt_tokens": 10, "completion_tokens": 4}}},
    })
}

#[tokio::test]
async fn a_session_is_its_requests_and_all_of_their_traces() {
    let telling = Telling::new(Keep::None).await;
    let at = 1_799_999_000.0;
    telling
        .tell(json!([
            call("t-2", "b", at + 60.0, json!({"session_id": "tides", "user": "bea"})),
            call("t-1", "a", at, json!({"_session": "tides", "user": "ann"})),
            // It names no session, and is in a trace that does.
            call("t-1", "a2", at + 1.0, json!({})),
            call("t-3", "c", at + 2.0, json!({"_session": "other"})),
            call("t-4", "d", at + 3.0, json!({"user": "ann"})),
        ]))
        .await;
    let session = telling.get("/v1/sessions/tides").await;
    for (member, want) in [
        ("object", json!("session")),
        ("session_id", json!("tides")),
        ("requests", json!(3)),
        ("errors", json!(0)),
        ("input_tokens", json!(30)),
        ("output_tokens", json!(12)),
        ("cost", json!("0.000195")),
        ("currency", json!("USD")),
        ("users", json!(["ann", "bea"])),
        ("models", json!(["gpt-4o"])),
        ("is_cut", json!(false)),
    ] {
        assert_eq!(session[member], want, "{member}: {session}");
    }
    let traces: Vec<_> = session["traces"].as_array().unwrap().iter().collect();
    let ids: Vec<_> = traces.iter().map(|trace| (&trace["trace_id"], &trace["requests"])).collect();
    assert_eq!(ids, [(&json!("t-1"), &json!(2)), (&json!("t-2"), &json!(1))]);
    assert_eq!(
        (&session["first_at"], &session["last_at"]),
        (&traces[0]["started_at"], &traces[1]["started_at"])
    );
    let listed = telling.get("/v1/sessions").await;
    let rows: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["session_id"], &row["requests"], &row["traces"]))
        .collect();
    assert_eq!(rows, [(&json!("tides"), &json!(3), &json!(2)), (&json!("other"), &json!(1), &json!(1))]);
    let of_bea = telling.get("/v1/sessions?user=bea").await;
    assert_eq!(of_bea["data"].as_array().unwrap().len(), 1);
    // The same by its requests, and by its traces.
    let logs = telling.get("/v1/logs?session=tides").await;
    assert_eq!((&logs["total"], &logs["data"][0]["session_id"]), (&json!(2), &json!("tides")));
    let traces = telling.get("/v1/traces?session=tides").await;
    assert_eq!(traces["data"].as_array().unwrap().len(), 2);
    // Another workspace has none of it.
    assert_eq!(telling.world.get("service_key_b", "/v1/sessions/tides").await.status, 404);
    assert_eq!(
        telling.world.done("service_key_b", "GET", "/v1/sessions", json!({})).await["data"],
        json!([])
    );
    assert_eq!(telling.world.get("service_key", "/v1/sessions/nothing").await.status, 404);
}

#[tokio::test]
async fn pages_of_sessions_are_complete_and_without_repeats() {
    let telling = Telling::new(Keep::None).await;
    let items: Vec<Value> = (0..120)
        .map(|i| {
            let session = format!("s{}", i * 7 % 30);
            let at = 1_799_999_000.0 + f64::from(i);
            // Every fourth one is of no session.
            let metadata = if i % 4 == 3 { json!({}) } else { json!({ "_session": session }) };
            call(&format!("t{i}"), &format!("p{i}"), at, metadata)
        })
        .collect();
    telling.tell(Value::from(items)).await;
    let mut all = Vec::new();
    for size in [100, 1, 4, 7, 30] {
        let (mut seen, mut before) = (Vec::new(), String::new());
        loop {
            let page = telling.get(&format!("/v1/sessions?page_size={size}{before}")).await;
            seen.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => before = format!("&before={next}"),
                None => break,
            }
        }
        if all.is_empty() {
            all.clone_from(&seen);
        }
        assert_eq!(seen, all, "pages of {size}");
    }
    let requests: u64 = all.iter().map(|row| row["requests"].as_u64().unwrap()).sum();
    assert_eq!((all.len(), requests), (30, 90));
    assert!(all.windows(2).all(|pair| pair[0]["last_at"].as_str() >= pair[1]["last_at"].as_str()));
    for (query, param) in [
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("before=x", "before"),
        ("metadata=7", "metadata"),
    ] {
        let got = telling.world.get("service_key", &format!("/v1/sessions?{query}")).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{query}");
    }
}
