//! Spans and log records by OpenTelemetry, in every encoding.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message as _;
use serde_json::{Value, json};
use tidegate_otlp::message::{ExportServiceResponse, ExportTraceServiceRequest, RpcStatus};
use tidegate_records::Keep;

use crate::telling::{Telling, node};

const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const NOW: u64 = 1_800_000_000_000_000_000;

fn attributes(members: &Value) -> Value {
    let value = |value: &Value| match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(is) => json!({"boolValue": is}),
        Value::Array(items) => {
            json!({"arrayValue": {"values": items.iter().map(|item| json!({"stringValue": item})).collect::<Vec<_>>()}})
        }
        number => json!({"intValue": number.to_string()}),
    };
    members.as_object().unwrap().iter().map(|(key, of)| json!({"key": key, "value": value(of)})).collect()
}

fn span(id: &str, parent: &str, name: &str, start: u64, members: Value) -> Value {
    json!({"traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": name, "kind": 3, "startTimeUnixNano": (NOW - start).to_string(),
        "endTimeUnixNano": (NOW - start + 250_000_000).to_string(), "attributes": attributes(&members), "status": {}})
}

fn request(spans: Vec<Value>) -> Value {
    json!({"resourceSpans": [{"resource": {"attributes": attributes(&json!({"service.name": "agent"}))}, "scopeSpans": [{"scope": {"name": "x"}, "spans": spans}]}]})
}

fn agent() -> Value {
    request(vec![
        span(
            "aaaaaaaaaaaaaaaa",
            "",
            "invoke_agent planner",
            2_000_000_000,
            json!({"gen_ai.operation.name": "invoke_agent", "session.id": "s-1", "user.id": "alice"}),
        ),
        span(
            "bbbbbbbbbbbbbbbb",
            "aaaaaaaaaaaaaaaa",
            "chat gpt-4o",
            1_500_000_000,
            json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 200,
            "gen_ai.response.finish_reasons": ["stop"], "gen_ai.input.messages": "[{\"role\":\"user\",\"parts\":[\"the question\"]}]",
            "gen_ai.output.messages": "[{\"role\":\"assistant\",\"parts\":[\"the answer\"]}]", "server.address": "api.openai.com", "api_key": "sk-secret-0123456789"}),
        ),
        span(
            "cccccccccccccccc",
            "aaaaaaaaaaaaaaaa",
            "execute_tool tide",
            1_000_000_000,
            json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "tide", "error.type": "TimeoutError"}),
        ),
    ])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn protobuf(json: &Value) -> Vec<u8> {
    serde_json::from_value::<ExportTraceServiceRequest>(json.clone()).unwrap().encode_to_vec()
}

const JSON: (&str, &str) = ("content-type", "application/json");
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const GZIP: (&str, &str) = ("content-encoding", "gzip");

#[tokio::test]
async fn every_encoding_makes_the_same_tree() {
    let mut trees = Vec::new();
    for (uri, headers, body) in [
        ("/v1/otel/v1/traces", &[JSON][..], agent().to_string().into_bytes()),
        ("/v1/logs/otel/v1/traces", &[PROTOBUF][..], protobuf(&agent())),
        ("/v1/logs/otel", &[JSON, GZIP][..], gzip(agent().to_string().as_bytes())),
        ("/v1/otel/v1/traces", &[PROTOBUF, GZIP][..], gzip(&protobuf(&agent()))),
    ] {
        let telling = Telling::new(Keep::All).await;
        // Twice: exporters try again.
        for _ in 0..2 {
            let got = telling.send("service_key", uri, headers, body.clone()).await;
            assert_eq!(
                (got.status, got.headers["content-type"].to_str().unwrap()),
                (200, headers[0].1),
                "{}",
                got.text
            );
            assert!(matches!(got.text.as_str(), "" | "{}"), "{}", got.text);
            telling.written().await;
        }
        assert_eq!(telling.pipe.stats().written, 1);
        let mut tree = telling.get(&format!("/v1/traces/{TRACE}")).await;
        // Ids are made with the workspace's.
        tree["spans"].as_array_mut().unwrap().iter_mut().for_each(|span| span["log_id"] = Value::Null);
        trees.push(tree);
    }
    assert!(trees.windows(2).all(|pair| pair[0] == pair[1]), "{trees:?}");
    let tree = &trees[0];
    assert_eq!(
        (&tree["name"], &tree["user"], &tree["session"]),
        (&json!("invoke_agent planner"), &json!("alice"), &json!("s-1"))
    );
    assert_eq!(
        (&tree["requests"], &tree["errors"], tree["spans"].as_array().unwrap().len()),
        (&json!(1), &json!(1), 3)
    );
    let chat = node(tree, "chat gpt-4o");
    for (member, want) in [
        ("kind", json!("log")),
        ("parent_span_id", json!("aaaaaaaaaaaaaaaa")),
        ("provider", json!("openai")),
        ("model", json!("gpt-4o-2024-08-06")),
        ("input_tokens", json!(1000)),
        ("output_tokens", json!(100)),
        // 800 × $2.50, 200 × $1.25, 100 × $10 per million.
        ("cost", json!("0.00325")),
        ("duration_ms", json!(250.0)),
        ("offset_ms", json!(500.0)),
    ] {
        assert_eq!(chat[member], want, "{member}");
    }
    assert_eq!(
        (&chat["attributes"]["service.name"], &chat["attributes"]["server.address"]),
        (&json!("agent"), &json!("api.openai.com"))
    );
    assert!(!tree.to_string().contains("sk-secret"), "{tree}");
    let tool = node(tree, "execute_tool tide");
    assert_eq!(
        (&tool["status"], &tool["reason"], &tool["kind"]),
        (&json!("error"), &json!("TimeoutError"), &json!("span"))
    );
}

#[tokio::test]
async fn messages_are_bodies() {
    for keep in [Keep::All, Keep::None] {
        let telling = Telling::new(keep).await;
        telling.send("service_key", "/v1/otel/v1/traces", &[JSON], agent().to_string()).await;
        telling.written().await;
        let tree = telling.get(&format!("/v1/traces/{TRACE}")).await;
        assert!(!tree.to_string().contains("the question"), "bodies are of the log: {tree}");
        let log = telling
            .get(&format!("/v1/logs/{}", node(&tree, "chat gpt-4o")["log_id"].as_str().unwrap()))
            .await;
        assert_eq!(log["metrics"]["source"], "otlp");
        assert_eq!(log.to_string().contains("the answer"), keep == Keep::All);
    }
}

#[tokio::test]
async fn what_is_refused_is_counted_and_said() {
    let telling = Telling::new(Keep::None).await;
    let mut spans = vec![span("dddddddddddddddd", "", "fine", 1_000, json!({}))];
    spans.push(span("dd", "", "a short id", 1_000, json!({})));
    spans.push(span("0000000000000000", "", "no id", 1_000, json!({})));
    spans.push(span("eeeeeeeeeeeeeeee", "", "old", 90_000_000_000_000, json!({})));
    let body = request(spans);
    let got = telling.send("service_key", "/v1/otel/v1/traces", &[JSON], body.to_string()).await;
    let partial = &got.body["partialSuccess"];
    assert_eq!((got.status, &partial["rejectedSpans"]), (200, &json!("3")), "{}", got.text);
    assert!(partial["errorMessage"].as_str().unwrap().contains("8 bytes"), "{partial}");
    let got = telling.send("service_key", "/v1/otel/v1/traces", &[PROTOBUF], protobuf(&body)).await;
    let bytes: Vec<u8> = got.text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(ExportServiceResponse::decode(bytes.as_slice()).unwrap().partial_success.unwrap().rejected, 3);
    assert_eq!(telling.get(&format!("/v1/traces/{TRACE}")).await["spans"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_in_the_senders_encoding() {
    let telling = Telling::new(Keep::None).await;
    let bomb = gzip(&vec![b' '; 20 << 20]);
    for (headers, body, status) in [
        (&[JSON][..], b"{".to_vec(), 400),
        (&[JSON][..], br#"{"resourceSpans":7}"#.to_vec(), 400),
        (&[PROTOBUF][..], b"\xff\xff\xff".to_vec(), 400),
        (&[("content-type", "text/plain")][..], b"{}".to_vec(), 415),
        (&[JSON, ("content-encoding", "br")][..], b"{}".to_vec(), 415),
        (&[JSON, GZIP][..], b"{}".to_vec(), 400),
        (&[JSON, GZIP][..], bomb, 413),
        (&[JSON][..], Vec::new(), 200),
        (&[PROTOBUF][..], Vec::new(), 200),
    ] {
        let got = telling.send("service_key", "/v1/otel/v1/traces", headers, body).await;
        assert_eq!(got.status, status, "{headers:?}: {}", got.text);
        if headers[0] == PROTOBUF && status != 200 {
            let bytes: Vec<u8> = got.text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
            assert_eq!(RpcStatus::decode(bytes.as_slice()).unwrap().code, 3);
        }
    }
    assert_eq!(telling.send("log_key", "/v1/otel/v1/traces", &[JSON], "{}").await.status, 403);
}

#[tokio::test]
async fn log_records_stand_below_their_spans() {
    let telling = Telling::new(Keep::All).await;
    telling.send("service_key", "/v1/otel/v1/traces", &[JSON], agent().to_string()).await;
    let log = json!({"timeUnixNano": NOW.to_string(), "severityNumber": 17, "severityText": "ERROR", "traceId": TRACE, "spanId": "cccccccccccccccc",
        "eventName": "tool.failed", "body": {"stringValue": "no tide"}, "attributes": attributes(&json!({"port": "Brest"}))});
    let lost = json!({"timeUnixNano": NOW.to_string(), "body": {"stringValue": "of no trace"}});
    let body = json!({"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [log, lost]}]}]});
    for uri in ["/v1/otel/v1/logs", "/v1/logs/otel/v1/logs"] {
        let got = telling.send("service_key", uri, &[JSON], body.to_string()).await;
        assert_eq!(
            (got.status, &got.body["partialSuccess"]["rejectedLogRecords"]),
            (200, &json!("1")),
            "{}",
            got.text
        );
    }
    telling.written().await;
    let tree = telling.get(&format!("/v1/traces/{TRACE}")).await;
    assert_eq!(tree["spans"].as_array().unwrap().len(), 4, "told twice it is there once: {tree}");
    let node = node(&tree, "tool.failed");
    assert_eq!((&node["parent_span_id"], &node["status"]), (&json!("cccccccccccccccc"), &json!("error")));
    assert_eq!(
        (&node["attributes"]["port"], &node["attributes"]["output"]),
        (&json!("Brest"), &json!("no tide"))
    );
}
