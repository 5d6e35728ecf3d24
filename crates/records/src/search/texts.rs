//! What bodies say: the strings in JSON, and what the events of a stream say together.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::body::{StoredBodies, StoredBody};

/// JSON in strings of JSON: arguments of tools.
const DEEPEST: usize = 3;

/// Members of events that go on where the event before ended.
const JOINED: [&str; 11] = [
    "content",
    "text",
    "delta",
    "reasoning",
    "reasoning_content",
    "thinking",
    "arguments",
    "partial_json",
    "refusal",
    "transcript",
    "input",
];

/// What was asked and what was answered. What went to a provider and came from there says the same in other words, and counts
/// where the other is not there.
pub(super) fn each_text(bodies: &StoredBodies, each: &mut dyn FnMut(&str)) {
    let part = |name: &str| bodies.bodies.iter().find(|body| body.part == *name && !body.data.is_empty());
    for body in
        [part("request").or(part("sent")), part("response").or(part("received"))].into_iter().flatten()
    {
        let Some(text) = said(body) else { continue };
        match &*body.kind {
            "binary" => {}
            "events" if !is_json(&text) => of_events(&text, each),
            _ => of_text(&text, 0, each),
        }
    }
}

fn said(body: &StoredBody) -> Option<String> {
    // A body that was cut may end within a letter.
    let bytes = crate::body::unpack(body)?;
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

fn is_json(text: &str) -> bool {
    matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'['))
}

fn of_text(text: &str, depth: usize, each: &mut dyn FnMut(&str)) {
    if depth < DEEPEST && is_json(text) {
        of_json(text, &mut |_, text| of_text(text, depth + 1, each));
    } else {
        each(text);
    }
}

fn of_events(text: &str, each: &mut dyn FnMut(&str)) {
    let mut joined = BTreeMap::<(&'static str, u64), String>::new();
    for data in text.lines().filter_map(|line| line.strip_prefix("data:")) {
        if !is_json(data) {
            each(data);
            continue;
        }
        of_json(data, &mut |(member, index), text| match JOINED.into_iter().find(|name| *name == member) {
            Some(member) => joined.entry((member, index)).or_default().push_str(text),
            None => each(text),
        });
    }
    joined.values().for_each(|text| of_text(text, 1, each));
}

/// Every string that is no name, with the name before it and the last `index`. Reads what was cut, too, and never fails: what is no
/// JSON has no strings that make sense.
fn of_json(text: &str, each: &mut dyn FnMut((&str, u64), &str)) {
    let (mut at, mut member, mut index) = (0, "", 0);
    while let Some(start) = memchr::memchr(b'"', &text.as_bytes()[at..]).map(|found| at + found + 1) {
        let end = end_of_string(text, start);
        let string = &text[start..end];
        at = (end + 1).min(text.len());
        let rest = text[at..].trim_start();
        match rest.strip_prefix(':') {
            Some(value) => {
                member = string;
                if member == "index" {
                    let value = value.trim_start();
                    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
                    index = value[..digits].parse().unwrap_or(index);
                }
            }
            None => each((member, index), &unescaped(string)),
        }
    }
}

/// Where the closing quote stands, or the end of the text.
fn end_of_string(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[at..]) {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
        if at >= bytes.len() {
            break;
        }
    }
    bytes.len()
}

fn unescaped(string: &str) -> Cow<'_, str> {
    if !string.contains('\\') {
        return string.into();
    }
    let mut out = String::with_capacity(string.len());
    let mut rest = string;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut letters = escaped.chars();
        match letters.next() {
            Some(letter @ ('"' | '\\' | '/')) => out.push(letter),
            Some('u') => {
                rest = code_point(letters.as_str(), &mut out);
                continue;
            }
            // Line ends and the like; all of them are between words.
            _ => out.push(' '),
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out.into()
}

/// After `\u`. Half a pair is no letter.
fn code_point<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let unit = |text: &str| text.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let Some(first) = unit(rest) else { return rest };
    let mut rest = &rest[4..];
    let mut units = vec![first];
    if let Some(second) = rest.strip_prefix("\\u").and_then(unit)
        && (0xd800..0xdc00).contains(&first)
        && (0xdc00..0xe000).contains(&second)
    {
        units.push(second);
        rest = &rest[6..];
    }
    out.extend(char::decode_utf16(units).map(|letter| letter.unwrap_or(' ')));
    rest
}
