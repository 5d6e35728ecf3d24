//! The story in Cohere's form, whole and as events.

use super::super::story::{Ask, Call, Content, End, Told, id, pieces, tell};
use crate::reply::Reply;
use crate::sse;
use serde_json::{Value, json};

/// What precedes calls.
const PLAN: &str = "I will look up the tide.";

pub(super) fn answer(ask: &Ask) -> Reply {
    let told = tell(ask);
    if ask.stream {
        return Reply::events(events(ask, &told).iter().map(sse::typed).collect());
    }
    let mut message = json!({"role": "assistant"});
    let mut content = told
        .thought
        .map(|thought| vec![json!({"type": "thinking", "thinking": thought})])
        .unwrap_or_default();
    match &told.content {
        Content::Text { text, .. } => content.push(json!({"type": "text", "text": text})),
        Content::Calls(calls) => {
            message["tool_plan"] = json!(PLAN);
            message["tool_calls"] =
                calls.iter().map(|call| tool_call(call, &call.arguments().to_string())).collect();
        }
    }
    if !content.is_empty() {
        message["content"] = json!(content);
    }
    Reply::json(
        200,
        &json!({"id": answer_id(ask), "finish_reason": finish(&told), "message": message, "usage": usage(&told)}),
    )
}

fn answer_id(ask: &Ask) -> String {
    id("", &ask.last_text)
}

fn tool_call(call: &Call, arguments: &str) -> Value {
    let id = id(&format!("{}_", call.name), call.port);
    json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

fn finish(told: &Told) -> &'static str {
    match &told.content {
        Content::Calls(_) => "TOOL_CALL",
        Content::Text { end: End::Natural, .. } => "COMPLETE",
        Content::Text { end: End::Stop(_), .. } => "STOP_SEQUENCE",
        Content::Text { end: End::Length, .. } => "MAX_TOKENS",
    }
}

/// Billed and counted tokens differ at Cohere; here billing leaves out the thinking.
fn usage(told: &Told) -> Value {
    json!({
        "billed_units": {"input_tokens": told.input, "output_tokens": told.output - told.reasoning},
        "tokens": {"input_tokens": told.input, "output_tokens": told.output},
    })
}

fn events(ask: &Ask, told: &Told) -> Vec<Value> {
    let empty =
        json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
    let mut events =
        vec![json!({"id": answer_id(ask), "type": "message-start", "delta": {"message": empty}})];
    let mut index = 0;
    if let Some(thought) = told.thought {
        events.extend(block(index, "thinking", thought));
        index += 1;
    }
    match &told.content {
        Content::Text { text, .. } => events.extend(block(index, "text", text)),
        Content::Calls(calls) => {
            let plan = pieces(PLAN).into_iter();
            events.extend(
                plan.map(|p| json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": p}}})),
            );
            calls.iter().enumerate().for_each(|(index, call)| events.extend(call_events(index, call)));
        }
    }
    events
        .push(json!({"type": "message-end", "delta": {"finish_reason": finish(told), "usage": usage(told)}}));
    events
}

fn block(index: usize, kind: &str, text: &str) -> Vec<Value> {
    let event = |name: &str, content: Value| json!({"type": name, "index": index, "delta": {"message": {"content": content}}});
    let mut events = vec![event("content-start", json!({"type": kind, kind: ""}))];
    events.extend(pieces(text).into_iter().map(|piece| event("content-delta", json!({kind: piece}))));
    events.push(json!({"type": "content-end", "index": index}));
    events
}

fn call_events(index: usize, call: &Call) -> Vec<Value> {
    let event = |name: &str, call: Value| json!({"type": name, "index": index, "delta": {"message": {"tool_calls": call}}});
    let mut events = vec![event("tool-call-start", tool_call(call, ""))];
    for piece in call.arguments().to_string().split_inclusive(':') {
        events.push(event("tool-call-delta", json!({"function": {"arguments": piece}})));
    }
    events.push(json!({"type": "tool-call-end", "index": index}));
    events
}
