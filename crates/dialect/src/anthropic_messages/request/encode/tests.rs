use serde_json::json;

use super::*;
use crate::Adjust;
use crate::anthropic_messages::request::decode;
use crate::chat::{Effort, Message, Reasoning, ResponseFormat};

fn run(request: &ChatRequest) -> (Value, String) {
    run_with(request, &Adjust::default(), None).unwrap()
}

fn run_with(
    request: &ChatRequest,
    adjust: &Adjust,
    max_output_tokens: Option<u64>,
) -> Result<(Value, String), ApiError> {
    let ctx = EncodeContext { provider: "anthropic", adjust, max_output_tokens };
    let encoded = encode(request, &ctx, Purpose::Message)?;
    Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded.warnings.header_value()))
}

fn request(model: &str) -> ChatRequest {
    let mut request = ChatRequest::new(DialectId::OpenAi, model);
    request.messages.push(Message::text(Role::User, "hi"));
    request.max_tokens = Some(5);
    request
}

fn with(change: impl FnOnce(&mut ChatRequest)) -> ChatRequest {
    let mut request = request("cl");
    change(&mut request);
    request
}

fn number(text: &str) -> Option<Number> {
    serde_json::from_str(text).ok()
}

fn extra(value: Value) -> crate::chat::Extra {
    value.as_object().unwrap().clone()
}

#[test]
fn a_plain_request() {
    let asked = with(|request| {
        request.messages.insert(0, Message::text(Role::System, "s"));
        request.stop = vec!["x".into()];
        request.user = Some("u".into());
        request.temperature = number("2");
        request.stream = true;
    });
    let (body, warnings) = run(&asked);
    assert_eq!(
        body,
        json!({
            "model": "cl", "messages": [{"role": "user", "content": "hi"}],
            "system": [{"text": "s", "type": "text"}], "max_tokens": 5, "temperature": 1,
            "stop_sequences": ["x"], "stream": true, "metadata": {"user_id": "u"},
        })
    );
    assert_eq!(warnings, "shaped;temperature=1");
}

#[test]
fn members_by_verdict() {
    let cases: Vec<(&str, ChatRequest, &str, Value, &str)> = vec![
        ("n of one", with(|r| r.n = Some(1)), "n", json!(null), ""),
        (
            "penalty",
            with(|r| r.frequency_penalty = number("1")),
            "frequency_penalty",
            json!(null),
            "dropped;frequency_penalty",
        ),
        ("no penalty", with(|r| r.presence_penalty = number("0")), "presence_penalty", json!(null), ""),
        ("seed", with(|r| r.seed = number("7")), "seed", json!(null), "dropped;seed"),
        (
            "bias",
            with(|r| r.logit_bias = Some(json!({"1": 2}))),
            "logit_bias",
            json!(null),
            "dropped;logit_bias",
        ),
        ("no bias", with(|r| r.logit_bias = Some(json!({}))), "logit_bias", json!(null), ""),
        ("logprobs", with(|r| r.logprobs = Some(true)), "logprobs", json!(null), "dropped;logprobs"),
        ("top_k", with(|r| r.top_k = number("3")), "top_k", json!(3), ""),
        (
            "blank stop",
            with(|r| r.stop = vec![" \n".into(), "x".into()]),
            "stop_sequences",
            json!(["x"]),
            "dropped;stop",
        ),
        (
            "tier",
            with(|r| r.service_tier = Some("default".into())),
            "service_tier",
            json!("standard_only"),
            "",
        ),
        (
            "flex",
            with(|r| r.service_tier = Some("flex".into())),
            "service_tier",
            json!("auto"),
            "shaped;service_tier=auto",
        ),
        ("own", with(|r| r.extra = extra(json!({"mcp_servers": [1]}))), "mcp_servers", json!([1]), ""),
        (
            "foreign",
            with(|r| r.extra = extra(json!({"prediction": {}}))),
            "prediction",
            json!(null),
            "dropped;prediction",
        ),
        ("null", with(|r| r.extra = extra(json!({"verbosity": null}))), "verbosity", json!(null), ""),
        ("no store", with(|r| r.extra = extra(json!({"store": false}))), "store", json!(null), ""),
        ("store", with(|r| r.extra = extra(json!({"store": true}))), "store", json!(null), "dropped;store"),
        (
            "metadata",
            with(|r| r.extra = extra(json!({"metadata": {"a": "b"}}))),
            "metadata",
            json!(null),
            "dropped;metadata",
        ),
        (
            "text only",
            with(|r| r.extra = extra(json!({"modalities": ["text"]}))),
            "modalities",
            json!(null),
            "",
        ),
        (
            "header",
            with(|r| r.extra = extra(json!({"anthropic_beta": "x"}))),
            "anthropic_beta",
            json!(null),
            "",
        ),
    ];
    for (name, request, member, expected, warned) in cases {
        let (body, warnings) = run(&request);
        assert_eq!((&body[member], warnings.as_str()), (&expected, warned), "{name}");
    }
}

#[test]
fn what_cannot_be_said_is_refused() {
    for (request, param) in [
        (with(|r| r.n = Some(2)), "n"),
        (with(|r| r.extra = extra(json!({"modalities": ["text", "audio"]}))), "modalities"),
        (with(|r| r.messages = vec![Message::text(Role::System, "s")]), "messages"),
        (
            with(|r| {
                r.model = "claude-opus-4-8".into();
                r.messages.push(Message::text(Role::Assistant, "{"));
            }),
            "messages",
        ),
    ] {
        let error = run_with(&request, &Adjust::default(), None).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some(param)));
    }
    let prefill = with(|r| r.messages.push(Message::text(Role::Assistant, "{")));
    assert_eq!(run(&prefill).0["messages"][1], json!({"role": "assistant", "content": "{"}));
}

#[test]
fn the_required_bound_comes_from_somewhere() {
    let effort = |effort| Some(Reasoning { effort: Some(effort), ..Reasoning::default() });
    for (reasoning, known, expected, warned) in [
        (None, Some(64_000), 64_000, ""),
        (None, None, 4_096, "shaped;max_tokens=4096"),
        (effort(Effort::XHigh), None, 12_288, "shaped;max_tokens=12288"),
        (effort(Effort::XHigh), Some(64_000), 64_000, ""),
    ] {
        let mut request = request("claude-sonnet-4-5");
        request.max_tokens = None;
        request.reasoning = reasoning;
        let (body, warnings) = run_with(&request, &Adjust::default(), known).unwrap();
        assert_eq!((&body["max_tokens"], warnings.as_str()), (&json!(expected), warned));
    }
}

#[test]
fn sampling_by_model_and_thinking() {
    let thinking = || Some(Reasoning { effort: Some(Effort::Low), ..Reasoning::default() });
    for (model, reasoning, temperature, top_p, expected, warned) in [
        ("cl", None, "0.5", "0.9", json!([0.5, 0.9, 3]), ""),
        ("claude-3-haiku", None, "0.5", "0.9", json!([0.5, 0.9, 3]), ""),
        ("claude-sonnet-4-5", None, "0.5", "0.9", json!([0.5, null, 3]), "dropped;top_p"),
        (
            "claude-sonnet-5",
            None,
            "1.5",
            "0.9",
            json!([null, null, null]),
            "dropped;temperature, dropped;top_p, dropped;top_k",
        ),
        (
            "claude-3-7-sonnet",
            thinking(),
            "0.5",
            "0.96",
            json!([null, 0.96, null]),
            "dropped;temperature, dropped;top_k",
        ),
        ("claude-3-7-sonnet", thinking(), "1", "0.5", json!([1, null, null]), "dropped;top_p, dropped;top_k"),
    ] {
        let mut request = request(model);
        request.max_tokens = Some(9_000);
        request.reasoning = reasoning;
        (request.temperature, request.top_p, request.top_k) =
            (number(temperature), number(top_p), number("3"));
        let (body, warnings) = run(&request);
        let said = json!([body["temperature"], body["top_p"], body["top_k"]]);
        assert_eq!((said, warnings.as_str()), (expected, warned), "{model}");
    }
}

#[test]
fn output_config_gathers_effort_and_format() {
    let mut request = request("claude-opus-4-8");
    request.reasoning = Some(Reasoning { effort: Some(Effort::Medium), ..Reasoning::default() });
    let schema = json!({"type": "object"});
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: "n".into(),
        description: None,
        schema: schema.clone(),
        strict: Some(true),
    });
    let (body, warnings) = run(&request);
    assert_eq!(body["thinking"], json!({"type": "adaptive"}));
    assert_eq!(
        body["output_config"],
        json!({"effort": "medium", "format": {"type": "json_schema", "schema": schema}})
    );
    assert_eq!(warnings, "");
}

#[test]
fn a_vendors_differences_are_applied() {
    let adjust = Adjust { drop: vec!["metadata".into()], ..Adjust::default() };
    let (body, warnings) = run_with(&with(|r| r.user = Some("u".into())), &adjust, None).unwrap();
    assert_eq!(body.get("metadata"), None);
    assert_eq!(warnings, "dropped;metadata");
}

/// Signatures, encrypted thinking, cache marks, server blocks: byte for byte, and nothing to report.
#[test]
fn anthropic_requests_come_through_unchanged() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/anthropic/requests");
    for name in ["plain", "prefill", "agent-loop", "everything"] {
        let path = folder.join(name).with_extension("json");
        let bytes = std::fs::read(&path).unwrap();
        let (written, warnings) = run(&decode(&bytes).unwrap());
        assert_eq!(written, serde_json::from_slice::<Value>(&bytes).unwrap(), "{path:?}");
        assert_eq!(warnings, "", "{path:?}");
    }
}

/// What an OpenAI client's request with everything usual in it becomes.
#[test]
fn an_openai_request_becomes_one_of_anthropics() {
    let tool = json!({"type": "function", "function": {"name": "f", "description": "d", "strict": true,
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"],
            "additionalProperties": false}}});
    let asked = json!({
        "model": "cl",
        "messages": [
            {"role": "system", "content": "S"},
            {"role": "user", "content": "a"},
            {"role": "user", "content": [
                {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ==", "detail": "high"}},
            ]},
            {"role": "assistant", "content": "c", "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"q\":\"z\"}"}},
            ]},
            {"role": "tool", "tool_call_id": "1", "content": "R"},
        ],
        "temperature": 0.5, "max_tokens": 9, "top_p": 0.9, "stop": "x", "tools": [tool], "tool_choice": "required",
    });
    let asked =
        crate::ClientDialect::decode_chat(&openai_chat::OpenAi, asked.to_string().as_bytes()).unwrap();
    let (body, warnings) = run(&asked);
    assert_eq!(
        body,
        json!({
            "model": "cl",
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "user", "content": [
                    {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}},
                ]},
                {"role": "assistant", "content": [
                    {"type": "text", "text": "c"},
                    {"type": "tool_use", "id": "1", "name": "f", "input": {"q": "z"}},
                ]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "R"}]},
            ],
            "system": [{"type": "text", "text": "S"}],
            "tools": [{"name": "f", "description": "d", "strict": true, "input_schema":
                {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"],
                    "additionalProperties": false}}],
            "tool_choice": {"type": "any"},
            "max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "stop_sequences": ["x"],
        })
    );
    assert_eq!(warnings, "dropped;messages[2].content[1].image_url.detail");
}

/// Signed thinking that an OpenAI client was given comes back to Anthropic as it was.
#[test]
fn thinking_survives_an_openai_client() {
    let asked = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "c", "content_blocks": [
                {"type": "thinking", "thinking": "t", "signature": "Eqs/+=="},
                {"type": "redacted_thinking", "data": "xx"},
                {"type": "text", "text": "c"},
            ]},
            {"role": "user", "content": "b"},
        ],
    });
    let asked =
        crate::ClientDialect::decode_chat(&openai_chat::OpenAi, asked.to_string().as_bytes()).unwrap();
    assert_eq!(
        run(&asked).0["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "t", "signature": "Eqs/+=="},
            {"type": "redacted_thinking", "data": "xx"},
            {"type": "text", "text": "c"},
        ])
    );
}
