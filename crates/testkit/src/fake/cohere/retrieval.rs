//! Embedding and reranking.

use super::super::shape::{Kind, Member, Violation, check, items, may, must};
use super::super::{story, vector};
use super::Refusal;
use crate::reply::Reply;
use serde_json::{Map, Value, json};

const EMBED: &[Member] = &[
    must("model", Kind::Text),
    must(
        "input_type",
        Kind::Word(&["search_document", "search_query", "classification", "clustering", "image"]),
    ),
    may("texts", Kind::Texts(96)),
    may("images", Kind::Texts(1)),
    may("inputs", Kind::List),
    may("embedding_types", Kind::List),
    may("output_dimension", Kind::Whole(1, 4_096)),
    may("truncate", Kind::Word(&["NONE", "START", "END"])),
    may("max_tokens", Kind::Whole(1, i64::MAX)),
];

const RERANK: &[Member] = &[
    must("model", Kind::Text),
    must("query", Kind::Text),
    must("documents", Kind::List),
    may("top_n", Kind::Whole(1, i64::MAX)),
    may("max_tokens_per_doc", Kind::Whole(1, i64::MAX)),
    may("priority", Kind::Whole(0, 999)),
];

pub(super) fn embed(body: &Value) -> Result<Reply, Refusal> {
    let object = check(body, "", EMBED)?;
    let sources = ["texts", "images", "inputs"].iter().filter(|name| object.contains_key(**name)).count();
    if sources != 1 {
        return Err(Refusal::invalid("exactly one of texts, images or inputs must be given"));
    }
    let texts = texts(object)?;
    let dimensions = object.get("output_dimension").and_then(Value::as_u64);
    let dimensions = dimensions.and_then(|n| usize::try_from(n).ok()).unwrap_or(vector::DIMENSIONS);
    let vectors: Vec<_> = texts.iter().map(|text| vector::embed(text, dimensions)).collect();
    let mut embeddings = Map::new();
    for kind in types(object)? {
        let encoded = match kind.as_str() {
            "float" => json!(vectors),
            "base64" => vectors.iter().map(|vector| json!(vector::base64(vector))).collect(),
            _ => return Err(Refusal::invalid("embedding_types: this fake has 'float' and 'base64'")),
        };
        embeddings.insert(kind, encoded);
    }
    let tokens: usize = texts.iter().map(|text| vector::tokens(text)).sum();
    let meta = json!({"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens}});
    Ok(Reply::json(200, &json!({"id": "fake", "embeddings": embeddings, "texts": texts, "meta": meta})))
}

pub(super) fn rerank(body: &Value) -> Result<Reply, Refusal> {
    let object = check(body, "", RERANK)?;
    let query = object["query"].as_str().unwrap_or_default();
    let mut results = Vec::new();
    for (index, (document, path)) in items(object, "", "documents").into_iter().enumerate() {
        let text = document.as_str().ok_or_else(|| Violation::wrong(path, "a string"))?;
        results.push((score(query, text), index));
    }
    // Best first; equal ones in their order.
    results.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let top = object
        .get("top_n")
        .and_then(Value::as_u64)
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(usize::MAX);
    let results: Vec<_> = results
        .into_iter()
        .take(top)
        .map(|(score, index)| json!({"index": index, "relevance_score": f64::from(score) / 100.0}))
        .collect();
    let meta = json!({"api_version": {"version": "2"}, "billed_units": {"search_units": 1}});
    Ok(Reply::json(200, &json!({"id": "fake", "results": results, "meta": meta})))
}

fn texts(object: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let mut texts = Vec::new();
    for name in ["texts", "images"] {
        texts.extend(items(object, "", name).iter().filter_map(|(text, _)| text.as_str().map(str::to_owned)));
    }
    for (input, path) in items(object, "", "inputs") {
        let input = check(input, &path, &[must("content", Kind::List)])?;
        let parts = items(input, &path, "content");
        let words: Vec<_> = parts.iter().filter_map(|(part, _)| part["text"].as_str()).collect();
        texts.push(words.join(" "));
    }
    if texts.is_empty() {
        return Err(Refusal::invalid("at least one text is required"));
    }
    Ok(texts)
}

fn types(object: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let types = items(object, "", "embedding_types");
    if types.is_empty() {
        return Ok(vec!["float".to_owned()]);
    }
    types
        .iter()
        .map(|(kind, path)| Ok(kind.as_str().ok_or_else(|| Violation::wrong(path, "a string"))?.to_owned()))
        .collect()
}

/// Percent of the query's words that the document has.
fn score(query: &str, document: &str) -> u32 {
    let words = story::words(query).max(1);
    let found = query
        .split_whitespace()
        .filter(|word| document.split_whitespace().any(|other| other == *word))
        .count();
    u32::try_from(found * 100 / words).unwrap_or(100)
}
