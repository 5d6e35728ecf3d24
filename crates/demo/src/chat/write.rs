//! The two forms of an answer: one document, or a stream of chunks.

use super::{Request, Said};
use crate::{Reply, words};
use serde_json::{Value, json};
use tidegate_core::id;

/// What every chunk of one answer repeats.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) id: String,
    /// Seconds since 1970.
    pub(super) created: u64,
    pub(super) model: &'a str,
}

pub(super) fn whole(head: &Head<'_>, request: &Request, said: &Said) -> Reply {
    let choices: Vec<_> = (0..request.n)
        .map(|index| {
            let mut message = json!({"role": "assistant", "content": null, "refusal": null});
            let mut tokens = None;
            match said {
                Said::Text { text, .. } => {
                    message["content"] = json!(text);
                    tokens = request.logprobs.map(|top| logprobs(text, top));
                }
                Said::Call { tool, custom, arguments } => {
                    message["tool_calls"] = json!([tool_call(head, index, tool, *custom, arguments)]);
                }
            }
            json!({"index": index, "message": message, "logprobs": tokens, "finish_reason": said.finish()})
        })
        .collect();
    Reply::json(&json!({
        "id": head.id,
        "object": "chat.completion",
        "created": head.created,
        "model": head.model,
        "choices": choices,
        "usage": usage(request, said),
    }))
}

/// One chunk for each token; the choices of `n` take turns.
pub(super) fn stream(head: &Head<'_>, request: &Request, said: &Said) -> Reply {
    let mut events = Vec::new();
    let deltas = deltas(head, request, said);
    let rounds = deltas.first().map_or(0, Vec::len);
    for round in 0..rounds {
        for (index, deltas) in deltas.iter().enumerate() {
            let (delta, tokens) = &deltas[round];
            let finish = (round + 1 == rounds).then(|| said.finish());
            events.push(chunk(
                head,
                request,
                json!([
                    {"index": index, "delta": delta, "logprobs": tokens, "finish_reason": finish},
                ]),
            ));
        }
    }
    if request.include_usage {
        let mut last = chunk(head, request, json!([]));
        last["usage"] = usage(request, said);
        events.push(last);
    }
    Reply::stream(&events)
}

/// `{id, type, function: {name, arguments}}`, or the form of a custom tool.
fn tool_call(head: &Head<'_>, choice: usize, tool: &str, custom: bool, arguments: &str) -> Value {
    let id = format!("call_{}", id::derived(&format!("{} {choice}", head.id), 24));
    if custom {
        json!({"id": id, "type": "custom", "custom": {"name": tool, "input": arguments}})
    } else {
        json!({"id": id, "type": "function", "function": {"name": tool, "arguments": arguments}})
    }
}

/// Every token is certain (log probability 0), and has no alternative but itself.
fn logprobs(text: &str, top: usize) -> Value {
    let tokens: Vec<_> = words::split(text)
        .into_iter()
        .map(|token| {
            let mut entry = json!({"token": token, "logprob": 0.0, "bytes": token.as_bytes()});
            entry["top_logprobs"] = if top == 0 { json!([]) } else { json!([entry.clone()]) };
            entry
        })
        .collect();
    json!({"content": tokens, "refusal": null})
}

fn usage(request: &Request, said: &Said) -> Value {
    let (prompt, completion) = (request.prompt_tokens(), said.tokens() * request.n);
    json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
}

/// For each choice what its chunks add, with their log probabilities: the role first, an empty delta last.
fn deltas(head: &Head<'_>, request: &Request, said: &Said) -> Vec<Vec<(Value, Option<Value>)>> {
    (0..request.n)
        .map(|index| {
            let mut deltas = match said {
                Said::Text { text, .. } => text_deltas(text, request.logprobs),
                Said::Call { tool, custom, arguments } => {
                    call_deltas(tool_call(head, index, tool, *custom, ""), *custom, arguments)
                }
            };
            deltas.push((json!({}), None));
            deltas
        })
        .collect()
}

fn text_deltas(text: &str, top: Option<usize>) -> Vec<(Value, Option<Value>)> {
    let role = json!({"role": "assistant", "content": "", "refusal": null});
    let words = words::split(text).into_iter();
    let tokens = words.map(|word| (json!({"content": word}), top.map(|top| logprobs(word, top))));
    std::iter::once((role, None)).chain(tokens).collect()
}

/// The call with empty arguments, then the arguments in pieces.
fn call_deltas(mut call: Value, custom: bool, arguments: &str) -> Vec<(Value, Option<Value>)> {
    let (kind, member) = if custom { ("custom", "input") } else { ("function", "arguments") };
    call["index"] = json!(0);
    let first = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let pieces = arguments.split_inclusive([':', ',']);
    let rest = pieces.map(|piece| (json!({"tool_calls": [{"index": 0, kind: {member: piece}}]}), None));
    std::iter::once((first, None)).chain(rest).collect()
}

fn chunk(head: &Head<'_>, request: &Request, choices: Value) -> Value {
    let mut chunk = json!({
        "id": head.id,
        "object": "chat.completion.chunk",
        "created": head.created,
        "model": head.model,
        "choices": choices,
    });
    if request.include_usage {
        chunk["usage"] = Value::Null;
    }
    chunk
}
