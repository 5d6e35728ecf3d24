//! The endpoints beside chat and responses: completions, embeddings, models, files.

use super::super::shape::{Kind, Member, Violation, check, may, must};
use super::super::story::{Ask, Content, End, Last, id, pieces, tell};
use super::super::vector;
use super::answer::{CREATED, usage};
use super::chat::{count, flag, texts};
use super::{Refusal, known};
use crate::reply::Reply;
use crate::seen::Seen;
use crate::sse;
use serde_json::{Map, Value, json};

const COMPLETION: &[Member] = &[
    must("model", Kind::Text),
    must("prompt", Kind::TextOrList),
    may("best_of", Kind::Whole(0, 20)),
    may("echo", Kind::Flag),
    may("frequency_penalty", Kind::Number(-2.0, 2.0)),
    may("presence_penalty", Kind::Number(-2.0, 2.0)),
    may("logit_bias", Kind::Object),
    may("logprobs", Kind::Whole(0, 5)),
    may("max_tokens", Kind::Whole(0, i64::MAX)),
    may("n", Kind::Whole(1, 128)),
    may("seed", Kind::Whole(i64::MIN, i64::MAX)),
    may("stop", Kind::Texts(4)),
    may("stream", Kind::Flag),
    may("stream_options", Kind::Object),
    may("suffix", Kind::Text),
    may("temperature", Kind::Number(0.0, 2.0)),
    may("top_p", Kind::Number(0.0, 1.0)),
    may("user", Kind::Text),
];

const EMBEDDING: &[Member] = &[
    must("model", Kind::Text),
    must("input", Kind::TextOrList),
    may("encoding_format", Kind::Word(&["float", "base64"])),
    may("dimensions", Kind::Whole(1, 4_096)),
    may("user", Kind::Text),
];

pub(super) fn completions(body: &Value) -> Result<Reply, Refusal> {
    let object = check(body, "", COMPLETION)?;
    let model = text(object, "model");
    known(model)?;
    let stream = flag(object, "stream");
    if !stream && object.get("stream_options").is_some_and(|options| !options.is_null()) {
        return Err(Violation::wrong("stream_options", "'stream' to be true beside it").into());
    }
    let prompts = texts(object.get("prompt"));
    let mut ask = Ask {
        stop: texts(object.get("stop")),
        max_tokens: Some(count(object, "max_tokens").unwrap_or(16)),
        ..Ask::default()
    };
    prompts.iter().for_each(|prompt| ask.hear(Last::User, prompt, 0));
    let told = tell(&ask);
    let Content::Text { text, end } = &told.content else { unreachable!("no tools were given") };
    let finish = if *end == End::Length { "length" } else { "stop" };
    let choices = prompts.len().max(1) * count(object, "n").unwrap_or(1);
    let document = |listed: Vec<Value>| {
        json!({
            "id": id("cmpl-", &ask.last_text), "object": "text_completion", "created": CREATED, "model": model,
            "choices": listed,
        })
    };
    let entry = |index: usize, text: &str, finish: Option<&str>| json!({"index": index, "text": text, "logprobs": null, "finish_reason": finish});
    if !stream {
        let mut whole = document((0..choices).map(|index| entry(index, text, Some(finish))).collect());
        whole["usage"] = usage(&told, choices);
        return Ok(Reply::json(200, &whole));
    }
    let mut events = Vec::new();
    for index in 0..choices {
        events.extend(
            pieces(text).into_iter().map(|piece| sse::data(&document(vec![entry(index, piece, None)]))),
        );
        events.push(sse::data(&document(vec![entry(index, "", Some(finish))])));
    }
    if body["stream_options"]["include_usage"] == true {
        let mut last = document(Vec::new());
        last["usage"] = usage(&told, choices);
        events.push(sse::data(&last));
    }
    events.push(sse::DONE.to_owned());
    Ok(Reply::events(events))
}

pub(crate) fn embeddings(body: &Value) -> Result<Reply, Refusal> {
    let object = check(body, "", EMBEDDING)?;
    let model = text(object, "model");
    known(model)?;
    let inputs = inputs(&object["input"])?;
    let dimensions = count(object, "dimensions").unwrap_or(vector::DIMENSIONS);
    let base64 = object.get("encoding_format").is_some_and(|format| format == "base64");
    let data: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let vector = vector::embed(input, dimensions);
            let embedding = if base64 { json!(vector::base64(&vector)) } else { json!(vector) };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let tokens: usize = inputs.iter().map(|input| vector::tokens(input)).sum();
    Ok(Reply::json(
        200,
        &json!({
            "object": "list", "data": data, "model": model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }),
    ))
}

/// The texts to embed; token ids become a text of numbers.
fn inputs(input: &Value) -> Result<Vec<String>, Refusal> {
    let ids = |list: &[Value]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let list = match input {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) if list.first().is_some_and(Value::is_u64) => vec![ids(list)],
        Value::Array(list) => list
            .iter()
            .map(|item| match item {
                Value::String(text) => Some(text.clone()),
                Value::Array(tokens) => Some(ids(tokens)),
                _ => None,
            })
            .collect::<Option<_>>()
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    if !(1..=2_048).contains(&list.len()) || list.iter().any(String::is_empty) {
        return Err(Violation::wrong(
            "input",
            "a text, token ids, or an array of 1 to 2048 of these, none empty",
        )
        .into());
    }
    Ok(list)
}

pub(super) fn models() -> Reply {
    let data: Vec<_> = ["gpt-4o", "text-embedding-3-small"].iter().map(|id| described(id)).collect();
    Reply::json(200, &json!({"object": "list", "data": data}))
}

pub(super) fn model(id: &str) -> Result<Reply, Refusal> {
    known(id)?;
    Ok(Reply::json(200, &described(id)))
}

/// Takes any multipart upload with a `purpose` and a `file`, and describes it.
pub(super) fn file(request: &Seen) -> Result<Reply, Refusal> {
    let boundary =
        request.header("content-type").and_then(|kind| kind.strip_prefix("multipart/form-data; boundary="));
    let boundary = boundary.ok_or_else(|| Violation::wrong("body", "multipart/form-data with a boundary"))?;
    let body = String::from_utf8_lossy(&request.body);
    let part = |name: &str| {
        let mark = format!("name=\"{name}\"");
        let delimiter = format!("--{}", boundary.trim_matches('"'));
        let part = body.split(&delimiter).find(|part| part.contains(&mark))?;
        let (head, content) = part.split_once("\r\n\r\n")?;
        Some((head.to_owned(), content.strip_suffix("\r\n").unwrap_or(content).to_owned()))
    };
    let (_, purpose) = part("purpose").ok_or_else(|| Violation::missing("purpose"))?;
    let (head, content) = part("file").ok_or_else(|| Violation::missing("file"))?;
    let name =
        head.split_once("filename=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name);
    let name = name.ok_or_else(|| Violation::missing("file.filename"))?;
    Ok(Reply::json(
        200,
        &json!({
            "id": id("file-", &content), "object": "file", "bytes": content.len(), "created_at": CREATED,
            "filename": name, "purpose": purpose, "status": "processed",
        }),
    ))
}

fn described(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": CREATED, "owned_by": "fake"})
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}
