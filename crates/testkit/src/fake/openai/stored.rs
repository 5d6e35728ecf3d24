//! What an account holds: models and files.

use super::super::shape::Violation;
use super::super::story::id;
use super::answer::CREATED;
use super::{Refusal, known};
use crate::reply::Reply;
use crate::seen::Seen;
use serde_json::{Value, json};

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
