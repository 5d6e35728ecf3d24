//! `notNull`: there is content, and it is not blank.

use serde_json::{Value, json};

use super::{CheckError, Finding, Parameters, Scene};
use crate::js;
use crate::text::{self, NoText};

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let content = match scene.content() {
        Ok(content) => content,
        Err(no_text) => {
            let (reason, explanation) =
                (no_text.to_string(), "An error occurred while checking for null content.");
            let data = json!({"explanation": explanation, "error": reason});
            return Ok(Finding::failed(CheckError::of_type(reason), data));
        }
    };
    let is_blank = |text: &str| text.chars().all(js::is_space);
    let is_null = text::items(content).into_iter().all(is_blank);
    let verdict = is_null == parameters.not();
    let explanation =
        if is_null { "Content is null, undefined, or empty." } else { "Content exists and is not null." };
    let data = json!({
        "isNull": is_null,
        "contentType": type_of(content),
        "textArrayLength": content.and_then(Value::as_array).map_or(1, Vec::len),
        "explanation": explanation,
        "verdict": if verdict { "passed" } else { "failed" },
    });
    Ok(Finding::new(verdict, data))
}

/// `typeof`, with a word of its own for `null`.
fn type_of(content: Option<&Value>) -> &'static str {
    match content {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_) | Value::Object(_)) => "object",
    }
}
