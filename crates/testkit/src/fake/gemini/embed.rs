//! `embedContent` and `batchEmbedContents`.

use super::super::shape::{Kind, Member, Violation, check, items, may, must};
use super::super::vector;
use super::Refusal;
use crate::reply::Reply;
use serde_json::{Value, json};

const MEMBERS: &[Member] = &[
    may("model", Kind::Text),
    must("content", Kind::Object),
    may("taskType", Kind::Word(TASKS)),
    may("title", Kind::Text),
    may("outputDimensionality", Kind::Whole(1, 4_096)),
];

const TASKS: &[&str] = &[
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
];

pub(super) fn one(body: &Value, model: &str) -> Result<Reply, Refusal> {
    Ok(Reply::json(200, &json!({"embedding": embedding(body, "", model)?})))
}

pub(super) fn batch(body: &Value, model: &str) -> Result<Reply, Refusal> {
    let object = check(body, "", &[must("requests", Kind::List)])?;
    let mut embeddings = Vec::new();
    for (request, path) in items(object, "", "requests") {
        if request["model"].is_null() {
            return Err(Violation::missing(format!("{path}.model")).into());
        }
        embeddings.push(embedding(request, &path, model)?);
    }
    Ok(Reply::json(200, &json!({"embeddings": embeddings})))
}

fn embedding(request: &Value, path: &str, model: &str) -> Result<Value, Refusal> {
    let object = check(request, path, MEMBERS)?;
    if object.get("model").is_some_and(|named| *named != format!("models/{model}")) {
        return Err(Refusal::invalid("* model: model must match the model of the request's URL"));
    }
    let content =
        check(&request["content"], "content", &[must("parts", Kind::List), may("role", Kind::Text)])?;
    let mut texts = Vec::new();
    for (part, path) in items(content, "content", "parts") {
        check(part, &path, &[must("text", Kind::Text)])?;
        texts.extend(part["text"].as_str());
    }
    let dimensions = object.get("outputDimensionality").and_then(Value::as_u64);
    let dimensions = dimensions.and_then(|n| usize::try_from(n).ok()).unwrap_or(vector::DIMENSIONS);
    Ok(json!({"values": vector::embed(&texts.join(" "), dimensions)}))
}
