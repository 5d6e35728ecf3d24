use crate::{Endpoint, Reply, answer};
use serde_json::{Value, json};

fn ask(body: &Value) -> Reply {
    answer(Endpoint::ChatCompletions, body.to_string().as_bytes(), 7)
}

fn whole(body: &Value) -> Value {
    let reply = ask(body);
    assert_eq!(
        (reply.status, reply.content_type, reply.chunks.len()),
        (200, "application/json", 1),
        "{reply:?}"
    );
    serde_json::from_slice(&reply.chunks[0]).unwrap()
}

fn user(content: Value, more: Value) -> Value {
    let mut body = json!({"model": "echo", "messages": [{"role": "user", "content": content}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]});
    json!([
        {"type": "function", "function": {"name": "tide", "parameters": schema}},
        {"type": "function", "function": {"name": "wind"}},
        {"type": "custom", "custom": {"name": "note"}},
    ])
}

#[test]
fn says_what_it_was_told() {
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
    let text = |text: &str| json!({"type": "text", "text": text});
    for (content, more, expected, finish) in [
        (json!("日本 é"), json!({}), "You said: 日本 é", "stop"),
        (json!(""), json!({}), "You said nothing.", "stop"),
        (json!([text("a"), text("b")]), json!({}), "You said: a b", "stop"),
        (json!([image, text("a")]), json!({}), "I see 1 image. You said: a", "stop"),
        (json!([image, image, {"type": "file"}]), json!({}), "I see 2 images and 1 file.", "stop"),
        (json!("a b c"), json!({"max_tokens": 3}), "You said: a", "length"),
        (json!("a b c"), json!({"max_tokens": 1, "max_completion_tokens": 9}), "You said: a b c", "stop"),
        (json!("a b c"), json!({"stop": "b"}), "You said: a ", "stop"),
        (
            json!("a \"b\""),
            json!({"response_format": {"type": "json_object"}}),
            r#"{"said":"a \"b\""}"#,
            "stop",
        ),
        (
            json!("a"),
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema":
                {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}}}}),
            r#"{"n":3}"#,
            "stop",
        ),
        (
            json!("use a tool"),
            json!({"tools": tools(), "tool_choice": "none"}),
            "You said: use a tool",
            "stop",
        ),
        (json!("hello"), json!({"tools": tools()}), "You said: hello", "stop"),
    ] {
        let body = whole(&user(content.clone(), more.clone()));
        let choice = &body["choices"][0];
        assert_eq!(choice["message"]["content"], expected, "{content} {more}");
        assert_eq!(choice["finish_reason"], finish, "{content} {more}");
        assert_eq!((body["created"].as_u64(), body["model"].as_str()), (Some(7), Some("echo")));
    }
}

#[test]
fn a_long_text_is_repeated_in_part() {
    let body = whole(&user(json!("é".repeat(9_000)), json!({})));
    let said = body["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(said.chars().count(), "You said: ".len() + super::ECHO_CHARS + 1);
}

#[test]
fn calls_tools_when_asked() {
    let only = |mode: &str| {
        json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [
            {"type": "function", "function": {"name": "wind"}}]}})
    };
    for (text, choice, name, arguments) in [
        ("use a tool", json!("auto"), "tide", r#"{"port":"demo"}"#),
        ("The Wind?", json!(null), "wind", "{}"),
        ("hello", json!("required"), "tide", r#"{"port":"demo"}"#),
        ("hello", json!({"type": "function", "function": {"name": "wind"}}), "wind", "{}"),
        ("hello", only("required"), "wind", "{}"),
        ("a tool", only("auto"), "wind", "{}"),
    ] {
        let body = whole(&user(json!(text), json!({"tools": tools(), "tool_choice": choice})));
        let message = &body["choices"][0]["message"];
        let call = &message["tool_calls"][0];
        assert_eq!(
            (call["type"].as_str(), &message["content"]),
            (Some("function"), &Value::Null),
            "{text} {choice}"
        );
        assert_eq!(call["function"], json!({"name": name, "arguments": arguments}), "{text} {choice}");
        assert!(call["id"].as_str().unwrap().starts_with("call_"));
        assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
    }
    let named = json!({"type": "custom", "custom": {"name": "note"}});
    let body = whole(&user(json!("x"), json!({"tools": tools(), "tool_choice": named})));
    let call = &body["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["custom"], json!({"name": "note", "input": "demo"}));
}

#[test]
fn a_tool_s_answer_is_repeated_even_when_a_call_is_required() {
    let body = json!({"model": "echo", "tools": tools(), "tool_choice": "required", "messages": [
        {"role": "user", "content": "tide?"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "tide", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "12:04"},
    ]});
    assert_eq!(whole(&body)["choices"][0]["message"]["content"], "The tool answered: 12:04");
}

#[test]
fn counts_words_and_choices() {
    let body = whole(&user(json!("a b"), json!({"n": 2, "logprobs": true, "top_logprobs": 1})));
    assert_eq!(body["usage"], json!({"prompt_tokens": 2, "completion_tokens": 8, "total_tokens": 10}));
    assert_eq!(body["choices"][1]["index"], 1);
    let tokens = body["choices"][1]["logprobs"]["content"].as_array().unwrap();
    assert_eq!(tokens.len(), 4);
    assert_eq!(tokens[3]["bytes"], json!([32, 98]));
    assert_eq!(tokens[3]["top_logprobs"], json!([{"token": " b", "logprob": 0.0, "bytes": [32, 98]}]));
}

fn events(body: &Value) -> Vec<Value> {
    let reply = ask(body);
    assert_eq!((reply.status, reply.content_type), (200, "text/event-stream"));
    let mut texts: Vec<_> = reply.chunks.iter().map(|chunk| std::str::from_utf8(chunk).unwrap()).collect();
    assert_eq!(texts.pop(), Some("data: [DONE]\n\n"));
    texts.iter().map(|text| serde_json::from_str(text.strip_prefix("data: ").unwrap()).unwrap()).collect()
}

#[test]
fn streams_word_by_word() {
    let more = json!({"stream": true, "n": 2, "stream_options": {"include_usage": true}, "logprobs": true});
    let events = events(&user(json!("é"), more));
    let deltas: Vec<_> = events.iter().filter(|e| e["choices"][0]["index"] == 1).collect();
    let texts: Vec<_> = deltas.iter().map(|e| e["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(texts, [Some(""), Some("You"), Some(" said:"), Some(" é"), None]);
    assert_eq!(deltas[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(deltas[3]["choices"][0]["logprobs"]["content"][0]["token"], " é");
    assert_eq!(deltas[3]["choices"][0]["finish_reason"], Value::Null);
    assert_eq!(deltas[4]["choices"][0]["finish_reason"], "stop");
    assert_eq!(events.len(), 11);
    assert!(events[..10].iter().all(|event| event["usage"].is_null() && event.get("usage").is_some()));
    assert_eq!(events[10]["choices"], json!([]));
    assert_eq!(events[10]["usage"]["completion_tokens"], 6);
    assert!(events.iter().all(|event| event["id"] == events[0]["id"]));
}

#[test]
fn streams_calls_in_pieces() {
    let events = events(&user(json!("tide?"), json!({"stream": true, "tools": tools()})));
    let calls: Vec<_> = events.iter().map(|e| &e["choices"][0]["delta"]["tool_calls"][0]).collect();
    assert_eq!((calls[0]["index"].as_u64(), calls[0]["function"]["name"].as_str()), (Some(0), Some("tide")));
    let pieces: String = calls.iter().filter_map(|call| call["function"]["arguments"].as_str()).collect();
    assert_eq!(pieces, r#"{"port":"demo"}"#);
    assert!(calls[1].get("id").is_none() && calls[1]["index"] == 0);
    assert_eq!(events.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
    assert!(events[0].get("usage").is_none());
}

#[test]
fn the_same_request_gets_the_same_answer() {
    let body = user(json!("a"), json!({}));
    assert_eq!(ask(&body), ask(&body));
    assert_ne!(ask(&body), ask(&user(json!("b"), json!({}))));
}

#[test]
fn bad_requests_name_the_parameter() {
    let message = |value: Value| json!({"model": "m", "messages": [{"role": "user", "content": "x"}, value]});
    for (body, param) in [
        (json!([]), "body"),
        (json!({"messages": []}), "model"),
        (json!({"model": 1, "messages": []}), "model"),
        (json!({"model": "m"}), "messages"),
        (json!({"model": "m", "messages": []}), "messages"),
        (json!({"model": "m", "messages": "x"}), "messages"),
        (message(json!("x")), "messages[1]"),
        (message(json!({"content": "x"})), "messages[1].role"),
        (message(json!({"role": "judge", "content": "x"})), "messages[1].role"),
        (message(json!({"role": "user"})), "messages[1].content"),
        (message(json!({"role": "user", "content": 5})), "messages[1].content"),
        (message(json!({"role": "user", "content": [{"type": "smell"}]})), "messages[1].content[0].type"),
        (
            message(json!({"role": "user", "content": [{"type": "image_url"}]})),
            "messages[1].content[0].image_url",
        ),
        (message(json!({"role": "tool", "content": "x"})), "messages[1].tool_call_id"),
        (user(json!("x"), json!({"n": 17})), "n"),
        (user(json!("x"), json!({"max_tokens": 0})), "max_tokens"),
        (user(json!("x"), json!({"stop": ["a", "b", "c", "d", "e"]})), "stop"),
        (user(json!("x"), json!({"stop": ""})), "stop"),
        (user(json!("x"), json!({"stream": "yes"})), "stream"),
        (user(json!("x"), json!({"stream_options": {"include_usage": true}})), "stream_options"),
        (user(json!("x"), json!({"top_logprobs": 1})), "top_logprobs"),
        (user(json!("x"), json!({"response_format": {"type": "xml"}})), "response_format.type"),
        (
            user(json!("x"), json!({"response_format": {"type": "json_schema"}})),
            "response_format.json_schema",
        ),
        (user(json!("x"), json!({"tools": [{"type": "function"}]})), "tools[0].function"),
        (user(json!("x"), json!({"tools": [{"type": "shell"}]})), "tools[0].type"),
        (user(json!("x"), json!({"tool_choice": "required"})), "tool_choice"),
        (user(json!("x"), json!({"tools": tools(), "tool_choice": "maybe"})), "tool_choice"),
        (
            user(
                json!("x"),
                json!({"tools": tools(), "tool_choice": {"type": "function", "function": {"name": "z"}}}),
            ),
            "tool_choice",
        ),
        (user(json!("x"), json!({"functions": []})), "functions"),
    ] {
        let reply = ask(&body);
        let error: Value = serde_json::from_slice(&reply.chunks[0]).unwrap();
        assert_eq!((reply.status, error["error"]["param"].as_str()), (400, Some(param)), "{body} {error}");
        assert_eq!(error["error"]["type"], "invalid_request_error");
    }
    assert_eq!(answer(Endpoint::ChatCompletions, b"{bad", 0).status, 400);
}
