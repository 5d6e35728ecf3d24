use super::super::story::{TIDE, TIDE_JSON};
use super::*;

const HEADERS: &[(&str, &str)] = &[("authorization", "Bearer k"), ("content-type", "application/json")];

fn ask(url: &str, body: &Value) -> (u16, Value) {
    let reply = OpenAi.answer(&Seen::post(url, HEADERS, body));
    (reply.status, serde_json::from_slice(&reply.bytes()).unwrap_or(Value::Null))
}

fn chat(more: Value) -> Value {
    let mut body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "High water?"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}}}])
}

fn events(url: &str, body: &Value) -> Vec<Value> {
    let reply = OpenAi.answer(&Seen::post(url, HEADERS, body));
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.bytes()));
    sse::parse(&reply.bytes()).iter().map(sse::Event::json).collect()
}

#[test]
fn chat_tells_the_story() {
    let (status, body) =
        ask("/v1/chat/completions", &chat(json!({"n": 2, "logprobs": true, "top_logprobs": 1})));
    assert_eq!((status, &body["choices"][1]["message"]["content"]), (200, &json!(TIDE)));
    assert_eq!(body["usage"]["prompt_tokens"], 2);
    assert_eq!(body["usage"]["completion_tokens"], 16);
    assert_eq!(body["choices"][0]["logprobs"]["content"].as_array().unwrap().len(), 8);
    let (_, body) = ask("/chat/completions", &chat(json!({"response_format": {"type": "json_object"}})));
    assert_eq!(body["choices"][0]["message"]["content"], TIDE_JSON);
    let (_, body) = ask("/chat/completions", &chat(json!({"tools": tools()})));
    assert_eq!(
        body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"],
        r#"{"port":"Brest"}"#
    );
    assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn chat_streams_the_same() {
    let body = chat(json!({"stream": true, "stream_options": {"include_usage": true}}));
    let events = events("/v1/chat/completions", &body);
    let text: String = events.iter().filter_map(|e| e["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, TIDE);
    assert_eq!(events.last(), Some(&Value::Null), "[DONE]");
    assert_eq!(events[events.len() - 2]["usage"]["completion_tokens"], 8);
    let calls = self::events("/v1/chat/completions", &chat(json!({"stream": true, "tools": tools()})));
    let pieces: String = calls
        .iter()
        .filter_map(|e| e["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str())
        .collect();
    assert_eq!(pieces, r#"{"port":"Brest"}"#);
}

#[test]
fn chat_refuses_what_the_schema_refuses() {
    let messages = |list: Value| json!({"model": "gpt-4o", "messages": list});
    let call = json!({"role": "assistant", "content": null, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "tide", "arguments": "{}"}}]});
    let user = json!({"role": "user", "content": "x"});
    let open = json!({"type": "object", "properties": {"a": {}}, "required": ["a"]});
    for (body, code, param) in [
        (chat(json!({"top_k": 1})), "unknown_parameter", "top_k"),
        (json!({"model": "m"}), "missing_required_parameter", "messages"),
        (chat(json!({"temperature": 2.5})), "invalid_value", "temperature"),
        (chat(json!({"stream_options": {"include_usage": true}})), "invalid_value", "stream_options"),
        (chat(json!({"top_logprobs": 2})), "invalid_value", "top_logprobs"),
        (chat(json!({"tool_choice": "auto"})), "invalid_value", "tool_choice"),
        (chat(json!({"tools": []})), "invalid_value", "tools"),
        (chat(json!({"stop": ["a", "b", "c", "d", "e"]})), "invalid_value", "stop"),
        (chat(json!({"max_tokens": 1, "max_completion_tokens": 1})), "invalid_value", "max_tokens"),
        (chat(json!({"model": "o3-mini", "max_tokens": 1})), "unsupported_parameter", "max_tokens"),
        (chat(json!({"model": "o3-mini", "temperature": 0})), "unsupported_value", "temperature"),
        (
            chat(json!({"tools": [{"type": "function", "function": {"name": "a b"}}]})),
            "invalid_value",
            "tools[0].function.name",
        ),
        (
            chat(json!({"tools": [{"type": "function", "function": {"name": "a", "input_schema": {}}}]})),
            "unknown_parameter",
            "tools[0].function.input_schema",
        ),
        (
            chat(json!({"response_format": {"type": "json_schema", "json_schema":
                {"name": "x", "strict": true, "schema": open}}})),
            "invalid_schema",
            "response_format.json_schema.schema",
        ),
        (messages(json!([])), "invalid_value", "messages"),
        (messages(json!([{"role": "model", "content": "x"}])), "invalid_value", "messages[0].role"),
        (messages(json!([{"role": "user"}])), "missing_required_parameter", "messages[0].content"),
        (messages(json!([{"role": "assistant"}])), "missing_required_parameter", "messages[0].content"),
        (
            messages(
                json!([{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}]),
            ),
            "unknown_parameter",
            "messages[0].content[0].cache_control",
        ),
        (
            messages(
                json!([{"role": "assistant", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]),
            ),
            "invalid_value",
            "messages[0].content[0].type",
        ),
        (
            messages(
                json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "abc"}}]}]),
            ),
            "invalid_image_url",
            "messages[0].content[0].image_url.url",
        ),
        (messages(json!([user, call])), "invalid_value", "messages"),
        (messages(json!([user, call, user])), "invalid_value", "messages"),
        (
            messages(json!([user, {"role": "tool", "tool_call_id": "c1", "content": "x"}])),
            "invalid_value",
            "messages[1].role",
        ),
    ] {
        let (status, answer) = ask("/v1/chat/completions", &body);
        let error = &answer["error"];
        assert_eq!(
            (status, error["code"].as_str(), error["param"].as_str()),
            (400, Some(code), Some(param)),
            "{body}"
        );
    }
    let answered = messages(json!([user, call, {"role": "tool", "tool_call_id": "c1", "content": "12:04"}]));
    assert_eq!(ask("/v1/chat/completions", &answered).1["choices"][0]["message"]["content"], TIDE);
}

#[test]
fn keys_models_and_paths_are_checked() {
    let post = |headers: &[(&str, &str)], url: &str, body: &Value| {
        let reply = OpenAi.answer(&Seen::post(url, headers, body));
        let body: Value = serde_json::from_slice(&reply.bytes()).unwrap();
        (reply.status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let fine = chat(json!({}));
    let url = "/v1/chat/completions";
    let bad = [("authorization", "Bearer bad"), ("content-type", "application/json")];
    for (headers, url, body, status, code) in [
        (&[][..], url, &fine, 401, "invalid_api_key"),
        (&bad[..], url, &fine, 401, "invalid_api_key"),
        (&HEADERS[..1], url, &fine, 415, "unsupported_media_type"),
        (HEADERS, "/v1/nope", &fine, 404, "unknown_url"),
        (HEADERS, url, &chat(json!({"model": "missing"})), 404, "model_not_found"),
    ] {
        assert_eq!(post(headers, url, body), (status, code.to_owned()), "{url} {headers:?}");
    }
}

#[test]
fn the_other_endpoints_answer() {
    let (_, body) = ask("/v1/completions", &json!({"model": "m", "prompt": ["a", "b"], "max_tokens": 2}));
    assert_eq!(
        (&body["choices"][1]["text"], &body["choices"][1]["finish_reason"]),
        (&json!("The tide"), &json!("length"))
    );
    let (_, body) = ask("/v1/embeddings", &json!({"model": "m", "input": ["a", "b c"], "dimensions": 2}));
    assert_eq!(
        (body["data"][1]["embedding"].as_array().unwrap().len(), &body["usage"]["total_tokens"]),
        (2, &json!(3))
    );
    assert_eq!(ask("/v1/embeddings", &json!({"model": "m", "input": ""})).0, 400);
    assert_eq!(ask("/v1/embeddings", &json!({"model": "m", "input": "x", "truncate": "END"})).0, 400);
    let get = |url| OpenAi.answer(&Seen::raw("GET", url, HEADERS, vec![])).status;
    assert_eq!((get("/v1/models"), get("/v1/models/a/b"), get("/v1/models/missing")), (200, 200, 404));
}

#[test]
fn files_are_taken_as_multipart() {
    let form = "--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{}\n\r\n--b--\r\n";
    let headers = [("authorization", "Bearer k"), ("content-type", "multipart/form-data; boundary=b")];
    let reply = OpenAi.answer(&Seen::raw("POST", "/v1/files", &headers, form.into()));
    let body: Value = serde_json::from_slice(&reply.bytes()).unwrap();
    assert_eq!(
        (&body["bytes"], &body["filename"], &body["purpose"]),
        (&json!(3), &json!("a.jsonl"), &json!("batch"))
    );
    assert_eq!(OpenAi.answer(&Seen::raw("POST", "/v1/files", HEADERS, form.into())).status, 400);
}

#[test]
fn responses_tell_the_story_too() {
    let (_, body) = ask("/v1/responses", &json!({"model": "m", "input": "x", "instructions": "y"}));
    assert_eq!(body["output"][0]["content"][0]["text"], TIDE);
    assert_eq!(body["usage"]["input_tokens"], 2);
    let flat = json!([{"type": "function", "name": "tide", "parameters": {}}]);
    let request =
        json!({"model": "m", "input": "x", "tools": flat, "stream": true, "reasoning": {"effort": "low"}});
    let events = events("/v1/responses", &request);
    assert!(events.iter().enumerate().all(|(i, event)| event["sequence_number"] == i));
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed");
    assert_eq!(last["response"]["output"][0]["type"], "reasoning");
    assert_eq!(last["response"]["output"][1]["arguments"], r#"{"port":"Brest"}"#);
    for (more, param) in [
        (json!({"messages": []}), "messages"),
        (json!({"tools": tools()}), "tools[0].function"),
        (json!({"max_output_tokens": 1}), "max_output_tokens"),
        (json!({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}), "input"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}),
            "input[0].content[0].type",
        ),
    ] {
        let mut body = json!({"model": "m", "input": "x"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, answer) = ask("/v1/responses", &body);
        assert_eq!((status, answer["error"]["param"].as_str()), (400, Some(param)), "{body}");
    }
}
