//! The responses endpoint for one turn without stored state: messages, function calls and their outputs, function
//! tools, streams. Hosted tools, `previous_response_id` and the like are refused.

use super::super::shape::{Kind, Member, Violation, check, is_tool_name, items, items_of, may, must};
use super::super::story::{Ask, Call, Choice, Content, End, Last, THOUGHT, Told, id, pieces, tell};
use super::answer::{CREATED, call_id};
use super::chat::{count, flag, mode};
use super::{Refusal, known};
use crate::reply::Reply;
use crate::sse;
use serde_json::{Map, Value, json};

const MEMBERS: &[Member] = &[
    must("model", Kind::Text),
    must("input", Kind::TextOrList),
    may("instructions", Kind::Text),
    may("store", Kind::Flag),
    may("max_output_tokens", Kind::Whole(16, i64::MAX)),
    may("max_tool_calls", Kind::Whole(1, i64::MAX)),
    may("temperature", Kind::Number(0.0, 2.0)),
    may("top_p", Kind::Number(0.0, 1.0)),
    may("top_logprobs", Kind::Whole(0, 20)),
    may("text", Kind::Object),
    may("reasoning", Kind::Object),
    may("tools", Kind::List),
    may("tool_choice", Kind::WordOrObject(&["none", "auto", "required"])),
    may("parallel_tool_calls", Kind::Flag),
    may("include", Kind::List),
    may("truncation", Kind::Word(&["auto", "disabled"])),
    may("stream", Kind::Flag),
    may("stream_options", Kind::Object),
    may("metadata", Kind::Object),
    may("user", Kind::Text),
    may("safety_identifier", Kind::Text),
    may("prompt_cache_key", Kind::Text),
    may("service_tier", Kind::Text),
];

const TOOL: &[Member] = &[
    must("type", Kind::Word(&["function"])),
    must("name", Kind::Text),
    must("parameters", Kind::Any),
    may("description", Kind::Text),
    may("strict", Kind::Flag),
];

pub(crate) fn answer(body: &Value) -> Result<Reply, Refusal> {
    let object = check(body, "", MEMBERS)?;
    known(object["model"].as_str().unwrap_or_default())?;
    let ask = read(object)?;
    let told = tell(&ask);
    let response = response(object, &ask, &told);
    if !ask.stream {
        return Ok(Reply::json(200, &response));
    }
    let events = events(response);
    let numbered = events.into_iter().enumerate().map(|(number, mut event)| {
        event["sequence_number"] = json!(number);
        sse::typed(&event)
    });
    Ok(Reply::events(numbered.collect()))
}

fn read(object: &Map<String, Value>) -> Result<Ask, Refusal> {
    let mut ask = Ask {
        max_tokens: count(object, "max_output_tokens"),
        json: object
            .get("text")
            .is_some_and(|text| !matches!(text["format"]["type"].as_str(), None | Some("text"))),
        think: object.get("reasoning").is_some_and(|r| !matches!(r["effort"].as_str(), None | Some("none"))),
        single: object.get("parallel_tool_calls") == Some(&Value::Bool(false)),
        stream: flag(object, "stream"),
        ..Ask::default()
    };
    for (tool, path) in items(object, "", "tools") {
        check(tool, &path, TOOL)?;
        let name = tool["name"].as_str().unwrap_or_default();
        if !is_tool_name(name, 64) {
            return Err(
                Violation::wrong(format!("{path}.name"), "up to 64 letters, digits, '_' or '-'").into()
            );
        }
        ask.tools.push(name.to_owned());
    }
    ask.choice = match object.get("tool_choice") {
        Some(Value::String(word)) => mode(word),
        Some(Value::Object(choice)) => match choice.get("name").and_then(Value::as_str) {
            Some(name) => Choice::Named(name.to_owned()),
            None => return Err(Violation::missing("tool_choice.name").into()),
        },
        _ => Choice::Auto,
    };
    ask.instruct(object.get("instructions").and_then(Value::as_str).unwrap_or_default());
    input(object, &mut ask)?;
    Ok(ask)
}

fn input(object: &Map<String, Value>, ask: &mut Ask) -> Result<(), Refusal> {
    if let Some(text) = object["input"].as_str() {
        ask.hear(Last::User, text, 0);
        return Ok(());
    }
    let mut calls = Vec::new();
    for (item, path) in items(object, "", "input") {
        match item["type"].as_str().unwrap_or("message") {
            "message" => message(item, &path, ask)?,
            "function_call" => calls.push(item["call_id"].as_str().unwrap_or_default().to_owned()),
            "function_call_output" => {
                let id = item["call_id"].as_str().unwrap_or_default();
                if !calls.iter().any(|call| call == id) {
                    let text = format!("No tool call found for function call output with call_id {id}.");
                    return Err(Refusal::new(400, "invalid_value", Some("input"), text));
                }
                ask.hear(Last::Tool, item["output"].as_str().unwrap_or_default(), 0);
            }
            "reasoning" => {}
            _ => return Err(Violation::wrong(format!("{path}.type"), "an item that this fake knows").into()),
        }
    }
    Ok(())
}

fn message(item: &Value, path: &str, ask: &mut Ask) -> Result<(), Refusal> {
    let members = [
        may("type", Kind::Text),
        must("role", Kind::Word(&["user", "system", "developer", "assistant"])),
        must("content", Kind::TextOrList),
        may("id", Kind::Text),
        may("status", Kind::Text),
        may("phase", Kind::Text),
    ];
    check(item, path, &members)?;
    let role = item["role"].as_str().unwrap_or_default();
    let (mut texts, mut images) = (Vec::new(), 0);
    texts.extend(item["content"].as_str());
    for (part, path) in items_of(item, path, "content") {
        match (part["type"].as_str().unwrap_or_default(), role) {
            ("output_text", "assistant") => texts.extend(part["text"].as_str()),
            ("input_text", role) if role != "assistant" => texts.extend(part["text"].as_str()),
            ("input_image", "user") => images += 1,
            _ => {
                return Err(
                    Violation::wrong(format!("{path}.type"), format!("a part for role '{role}'")).into()
                );
            }
        }
    }
    let text = texts.join(" ");
    match role {
        "user" => ask.hear(Last::User, &text, images),
        "assistant" => ask.hear(Last::Assistant, &text, 0),
        _ => ask.instruct(&text),
    }
    Ok(())
}

fn response(object: &Map<String, Value>, ask: &Ask, told: &Told) -> Value {
    let cut = matches!(&told.content, Content::Text { end: End::Length, .. });
    json!({
        "id": id("resp_", &ask.last_text),
        "object": "response",
        "created_at": CREATED,
        "status": if cut { "incomplete" } else { "completed" },
        "error": null,
        "incomplete_details": cut.then(|| json!({"reason": "max_output_tokens"})),
        "instructions": object.get("instructions"),
        "metadata": object.get("metadata").cloned().unwrap_or_else(|| json!({})),
        "model": object["model"],
        "output": output(ask, told),
        "parallel_tool_calls": !ask.single,
        "temperature": object.get("temperature").cloned().unwrap_or_else(|| json!(1.0)),
        "tool_choice": object.get("tool_choice").cloned().unwrap_or_else(|| json!("auto")),
        "tools": object.get("tools").cloned().unwrap_or_else(|| json!([])),
        "top_p": object.get("top_p").cloned().unwrap_or_else(|| json!(1.0)),
        "usage": {
            "input_tokens": told.input,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": told.output,
            "output_tokens_details": {"reasoning_tokens": told.reasoning},
            "total_tokens": told.input + told.output,
        },
    })
}

fn output(ask: &Ask, told: &Told) -> Vec<Value> {
    let mut output = Vec::new();
    if ask.think {
        let summary = json!([{"type": "summary_text", "text": THOUGHT}]);
        output.push(json!({"id": id("rs_", &ask.last_text), "type": "reasoning", "summary": summary}));
    }
    match &told.content {
        Content::Text { text, .. } => output.push(json!({
            "id": id("msg_", &ask.last_text), "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        })),
        Content::Calls(calls) => output.extend(calls.iter().map(function_call)),
    }
    output
}

fn function_call(call: &Call) -> Value {
    json!({
        "id": id("fc_", call.port), "type": "function_call", "status": "completed",
        "arguments": call.arguments().to_string(), "call_id": call_id(call, 0), "name": call.name,
    })
}

/// The events that build up to `response`, without their numbers.
fn events(response: Value) -> Vec<Value> {
    let mut begun = response.clone();
    begun["status"] = json!("in_progress");
    begun["output"] = json!([]);
    begun["usage"] = Value::Null;
    begun["incomplete_details"] = Value::Null;
    let mut events = vec![
        json!({"type": "response.created", "response": begun}),
        json!({"type": "response.in_progress", "response": begun}),
    ];
    for (index, item) in response["output"].as_array().into_iter().flatten().enumerate() {
        events.extend(item_events(index, item));
    }
    events.push(json!({
        "type": format!("response.{}", response["status"].as_str().unwrap_or_default()),
        "response": response,
    }));
    events
}

fn item_events(index: usize, item: &Value) -> Vec<Value> {
    let mut opening = item.clone();
    let inner = match item["type"].as_str() {
        Some("message") => {
            opening["content"] = json!([]);
            opening["status"] = json!("in_progress");
            text_events(index, item)
        }
        Some("function_call") => {
            opening["arguments"] = json!("");
            opening["status"] = json!("in_progress");
            argument_events(index, item)
        }
        _ => {
            opening["summary"] = json!([]);
            summary_events(index, item)
        }
    };
    let mut events =
        vec![json!({"type": "response.output_item.added", "output_index": index, "item": opening})];
    events.extend(inner);
    events.push(json!({"type": "response.output_item.done", "output_index": index, "item": item}));
    events
}

fn text_events(index: usize, item: &Value) -> Vec<Value> {
    let part = &item["content"][0];
    let text = part["text"].as_str().unwrap_or_default();
    let event = |name: &str, more: Value| {
        let mut event =
            json!({"type": name, "item_id": item["id"], "output_index": index, "content_index": 0});
        event.as_object_mut().expect("made above").extend(more.as_object().expect("an object").clone());
        event
    };
    let empty = json!({"type": "output_text", "text": "", "annotations": []});
    let mut events = vec![event("response.content_part.added", json!({"part": empty}))];
    for piece in pieces(text) {
        events.push(event("response.output_text.delta", json!({"delta": piece, "logprobs": []})));
    }
    events.push(event("response.output_text.done", json!({"text": text, "logprobs": []})));
    events.push(event("response.content_part.done", json!({"part": part})));
    events
}

fn argument_events(index: usize, item: &Value) -> Vec<Value> {
    let arguments = item["arguments"].as_str().unwrap_or_default();
    let id = &item["id"];
    let mut events: Vec<_> = arguments
        .split_inclusive(':')
        .map(|piece| {
            let name = "response.function_call_arguments.delta";
            json!({"type": name, "item_id": id, "output_index": index, "delta": piece})
        })
        .collect();
    events.push(json!({
        "type": "response.function_call_arguments.done", "item_id": id, "output_index": index,
        "name": item["name"], "arguments": arguments,
    }));
    events
}

fn summary_events(index: usize, item: &Value) -> Vec<Value> {
    let part = &item["summary"][0];
    let at = |name: &str, member: &str, value: &Value| {
        json!({
            "type": format!("response.{name}"), "item_id": item["id"], "output_index": index, "summary_index": 0,
            member: value,
        })
    };
    vec![
        at("reasoning_summary_part.added", "part", &json!({"type": "summary_text", "text": ""})),
        at("reasoning_summary_text.delta", "delta", &part["text"]),
        at("reasoning_summary_text.done", "text", &part["text"]),
        at("reasoning_summary_part.done", "part", part),
    ]
}
