//! The log object, whole.

use serde_json::{Value, json};

use super::support::full;
use crate::{RecordId, RequestRecord, StoredBodies, StoredBody, Text, log_object};

fn part(part: &'static str, text: &str, headers: &[(&'static str, &'static str)]) -> StoredBody {
    StoredBody {
        part: part.into(),
        kind: "json".into(),
        data: text.as_bytes().to_vec(),
        plain: text.len() as u64,
        headers: headers.iter().map(|&(name, value)| (name.into(), value.into())).collect(),
        ..StoredBody::default()
    }
}

fn value(record: &RequestRecord, bodies: Option<&StoredBodies>) -> Value {
    serde_json::from_str(&serde_json::to_string(&log_object(record, bodies)).unwrap()).unwrap()
}

fn answered() -> RequestRecord {
    let mut record = full();
    record.id = RecordId::first_of(1_790_000_000_123).bits() + 5;
    record.private = false;
    record.attempts[0].hedge = false;
    record.attempts[1].target = "targets[0]".into();
    record.attempts[1].status = Some(200);
    record.attempts[1].duration_us = 880_123;
    record.attempts[1].url = "https://b.example/v1/chat".into();
    record
}

#[test]
fn metrics_have_portkeys_names_and_units() {
    let object = value(&answered(), None);
    let uuid = answered().id().uuid();
    let mut metrics = json!({
        "id": uuid, "organisation_id": "org", "workspace_slug": "ws", "prompt_slug": "greet", "prompt_version_id": "2",
        "config": "pc-1", "config_id": "pc-1", "config_version_id": "3", "created_at": "2026-09-21T14:13:20.123Z",
        "is_success": true, "ai_org": "openai", "ai_model": "gpt-4o-2024-08-06", "req_units": 813, "res_units": 120,
        "total_units": 933, "cost": 0.323, "cost_currency": "USD", "request_url": "https://b.example/v1/chat",
        "request_method": "POST", "response_status_code": 200, "response_time": 1234, "is_proxy_call": false,
        "cache_status": "MISS", "cache_type": "simple", "stream_mode": 1, "retry_success_count": 1,
        "trace_id": "t".repeat(200), "span_id": "b", "span_name": "chat ünï", "parent_span_id": "c",
        "internal_trace_id": answered().id().to_string(), "mode": "fallback", "last_used_option_index": 0,
        "virtual_key": "openai-eu", "api_key_id": "key-1", "source": "otlp", "sdk_version": "openai-python 1.2",
        "metadata.key": ["team", "", "empty"], "metadata.value": ["search", "x", ""],
        "upstream_response_time": 880, "gateway_processing_time": 0,
    });
    metrics["session_id"] = "s-1".into();
    assert_eq!(object["metrics"], metrics);
    assert_eq!((&object["_id"], &object["id"]), (&json!(uuid), &json!(uuid)));
    assert_eq!(object["organisation_id"], "org");
    assert_eq!(
        object["request"],
        json!({"url": "https://b.example/v1/chat", "method": "POST", "portkeyHeaders": {}})
    );
    assert_eq!(
        object["response"],
        json!({"status": 200, "responseTime": 1234, "lastUsedOptionJsonPath": "config.targets[0]"})
    );
    assert_eq!(object.get("transformedRequest"), None);
    let detail = &object["tidegate"];
    assert_eq!(
        (&detail["attempts"][0]["status"], &detail["attempts"][0]["reason"]),
        (&json!(429), &json!("status 429"))
    );
    assert_eq!((&detail["usage"]["reasoning"], &detail["ttft_us"]), (&json!(64), &json!(345_678)));
    assert_eq!(detail["service_tier"], json!("priority"));
    assert_eq!((&detail["limit_outcome"], &detail["unpriced"]), (&json!("queued"), &json!(true)));
}

#[test]
fn every_digit_of_a_cost_is_there() {
    let mut record = answered();
    record.cost.amount = "0.0000000123456789012345".into();
    let text = serde_json::to_string(&log_object(&record, None)).unwrap();
    assert!(text.contains(r#""cost":0.00000123456789012345,"#), "{text}");
    for (amount, cents) in
        [("", json!(null)), ("no number", json!(null)), ("0", json!(0)), ("12", json!(1200))]
    {
        record.cost.amount = Text::from(amount.to_owned());
        assert_eq!(value(&record, None)["metrics"]["cost"], cents, "{amount}");
    }
}

#[test]
fn bodies_stand_where_clients_look_for_them() {
    let headers = [("X-Portkey-Config", "pc-1"), ("x-portkeyé", "?"), ("accept", "*/*")];
    let mut cut = part("received", "{\"half\":", &[]);
    cut.cut = true;
    let bodies = StoredBodies {
        bodies: vec![
            part("request", r#"{"a": 1.50, "a2": [true]}"#, &headers),
            part("response", "data: {}\n\n", &[("content-type", "text/event-stream")]),
            part("sent", r#""plain""#, &[]),
            cut,
        ],
    };
    let record = answered();
    let text = serde_json::to_string(&log_object(&record, Some(&bodies))).unwrap();
    assert!(text.contains(r#""body":{"a": 1.50, "a2": [true]}"#), "bytes of JSON stay as they are: {text}");
    let object = value(&record, Some(&bodies));
    assert_eq!(object["request"]["portkeyHeaders"], json!({"X-Portkey-Config": "pc-1"}));
    assert_eq!(object["request"]["headers"]["accept"], "*/*");
    assert_eq!(object["response"]["body"], "data: {}\n\n");
    assert_eq!(
        object["transformedRequest"],
        json!({"url": "https://b.example/v1/chat", "method": "POST", "headers": {}, "body": "plain"})
    );
    assert_eq!(object["originalResponse"], json!({"status": 200, "headers": {}, "body": "{\"half\":"}));
    assert_eq!(object["tidegate"]["withheld"], json!([["received", "cut"]]));
    // A request that asked for figures only shows none of it, wherever it came from.
    let object = value(&RequestRecord { private: true, ..record }, Some(&bodies));
    assert_eq!(object["request"]["portkeyHeaders"], json!({}));
    assert_eq!((object["request"].get("body"), object.get("originalResponse")), (None, None));
}

#[test]
fn words_of_ours_become_words_of_theirs() {
    let mut record = answered();
    for (ours, status, kind) in [
        ("", json!("DISABLED"), json!(null)),
        ("hit", json!("HIT"), json!("simple")),
        ("semantic_hit", json!("SEMANTIC HIT"), json!("semantic")),
        ("refreshed", json!("REFRESH"), json!("simple")),
    ] {
        record.cache = Text::from(ours);
        let metrics = &value(&record, None)["metrics"];
        assert_eq!((&metrics["cache_status"], &metrics["cache_type"]), (&status, &kind), "{ours}");
    }
    record.mode = "proxy".into();
    record.status = 502;
    record.attempts[1].target = "targets[1].targets[0]".into();
    let object = value(&record, None);
    assert_eq!(
        (&object["metrics"]["is_proxy_call"], &object["metrics"]["retry_success_count"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(object["metrics"]["last_used_option_index"], 1);
    record.attempts.clear();
    let object = value(&record, None);
    assert_eq!(object["response"]["lastUsedOptionJsonPath"], "config");
    assert_eq!(object["request"]["url"], "/v1/chat/completions");
}
