//! `observed.json` holds what Portkey's gateway 1.15.2 answered, one case a line: the check, its parameters, the text or the
//! whole body, and the result. Cases in which this crate differs on purpose are in `deliberate.json`, with our result and why.

use serde_json::json;

use super::*;

/// The case's body: written out, or a chat with its text.
fn body(case: &Value, side: Side) -> Value {
    let text = &case["text"];
    match (case.get("body"), side) {
        (Some(body), _) => body.clone(),
        (None, Side::Request) => json!({"model": "echo", "messages": [{"role": "user", "content": text}]}),
        (None, Side::Response) => json!({"choices": [{"index": 0, "message":
            {"role": "assistant", "content": text}, "finish_reason": "stop"}]}),
    }
}

fn judge(case: &Value) -> Result<Finding, NoText> {
    let side = if case["side"] == "response" { Side::Response } else { Side::Request };
    let shape = match case["shape"].as_str() {
        None => Shape::Chat,
        Some("complete") => Shape::Complete,
        Some("embed") => Shape::Embed,
        Some(_) => Shape::Messages,
    };
    let body = body(case, side);
    let request = json!({"model": format!("txt:{}", case["text"].as_str().unwrap_or_default())});
    let (request, response) = match side {
        Side::Request => (&body, None),
        Side::Response => (&request, Some(&body)),
    };
    let metadata = case["metadata"].as_object().cloned().unwrap_or_default();
    let id = format!("default.{}", case["check"].as_str().unwrap());
    let Function::Local(check) = Function::named(&id) else { panic!("{id}") };
    let parameters = Parameters::new(&id, case["parameters"].as_object().unwrap().clone());
    check(&Scene::new(side, Input { shape, request, response, metadata: &metadata }), &parameters)
}

/// The finding as the file writes it.
fn written(finding: &Finding, side: &Value) -> Value {
    let becomes = finding.transformed.as_ref().map(|body| match side == "response" {
        true => body.get("choices").or(body.get("content")).cloned().unwrap_or_default(),
        false => body.clone(),
    });
    js::object([
        ("verdict", Some(finding.verdict.into())),
        (
            "error",
            finding.error.as_ref().map(|error| {
                js::object([
                    ("name", error.name.map(Value::from)),
                    ("message", Some(error.message.clone().into())),
                ])
            }),
        ),
        ("data", Some(finding.data.clone())),
        ("becomes", becomes),
    ])
}

/// Judges each case of a file; the file's and our results must be the same text.
fn assert_all(file: &str) {
    let cases: Vec<Value> = serde_json::from_str(file).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let members = ["verdict", "error", "data", "becomes"];
        let expected = js::object(members.map(|key| (key, case.get(key).cloned()))).to_string();
        let found =
            judge(case).map(|finding| written(&finding, &case["side"]).to_string()).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{case}\nfound    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

#[test]
fn results_are_those_of_the_reference() {
    assert_all(include_str!("observed.json"));
}

#[test]
fn differences_are_deliberate() {
    assert_all(include_str!("deliberate.json"));
}

#[test]
fn names_are_sorted_and_differ_from_those_of_services() {
    assert!(LOCAL.is_sorted_by(|(a, _), (b, _)| a.to_ascii_lowercase() < b.to_ascii_lowercase()));
    assert!(EXTERNAL_FUNCTIONS.iter().all(|name| LOCAL.iter().all(|(local, _)| local != name)));
}
