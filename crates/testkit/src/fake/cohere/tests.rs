use super::super::story::{THOUGHT, TIDE, TIDE_JSON};
use super::*;
use crate::sse;

const HEADERS: &[(&str, &str)] = &[("authorization", "Bearer k"), ("content-type", "application/json")];

fn ask(url: &str, body: &Value) -> (u16, Value) {
    let reply = Cohere.answer(&Seen::post(url, HEADERS, body));
    (reply.status, serde_json::from_slice(&reply.bytes()).unwrap())
}

fn chat(more: &Value) -> Value {
    let mut body = json!({"model": "command-a", "messages": [{"role": "user", "content": "High water?"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "tide", "parameters": {"type": "object"}}}])
}

#[test]
fn tells_the_story() {
    for (more, expected, finish) in [
        (json!({}), TIDE, "COMPLETE"),
        (json!({"response_format": {"type": "json_object"}}), TIDE_JSON, "COMPLETE"),
        (json!({"stop_sequences": [" high"]}), "The tide at Brest is", "STOP_SEQUENCE"),
        (json!({"max_tokens": 2}), "The tide", "MAX_TOKENS"),
    ] {
        let (status, body) = ask("/v2/chat", &chat(&more));
        assert_eq!((status, &body["message"]["content"][0]["text"]), (200, &json!(expected)), "{more}");
        assert_eq!(body["finish_reason"], finish);
    }
    let (_, body) = ask("/v2/chat", &chat(&json!({"tools": tools()})));
    assert_eq!(body["message"]["tool_calls"][0]["function"]["arguments"], r#"{"port":"Brest"}"#);
    assert_eq!(body["usage"]["tokens"], json!({"input_tokens": 2, "output_tokens": 4}));
}

#[test]
fn streams_the_same() {
    let events = |more: &Value| {
        let reply = Cohere.answer(&Seen::post("/v2/chat", HEADERS, &chat(more)));
        sse::parse(&reply.bytes()).iter().map(sse::Event::json).collect::<Vec<_>>()
    };
    let thinking = events(&json!({"stream": true, "thinking": {"type": "enabled"}}));
    let of = |member: &str| -> String {
        let deltas = thinking.iter().filter(|event| event["type"] == "content-delta");
        deltas.filter_map(|event| event["delta"]["message"]["content"][member].as_str()).collect()
    };
    assert_eq!((of("thinking").as_str(), of("text").as_str()), (THOUGHT, TIDE));
    assert_eq!(thinking.last().unwrap()["delta"]["usage"]["tokens"]["output_tokens"], 13);
    let calls = events(&json!({"stream": true, "tools": tools()}));
    let arguments: String = calls
        .iter()
        .filter_map(|event| event["delta"]["message"]["tool_calls"]["function"]["arguments"].as_str())
        .collect();
    assert_eq!(arguments, r#"{"port":"Brest"}"#);
}

#[test]
fn refuses_what_the_schema_refuses() {
    let user = json!({"role": "user", "content": "x"});
    let call = json!({"role": "assistant", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "tide", "arguments": "{}"}}]});
    let messages = |list: Value| json!({"messages": list});
    for (more, status, message) in [
        (json!({"top_p": 1}), 422, "'top_p'"),
        (json!({"n": 1}), 422, "'n'"),
        (json!({"messages": null}), 400, "messages is required"),
        (json!({"p": 1}), 400, "p must be"),
        (json!({"temperature": 1.5}), 400, "temperature must be"),
        (json!({"presence_penalty": -1}), 400, "presence_penalty must be"),
        (json!({"tool_choice": "auto", "tools": tools()}), 400, "tool_choice must be"),
        (json!({"tool_choice": "REQUIRED"}), 400, "only be used with tools"),
        (json!({"tools": [{"type": "function", "function": {"name": "f"}}]}), 400, "parameters is required"),
        (
            json!({"tools": tools(), "response_format": {"type": "json_object"}}),
            400,
            "not supported with tools",
        ),
        (json!({"response_format": {"type": "json_schema"}}), 400, "response_format.type must be"),
        (
            json!({"response_format": {"type": "json_object", "json_schema": {"type": "object"}}}),
            400,
            "at least one required field",
        ),
        (json!({"tools": tools(), "safety_mode": "OFF"}), 400, "safety_mode"),
        (messages(json!([])), 400, "at least one message"),
        (messages(json!([{"role": "developer", "content": "x"}])), 400, "messages[0].role"),
        (messages(json!([{"role": "user", "content": "x", "name": "n"}])), 422, "messages[0].name"),
        (
            messages(json!([{"role": "user", "content": [{"type": "input_audio"}]}])),
            400,
            "messages[0].content[0].type",
        ),
        (
            messages(json!([user, {"role": "tool", "tool_call_id": "c", "content": "x"}])),
            400,
            "not found in previous",
        ),
        (messages(json!([user, call, user])), 400, "missing tool result"),
    ] {
        let (got, body) = ask("/v2/chat", &chat(&more));
        assert_eq!(got, status, "{more} {body}");
        assert!(body["message"].as_str().unwrap().contains(message), "{more}: {body}");
    }
    let answered = messages(json!([user, call, {"role": "tool", "tool_call_id": "c", "content": "12:04"}]));
    assert_eq!(ask("/v2/chat", &chat(&answered)).1["message"]["content"][0]["text"], TIDE);
}

#[test]
fn embeds_and_reranks() {
    let embed = json!({"model": "e", "input_type": "search_query", "texts": ["a", "b c"], "embedding_types": ["float", "base64"]});
    let (_, body) = ask("/v2/embed", &embed);
    assert_eq!(body["embeddings"]["float"][1].as_array().unwrap().len(), 8);
    assert_eq!(
        (&body["embeddings"]["base64"][1].is_string(), &body["meta"]["billed_units"]["input_tokens"]),
        (&true, &json!(3))
    );
    for bad in [
        json!({"model": "e", "texts": ["a"]}),
        json!({"model": "e", "input_type": "search_query"}),
        json!({"model": "e", "input_type": "search_query", "texts": vec!["x"; 97]}),
        json!({"model": "e", "input_type": "search_query", "texts": ["a"], "embedding_types": ["hex"]}),
    ] {
        assert_eq!(ask("/v2/embed", &bad).0, 400, "{bad}");
    }
    let (_, body) = ask(
        "/v2/rerank",
        &json!({"model": "r", "query": "high tide", "documents": ["low", "tide", "high tide"], "top_n": 2}),
    );
    assert_eq!(
        (&body["results"][0]["index"], &body["results"][1]["relevance_score"]),
        (&json!(2), &json!(0.5))
    );
}

#[test]
fn keys_models_and_paths_are_checked() {
    assert_eq!(ask("/v2/chat", &chat(&json!({"model": "missing"}))).0, 404);
    assert_eq!(ask("/v2/sing", &chat(&json!({}))).0, 404);
    assert_eq!(Cohere.answer(&Seen::post("/v2/chat", &[], &chat(&json!({})))).status, 401);
}
