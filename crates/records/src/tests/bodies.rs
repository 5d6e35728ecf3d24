//! Bodies from frames to what is stored: the matrix of kinds, parts and places a secret can be in.

use crate::body::{Keep, Kind, Policy, RawBodies, RawBody, prepare, unpack};
use crate::{StoredBody, Text};

const SECRET: &str = "tide-secret-value-4711";

fn policy() -> Policy {
    Policy {
        keep: Keep::All,
        headers: vec!["X-Patient".into()],
        paths: vec!["user".parse().unwrap(), "messages[*].content".parse().unwrap()],
        ..Policy::default()
    }
}

fn body(kind: Kind, headers: &[(&'static str, &str)], text: &str, most: u64, frame: usize) -> StoredBody {
    let headers: Vec<(Text, Text)> =
        headers.iter().map(|(name, value)| ((*name).into(), (*value).to_owned().into())).collect();
    let mut body = RawBody::new("request", kind, most).with_headers(headers);
    text.as_bytes().chunks(frame).for_each(|frame| body.frame(&bytes::Bytes::copy_from_slice(frame)));
    prepare(&RawBodies::from_iter([body]), &policy()).bodies.remove(0)
}

fn shown(stored: &StoredBody) -> String {
    let headers: String = stored.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    headers + &stored.text().unwrap()
}

#[test]
fn no_secret_gets_through_wherever_it_stands_and_wherever_the_body_is_cut() {
    let bearer = format!("Bearer {SECRET}");
    let config = format!(r#"{{"api_key":"{SECRET}","provider":"openai"}}"#);
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-api-key", SECRET),
        ("cookie", SECRET),
        ("x-portkey-api-key", SECRET),
        ("x-goog-api-key", SECRET),
        ("x-amz-security-token", SECRET),
        ("x-patient", "anna-4711"),
        ("x-portkey-config", config.as_str()),
        ("x-ratelimit-remaining-tokens", "17"),
        ("accept", "x/y"),
    ];
    let json = [
        format!(r#"{{"user":"{SECRET}","n":1}}"#),
        format!(r#"{{"messages":[{{"content":[{{"text":"{SECRET}"}}]}}]}}"#),
        format!(r#"{{"error":{{"message":"Incorrect API key provided: {SECRET}."}}}}"#),
        format!(r#"{{"a":{{"client_secret":"{SECRET}"}}}}"#),
        format!(r#"{{"tool":"{{\"password\":\"{SECRET}\"}}"}}"#),
        format!(r#"{{"key":"sk-{SECRET}0123456789"}}"#),
    ];
    for text in &json {
        for kind in [Kind::Json, Kind::Events, Kind::Text] {
            let framed =
                if kind == Kind::Events { format!("event: x\ndata: {text}\n\n") } else { text.clone() };
            for most in (0..=framed.len() as u64).chain([10_000]) {
                let stored = body(kind, &headers, &framed, most, 7);
                let shown = shown(&stored);
                assert!(!shown.contains("tide") && !shown.contains("4711"), "{kind:?} {most}: {shown}");
                assert_eq!((stored.cut, stored.total), (most < framed.len() as u64, framed.len() as u64));
                assert!(shown.contains("x-ratelimit-remaining-tokens: 17") && shown.contains("accept: x/y"));
            }
        }
    }
}

#[test]
fn what_is_no_secret_stays_as_it_came() {
    let text = r#"{ "model" : "gpt-4o",  "temperature": 0.10, "x": "日本" }"#;
    assert_eq!(body(Kind::Json, &[], text, 1_000, 3).text().unwrap(), text);
    assert_eq!(body(Kind::Text, &[], "plain\u{0} text", 1_000, 3).text().unwrap(), "plain\u{0} text");
}

#[test]
fn binary_is_counted_and_not_kept() {
    let stored =
        body(Kind::of("multipart/form-data; boundary=x"), &[("authorization", SECRET)], SECRET, 1_000, 5);
    assert_eq!((stored.data.len(), stored.total, &*stored.withheld), (0, SECRET.len() as u64, "binary"));
}

#[test]
fn bodies_are_packed_and_damage_is_seen() {
    let text = format!("{{\"a\":\"{}\"}}", "hello world ".repeat(10_000));
    let mut stored = body(Kind::Json, &[], &text, 1 << 20, 8_192);
    assert!(stored.data.len() < text.len() / 20 && stored.plain == text.len() as u64);
    assert_eq!(unpack(&stored).unwrap(), text.as_bytes());
    stored.plain -= 1;
    assert_eq!(unpack(&stored), None);
    stored.plain += 1;
    stored.data.truncate(20);
    assert_eq!(unpack(&stored), None);
    stored.codec = 9;
    assert_eq!(unpack(&stored), None);
}

#[test]
fn kinds_follow_the_content_type() {
    for (content_type, kind) in [
        ("application/json; charset=utf-8", Kind::Json),
        ("application/problem+json", Kind::Json),
        ("Text/Event-Stream", Kind::Events),
        ("text/plain", Kind::Text),
        ("audio/mpeg", Kind::Binary),
        ("", Kind::Binary),
    ] {
        assert_eq!(Kind::of(content_type), kind, "{content_type}");
    }
}
