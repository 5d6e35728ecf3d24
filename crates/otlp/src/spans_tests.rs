use tidegate_core::Usage;
use tidegate_records::{Cost, RecordId, Span as Place, Text, Timing};

use super::*;
use crate::json::{hex_text, members};

const AT: u64 = 1_790_000_000_000;

fn record(trace: &str) -> RequestRecord {
    let attempt = |status, error: &'static str, start_us| Attempt {
        provider: "openai".into(),
        status,
        error: error.into(),
        start_us,
        duration_us: 1_000,
        url: "https://api.openai.com/v1/chat/completions".into(),
        model: "gpt-4o".into(),
        ..Attempt::default()
    };
    RequestRecord {
        id: RecordId::first_of(AT).bits(),
        method: "POST".into(),
        path: "/v1/chat/completions".into(),
        route: "chat_completions".into(),
        provider: "azure-openai".into(),
        asked_model: "gpt-4o".into(),
        model: "gpt-4o-2024-08-06".into(),
        status: 200,
        end: "ok".into(),
        finish: "tool_calls".into(),
        timing: Timing { total_us: 2_000_000, ..Timing::default() },
        usage: Some(Usage { input: 7, cache_read: Some(3), output: 5, ..Usage::default() }),
        cost: Cost { amount: "0.00125".into(), currency: "USD".into(), ..Cost::default() },
        span: Place {
            trace: Text::from(trace.to_owned()),
            span: "00f067aa0ba902b7".into(),
            ..Place::default()
        },
        attempts: vec![attempt(None, "timeout", 0), attempt(Some(200), "", 500_000)],
        ..RequestRecord::default()
    }
}

#[test]
fn a_request_is_a_span_and_so_is_each_attempt() {
    let spans = of(&record("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(spans.len(), 3);
    let (request, failed, good) = (&spans[0], &spans[1], &spans[2]);
    assert_eq!(hex_text(&request.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(hex_text(&request.span_id), "00f067aa0ba902b7");
    assert_eq!((request.name.as_str(), request.kind()), ("chat gpt-4o", SpanKind::Server));
    assert_eq!(request.start_time_unix_nano, AT * 1_000_000);
    assert_eq!(request.end_time_unix_nano - request.start_time_unix_nano, 2_000_000_000);
    let all = members(request.attributes.clone());
    for (name, want) in [
        ("gen_ai.operation.name", serde_json::json!("chat")),
        ("gen_ai.provider.name", serde_json::json!("azure.ai.openai")),
        ("gen_ai.request.model", serde_json::json!("gpt-4o")),
        ("gen_ai.response.model", serde_json::json!("gpt-4o-2024-08-06")),
        ("gen_ai.response.finish_reasons", serde_json::json!(["tool_call"])),
        ("gen_ai.usage.input_tokens", serde_json::json!(10)),
        ("gen_ai.usage.cache_read.input_tokens", serde_json::json!(3)),
        ("gen_ai.usage.output_tokens", serde_json::json!(5)),
        ("http.response.status_code", serde_json::json!(200)),
        ("server.address", serde_json::json!("api.openai.com")),
        ("server.port", serde_json::json!(443)),
        ("tidegate.cost", serde_json::json!("0.00125")),
    ] {
        assert_eq!(all[name], want, "{name}");
    }
    assert!(!all.contains_key("error.type") && !all.contains_key("gen_ai.request.stream"));
    for attempt in [failed, good] {
        assert_eq!((&attempt.parent_span_id, &attempt.trace_id), (&request.span_id, &request.trace_id));
        assert_eq!((attempt.kind(), attempt.span_id.len()), (SpanKind::Client, 8));
    }
    assert_eq!(good.name, "chat gpt-4o");
    assert_ne!(failed.span_id, good.span_id);
    assert_eq!(failed.status.as_ref().unwrap().code(), StatusCode::Error);
    assert_eq!(members(failed.attributes.clone())["error.type"], "timeout");
    assert_eq!(members(good.attributes.clone())["http.request.resend_count"], 1);
    assert_eq!(good.start_time_unix_nano - request.start_time_unix_nano, 500_000_000);
}

#[test]
fn what_reached_no_model_is_no_call_of_one() {
    let refused = RequestRecord { provider: "".into(), attempts: Vec::new(), status: 429, ..record("t") };
    let files = RequestRecord { route: "proxy".into(), path: "/v1/files".into(), ..record("t") };
    for (record, name) in [(refused, "POST /v1/chat/completions"), (files, "POST /v1/files")] {
        let spans = of(&record);
        assert_eq!(spans[0].name, name);
        for span in spans {
            assert!(members(span.attributes).keys().all(|key| !key.starts_with("gen_ai.")), "{name}");
        }
    }
}

#[test]
fn servers_have_ports() {
    for (url, want) in [
        ("https://api.openai.com/v1", Some(("api.openai.com", 443))),
        ("http://[::1]:8000?x", Some(("[::1]", 8_000))),
        ("http://[::1]/", Some(("[::1]", 80))),
        ("http://host:port/", None),
        ("nothing", None),
        ("", None),
    ] {
        assert_eq!(server(url), want, "{url}");
    }
}

#[test]
fn ids_of_any_form_become_good_ones() {
    for (trace, want) in [
        ("4BF92F35-77B3-4DA6-A3CE-929D0E0E4736", Some("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("my trace", None),
        ("", None),
        ("00000000000000000000000000000000", None),
    ] {
        let mut record = record(trace);
        record.span.span = "not hex".into();
        record.span.parent = "outer".into();
        let spans = of(&record);
        for span in &spans {
            assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8), "{trace}");
            assert!(
                span.trace_id.iter().any(|byte| *byte != 0) && span.span_id.iter().any(|byte| *byte != 0)
            );
        }
        assert_eq!(spans[0].parent_span_id.len(), 8);
        assert!(want.is_none_or(|want| hex_text(&spans[0].trace_id) == want), "{trace}");
        assert_eq!(of(&record), spans, "the same whenever it is made");
    }
}

#[test]
fn what_was_told_is_not_told_on() {
    assert_eq!(of(&RequestRecord { source: "otlp".into(), ..record("t") }), []);
}
