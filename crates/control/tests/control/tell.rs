//! `/v1/logs`: the reference's form, the forms of callback handlers, what is wrong, and what becomes of it all.

use std::collections::HashMap;

use serde_json::{Value, json};
use tidegate_core::clock::Clock as _;
use tidegate_records::Keep;
use tidegate_records::traces::told_id;

use crate::telling::{Telling, node};

/// As the reference's clients send it: a call of a model that did not come this way.
fn call() -> Value {
    json!({
        "request": {"url": "https://api.openai.com/v1/chat/completions?key=secret-in-query", "method": "post", "provider": "openai",
            "headers": {"authorization": "Bearer sk-very-secret-0123456789", "x-app": "a"},
            "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": "the question"}]}},
        "response": {"status": 200, "response_time": 1500, "headers": {}, "body": {"model": "gpt-4o-2024-08-06",
            "choices": [{"message": {"role": "assistant", "content": "the answer"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}}},
        "metadata": {"traceID": "t-1", "spanId": "s-1", "spanName": "plan", "parentSpanId": "None", "user": "alice", "team": "red", "n": 7},
    })
}

#[tokio::test]
async fn a_call_becomes_a_record_with_its_cost() {
    let telling = Telling::new(Keep::All).await;
    let taken = telling.tell(call()).await;
    let id = taken["ids"][0].as_str().unwrap();
    assert_eq!((&taken["status"], taken.get("refused")), (&json!("success"), None));
    let log = telling.get(&format!("/v1/logs/{id}")).await;
    let metrics = &log["metrics"];
    for (member, want) in [
        ("source", json!("log")),
        ("ai_org", json!("openai")),
        ("ai_model", json!("gpt-4o-2024-08-06")),
        ("req_units", json!(1000)),
        ("res_units", json!(100)),
        // 1000 × $2.50 and 100 × $10 per million, in cents.
        ("cost", json!(0.35)),
        ("trace_id", json!("t-1")),
        ("span_id", json!("s-1")),
        ("span_name", json!("plan")),
        ("parent_span_id", json!("")),
        ("response_time", json!(1500)),
        ("request_url", json!("https://api.openai.com/v1/chat/completions")),
        ("metadata.key", json!(["_user", "team", "n"])),
        ("metadata.value", json!(["alice", "red", "7"])),
    ] {
        let found = if member == "metadata.key" || member == "metadata.value" {
            let mut both: Vec<Value> = metrics[member].as_array().unwrap().clone();
            both.sort_by_key(Value::to_string);
            let mut want = want.as_array().unwrap().clone();
            want.sort_by_key(Value::to_string);
            assert_eq!(both, want, "{member}");
            continue;
        } else {
            &metrics[member]
        };
        assert_eq!(*found, want, "{member}");
    }
    assert_eq!(log["request"]["body"]["messages"][0]["content"], "the question");
    assert_eq!(log["response"]["body"]["choices"][0]["finish_reason"], "stop");
    for secret in ["sk-very-secret", "secret-in-query"] {
        assert!(!log.to_string().contains(secret), "{secret} in {log}");
    }
    // Told a second time it is there once.
    telling.tell(call()).await;
    let again = telling.tell(json!([call(), call()])).await;
    assert_eq!(again["ids"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn two_whose_ids_meet_both_stay() {
    let telling = Telling::new(Keep::None).await;
    let (now, workspace) = (telling.world.clock.unix_ms(), telling.world.a.to_string());
    let mut names = HashMap::new();
    let (one, other) = (0..1_000_000)
        .map(|i| format!("s{i}"))
        .find_map(|name| {
            let before = names.insert(told_id(now, &workspace, "t", &name), name.clone());
            before.map(|before| (before, name))
        })
        .unwrap();
    let log = |span: &str| {
        json!({"request": {"url": "/v1/chat/completions", "provider": "openai", "body": {"model": "gpt-4o"}},
            "response": {"status": 200}, "metadata": {"trace_id": "t", "span_id": span}})
    };
    let both = json!([log(&one), log(&other), log(&one)]);
    let ids = telling.tell(both.clone()).await["ids"].clone();
    assert_ne!(ids[0], ids[1]);
    for (id, span) in [(&ids[0], &one), (&ids[1], &other)] {
        let found = telling.get(&format!("/v1/logs/{}", id.as_str().unwrap())).await;
        assert_eq!(found["metrics"]["span_id"], json!(span));
    }
    assert_eq!(
        (&ids[2], &telling.tell(both).await["ids"]),
        (&ids[0], &ids),
        "what is told again is there once"
    );
}

#[tokio::test]
async fn bodies_are_kept_as_the_policy_says() {
    for (keep, headers, is_kept) in [
        (Keep::None, &[][..], false),
        (Keep::All, &[("x-portkey-debug", "false")][..], false),
        (Keep::All, &[][..], true),
    ] {
        let telling = Telling::new(keep).await;
        let step = json!({"trace_id": "t-1", "span_id": "c", "span_name": "chain", "request": {"name": "x", "input": "the question"},
            "response": {"output": "the answer"}, "metadata": {}});
        let got = telling.send("service_key", "/v1/logs", headers, json!([call(), step]).to_string()).await;
        assert_eq!(got.status, 200, "{}", got.text);
        telling.written().await;
        let log = telling.get(&format!("/v1/logs/{}", got.body["ids"][0].as_str().unwrap())).await;
        assert_eq!(log.to_string().contains("the question"), is_kept, "{keep:?} {headers:?}: {log}");
        let trace = telling.get("/v1/traces/t-1").await;
        assert_eq!(trace.to_string().contains("the answer"), is_kept, "{keep:?} {headers:?}: {trace}");
    }
}

/// A run of an agent as LangChain's handler posts it: flat items, words for nothing, a padded time, keys in the clear.
fn langchain() -> Value {
    let item = |span: &str,
                parent: &str,
                name: &str,
                kind: &str,
                start: f64,
                request: Value,
                response: Value| {
        json!({"span_id": span, "parent_span_id": parent, "span_name": name, "trace_id": "run-1", "start_time": start,
            "request": request, "response": response,
            "metadata": {"_source": "Langchain", "_source_type": "Agent", "_user": "alice", "_session": "s-9",
                "source_metadata": format!("{{\"type\":\"{kind}\",\"tags\":[]}}")}})
    };
    let llm = |url: &str, key: &str| {
        json!({"method": "POST", "url": url, "provider": "openai",
            "headers": {key: "tg-svc-in-clear-0123456789", "provider": "openai"},
            "body": {"messages": [{"role": "Human", "content": "hi"}], "model": "gpt-4o", "model_name": "gpt-4o", "stream": false}})
    };
    let answer = |usage: Value| {
        json!({"response_time": "0028", "headers": {}, "body": {"id": "", "created": 1, "model": "gpt-4o", "system_fingerprint": "",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}], "usage": usage}})
    };
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12});
    let at = 1_800_000_000.0 - 10.0;
    json!([
        item(
            "a",
            "None",
            "AgentExecutor",
            "chain",
            at,
            json!({"name": "agent", "input": "{\"q\":\"hi\"}"}),
            json!({"output": {"o": 1}, "response_time": "2000"})
        ),
        item(
            "l1",
            "a",
            "ChatOpenAI",
            "llm",
            at + 0.1,
            llm("https://api.openai.com/v1", "authorization"),
            answer(usage)
        ),
        item(
            "t1",
            "a",
            "search",
            "tool",
            at + 0.2,
            json!({"serialized": {}, "input_str": "x", "inputs": {}}),
            json!({"output": "1", "response_time": "0100"})
        ),
        item(
            "t2",
            "a",
            "search",
            "tool",
            at + 0.4,
            json!({"serialized": {}, "input_str": "y"}),
            json!({"output": "2", "response_time": "0100"})
        ),
        item(
            "t3",
            "a",
            "tide",
            "tool",
            at + 0.6,
            json!({"serialized": {}, "input_str": "z"}),
            json!({"output": "3", "response_time": "0100"})
        ),
        item(
            "l2",
            "a",
            "streamed",
            "llm",
            at + 0.8,
            llm("https://elsewhere.example/v1", "x-portkey-api-key"),
            answer(json!(""))
        ),
    ])
}

#[tokio::test]
async fn a_run_of_an_agent_is_one_tree() {
    let telling = Telling::new(Keep::All).await;
    telling.tell(langchain()).await;
    let trace = telling.get("/v1/traces/run-1").await;
    assert_eq!(trace["object"], "trace");
    let spans = trace["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 6);
    let root = node(&trace, "AgentExecutor");
    assert_eq!(
        (&root["parent_span_id"], &root["kind"], &root["duration_ms"]),
        (&Value::Null, &json!("span"), &json!(2000.0))
    );
    let tools: Vec<&Value> = spans.iter().filter(|span| span["attributes"]["kind"] == "tool").collect();
    assert_eq!(tools.len(), 3);
    assert!(spans.iter().skip(1).all(|span| span["parent_span_id"] == "a"));
    assert_eq!(tools[0]["offset_ms"], 200.0);
    let (told, ours) = (node(&trace, "ChatOpenAI"), node(&trace, "streamed"));
    assert_eq!(
        (&told["kind"], &told["model"], &told["input_tokens"]),
        (&json!("log"), &json!("gpt-4o"), &json!(10))
    );
    // Keys of the gateway in a handler's headers: the call came through a gateway, which counts it.
    assert_eq!((&ours["cost"], &ours["input_tokens"]), (&json!("0"), &Value::Null));
    let text = trace.to_string();
    assert!(!text.contains("in-clear"), "{text}");
    let log = telling.get(&format!("/v1/logs/{}", told["log_id"].as_str().unwrap())).await;
    assert_eq!(log["request"]["body"]["messages"][0]["role"], "user");
    assert!(!log.to_string().contains("in-clear"));

    let listed = telling.get("/v1/traces").await;
    let row = &listed["data"][0];
    assert_eq!(
        (&listed["object"], &listed["next"], listed["data"].as_array().unwrap().len()),
        (&json!("list"), &Value::Null, 1)
    );
    for (member, want) in [
        ("trace_id", json!("run-1")),
        ("name", json!("AgentExecutor")),
        ("spans", json!(6)),
        ("requests", json!(2)),
        ("errors", json!(0)),
        ("user", json!("alice")),
        ("session", json!("s-9")),
        ("models", json!(["gpt-4o"])),
        ("duration_ms", json!(2000.0)),
    ] {
        assert_eq!(row[member], want, "{member} of {row}");
    }
    for (query, count) in [
        ("user=alice", 1),
        ("user=bob", 0),
        ("session=s-9", 1),
        ("session=other", 0),
        ("metadata=%7B%22_source%22%3A%22Langchain%22%7D", 1),
        ("time_of_generation_min=2027-01-15T07:00:00Z", 1),
        ("time_of_generation_min=2027-01-15T09:00:00Z", 0),
        ("time_of_generation_max=2027-01-15T07:00:00Z", 0),
    ] {
        let listed = telling.get(&format!("/v1/traces?{query}")).await;
        assert_eq!(listed["data"].as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test]
async fn llama_index_tells_real_usage_in_raw() {
    let telling = Telling::new(Keep::None).await;
    let raw =
        json!({"id": "x", "model": "gpt-4o-mini", "usage": {"prompt_tokens": 50, "completion_tokens": 7}});
    let item = json!([{"span_id": "l", "parent_span_id": "q", "span_name": "llm", "trace_id": "", "event_type": "llm", "start_time": 1_800_000_000.5 - 5.0,
        "request": {"method": "POST", "url": "https://api.openai.com/v1/chat/completions", "provider": "openai_llm", "headers": {}, "body": {"messages": [], "model": "", "temperature": ""}},
        "response": {"body": {"message": {"role": "assistant", "blocks": []}, "raw": raw, "usage": {"prompt_tokens": 1, "completion_tokens": 1}, "model": ""},
            "streamingMode": false, "status": 200, "headers": {}, "response_time": "0449"},
        "metadata": {"_source": "LlamaIndex"}},
        {"span_id": "q", "parent_span_id": "", "span_name": "query", "trace_id": "", "request": "{\"query_str\": \"x\"}", "response": {"a": 1}, "start_time": 1_799_999_990.0}]);
    let taken = telling.tell(item).await;
    let log = telling.get(&format!("/v1/logs/{}", taken["ids"][0].as_str().unwrap())).await;
    let metrics = &log["metrics"];
    assert_eq!((&metrics["ai_org"], &metrics["ai_model"]), (&json!("openai"), &json!("gpt-4o-mini")));
    assert_eq!((&metrics["req_units"], &metrics["response_time"]), (&json!(50), &json!(449)));
    // No trace is named: it is the topmost step's.
    assert_eq!(metrics["trace_id"], "q");
    let trace = telling.get("/v1/traces/q").await;
    assert_eq!((&trace["name"], trace["spans"].as_array().unwrap().len()), (&json!("query"), 2));
    assert_eq!(telling.tell(json!([])).await["ids"], json!([]));
}

#[tokio::test]
async fn odd_items_do_not_fail_the_others() {
    let telling = Telling::new(Keep::None).await;
    let taken = telling.tell(json!([7, call(), {}, {"span_name": "s"}, {"request": [1]}])).await;
    assert_eq!(taken["ids"].as_array().unwrap().len(), 3);
    let refused: Vec<_> =
        taken["refused"].as_array().unwrap().iter().map(|one| one["index"].clone()).collect();
    assert_eq!(refused, [json!(0), json!(2)]);
    for (body, param) in [("{}", "request"), ("7", "body"), ("{", "body")] {
        let got = telling.send("service_key", "/v1/logs", &[], body.to_owned()).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{body}: {}", got.text);
    }
    for who in ["admin_key", "log_key"] {
        assert_eq!(telling.send(who, "/v1/logs", &[], call().to_string()).await.status, 403, "{who}");
    }
    // It is told to one's own workspace.
    let other = telling.world.get("service_key_b", "/v1/traces/t-1").await;
    assert_eq!(other.status, 404);
    assert_eq!(telling.world.done("service_key_b", "GET", "/v1/traces", json!({})).await["data"], json!([]));
}

#[tokio::test]
async fn a_full_pipe_says_so() {
    let telling = Telling::with(|options| options.queue_records = 3).await;
    let many: Vec<Value> = (0..4)
        .map(|i| {
            let mut call = call();
            call["metadata"]["spanId"] = json!(format!("s-{i}"));
            call
        })
        .collect();
    let got = telling.send("service_key", "/v1/logs", &[], Value::from(many).to_string()).await;
    assert_eq!((got.status, &got.headers["retry-after"]), (503, &"1".parse().unwrap()), "{}", got.text);
    let stats = telling.pipe.stats();
    assert_eq!((stats.turned_away, stats.accepted), (4, 0), "nothing of it was taken");
    telling.tell(call()).await;
    assert_eq!(telling.pipe.stats().written, 1);
}

#[tokio::test]
async fn pages_of_traces_are_complete_and_without_repeats() {
    let telling = Telling::new(Keep::None).await;
    // Spans and calls of 30 traces, mixed in time.
    let items: Vec<Value> = (0..120)
        .map(|i| {
            let (trace, at) = (format!("t{}", i * 7 % 30), 1_799_999_000.0 + f64::from(i));
            let mut item = json!({"trace_id": trace, "span_id": format!("s{i}"), "span_name": format!("n{i}"), "start_time": at, "metadata": {}});
            if i % 3 == 0 {
                item["request"] = call()["request"].clone();
                item["response"] = call()["response"].clone();
            }
            item
        })
        .collect();
    telling.tell(Value::from(items)).await;
    for size in [1, 4, 7, 30, 100] {
        let (mut seen, mut before, mut last) = (Vec::new(), String::new(), 0.0);
        for _ in 0..100 {
            let page = telling.get(&format!("/v1/traces?page_size={size}{before}")).await;
            for row in page["data"].as_array().unwrap() {
                seen.push(row["trace_id"].as_str().unwrap().to_owned());
                assert_eq!(row["spans"], 4, "{row}");
                last = row["duration_ms"].as_f64().unwrap();
            }
            match page["next"].as_str() {
                Some(next) => before = format!("&before={next}"),
                None => break,
            }
        }
        assert!(last > 0.0);
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((seen.len(), count), (30, 30), "pages of {size}");
    }
    for (query, param) in [
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("before=x", "before"),
        ("metadata=7", "metadata"),
    ] {
        let got = telling.world.get("service_key", &format!("/v1/traces?{query}")).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{query}");
    }
    assert_eq!(telling.world.get("service_key", "/v1/traces/nothing").await.status, 404);
}

#[tokio::test]
async fn feedback_stands_in_its_trace() {
    let telling = Telling::new(Keep::None).await;
    telling.tell(call()).await;
    for (who, value) in [("service_key", 5), ("service_key_b", -5)] {
        telling
            .world
            .done(
                who,
                "POST",
                "/v1/feedback",
                json!({"trace_id": "t-1", "value": value, "weight": 0.5, "metadata": {"a": 1}}),
            )
            .await;
    }
    let trace = telling.get("/v1/traces/t-1").await;
    let marks = trace["feedback"].as_array().unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!(
        (&marks[0]["value"], &marks[0]["weight"], &marks[0]["metadata"]),
        (&json!(5), &json!(0.5), &json!({"a": 1}))
    );
}
