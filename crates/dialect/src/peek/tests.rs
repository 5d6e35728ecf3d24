use serde_json::Value;

use super::*;

fn read(body: &str) -> Result<Peek, PeekError> {
    peek(&[body], PeekLimits::default())
}

#[test]
fn wanted_members_are_read_wherever_they_stand() {
    let body = r#"{ "messages":[{"role":"user","content":"say \"model\":\"x\" }]"}], "stream" : true,
        "stream_options":{"other":[1],"include_usage":true},"user":"u\u00e9","model":"gpt-4o" }"#;
    let found = read(body).unwrap();
    assert_eq!(found.model.as_deref(), Some("gpt-4o"));
    assert_eq!(&body[found.model_range.clone().unwrap()], "\"gpt-4o\"");
    assert_eq!((found.stream, found.include_usage), (Some(true), Some(true)));
    assert_eq!(found.user.as_deref(), Some("ué"));
    assert_eq!((found.valid_object, found.max_depth), (true, 3));
    assert!(found.keys.has("messages") && found.keys.has("user") && !found.keys.has("include_usage"));
    assert_eq!(format!("{:?}", found.keys), r#"{"messages", "stream", "stream_options", "user", "model"}"#);
}

#[test]
fn odd_but_valid_bodies() {
    let cases: [(&str, Peek); 8] = [
        ("[1,{\"model\":\"a\"}]", Peek { max_depth: 2, ..Peek::default() }),
        ("\"model\"", Peek::default()),
        (" 12 ", Peek::default()),
        ("{}", Peek { valid_object: true, max_depth: 1, ..Peek::default() }),
        (r#"{"model":null}"#, object(&["model"], Peek::default())),
        (
            r#"{"model":["a"],"stream":"true"}"#,
            object(&["model", "stream"], Peek { max_depth: 2, ..Peek::default() }),
        ),
        (
            r#"{"model":"a","\u006dodel":"b\n"}"#,
            object(
                &["model", "model"],
                Peek { model: Some("b\n".into()), model_range: Some(26..31), ..Peek::default() },
            ),
        ),
        (
            r#"{"stream_options":{"include_usage":true},"stream_options":null}"#,
            object(&["stream_options", "stream_options"], Peek { max_depth: 2, ..Peek::default() }),
        ),
    ];
    for (body, wanted) in cases {
        assert_eq!(read(body), Ok(wanted), "{body}");
    }
}

#[test]
fn broken_bodies_are_refused_with_the_place() {
    let cases = [
        ("", 0, Flaw::Ended),
        ("  ", 2, Flaw::Ended),
        ("{", 1, Flaw::Ended),
        (r#"{"model""#, 8, Flaw::Ended),
        (r#"{"model":"#, 9, Flaw::Ended),
        (r#"{"model":"a"#, 11, Flaw::Ended),
        (r#"{"model":"a\"#, 12, Flaw::Ended),
        (r#"{"a":[1,2"#, 9, Flaw::Ended),
        ("{model:1}", 1, Flaw::Unexpected),
        (r#"{"a" 1}"#, 5, Flaw::Unexpected),
        (r#"{"a":,}"#, 5, Flaw::Unexpected),
        (r#"{"a":1,}"#, 7, Flaw::Unexpected),
        (r#"{"a":1 "b":2}"#, 7, Flaw::Unexpected),
        ("\u{feff}{}", 0, Flaw::Unexpected),
        (r#"{"a":[1}}"#, 7, Flaw::Unbalanced),
        (r#"{"a":1]"#, 6, Flaw::Unbalanced),
        (r#"{} {"model":"a"}"#, 3, Flaw::Trailing),
        ("{\"model\":\"a\nb\"}", 9, Flaw::BadString),
        (r#"{"model":"\ud800"}"#, 9, Flaw::BadString),
        (r#"{"\x":1}"#, 1, Flaw::BadString),
    ];
    for (body, offset, what) in cases {
        assert_eq!(read(body), Err(PeekError { offset, what }), "{body}");
    }
    let not_utf8: &[u8] = b"{\"user\":\"\xff\"}";
    let refused = peek(&[not_utf8], PeekLimits::default()).unwrap_err();
    assert_eq!(refused, PeekError { offset: 8, what: Flaw::BadString });
    assert_eq!(refused.to_string(), "invalid JSON string at byte 8");
}

#[test]
fn limits_hold() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let limits = PeekLimits { max_depth: 3, max_keys: 2 };
    assert_eq!(peek(&[nested(3)], limits).unwrap().max_depth, 3);
    assert_eq!(peek(&[nested(4)], limits), Err(PeekError { offset: 8, what: Flaw::TooDeep }));
    assert_eq!(read(&nested(128)).unwrap().max_depth, 128);
    let unbounded = PeekLimits { max_depth: u32::MAX, max_keys: 2 };
    assert_eq!(peek(&[nested(129)], unbounded).unwrap_err().what, Flaw::TooDeep);
    assert!(peek(&[r#"{"a":1,"b":{"c":1,"d":1,"e":1}}"#], limits).is_ok());
    let refused = peek(&[r#"{"a":1,"b":2,"c":3}"#], limits).unwrap_err();
    assert_eq!(refused, PeekError { offset: 13, what: Flaw::TooManyKeys });
    let long = "k".repeat(256);
    assert!(read(&format!("{{\"{long}\":1}}")).unwrap().keys.is_empty());
}

#[test]
fn every_split_reads_the_same() {
    let body = r#"{"user":"a\"b","messages":[{"role":"user","content":"x\\"}],"stream":false,"model":"m-1"}"#;
    let whole = read(body).unwrap();
    for first in 0..=body.len() {
        for second in first..=body.len() {
            let frames = [&body[..first], &body[first..second], &body[second..]];
            assert_eq!(peek(&frames, PeekLimits::default()).as_ref(), Ok(&whole), "{frames:?}");
        }
    }
    let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
    assert_eq!(peek(&bytes, PeekLimits::default()), Ok(whole));
}

#[test]
fn the_model_is_replaced_in_place() {
    let body = r#"{"a":1,"model":"old","b":2}"#;
    let range = read(body).unwrap().model_range.unwrap();
    for cut in 0..=body.len() {
        let frames = [Bytes::from(&body[..cut]), Bytes::from(&body[cut..])];
        let spliced = with_model(&frames, range.clone(), "ne\"w");
        assert_eq!(spliced.concat(), br#"{"a":1,"model":"ne\"w","b":2}"#, "cut at {cut}");
        assert!(spliced.iter().all(|frame| !frame.is_empty()));
    }
    let frame = Bytes::from(body);
    let spliced = with_model(std::slice::from_ref(&frame), range, "x");
    assert_eq!(spliced[0].as_ptr(), frame.as_ptr(), "the rest is not copied");
}

#[test]
fn words_are_found_across_frames() {
    let text = "the developer said";
    let cuts = |at: usize| [&text[..at], &text[at..]];
    assert!((0..=text.len()).all(|at| contains_word(&cuts(at), b"developer")));
    assert!((0..=text.len()).all(|at| !contains_word(&cuts(at), b"developers")));
    let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert!(
        contains_word(&single, b"developer") && contains_word(&single, b"t") && contains_word(&single, b"d")
    );
    assert!(!contains_word(&single, b"z") && !contains_word(&["de", "developer"][..1], b"developer"));
}

/// A body `serde_json` accepts is accepted, with the same members; mutated bodies too when they stay valid.
#[test]
fn agrees_with_serde_json() {
    let mut random = Random(7);
    let (mut valid, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut text = random.object(0).into_bytes();
        if random.below(2) == 0 {
            let at = random.below(text.len());
            text[at] = b"{}[]\",:\\ua1tn\x01"[random.below(14)];
        }
        let frames = random.split(&text);
        let found = peek(&frames, PeekLimits::default());
        let plain: Vec<bool> = frames.iter().map(|frame| is_plain(frame)).collect();
        assert_eq!(peek_marked(&frames, &plain, PeekLimits::default()), found, "{plain:?}");
        match serde_json::from_slice::<Value>(&text) {
            Ok(value) => {
                valid += 1;
                assert_same(&found.unwrap(), &value, &text);
            }
            Err(_) => refused += usize::from(found.is_err()),
        }
    }
    assert!(valid > 10_000 && refused > 2_000, "{valid} {refused}");
}

fn assert_same(found: &Peek, value: &Value, text: &[u8]) {
    let shown = String::from_utf8_lossy(text);
    assert_eq!(found.valid_object, value.is_object(), "{shown}");
    assert_eq!(found.model.as_deref(), value["model"].as_str(), "{shown}");
    assert_eq!(found.user.as_deref(), value["user"].as_str(), "{shown}");
    assert_eq!(found.stream, value["stream"].as_bool(), "{shown}");
    assert_eq!(found.include_usage, value["stream_options"]["include_usage"].as_bool(), "{shown}");
    if let Some(range) = found.model_range.clone() {
        assert_eq!(serde_json::from_slice::<Value>(&text[range]).unwrap(), value["model"], "{shown}");
    }
    for key in value.as_object().into_iter().flat_map(|map| map.keys()) {
        assert!(found.keys.has(key), "{key} in {shown}");
    }
}

fn object(keys: &[&str], expected: Peek) -> Peek {
    let mut set = KeySet::default();
    keys.iter().for_each(|key| set.add(key.as_bytes()));
    Peek { keys: set, valid_object: true, max_depth: expected.max_depth.max(1), ..expected }
}

/// SplitMix64 and what the cases above draw from it.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 27)) >> 11) as usize % bound
    }

    fn object(&mut self, depth: usize) -> String {
        const KEYS: [&str; 7] =
            ["model", "user", "stream", "stream_options", "include_usage", "mo\\u0064el", "x"];
        let members: Vec<String> = (0..self.below(6))
            .map(|_| {
                format!(
                    "{}\"{}\"{}:{}",
                    self.space(),
                    KEYS[self.below(7)],
                    self.space(),
                    self.value(depth + 1)
                )
            })
            .collect();
        format!("{{{}{}}}", members.join(","), self.space())
    }

    fn value(&mut self, depth: usize) -> String {
        const SCALARS: [&str; 9] = [
            "true",
            "false",
            "null",
            "-1.5e3",
            "\"\"",
            "\"gpt\"",
            "\"a\\\\\\\"}\"",
            "\"\\u00e9]\"",
            "\"日\"",
        ];
        match self.below(12) {
            0 | 1 if depth < 5 => self.object(depth),
            2 if depth < 5 => format!("[{},{}]", self.value(depth + 1), self.value(depth + 1)),
            _ => SCALARS[self.below(9)].to_owned(),
        }
    }

    fn space(&mut self) -> &'static str {
        ["", "", " ", "\r\n\t"][self.below(4)]
    }

    fn split<'a>(&mut self, mut text: &'a [u8]) -> Vec<&'a [u8]> {
        let mut frames = Vec::new();
        while !text.is_empty() {
            let (frame, rest) = text.split_at(self.below(text.len().min(20) + 1));
            frames.push(frame);
            text = rest;
        }
        frames
    }
}
