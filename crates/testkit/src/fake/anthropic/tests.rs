use super::super::story::{THOUGHT, TIDE};
use super::*;
use crate::sse;

const HEADERS: &[(&str, &str)] =
    &[("x-api-key", "k"), ("anthropic-version", "2023-06-01"), ("content-type", "application/json")];

fn ask(body: &Value) -> (u16, Value) {
    let reply = Anthropic.answer(&Seen::post("/v1/messages", HEADERS, body));
    (reply.status, serde_json::from_slice(&reply.bytes()).unwrap())
}

fn with(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn chat(more: &Value) -> Value {
    let messages = json!([{"role": "user", "content": "High water?"}]);
    with(json!({"model": "claude-fake", "max_tokens": 4096, "messages": messages}), more)
}

fn tools() -> Value {
    json!([{"name": "tide", "input_schema": {"type": "object", "properties": {"port": {"type": "string"}}}}])
}

fn thinking() -> Value {
    json!({"type": "enabled", "budget_tokens": 1024})
}

#[test]
fn tells_the_story() {
    let (status, body) = ask(&chat(&json!({})));
    assert_eq!((status, &body["content"]), (200, &json!([{"type": "text", "text": TIDE}])));
    assert_eq!((&body["stop_reason"], &body["usage"]["output_tokens"]), (&json!("end_turn"), &json!(8)));
    let (_, body) = ask(&chat(&json!({"stop_sequences": ["Brest"]})));
    assert_eq!((&body["stop_reason"], &body["stop_sequence"]), (&json!("stop_sequence"), &json!("Brest")));
    let search = json!([{"type": "web_search_20250305", "name": "web_search", "max_uses": 1}]);
    assert_eq!(ask(&chat(&json!({"tools": search}))).1["content"][0]["text"], TIDE);
    let (_, body) = ask(&chat(&json!({"max_tokens": 2})));
    assert_eq!(
        (&body["content"][0]["text"], &body["stop_reason"]),
        (&json!("The tide"), &json!("max_tokens"))
    );
}

#[test]
fn streams_thinking_and_parallel_calls() {
    let both = json!([{"role": "user", "content": "both ports"}]);
    let body = chat(&json!({"stream": true, "tools": tools(), "thinking": thinking(), "messages": both}));
    let reply = Anthropic.answer(&Seen::post("/v1/messages", HEADERS, &body));
    let events = sse::parse(&reply.bytes());
    assert!(events.iter().all(|event| event.json()["type"] == event.name.as_str()));
    let data: Vec<_> = events.iter().map(sse::Event::json).collect();
    let of = |index: u64, member: &str| -> String {
        let deltas = data.iter().filter(|d| d["type"] == "content_block_delta" && d["index"] == index);
        deltas.filter_map(|delta| delta["delta"][member].as_str()).collect()
    };
    assert_eq!((of(0, "thinking"), of(0, "signature")), (THOUGHT.to_owned(), signature(THOUGHT)));
    assert_eq!(
        (of(1, "partial_json"), of(2, "partial_json")),
        (r#"{"port":"Brest"}"#.into(), r#"{"port":"Calais"}"#.into())
    );
    let finish = data.iter().find(|d| d["type"] == "message_delta").unwrap();
    assert_eq!(
        (&finish["delta"]["stop_reason"], &finish["usage"]["output_tokens"]),
        (&json!("tool_use"), &json!(13))
    );
    assert_eq!(events.last().unwrap().name, "message_stop");
}

#[test]
fn a_thought_comes_back_as_it_was_or_not_at_all() {
    let (_, first) = ask(&chat(&json!({"tools": tools(), "thinking": thinking()})));
    let call = &first["content"][1];
    let turn = |content: Value| {
        let messages = json!([
            {"role": "user", "content": "High water?"},
            {"role": "assistant", "content": content},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "12:04"}]},
        ]);
        ask(&chat(&json!({"tools": tools(), "thinking": thinking(), "messages": messages})))
    };
    let (status, body) = turn(first["content"].clone());
    assert_eq!((status, &body["content"][1]["text"]), (200, &json!(TIDE)));
    let (status, body) = turn(json!([call]));
    assert_eq!(status, 400);
    assert!(body["error"]["message"].as_str().unwrap().contains("Expected `thinking`"), "{body}");
    let (status, body) =
        turn(json!([{"type": "thinking", "thinking": "Other.", "signature": signature(THOUGHT)}, call]));
    assert_eq!(
        (status, &body["error"]["message"]),
        (400, &json!("messages.1.content.0: Invalid `signature` in `thinking` block"))
    );
}

#[test]
fn refuses_what_the_schema_refuses() {
    let user = json!({"role": "user", "content": "x"});
    let call = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "tide", "input": {}}]});
    let result = json!({"type": "tool_result", "tool_use_id": "t1", "content": "12:04"});
    let text = json!({"type": "text", "text": "x"});
    let cached = json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}});
    let messages = |list: Value| json!({"messages": list, "tools": tools()});
    let said = |block: Value| json!({"messages": [{"role": "user", "content": [block]}]});
    for (more, message) in [
        (json!({"n": 2}), "n: Extra inputs"),
        (json!({"max_tokens": null}), "max_tokens: Field required"),
        (json!({"temperature": 1.5}), "temperature: Input should be a number from 0 to 1"),
        (json!({"temperature": 1, "top_p": 0.5}), "cannot both be specified"),
        (json!({"model": "claude-opus-4-7", "temperature": 1}), "`temperature` is deprecated"),
        (json!({"model": "claude-opus-4-7", "thinking": thinking()}), "thinking.type"),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 4096}}), "`max_tokens` must be greater"),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 100}}), "thinking.budget_tokens"),
        (json!({"thinking": thinking(), "temperature": 0.5}), "`temperature` may only be set to 1"),
        (
            json!({"thinking": thinking(), "tools": tools(), "tool_choice": {"type": "any"}}),
            "Thinking may not be enabled",
        ),
        (json!({"stop_sequences": ["\n"]}), "non-whitespace"),
        (json!({"metadata": {"user": "u"}}), "metadata.user: Extra inputs"),
        (json!({"system": [{"type": "image"}]}), "system.0.type"),
        (json!({"tool_choice": {"type": "auto"}}), "tool_choice: may only be specified"),
        (json!({"tools": tools(), "tool_choice": "auto"}), "tool_choice: Input should be an object"),
        (json!({"tools": tools(), "tool_choice": {"type": "required"}}), "tool_choice.type"),
        (json!({"tools": tools(), "tool_choice": {"type": "tool", "name": "z"}}), "'z' not found"),
        (
            json!({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}),
            "tools.0.name: Input should be a string matching",
        ),
        (json!({"tools": [{"name": "a", "parameters": {}}]}), "tools.0.parameters: Extra inputs"),
        (json!({"tools": [{"name": "a", "input_schema": {}}]}), "tools.0.input_schema.type"),
        (
            json!({"tools": [{"type": "function", "name": "a", "input_schema": {"type": "object"}}]}),
            "tools.0.type",
        ),
        (json!({"output_config": {"format": {"type": "json_object"}}}), "output_config.format.type"),
        (json!({"messages": []}), "first message"),
        (json!({"messages": [{"role": "assistant", "content": "x"}]}), "first message"),
        (json!({"messages": [{"role": "system", "content": "x"}]}), "messages.0.role"),
        (
            json!({"messages": [{"role": "user", "content": ""}]}),
            "messages.0: all messages must have non-empty",
        ),
        (json!({"messages": [user, {"role": "assistant", "content": "x "}]}), "trailing whitespace"),
        (
            json!({"messages": [user, {"role": "assistant", "content": "x"}], "model": "claude-sonnet-5"}),
            "prefill",
        ),
        (said(json!({"type": "text", "text": ""})), "text content blocks must be non-empty"),
        (said(json!({"type": "image_url"})), "messages.0.content.0.type"),
        (
            said(
                json!({"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "AA=="}}),
            ),
            "media_type",
        ),
        (
            said(
                json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "data:,x"}}),
            ),
            "valid base64",
        ),
        (
            json!({"messages": [{"role": "user", "content": [cached, cached, cached, cached, cached]}]}),
            "Found 5",
        ),
        (messages(json!([user, call])), "messages.1: `tool_use` ids were found without"),
        (messages(json!([user, call, user])), "messages.1: `tool_use` ids were found without"),
        (messages(json!([user, {"role": "user", "content": [result]}])), "unexpected `tool_use_id`"),
        (messages(json!([user, call, {"role": "user", "content": [text, result]}])), "must come before"),
        (messages(json!([user, call, {"role": "user", "content": [result, result]}])), "a single result"),
    ] {
        let (status, body) = ask(&chat(&more));
        let error = &body["error"];
        assert_eq!((status, error["type"].as_str()), (400, Some("invalid_request_error")), "{more}");
        assert!(error["message"].as_str().unwrap().contains(message), "{more}: {error}");
    }
    let paired = messages(json!([user, call, {"role": "user", "content": [result, text]}]));
    assert_eq!(ask(&chat(&paired)).1["content"][0]["text"], TIDE);
}

#[test]
fn headers_and_paths_are_checked() {
    let fine = chat(&json!({}));
    let mut bad = HEADERS.to_vec();
    bad[0].1 = "bad";
    for (headers, url, status) in [
        (&HEADERS[1..], "/v1/messages", 401),
        (&bad[..], "/v1/messages", 401),
        (&HEADERS[..1], "/v1/messages", 400),
        (&HEADERS[..2], "/v1/messages", 400),
        (HEADERS, "/v1/chat/completions", 404),
        (HEADERS, "/v1/messages", 200),
    ] {
        assert_eq!(Anthropic.answer(&Seen::post(url, headers, &fine)).status, status, "{url} {headers:?}");
    }
    assert_eq!(ask(&chat(&json!({"model": "missing"}))).0, 404);
}

#[test]
fn the_newer_version_takes_less() {
    let newer = [("authorization", "Bearer k"), ("anthropic-version", "2026-10-21"), HEADERS[2]];
    let cited = json!({"type": "text", "text": "x", "citations": [{"type": "char_location"}]});
    let cited = json!({"messages": [{"role": "user", "content": [cited]}]});
    for (more, newer_message) in [
        (json!({}), None),
        (json!({"temperature": 1}), Some("temperature: Extra inputs are not permitted")),
        (json!({"top_p": 0.5}), Some("top_p: Extra inputs are not permitted")),
        (json!({"top_k": 5}), Some("top_k: Extra inputs are not permitted")),
        (cited, Some("messages.0.content.0.citations: Input should be empty in a user message")),
    ] {
        assert_eq!(ask(&chat(&more)).0, 200, "{more}");
        let reply = Anthropic.answer(&Seen::post("/v1/messages", &newer, &chat(&more)));
        let body: Value = serde_json::from_slice(&reply.bytes()).unwrap();
        assert_eq!(body["error"]["message"].as_str(), newer_message, "{more}");
    }
    let older = [HEADERS[0], ("anthropic-version", "2023-01-01"), HEADERS[2]];
    assert_eq!(Anthropic.answer(&Seen::post("/v1/messages", &older, &chat(&json!({})))).status, 400);
}

#[test]
fn counts_tokens_of_a_request_without_limits() {
    let count = |body: &Value| {
        let reply = Anthropic.answer(&Seen::post("/v1/messages/count_tokens", HEADERS, body));
        (reply.status, serde_json::from_slice::<Value>(&reply.bytes()).unwrap())
    };
    let mut body = chat(&json!({"system": "Be brief."}));
    assert_eq!(count(&body).0, 400);
    body.as_object_mut().unwrap().shift_remove("max_tokens");
    assert_eq!(count(&body), (200, json!({"input_tokens": 4})));
}
