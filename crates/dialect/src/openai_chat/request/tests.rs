//! Recorded requests (`fixtures/openai/requests`) with each of their values spoilt in turn, and each sent on unchanged.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{read, write};
use crate::openai_chat::Completions;
use crate::{Adjust, ClientDialect, EncodeContext};

fn recorded() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/openai/requests");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
        })
        .collect()
}

/// JSON pointers to every value inside.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut visit = |key: &str, inner: &Value| {
        let pointer = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        pointers(inner, &pointer, found);
        found.push(pointer);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, inner)| visit(key, inner)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inner)| visit(&index.to_string(), inner));
        }
        _ => {}
    }
}

#[test]
fn a_spoilt_value_is_read_or_refused_by_name() {
    let wrong =
        [json!(null), json!(true), json!(-7.5), json!("x"), json!(""), json!([]), json!([[]]), json!({})];
    let mut refused = 0;
    for (name, request) in recorded() {
        let mut places = Vec::new();
        pointers(&request, "", &mut places);
        for place in places {
            for value in &wrong {
                let mut spoilt = request.clone();
                *spoilt.pointer_mut(&place).unwrap() = value.clone();
                let body = spoilt.to_string();
                let result = match name.starts_with("completions-") {
                    true => Completions.decode_chat(body.as_bytes()),
                    false => read(body.as_bytes()),
                };
                if let Err(error) = result {
                    refused += 1;
                    assert_eq!(error.status, 400, "{name} {place} {value}");
                    assert!(error.param.is_some(), "{name} {place} {value}: {}", error.message);
                }
            }
        }
    }
    assert!(refused > 1_000, "only {refused} refused");
}

/// Written for a vendor of the same dialect, a request says what it said.
#[test]
fn requests_of_the_reference_come_through() {
    let adjust = Adjust { cache_control: true, ..Adjust::default() };
    let ctx = EncodeContext { provider: "vendor", adjust: &adjust, max_output_tokens: None };
    let unchanged = [
        "text",
        "every-member",
        "allowed-and-custom-tools",
        "image-inline",
        "image-url",
        "pdf",
        "audio",
        "json-schema",
        "json-object",
        "two-answers",
        "tools-round",
        "cache-marks",
    ];
    for (name, request) in recorded().into_iter().filter(|(name, _)| unchanged.contains(&name.as_str())) {
        let encoded = write(&read(request.to_string().as_bytes()).unwrap(), &ctx).unwrap();
        let written: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(flat(written), flat(request), "{name}");
        assert!(encoded.warnings.is_empty(), "{name}: {}", encoded.warnings.header_value());
    }
}

/// Two spellings of one thing brought together: a single text part is a string, a mark on a message is one on its part.
fn flat(mut request: Value) -> Value {
    for message in request["messages"].as_array_mut().unwrap() {
        let mark = message.as_object_mut().and_then(|message| message.shift_remove("cache_control"));
        if let Some(mark) = mark {
            let text = message["content"].take();
            message["content"] = json!([{"type": "text", "text": text, "cache_control": mark}]);
        }
        let parts = message["content"].as_array();
        if let Some([Value::Object(part)]) = parts.map(Vec::as_slice)
            && part.keys().eq(["type", "text"])
        {
            message["content"] = part["text"].clone();
        }
    }
    request
}
