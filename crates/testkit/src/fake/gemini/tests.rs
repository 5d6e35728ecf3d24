use super::super::story::{THOUGHT, TIDE, TIDE_JSON};
use super::*;
use crate::sse;

const HEADERS: &[(&str, &str)] = &[("x-goog-api-key", "k"), ("content-type", "application/json")];

fn post(model: &str, method: &str, body: &Value) -> Reply {
    Gemini.answer(&Seen::post(&format!("/v1beta/models/{model}:{method}"), HEADERS, body))
}

fn ask(model: &str, body: &Value) -> (u16, Value) {
    let reply = post(model, "generateContent", body);
    (reply.status, serde_json::from_slice(&reply.bytes()).unwrap())
}

fn chat(more: &Value) -> Value {
    let mut body = json!({"contents": [{"role": "user", "parts": [{"text": "High water?"}]}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn tools() -> Value {
    json!([{"functionDeclarations": [{"name": "tide", "parameters":
        {"type": "OBJECT", "properties": {"port": {"type": "STRING"}}, "required": ["port"]}}]}])
}

#[test]
fn tells_the_story_in_either_case() {
    for (more, expected) in [
        (json!({}), TIDE),
        (json!({"generation_config": {"response_mime_type": "application/json"}}), TIDE_JSON),
        (
            json!({"generationConfig": {"stopSequences": [" high"], "maxOutputTokens": 9}}),
            "The tide at Brest is",
        ),
    ] {
        let (status, body) = ask("gemini-2.5-pro", &chat(&more));
        assert_eq!(
            (status, &body["candidates"][0]["content"]["parts"][0]["text"]),
            (200, &json!(expected)),
            "{more}"
        );
    }
    let (_, body) = ask("gemini-2.5-pro", &chat(&json!({"tools": tools()})));
    let part = &body["candidates"][0]["content"]["parts"][0];
    assert_eq!(part, &json!({"functionCall": {"name": "tide", "args": {"port": "Brest"}}}));
    assert_eq!(body["usageMetadata"]["totalTokenCount"], 6);
}

#[test]
fn streams_events_and_arrays() {
    let body = chat(&json!({"generationConfig": {"thinkingConfig": {"includeThoughts": true}}}));
    let events = post("gemini-2.5-pro", "streamGenerateContent?alt=sse", &body);
    assert!(events.bytes().ends_with(b"}\r\n\r\n"));
    let documents: Vec<_> = sse::parse(&events.bytes()).iter().map(sse::Event::json).collect();
    let array = post("gemini-2.5-pro", "streamGenerateContent", &body);
    let elements: Vec<Value> = serde_json::from_slice(&array.bytes()).unwrap();
    assert_eq!(documents, elements);
    let parts = documents.iter().map(|document| &document["candidates"][0]["content"]["parts"][0]);
    let (thoughts, texts): (Vec<_>, Vec<_>) = parts.partition(|part| part["thought"] == true);
    assert_eq!(thoughts[0]["text"], THOUGHT);
    assert_eq!(texts.iter().filter_map(|part| part["text"].as_str()).collect::<String>(), TIDE);
    let usage = &documents.last().unwrap()["usageMetadata"];
    assert_eq!((&usage["candidatesTokenCount"], &usage["thoughtsTokenCount"]), (&json!(8), &json!(5)));
}

#[test]
fn signatures_come_back_or_are_stood_in_for() {
    let (_, first) = ask("gemini-3-pro", &chat(&json!({"tools": tools()})));
    let part = first["candidates"][0]["content"]["parts"][0].clone();
    let turn = |call: &Value| {
        let id = &part["functionCall"]["id"];
        let contents = json!([
            {"role": "user", "parts": [{"text": "High water?"}]},
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [{"functionResponse": {"id": id, "name": "tide", "response": {"result": "12:04"}}}]},
        ]);
        ask("gemini-3-pro", &chat(&json!({"contents": contents, "tools": tools()})))
    };
    let signed = |signature: &str| {
        let mut part = part.clone();
        part["thoughtSignature"] = json!(signature);
        part
    };
    assert_eq!(turn(&part).1["candidates"][0]["content"]["parts"][0]["text"], TIDE);
    assert_eq!(turn(&signed(NO_SIGNATURE)).0, 200);
    let (status, body) = turn(&json!({"functionCall": part["functionCall"]}));
    assert_eq!(status, 400);
    assert!(body["error"]["message"].as_str().unwrap().contains("missing a thought_signature"), "{body}");
    assert_eq!(turn(&signed("bm9wZQ==")).1["error"]["message"], "Thought signature is not valid.");
}

#[test]
fn refuses_what_the_schema_refuses() {
    let declare = |parameters: Value| json!({"tools": [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]});
    let config = |config: Value| json!({"generationConfig": config});
    let call = json!({"role": "model", "parts": [{"functionCall": {"name": "tide", "args": {}}}]});
    let result = |name: &str| json!({"functionResponse": {"name": name, "response": {"result": 1}}});
    let text = json!({"role": "user", "parts": [{"text": "x"}]});
    let contents = |list: Value| json!({"contents": list});
    let reply = |parts: Value| contents(json!([text, call, {"role": "user", "parts": parts}]));
    for (more, message) in [
        (json!({"messages": []}), "Unknown name \"messages\": Cannot find field"),
        (json!({"contents": null}), "contents is not specified"),
        (contents(json!([])), "contents is not specified"),
        (contents(json!([{"role": "assistant", "parts": [{"text": "x"}]}])), "valid role"),
        (contents(json!([{"role": "user", "parts": []}])), "must not be empty"),
        (contents(json!([{"role": "user", "parts": [{}]}])), "must have one initialized field"),
        (contents(json!([{"role": "user", "parts": [{"text": "x", "inlineData": {}}]}])), "already set"),
        (
            contents(json!([{"role": "user", "parts": [{"type": "text", "text": "x"}]}])),
            "Unknown name \"type\" at 'contents[0].parts[0]'",
        ),
        (
            contents(json!([{"role": "user", "parts": [{"inlineData": {"data": "AA=="}}]}])),
            "mimeType is not specified",
        ),
        (contents(json!([text, call])), "number of function response parts"),
        (contents(json!([text, call, text])), "number of function response parts"),
        (contents(json!([{"role": "user", "parts": [result("tide")]}])), "immediately after"),
        (reply(json!([result("tide"), result("tide")])), "number of function response parts"),
        (reply(json!([result("wind")])), "does not match"),
        (reply(json!([{"functionResponse": {"name": "tide", "response": "12:04"}}])), "expected an object"),
        (
            declare(
                json!({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "additionalProperties": false}),
            ),
            "Unknown name \"additionalProperties\"",
        ),
        (declare(json!({"type": "OBJECT", "properties": {"a": {"const": 1}}})), "Unknown name \"const\""),
        (
            declare(json!({"type": "OBJECT", "properties": {"a": {"type": ["string", "null"]}}})),
            "properties.a.type",
        ),
        (declare(json!({"type": "OBJECT", "properties": {}})), "should be non-empty"),
        (
            declare(json!({"type": "OBJECT", "properties": {"a": {"type": "INTEGER", "enum": [1]}}})),
            "(TYPE_STRING)",
        ),
        (
            declare(json!({"type": "OBJECT", "properties": {"a": {}}, "required": ["b"]})),
            "property is not defined",
        ),
        (json!({"tools": [{"functionDeclarations": [{"name": "1f"}]}]}), "Invalid function name"),
        (json!({"tools": [{"type": "function"}]}), "Unknown name \"type\" at 'tools[0]'"),
        (json!({"tools": tools(), "toolConfig": {"functionCallingConfig": {"mode": "auto"}}}), "mode"),
        (
            json!({"tools": tools(), "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["tide"]}}}),
            "allowed_function_names",
        ),
        (config(json!({"temperature": 3})), "generationConfig.temperature"),
        (config(json!({"n": 1})), "Unknown name \"n\" at 'generationConfig'"),
        (config(json!({"candidateCount": 9})), "candidateCount"),
        (config(json!({"stopSequences": ["a", "b", "c", "d", "e", "f"]})), "stopSequences"),
        (config(json!({"logprobs": 2})), "response_logprobs is not enabled"),
        (config(json!({"responseSchema": {"type": "OBJECT"}})), "Response schema is only supported"),
        (config(json!({"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}})), "only one of"),
        (config(json!({"thinkingConfig": {"thinkingLevel": "LOW"}})), "Thinking level is not supported"),
        (json!({"cachedContent": "c", "tools": tools()}), "CachedContent can not"),
        (json!({"safetySettings": [{"category": "X", "threshold": "OFF"}]}), "category"),
        (json!({"systemInstruction": {"parts": [{"inlineData": {}}]}}), "systemInstruction.parts[0]"),
    ] {
        let (status, body) = ask("gemini-2.5-pro", &chat(&more));
        let error = &body["error"];
        assert_eq!((status, error["status"].as_str()), (400, Some("INVALID_ARGUMENT")), "{more} {body}");
        assert!(error["message"].as_str().unwrap().contains(message), "{more}: {error}");
    }
}

#[test]
fn embeds_one_and_many_and_counts() {
    let content = json!({"parts": [{"text": "a b"}]});
    let json = |reply: Reply| serde_json::from_slice::<Value>(&reply.bytes()).unwrap();
    let one = json(post("e", "embedContent", &json!({"content": content, "outputDimensionality": 2})));
    let many = json(post(
        "e",
        "batchEmbedContents",
        &json!({"requests": [
        {"model": "models/e", "content": content, "outputDimensionality": 2}]}),
    ));
    assert_eq!(one["embedding"], many["embeddings"][0]);
    assert_eq!(one["embedding"]["values"].as_array().unwrap().len(), 2);
    assert_eq!(post("e", "batchEmbedContents", &json!({"requests": [{"content": content}]})).status, 400);
    assert_eq!(
        post("e", "batchEmbedContents", &json!({"requests": [{"model": "e", "content": content}]})).status,
        400
    );
    assert_eq!(json(post("m", "countTokens", &chat(&json!({})))), json!({"totalTokens": 2}));
}

#[test]
fn keys_and_models_are_checked() {
    let url = "/v1beta/models/m:generateContent";
    for (headers, url, status) in [
        (&[][..], url.to_owned(), 400),
        (&[("x-goog-api-key", "bad")][..], url.to_owned(), 400),
        (&[][..], format!("{url}?key=k"), 200),
        (HEADERS, "/v1beta/models/missing:generateContent".to_owned(), 404),
        (HEADERS, "/v1beta/models/m:sing".to_owned(), 404),
        (HEADERS, "/v9/models/m:generateContent".to_owned(), 404),
    ] {
        let reply = Gemini.answer(&Seen::post(&url, headers, &chat(&json!({}))));
        let body: Value = serde_json::from_slice(&reply.bytes()).unwrap();
        assert_eq!(reply.status, status, "{url} {headers:?}");
        assert_eq!(body["error"]["details"][0]["reason"] == "API_KEY_INVALID", status == 400, "{body}");
    }
}
