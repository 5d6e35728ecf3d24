//! Calls that LlamaIndex tells of without their address: the gateway's own are there once and counted once, others as told.

use serde_json::{Value, json};
use tidegate_core::Usage;
use tidegate_records::{Cost, IdSource, Keep, RequestRecord, Span, Text, Timing, Who};

use crate::telling::{Telling, node};

const AT: f64 = 1_799_999_990.0;

/// An agent's run as the handler posts it with LlamaIndex 0.14: no trace beside the items, no host, and real usage in `raw`.
fn run(trace: &str) -> Value {
    let metadata = json!({"traceId": trace, "_source": "LlamaIndex", "_source_type": "Agent"});
    let item = |span: &str, parent: &str, kind: &str, at: f64, request: Value, response: Value| {
        json!({"span_id": span, "parent_span_id": parent, "span_name": kind, "trace_id": "", "event_type": kind, "start_time": AT + at,
            "request": request, "response": response, "metadata": metadata})
    };
    let call = |span: &str, at: f64| {
        let request = json!({"method": "POST", "url": "chat/completions", "provider": "OpenAI", "headers": {},
            "body": {"messages": [{"role": "user", "content": "When?"}], "model": "", "temperature": ""}});
        let raw =
            json!({"id": "x", "model": "gpt-4o", "usage": {"prompt_tokens": 10, "completion_tokens": 4}});
        let response = json!({"body": {"message": {"role": "assistant", "blocks": []}, "raw": raw, "model": "",
            "usage": {"prompt_tokens": 1, "completion_tokens": 1}}, "streamingMode": false, "status": 200, "headers": {},
            "response_time": "0400"});
        item(span, "q", "llm", at, request, response)
    };
    let tool = |span: &str, at: f64| {
        let response = json!({"function_call_response": "12:04", "response_time": "0000"});
        item(span, "q", "function_call", at, json!({"function_call": {}, "tool": {"name": "tide"}}), response)
    };
    let root = item(
        "q",
        "",
        "query",
        0.0,
        json!("{\"query_str\": \"When?\"}"),
        json!({"response": "12:04", "response_time": "1900"}),
    );
    json!([call("l1", 0.1), tool("f1", 0.6), call("l2", 1.0), tool("f2", 1.5), root])
}

/// As the gateway leaves it behind.
fn served(telling: &Telling, ids: &IdSource, trace: &str, at_ms: u64) -> RequestRecord {
    let text = |text: String| Text::Own(text.into());
    RequestRecord {
        id: ids.next((AT * 1e3) as u64 + at_ms).bits(),
        who: Who {
            organisation: text(telling.world.org.to_string()),
            workspace: text(telling.world.a.to_string()),
            ..Who::default()
        },
        route: "chat_completions".into(),
        provider: "openai".into(),
        asked_model: "gpt-4o".into(),
        model: "gpt-4o".into(),
        status: 200,
        end: "ok".into(),
        timing: Timing { total_us: 300_000, ..Timing::default() },
        usage: Some(Usage { input: 10, output: 4, ..Usage::default() }),
        cost: Cost { amount: "0.01".into(), currency: "USD".into(), ..Cost::default() },
        span: Span { trace: text(trace.to_owned()), span: text(format!("own-{at_ms}")), ..Span::default() },
        ..RequestRecord::default()
    }
}

async fn requests(telling: &Telling) -> Value {
    let time = "time_of_generation_min=2020-01-01T00:00:00Z&time_of_generation_max=2040-01-01T00:00:00Z";
    let uri = format!("/v1/analytics/query?metrics=tokens,cost&bucket=none&{time}");
    telling.get(&uri).await["groups"][0]["total"].clone()
}

#[tokio::test]
async fn a_call_that_came_through_the_gateway_is_there_once() {
    let telling = Telling::new(Keep::None).await;
    let ids = IdSource::new(1, None);
    for at in [150, 1_050] {
        // On its way to the store still when the handler tells.
        assert!(telling.pipe.push(&served(&telling, &ids, "t-1", at), None));
    }
    telling.tell(run("t-1")).await;
    let trace = telling.get("/v1/traces/t-1").await;
    let spans = trace["spans"].as_array().unwrap();
    let of_kind = |kind: &str| spans.iter().filter(|span| span["kind"] == kind).count();
    assert_eq!((of_kind("request"), of_kind("log"), of_kind("span")), (2, 0, 3), "{trace}");
    assert!(spans.iter().filter(|span| span["kind"] == "request").all(|span| span["parent_span_id"] == "q"));
    assert_eq!(spans.iter().filter(|span| span["name"] == "tide").count(), 2, "a tool's call has its name");
    assert_eq!(node(&trace, "query")["parent_span_id"], Value::Null);
    assert_eq!(
        (&trace["requests"], &trace["cost"], &trace["input_tokens"]),
        (&json!(2), &json!("0.02"), &json!(20))
    );
    assert_eq!(
        requests(&telling).await,
        json!({"tokens": 28, "cost": 0.02}),
        "as if nobody had told of them"
    );
    // Told a second time they are the same.
    telling.tell(run("t-1")).await;
    assert_eq!(telling.get("/v1/traces/t-1").await["spans"], trace["spans"]);
}

#[tokio::test]
async fn a_call_that_went_elsewhere_is_counted_as_told() {
    let telling = Telling::new(Keep::None).await;
    // Another trace, or another time.
    let ids = IdSource::new(1, None);
    assert!(telling.pipe.push(&served(&telling, &ids, "t-2", 150), None));
    assert!(telling.pipe.push(&served(&telling, &ids, "t-1", 9_000), None));
    telling.written().await;
    telling.tell(run("t-1")).await;
    let trace = telling.get("/v1/traces/t-1").await;
    let logs = trace["spans"].as_array().unwrap().iter().filter(|span| span["kind"] == "log");
    assert_eq!(
        (logs.count(), &trace["requests"], &trace["input_tokens"]),
        (2, &json!(3), &json!(30)),
        "{trace}"
    );
}
