//! Takes members out of JSON without building it: a body that was cut off in the middle is redacted as surely as a whole
//! one, and everything that stays keeps its bytes.

use super::path::Step;
use super::{Clean, Policy, REDACTED};

/// Nothing nested deeper is looked into, or kept.
const DEEPEST: usize = 128;

/// Members that hold credentials wherever they stand, without `_`, `-` and case.
const CREDENTIALS: [&str; 21] = [
    "apikey",
    "xapikey",
    "authorization",
    "proxyauthorization",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "clientsecret",
    "secretkey",
    "secretaccesskey",
    "awssecretaccesskey",
    "awsaccesskeyid",
    "awssessiontoken",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "bearertoken",
    "authtoken",
    "privatekey",
    "virtualkey",
];

pub(super) fn redact(bytes: &[u8], policy: &Policy) -> Clean {
    walk(bytes, policy, true)
}

fn walk(bytes: &[u8], policy: &Policy, look_into_texts: bool) -> Clean {
    let mut walk = Walk {
        input: bytes,
        at: 0,
        out: Vec::with_capacity(bytes.len()),
        steps: Vec::new(),
        policy,
        look_into_texts,
    };
    let end = walk.documents();
    Clean { text: String::from_utf8_lossy(&walk.out).into_owned(), complete: end != Some(Stop::Bad) }
}

/// Why the walk ended before its time.
#[derive(Debug, PartialEq)]
enum Stop {
    /// The input ended inside a value. All that was there has been looked at.
    End,
    /// No JSON, or too deep: what follows cannot be judged.
    Bad,
}

struct Walk<'a> {
    input: &'a [u8],
    at: usize,
    out: Vec<u8>,
    /// From the root to the value at hand. One step per open container.
    steps: Vec<Step>,
    policy: &'a Policy,
    look_into_texts: bool,
}

impl Walk<'_> {
    /// Values one after the other, as in JSON lines.
    fn documents(&mut self) -> Option<Stop> {
        loop {
            self.space();
            if self.at == self.input.len() {
                return None;
            }
            if let Err(stop) = self.document() {
                return Some(stop);
            }
        }
    }

    fn document(&mut self) -> Result<(), Stop> {
        let mut opened = self.value()?;
        // Each turn stands behind an opening bracket or behind a value.
        loop {
            let Some(step) = self.steps.last_mut() else { return Ok(()) };
            let object = matches!(step, Step::Name(_));
            if let (Step::Index(index), false) = (step, opened) {
                *index += 1;
            }
            self.space();
            let close = if object { b'}' } else { b']' };
            match self.peek()? {
                byte if byte == close => {
                    self.copy(1);
                    self.steps.pop();
                    opened = false;
                    continue;
                }
                b',' if !opened => {
                    self.copy(1);
                    self.space();
                }
                _ if opened => {}
                _ => return Err(Stop::Bad),
            }
            if object {
                self.name()?;
            }
            opened = self.value()?;
        }
    }

    fn name(&mut self) -> Result<(), Stop> {
        if self.peek()? != b'"' {
            return Err(Stop::Bad);
        }
        let (length, whole) = self.string();
        let raw = &self.input[self.at..self.at + length];
        let name = if raw.contains(&b'\\') {
            serde_json::from_slice(raw).map_err(|_| if whole { Stop::Bad } else { Stop::End })?
        } else {
            String::from_utf8_lossy(raw.get(1..length - usize::from(whole)).unwrap_or(b"")).into_owned()
        };
        if let Some(step) = self.steps.last_mut() {
            *step = Step::Name(name);
        }
        self.copy(length);
        if !whole {
            return Err(Stop::End);
        }
        self.space();
        if self.peek()? != b':' {
            return Err(Stop::Bad);
        }
        self.copy(1);
        Ok(())
    }

    /// One value, or only its opening bracket: true.
    fn value(&mut self) -> Result<bool, Stop> {
        self.space();
        let first = self.peek()?;
        if self.policy.paths.iter().any(|path| path.matches(&self.steps)) {
            self.put_redacted();
            return self.skip().map(|()| false);
        }
        match first {
            b'{' | b'[' => {
                if self.steps.len() >= DEEPEST {
                    return Err(Stop::Bad);
                }
                self.copy(1);
                self.steps.push(if first == b'{' { Step::Name(String::new()) } else { Step::Index(0) });
                Ok(true)
            }
            b'"' => {
                let (length, whole) = self.string();
                if self.names_credential() {
                    self.put_redacted();
                    self.at += length;
                } else {
                    self.text(length, whole);
                }
                if whole { Ok(false) } else { Err(Stop::End) }
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.copy(self.scalar());
                Ok(false)
            }
            _ => Err(Stop::Bad),
        }
    }

    /// A text value. JSON inside of it, such as the arguments of a tool call, may hold credentials too.
    fn text(&mut self, length: usize, whole: bool) {
        let raw = &self.input[self.at..self.at + length];
        let nested = self.look_into_texts && (raw.starts_with(b"\"{") || raw.starts_with(b"\"["));
        if nested {
            let inner = if whole { serde_json::from_slice(raw).ok() } else { closed(raw) };
            let inner: String = inner.unwrap_or_default();
            let clean = walk(inner.as_bytes(), &Policy::default(), false);
            // Where it stops being JSON it is text like any other, unless something had to be taken out before.
            let changed = !inner.starts_with(&clean.text);
            if changed || !whole {
                let shown = serde_json::Value::from(clean.text).to_string();
                self.out.extend_from_slice(&shown.as_bytes()[..shown.len() - usize::from(!whole)]);
                self.at += length;
                return;
            }
        }
        self.copy(length);
    }

    /// The nearest name above the value, through lists.
    fn names_credential(&self) -> bool {
        let name = self.steps.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(name),
            Step::Index(_) => None,
        });
        name.is_some_and(|name| is_credential(name))
    }

    /// Goes over a value without keeping it.
    fn skip(&mut self) -> Result<(), Stop> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => {
                    let (length, whole) = self.string();
                    self.at += length;
                    if !whole {
                        return Err(Stop::End);
                    }
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1).ok_or(Stop::Bad)?;
                    self.at += 1;
                }
                byte if depth > 0 && (byte.is_ascii_whitespace() || matches!(byte, b',' | b':')) => {
                    self.at += 1
                }
                _ => self.at += self.scalar().max(1),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Length of the text that begins here, quotes included, and whether its end is there.
    fn string(&self) -> (usize, bool) {
        let bytes = &self.input[self.at..];
        let mut at = 1;
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            at += found;
            if bytes[at] == b'"' {
                return (at + 1, true);
            }
            at += 2;
        }
        (bytes.len(), false)
    }

    fn scalar(&self) -> usize {
        let rest = &self.input[self.at..];
        let ends = |byte: &u8| {
            byte.is_ascii_whitespace() || matches!(byte, b',' | b':' | b'}' | b']' | b'{' | b'[' | b'"')
        };
        rest.iter().position(ends).unwrap_or(rest.len())
    }

    fn peek(&self) -> Result<u8, Stop> {
        self.input.get(self.at).copied().ok_or(Stop::End)
    }

    fn space(&mut self) {
        let rest = &self.input[self.at..];
        self.copy(rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len()));
    }

    fn copy(&mut self, length: usize) {
        self.out.extend_from_slice(&self.input[self.at..self.at + length]);
        self.at += length;
    }

    fn put_redacted(&mut self) {
        self.out.push(b'"');
        self.out.extend_from_slice(REDACTED.as_bytes());
        self.out.push(b'"');
    }
}

/// The text of a JSON string without its end. The cut may be inside an escape, which is left out then.
fn closed(raw: &[u8]) -> Option<String> {
    let whole = |less: usize| {
        serde_json::from_slice(&[raw.get(..raw.len().checked_sub(less)?)?, b"\""].concat()).ok()
    };
    (0..=12).find_map(whole)
}

fn is_credential(name: &str) -> bool {
    let plain =
        name.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase());
    CREDENTIALS.iter().any(|credential| plain.clone().eq(credential.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(paths: &[&str], text: &str) -> (String, bool) {
        let paths = paths.iter().map(|path| path.parse().unwrap()).collect();
        let clean = redact(text.as_bytes(), &Policy { paths, ..Policy::default() });
        (clean.text, clean.complete)
    }

    #[test]
    fn named_places_go_and_the_rest_keeps_its_bytes() {
        for (paths, text, wanted) in [
            (&["user"][..], r#"{ "user" : "ann", "n":1.50 }"#, r#"{ "user" : "[redacted]", "n":1.50 }"#),
            (
                &["messages[*].content"],
                r#"{"messages":[{"role":"user","content":[{"text":"x"}]},{"content":null}]}"#,
                r#"{"messages":[{"role":"user","content":"[redacted]"},{"content":"[redacted]"}]}"#,
            ),
            (&["messages[1]"], r#"{"messages":[1,{"a":"}"},3]}"#, r#"{"messages":[1,"[redacted]",3]}"#),
            (
                &["..email"],
                r#"[{"email":"a@b"},{"x":{"email":["a","b"]}}]"#,
                r#"[{"email":"[redacted]"},{"x":{"email":"[redacted]"}}]"#,
            ),
            (&["user"], r#"{"us\u0065r":"ann"}"#, r#"{"us\u0065r":"[redacted]"}"#),
            (&["a"], "{\"a\":1}\n{\"a\":2}", "{\"a\":\"[redacted]\"}\n{\"a\":\"[redacted]\"}"),
            (
                &["a"],
                r#"{"a":1,"a":2,"b":{"a":3},"c":{}, "d":[]}"#,
                r#"{"a":"[redacted]","a":"[redacted]","b":{"a":3},"c":{}, "d":[]}"#,
            ),
            (&["*"], r#"{"a":"\"","b":[[]]}"#, r#"{"a":"[redacted]","b":"[redacted]"}"#),
        ] {
            assert_eq!(with(paths, text), (wanted.into(), true), "{text}");
        }
    }

    #[test]
    fn credentials_go_without_being_named() {
        for (text, wanted) in [
            (r#"{"api_key":"k"}"#, r#"{"api_key":"[redacted]"}"#),
            (r#"{"targets":[{"Api-Key":["k"]}]}"#, r#"{"targets":[{"Api-Key":["[redacted]"]}]}"#),
            (
                r#"{"properties":{"password":{"type":"string"}}}"#,
                r#"{"properties":{"password":{"type":"string"}}}"#,
            ),
            (
                r#"{"max_tokens":5,"token":"Hello","key":"x"}"#,
                r#"{"max_tokens":5,"token":"Hello","key":"x"}"#,
            ),
            (
                r#"{"arguments":"{\"password\":\"p\",\"n\":1}"}"#,
                r#"{"arguments":"{\"password\":\"[redacted]\",\"n\":1}"}"#,
            ),
        ] {
            assert_eq!(with(&[], text), (wanted.into(), true), "{text}");
        }
    }

    #[test]
    fn a_cut_anywhere_shows_nothing_of_what_is_redacted() {
        let text = r#"{"a":{"user":{"name":"ZZZZ","x":["ZZZZ"]}},"api_key":"ZZZZ","args":"{\"secret\":\"ZZZZ\",\"b\":\"\\u0041\"}","b":"shown"}"#;
        for cut in 0..text.len() {
            let (clean, complete) = with(&["a.user"], &text[..cut]);
            assert!(!clean.contains('Z'), "{clean}");
            assert!(complete, "{clean}");
        }
        assert!(with(&["a.user"], text).0.ends_with(r#""b":"shown"}"#));
    }

    #[test]
    fn what_cannot_be_read_is_not_kept() {
        for text in ["{\"a\":1 \"secret\":\"Z\"}", "[1,}Z", "{a:\"Z\"}", "{\"a\":1}}Z", "[1 2 \"Z\"]"] {
            let (clean, complete) = with(&[], text);
            assert!(!complete && !clean.contains('Z'), "{clean}");
        }
        let deep = "[".repeat(1_000_000) + "\"Z\"";
        let (clean, complete) = with(&[], &deep);
        assert!(!complete && clean.len() <= DEEPEST);
    }
}
