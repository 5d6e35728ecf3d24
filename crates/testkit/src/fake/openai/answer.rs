//! The story in OpenAI's chat form, whole and as chunks.

use super::super::story::{Call, Content, End, Told, id, pieces, tell};
use super::chat::Request;
use serde_json::{Value, json};

/// `created` of everything.
pub(crate) const CREATED: u64 = 1_760_000_000;

pub(crate) fn whole(request: &Request) -> Value {
    let told = tell(&request.ask);
    let choices: Vec<_> = (0..request.n).map(|index| choice(request, &told, index)).collect();
    json!({
        "id": answer_id(request),
        "object": "chat.completion",
        "created": CREATED,
        "model": request.model,
        "choices": choices,
        "usage": usage(&told, request.n),
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
    })
}

/// The chunks of a stream, without `[DONE]`.
pub(crate) fn chunks(request: &Request) -> Vec<Value> {
    let told = tell(&request.ask);
    let mut chunks = Vec::new();
    for index in 0..request.n {
        for (delta, tokens) in deltas(request, &told, index) {
            chunks.push(chunk(
                request,
                json!([
                    {"index": index, "delta": delta, "logprobs": tokens, "finish_reason": null},
                ]),
            ));
        }
        chunks.push(chunk(
            request,
            json!([
                {"index": index, "delta": {}, "logprobs": null, "finish_reason": finish(&told)},
            ]),
        ));
    }
    if request.include_usage {
        let mut last = chunk(request, json!([]));
        last["usage"] = usage(&told, request.n);
        chunks.push(last);
    }
    chunks
}

pub(super) fn usage(told: &Told, n: usize) -> Value {
    let output = told.output * n;
    json!({
        "prompt_tokens": told.input,
        "completion_tokens": output,
        "total_tokens": told.input + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": told.reasoning * n,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

/// `call_..`, different for each choice and call.
pub(super) fn call_id(call: &Call, choice: usize) -> String {
    id("call_", &format!("{} {} {choice}", call.name, call.port))
}

fn choice(request: &Request, told: &Told, index: usize) -> Value {
    let mut message = json!({"role": "assistant", "content": null, "refusal": null});
    let mut tokens = Value::Null;
    match &told.content {
        Content::Text { text, .. } => {
            message["content"] = json!(text);
            message["annotations"] = json!([]);
            tokens = logprobs(request, text);
        }
        Content::Calls(calls) => {
            let calls: Vec<_> =
                calls.iter().map(|call| function(call, index, &call.arguments().to_string())).collect();
            message["tool_calls"] = json!(calls);
        }
    }
    json!({"index": index, "message": message, "logprobs": tokens, "finish_reason": finish(told)})
}

fn function(call: &Call, choice: usize, arguments: &str) -> Value {
    json!({
        "id": call_id(call, choice),
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    })
}

fn deltas(request: &Request, told: &Told, choice: usize) -> Vec<(Value, Value)> {
    let plain = |delta| (delta, Value::Null);
    match &told.content {
        Content::Text { text, .. } => {
            let first = plain(json!({"role": "assistant", "content": "", "refusal": null}));
            let words = pieces(text).into_iter();
            let words = words.map(|word| (json!({"content": word}), logprobs(request, word)));
            std::iter::once(first).chain(words).collect()
        }
        Content::Calls(calls) => {
            let mut deltas = Vec::new();
            for (at, call) in calls.iter().enumerate() {
                let mut opening = function(call, choice, "");
                opening["index"] = json!(at);
                deltas.push(plain(if at == 0 {
                    json!({"role": "assistant", "content": null, "tool_calls": [opening]})
                } else {
                    json!({"tool_calls": [opening]})
                }));
                for piece in call.arguments().to_string().split_inclusive(':') {
                    deltas.push(plain(
                        json!({"tool_calls": [{"index": at, "function": {"arguments": piece}}]}),
                    ));
                }
            }
            deltas
        }
    }
}

fn chunk(request: &Request, choices: Value) -> Value {
    let mut chunk = json!({
        "id": answer_id(request),
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": request.model,
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
        "choices": choices,
    });
    if request.include_usage {
        chunk["usage"] = Value::Null;
    }
    chunk
}

fn finish(told: &Told) -> &'static str {
    match &told.content {
        Content::Calls(_) => "tool_calls",
        Content::Text { end: End::Length, .. } => "length",
        Content::Text { .. } => "stop",
    }
}

fn logprobs(request: &Request, text: &str) -> Value {
    if !request.logprobs {
        return Value::Null;
    }
    let tokens: Vec<_> = pieces(text)
        .into_iter()
        .map(|token| json!({"token": token, "logprob": -0.25, "bytes": token.as_bytes(), "top_logprobs": []}))
        .collect();
    json!({"content": tokens, "refusal": null})
}

fn answer_id(request: &Request) -> String {
    id("chatcmpl-", &format!("{} {}", request.model, request.ask.last_text))
}
