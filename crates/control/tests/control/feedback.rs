//! Feedback: its forms, its bounds, and whose it is.

use serde_json::{Value, json};
use tidegate_control::{ApiOptions, Books};
use tidegate_records_sqlite::SqliteBook;

use crate::world::{Directory, World};

pub async fn world() -> (World, Directory) {
    let directory = Directory::new();
    let at = directory.file("records");
    let books = Books::new(move || Box::new(SqliteBook::new(&at)));
    (World::with(ApiOptions { books: Some(books), ..ApiOptions::default() }).await, directory)
}

#[tokio::test]
async fn one_several_and_numbered() {
    let (world, _directory) = world().await;
    let one = json!({"trace_id": "t", "value": 5, "weight": 0.5, "metadata": {"_user": "alice"}});
    let numbered = json!({"0": {"traceID": "t", "value": -10}, "1": {"traceId": "u", "value": 0, "metadata": "{\"a\":1}"}});
    for (body, count) in [(one.clone(), 1), (json!([one, one]), 2), (numbered, 2), (json!([]), 0)] {
        let saved = world.done("service_key", "POST", "/v1/feedback", body).await;
        let ids = saved["feedback_ids"].as_array().unwrap();
        assert_eq!((ids.len(), &saved["status"]), (count, &json!("success")));
        assert_eq!(saved["feedback_id"], ids.first().cloned().unwrap_or(Value::Null));
    }
    let id = world.done("service_key", "POST", "/v1/feedback", one).await["feedback_id"].clone();
    let uri = format!("/v1/feedback/{}", id.as_str().unwrap());
    let changed = world.done("service_key", "PUT", &uri, json!({"value": 7})).await;
    assert_eq!(changed["feedback_ids"], json!([id]));
    for who in ["service_key_b", "stranger"] {
        let got = world.ask(who, "PUT", &uri, Some(&json!({"value": 7}))).await;
        assert!(matches!(got.status, 403 | 404), "{who}: {} {}", got.status, got.text);
    }
    // A person's browser says so, too.
    world.done("ws_member", "POST", "/v1/feedback", json!({"trace_id": "t", "value": 5})).await;
    for who in ["admin_key", "log_key", "organisation_key"] {
        let got = world.ask(who, "POST", "/v1/feedback", Some(&json!({"trace_id": "t", "value": 5}))).await;
        assert_eq!(got.status, 403, "{who}: {}", got.text);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let (world, _directory) = world().await;
    for (body, param) in [
        (json!({"value": 1}), "trace_id"),
        (json!({"trace_id": "", "value": 1}), "trace_id"),
        (json!({"trace_id": "t".repeat(513), "value": 1}), "trace_id"),
        (json!({"trace_id": 7, "value": 1}), "trace_id"),
        (json!({"trace_id": "t"}), "value"),
        (json!({"trace_id": "t", "value": 11}), "value"),
        (json!({"trace_id": "t", "value": 1.5}), "value"),
        (json!({"trace_id": "t", "value": "5"}), "value"),
        (json!({"trace_id": "t", "value": 1, "weight": 1.5}), "weight"),
        (json!({"trace_id": "t", "value": 1, "weight": -0.1}), "weight"),
        (json!({"trace_id": "t", "value": 1, "metadata": [1]}), "metadata"),
        (json!({"trace_id": "t", "value": 1, "metadata": {"a": "x".repeat(20_000)}}), "metadata"),
        (json!([{"trace_id": "t", "value": 1}, {"trace_id": "t", "value": 99}]), "1.value"),
        (json!([{"trace_id": "t", "value": 1}, 7]), "1"),
        (json!("text"), "body"),
    ] {
        let got = world.ask("service_key", "POST", "/v1/feedback", Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{body}: {}", got.text);
    }
    for (name, status) in [("x", 404), ("00000000-0000-8000-8000-000000000000", 404)] {
        let got = world
            .ask("service_key", "PUT", &format!("/v1/feedback/{name}"), Some(&json!({"value": 1})))
            .await;
        assert_eq!(got.status, status, "{}", got.text);
    }
}

#[tokio::test]
async fn without_records_there_is_no_feedback() {
    let world = World::new().await;
    let got =
        world.ask("service_key", "POST", "/v1/feedback", Some(&json!({"trace_id": "t", "value": 1}))).await;
    assert_eq!(got.status, 409, "{}", got.text);
}
