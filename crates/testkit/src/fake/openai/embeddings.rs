//! Embeddings, as numbers or in base64.

use super::super::shape::{Kind, Member, Violation, check, may, must};
use super::super::vector;
use super::chat::count;
use super::{Refusal, known};
use crate::reply::Reply;
use serde_json::{Value, json};

const EMBEDDING: &[Member] = &[
    must("model", Kind::Text),
    must("input", Kind::TextOrList),
    may("encoding_format", Kind::Word(&["float", "base64"])),
    may("dimensions", Kind::Whole(1, 4_096)),
    may("user", Kind::Text),
];

pub(crate) fn answer(body: &Value) -> Result<Reply, Refusal> {
    let object = check(body, "", EMBEDDING)?;
    let model = object["model"].as_str().unwrap_or_default();
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
