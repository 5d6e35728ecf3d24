//! The story in Gemini's form: whole, as events, or as the elements of an array.

use super::super::story::{Content, End, Told, id, pieces, tell};
use super::request::Request;
use super::signature;
use crate::reply::{Reply, ReplyBody};
use serde_json::{Value, json};

pub(super) fn whole(request: &Request) -> Reply {
    let told = tell(&request.ask);
    let mut parts = thoughts(&told);
    match &told.content {
        Content::Text { text, .. } if text.is_empty() => {}
        Content::Text { text, .. } => parts.push(json!({"text": text})),
        Content::Calls(_) => parts.extend(calls(request, &told)),
    }
    let mut answer = document(request, &told, &parts, true);
    if let (true, Content::Text { text, .. }) = (request.logprobs, &told.content) {
        for candidate in answer["candidates"].as_array_mut().into_iter().flatten() {
            candidate["avgLogprobs"] = json!(-0.25);
            candidate["logprobsResult"] = logprobs(text);
        }
    }
    Reply::json(200, &answer)
}

/// With `events`, `data:` lines ended by CRLF CRLF; else one JSON array.
pub(super) fn stream(request: &Request, events: bool) -> Reply {
    let told = tell(&request.ask);
    let mut documents: Vec<_> =
        thoughts(&told).into_iter().map(|part| document(request, &told, &[part], false)).collect();
    match &told.content {
        Content::Text { text, .. } => {
            let pieces = pieces(text).into_iter();
            documents.extend(pieces.map(|piece| document(request, &told, &[json!({"text": piece})], false)));
        }
        Content::Calls(_) => {
            let calls = calls(request, &told).into_iter();
            documents.extend(calls.map(|part| document(request, &told, &[part], false)));
        }
    }
    documents.push(document(request, &told, &[json!({"text": ""})], true));
    if events {
        return Reply::events(documents.iter().map(|document| format!("data: {document}\r\n\r\n")).collect());
    }
    let last = documents.len() - 1;
    let elements = documents.iter().enumerate().map(|(at, document)| {
        let (open, close) = (if at == 0 { "[" } else { "" }, if at == last { "]" } else { ",\r\n" });
        format!("{open}{document}{close}").into_bytes()
    });
    Reply { body: ReplyBody::Stream(elements.collect()), ..Reply::text(200, "application/json", "") }
}

fn thoughts(told: &Told) -> Vec<Value> {
    told.thought.iter().map(|thought| json!({"text": thought, "thought": true})).collect()
}

fn calls(request: &Request, told: &Told) -> Vec<Value> {
    let Content::Calls(calls) = &told.content else { return Vec::new() };
    let parts = calls.iter().enumerate().map(|(at, call)| {
        let mut part = json!({"functionCall": {"name": call.name, "args": call.arguments()}});
        if request.signs_calls() {
            part["functionCall"]["id"] = json!(id("", &format!("{} {}", call.name, call.port)));
            if at == 0 {
                part["thoughtSignature"] = json!(signature(&call.name));
            }
        }
        part
    });
    parts.collect()
}

fn document(request: &Request, told: &Told, parts: &[Value], last: bool) -> Value {
    let reason = match &told.content {
        Content::Text { end: End::Length, .. } => "MAX_TOKENS",
        _ => "STOP",
    };
    let candidates: Vec<_> = (0..request.candidates)
        .map(|index| {
            let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": index});
            if last {
                candidate["finishReason"] = json!(reason);
            }
            candidate
        })
        .collect();
    json!({
        "candidates": candidates,
        "usageMetadata": usage(request, told, last),
        "modelVersion": request.model,
        "responseId": id("", &request.ask.last_text),
    })
}

/// Cumulative; what was generated is only known in the last document.
fn usage(request: &Request, told: &Told, last: bool) -> Value {
    let spoken = (told.output - told.reasoning) * request.candidates;
    let thought = told.reasoning * request.candidates;
    let mut usage = json!({"promptTokenCount": told.input});
    let mut total = told.input;
    if last {
        usage["candidatesTokenCount"] = json!(spoken);
        total += spoken;
    }
    if thought > 0 {
        usage["thoughtsTokenCount"] = json!(thought);
        total += thought;
    }
    usage["totalTokenCount"] = json!(total);
    usage["promptTokensDetails"] = json!([{"modality": "TEXT", "tokenCount": told.input}]);
    usage
}

fn logprobs(text: &str) -> Value {
    let chosen: Vec<_> = pieces(text)
        .into_iter()
        .enumerate()
        .map(|(at, token)| json!({"token": token, "tokenId": at, "logProbability": -0.25}))
        .collect();
    let top: Vec<_> = chosen.iter().map(|token| json!({"candidates": [token]})).collect();
    json!({"topCandidates": top, "chosenCandidates": chosen})
}
