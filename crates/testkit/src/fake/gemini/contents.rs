//! Contents: one kind to a part, results right after their calls, signatures where they were put.

use super::super::shape::{Kind, Member, Violation, check, items, may, must};
use super::super::story::{Ask, Last};
use super::super::vector;
use super::{NO_SIGNATURE, Refusal, signature};
use serde_json::{Map, Value};

const KINDS: &[Member] = &[
    may("text", Kind::Text),
    may("inlineData", Kind::Object),
    may("fileData", Kind::Object),
    may("functionCall", Kind::Object),
    may("functionResponse", Kind::Object),
    may("executableCode", Kind::Object),
    may("codeExecutionResult", Kind::Object),
];

const BESIDE: &[Member] = &[
    may("thought", Kind::Flag),
    may("thoughtSignature", Kind::Text),
    may("videoMetadata", Kind::Object),
    may("mediaResolution", Kind::Any),
];

/// One entry of `contents`.
#[derive(Debug, Default)]
struct Content {
    model: bool,
    texts: Vec<String>,
    images: usize,
    /// Name, id, and whether it was signed.
    calls: Vec<(String, Option<String>, bool)>,
    /// Name and id.
    results: Vec<(String, Option<String>)>,
}

pub(super) fn instruction(value: &Value, ask: &mut Ask) -> Result<(), Refusal> {
    let object = check(value, "systemInstruction", &[must("parts", Kind::List), may("role", Kind::Text)])?;
    for (part, path) in items(object, "systemInstruction", "parts") {
        check(part, &path, &[must("text", Kind::Text)])?;
        ask.instruct(part["text"].as_str().unwrap_or_default());
    }
    Ok(())
}

pub(super) fn read(object: &Map<String, Value>, signed: bool, ask: &mut Ask) -> Result<(), Refusal> {
    let list = items(object, "", "contents");
    let contents: Vec<_> = list.iter().map(|(value, path)| content(value, path)).collect::<Result<_, _>>()?;
    if contents.is_empty() {
        return Err(Violation::missing("GenerateContentRequest.contents").into());
    }
    pairs(&contents)?;
    if signed {
        signatures(&contents)?;
    }
    for content in &contents {
        let last = match (content.model, content.results.is_empty()) {
            (true, _) => Last::Assistant,
            (false, true) => Last::User,
            (false, false) => Last::Tool,
        };
        ask.hear(last, &content.texts.join(" "), content.images);
    }
    Ok(())
}

fn content(value: &Value, path: &str) -> Result<Content, Refusal> {
    let members = [may("role", Kind::Text), must("parts", Kind::List)];
    let object = check(value, path, &members)?;
    let role = value["role"].as_str().unwrap_or("user");
    if !["user", "model", "function"].contains(&role) {
        return Err(Refusal::invalid("Please use a valid role: user, model."));
    }
    let parts = items(object, path, "parts");
    if parts.is_empty() {
        return Err(Refusal::invalid(format!("* {path}.parts: contents.parts must not be empty.")));
    }
    let mut content = Content { model: role == "model", ..Content::default() };
    for (part, path) in parts {
        read_part(part, &path, &mut content)?;
    }
    Ok(content)
}

fn read_part(part: &Value, path: &str, content: &mut Content) -> Result<(), Refusal> {
    let object = check(part, path, &[KINDS, BESIDE].concat())?;
    let mut kinds = KINDS.iter().map(|kind| kind.name).filter(|name| object.contains_key(*name));
    let kind = match (kinds.next(), kinds.next()) {
        (Some(kind), None) => kind,
        (None, _) => {
            let text = format!("* {path}.data: required oneof field 'data' must have one initialized field");
            return Err(Refusal::invalid(text));
        }
        (Some(_), Some(second)) => {
            let text = format!(
                "Invalid value at '{path}' (oneof), oneof field 'data' is already set. Cannot set '{second}'"
            );
            return Err(Refusal::invalid(text));
        }
    };
    let inner = &part[kind];
    let at = format!("{path}.{kind}");
    match kind {
        "text" if part["thought"] != true => {
            content.texts.push(inner.as_str().unwrap_or_default().to_owned())
        }
        "inlineData" => {
            check(
                inner,
                &at,
                &[must("mimeType", Kind::Text), must("data", Kind::Text), may("displayName", Kind::Text)],
            )?;
            content.images += usize::from(is_image(inner));
        }
        "fileData" => {
            check(inner, &at, &[may("mimeType", Kind::Text), must("fileUri", Kind::Text)])?;
            content.images += usize::from(is_image(inner));
        }
        "functionCall" if content.model => {
            check(inner, &at, &[may("id", Kind::Text), must("name", Kind::Text), may("args", Kind::Object)])?;
            let signed = call_signature(part, inner["name"].as_str().unwrap_or_default())?;
            content.calls.push((name(inner), id(inner), signed));
        }
        "functionResponse" if !content.model => {
            let members = [
                may("id", Kind::Text),
                must("name", Kind::Text),
                must("response", Kind::Object),
                may("parts", Kind::List),
                may("willContinue", Kind::Flag),
                may("scheduling", Kind::Text),
            ];
            check(inner, &at, &members)?;
            content.texts.extend(inner["response"].as_object().into_iter().flat_map(Map::values).map(plain));
            content.results.push((name(inner), id(inner)));
        }
        "functionCall" | "functionResponse" => {
            return Err(Refusal::invalid(format!("{path}: {kind} is not allowed for this role")));
        }
        _ => {}
    }
    Ok(())
}

fn name(value: &Value) -> String {
    value["name"].as_str().unwrap_or_default().to_owned()
}

fn id(value: &Value) -> Option<String> {
    value["id"].as_str().map(str::to_owned)
}

fn is_image(data: &Value) -> bool {
    data["mimeType"].as_str().is_some_and(|kind| kind.starts_with("image/"))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether the part is signed; a signature that the fake did not issue for this function is refused.
fn call_signature(part: &Value, function: &str) -> Result<bool, Refusal> {
    match part["thoughtSignature"].as_str() {
        None => Ok(false),
        Some(given)
            if given == signature(function)
                || given == NO_SIGNATURE
                || given == vector::encode(NO_SIGNATURE.as_bytes()) =>
        {
            Ok(true)
        }
        Some(_) => Err(Refusal::invalid("Thought signature is not valid.")),
    }
}

/// The results of a turn are as many as its calls, of the same functions, and come right after.
fn pairs(contents: &[Content]) -> Result<(), Refusal> {
    for (at, content) in contents.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| contents.get(at));
        let calls = before.map(|content| content.calls.as_slice()).unwrap_or_default();
        if !content.results.is_empty() && calls.is_empty() {
            let text =
                "Please ensure that function response turn comes immediately after a function call turn.";
            return Err(Refusal::invalid(text));
        }
        if content.results.len() != calls.len() {
            return Err(unequal());
        }
        for (name, id) in &content.results {
            let found = calls
                .iter()
                .any(|call| call.0 == *name && (id.is_none() || call.1.is_none() || call.1 == *id));
            if !found {
                let text = format!(
                    "Function response for '{name}' does not match a function call of the turn before."
                );
                return Err(Refusal::invalid(text));
            }
        }
    }
    if contents.last().is_some_and(|content| !content.calls.is_empty()) {
        return Err(unequal());
    }
    Ok(())
}

fn unequal() -> Refusal {
    Refusal::invalid(
        "Please ensure that the number of function response parts is equal to the number of function call \
         parts of the function call turn.",
    )
}

/// Each step since the user last spoke carries a signature on its first call.
fn signatures(contents: &[Content]) -> Result<(), Refusal> {
    let turn = contents.iter().rposition(|content| !content.model && content.results.is_empty()).unwrap_or(0);
    for content in &contents[turn..] {
        if let Some((name, _, false)) = content.calls.first() {
            return Err(Refusal::invalid(format!(
                "Function call is missing a thought_signature in functionCall parts. This is required for \
                 tools to work correctly. Function call `{name}`."
            )));
        }
    }
    Ok(())
}
