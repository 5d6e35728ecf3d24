//! The story as an Anthropic message, whole and as events.

use super::super::story::{Content, End, Told, id, pieces, tell};
use super::request::Request;
use super::signature;
use crate::reply::Reply;
use crate::sse;
use serde_json::{Value, json};

pub(super) fn answer(request: &Request) -> Reply {
    let told = tell(&request.ask);
    if request.ask.stream {
        Reply::events(events(request, &told).iter().map(sse::typed).collect())
    } else {
        let mut message = message(request, &told);
        message["content"] = json!(blocks(&told));
        let (reason, sequence) = stop(&told);
        message["stop_reason"] = json!(reason);
        message["stop_sequence"] = json!(sequence);
        message["usage"]["output_tokens"] = json!(told.output);
        if told.thought.is_some() {
            message["usage"]["output_tokens_details"] = json!({"thinking_tokens": told.reasoning});
        }
        Reply::json(200, &message)
    }
}

/// The message as `message_start` shows it: before there is anything in it.
fn message(request: &Request, told: &Told) -> Value {
    json!({
        "id": id("msg_", &request.ask.last_text),
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {
            "input_tokens": told.input,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
            "service_tier": "standard",
        },
    })
}

fn blocks(told: &Told) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(thought) = told.thought {
        blocks.push(json!({"type": "thinking", "thinking": thought, "signature": signature(thought)}));
    }
    match &told.content {
        Content::Text { text, .. } if text.is_empty() => {}
        Content::Text { text, .. } => blocks.push(json!({"type": "text", "text": text})),
        Content::Calls(calls) => blocks.extend(calls.iter().map(|call| {
            let id = id("toolu_", &format!("{} {}", call.name, call.port));
            json!({"type": "tool_use", "id": id, "name": call.name, "input": call.arguments()})
        })),
    }
    blocks
}

fn stop(told: &Told) -> (&'static str, Option<&str>) {
    match &told.content {
        Content::Calls(_) => ("tool_use", None),
        Content::Text { end: End::Natural, .. } => ("end_turn", None),
        Content::Text { end: End::Stop(sequence), .. } => ("stop_sequence", Some(sequence)),
        Content::Text { end: End::Length, .. } => ("max_tokens", None),
    }
}

fn events(request: &Request, told: &Told) -> Vec<Value> {
    let mut events =
        vec![json!({"type": "message_start", "message": message(request, told)}), json!({"type": "ping"})];
    for (index, block) in blocks(told).iter().enumerate() {
        let (opening, deltas) = parts(block);
        events.push(json!({"type": "content_block_start", "index": index, "content_block": opening}));
        for delta in deltas {
            events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    let (reason, sequence) = stop(told);
    let mut usage = json!({
        "input_tokens": told.input,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": told.output,
    });
    if told.thought.is_some() {
        usage["output_tokens_details"] = json!({"thinking_tokens": told.reasoning});
    }
    let delta = json!({"stop_reason": reason, "stop_sequence": sequence});
    events.push(json!({"type": "message_delta", "delta": delta, "usage": usage}));
    events.push(json!({"type": "message_stop"}));
    events
}

/// How a block begins, and what is added to it.
fn parts(block: &Value) -> (Value, Vec<Value>) {
    let text = |name: &str| block[name].as_str().unwrap_or_default();
    match text("type") {
        "thinking" => {
            let thoughts = pieces(text("thinking")).into_iter();
            let mut deltas: Vec<_> =
                thoughts.map(|piece| json!({"type": "thinking_delta", "thinking": piece})).collect();
            deltas.push(json!({"type": "signature_delta", "signature": text("signature")}));
            (json!({"type": "thinking", "thinking": "", "signature": ""}), deltas)
        }
        "text" => {
            let deltas = pieces(text("text")).into_iter();
            let deltas = deltas.map(|piece| json!({"type": "text_delta", "text": piece})).collect();
            (json!({"type": "text", "text": ""}), deltas)
        }
        _ => {
            let input = block["input"].to_string();
            let deltas = std::iter::once("").chain(input.split_inclusive(':'));
            let deltas =
                deltas.map(|piece| json!({"type": "input_json_delta", "partial_json": piece})).collect();
            let opening = json!({"type": "tool_use", "id": block["id"], "name": block["name"], "input": {}});
            (opening, deltas)
        }
    }
}
