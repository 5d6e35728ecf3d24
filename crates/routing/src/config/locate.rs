//! Finds where a member stands in a JSON text, for messages that people act on. Reads text that is known to
//! be valid JSON.

use super::PathPart;

/// Line and column (from 1, in bytes) of the value at `path`, or of the deepest part of the path that exists.
pub(super) fn position(text: &str, path: &[PathPart]) -> (usize, usize) {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    scan.space();
    let mut found = scan.at;
    for part in path {
        match scan.descend(part) {
            Some(at) => found = at,
            None => break,
        }
    }
    let before = &text.as_bytes()[..found.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    (before.iter().filter(|byte| **byte == b'\n').count() + 1, found - line_start + 1)
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    /// From the start of a value to the start of its member. The last one of equal keys counts, as it does
    /// for the parser.
    fn descend(&mut self, part: &PathPart) -> Option<usize> {
        let closing = match (self.peek()?, part) {
            (b'{', PathPart::Key(_)) => b'}',
            (b'[', PathPart::Index(_)) => b']',
            _ => return None,
        };
        self.at += 1;
        let mut found = None;
        for index in 0.. {
            self.space();
            if self.peek()? == closing {
                break;
            }
            let matches = match part {
                PathPart::Index(wanted) => *wanted == index,
                PathPart::Key(wanted) => self.key()? == *wanted,
            };
            if matches {
                found = Some(self.at);
            }
            self.skip_value();
            self.space();
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        self.at = found?;
        found
    }

    /// Reads a key and goes to its value.
    fn key(&mut self) -> Option<String> {
        let start = self.at;
        self.skip_string();
        let key = serde_json::from_slice(self.bytes.get(start..self.at)?).ok()?;
        self.space();
        self.at += 1;
        self.space();
        Some(key)
    }

    fn skip_value(&mut self) {
        let mut depth = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.skip_string();
                    if depth == 0 {
                        return;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                b',' if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_they_stand() {
        let text = "{\n  \"a\": 1,\n  \"targets\": [\n    {\"x\": \"},]\\\"\", \"w\": true},\n    {\"w\": [1, {\"deep\": null}]}\n  ],\n  \"a\": 2\n}";
        let key = |key: &str| PathPart::Key(key.into());
        let at = |index| PathPart::Index(index);
        let cases = [
            (vec![], (1, 1)),
            (vec![key("a")], (7, 8)),
            (vec![key("targets")], (3, 14)),
            (vec![key("targets"), at(0), key("w")], (4, 25)),
            (vec![key("targets"), at(1), key("w"), at(1), key("deep")], (5, 24)),
            // Missing: the position of what exists.
            (vec![key("targets"), at(0), key("none")], (4, 5)),
            (vec![key("nothing")], (1, 1)),
        ];
        for (path, expected) in cases {
            assert_eq!(position(text, &path), expected, "{path:?}");
        }
    }
}
