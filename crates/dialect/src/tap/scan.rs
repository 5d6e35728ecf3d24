//! JSON of an answer read in place, member by member, for what is wanted of it and nothing else: no tree, no copy.
//!
//! Structure is checked where it is read; values that are read past are only checked for balance. A value of another
//! type than the wanted one counts as absent and spoils nothing beside it. A key written with escapes is not known.

use std::borrow::Cow;

use crate::peek::string_stop;

/// Largest whole number that a float holds exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// As many digits cannot overflow a `u64`.
const SAFE_DIGITS: usize = 19;

/// The text is not JSON, or ends too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// A place in a text.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// The next byte that is not white space, left unread. `None` at the end.
    #[inline]
    pub(super) fn look(&mut self) -> Option<u8> {
        loop {
            match self.rest {
                [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] => self.rest = rest,
                [byte, ..] => return Some(*byte),
                [] => return None,
            }
        }
    }

    /// Reads past `wanted` if it comes next.
    #[inline]
    pub(super) fn take(&mut self, wanted: u8) -> bool {
        let found = self.look() == Some(wanted);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Result<(), Broken> {
        if self.take(wanted) { Ok(()) } else { Err(Broken) }
    }

    /// Reads an object: `member` gets each key, as written, and reads the value. Any other value is read past.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a [u8]) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        if !self.take(b'{') {
            return self.skip();
        }
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            member(self, key)?;
            if !self.take(b',') {
                return self.expect(b'}');
            }
        }
    }

    /// Reads the members of an object that follow a member's value, as [`Scanner::object`] does, and its end.
    pub(super) fn close_object(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a [u8]) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        while self.take(b',') {
            let key = self.string()?;
            self.expect(b':')?;
            member(self, key)?;
        }
        self.expect(b'}')
    }

    /// Reads an array: `element` reads each value. Any other value is read past.
    pub(super) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        if !self.take(b'[') {
            return self.skip();
        }
        if self.take(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.take(b',') {
                return self.expect(b']');
            }
        }
    }

    /// A whole number however it is written (`12`, `12.0`); any other value is `None`.
    pub(super) fn count(&mut self) -> Result<Option<u64>, Broken> {
        if !matches!(self.look(), Some(b'0'..=b'9' | b'-')) {
            return self.skip().map(|()| None);
        }
        let mut sum = 0u64;
        let mut rest = self.rest;
        while let [digit @ b'0'..=b'9', after @ ..] = rest {
            sum = sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            rest = after;
        }
        let len = self.rest.len() - rest.len();
        if (1..=SAFE_DIGITS).contains(&len) && matches!(rest, [b',' | b'}' | b']', ..]) {
            self.rest = rest;
            return Ok(Some(sum));
        }
        self.scalar().map(whole)
    }

    /// A string's text; any other value is `None`.
    pub(super) fn text(&mut self) -> Result<Option<Cow<'a, str>>, Broken> {
        let raw = self.raw()?;
        let [b'"', inner @ .., b'"'] = raw else { return Ok(None) };
        if inner.contains(&b'\\') {
            return serde_json::from_slice(raw).map(|text| Some(Cow::Owned(text))).map_err(|_| Broken);
        }
        std::str::from_utf8(inner).map(|text| Some(Cow::Borrowed(text))).map_err(|_| Broken)
    }

    /// Any value, as written.
    pub(super) fn raw(&mut self) -> Result<&'a [u8], Broken> {
        self.look();
        let from = self.rest;
        self.skip()?;
        Ok(&from[..from.len() - self.rest.len()])
    }

    /// Reads past a value.
    pub(super) fn skip(&mut self) -> Result<(), Broken> {
        match self.look().ok_or(Broken)? {
            b'"' => self.string().map(drop),
            b'{' | b'[' => self.skip_container(),
            _ => self.scalar().map(drop),
        }
    }

    fn skip_container(&mut self) -> Result<(), Broken> {
        let mut depth = 0usize;
        while let [byte, rest @ ..] = self.rest {
            self.rest = rest;
            match byte {
                b'"' => self.string_end().map(drop)?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 1 => return Ok(()),
                b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
        Err(Broken)
    }

    /// A string without its quotes, as written.
    fn string(&mut self) -> Result<&'a [u8], Broken> {
        self.expect(b'"')?;
        self.string_end()
    }

    /// The rest of a string whose opening quote was read, up to its closing one.
    #[inline]
    fn string_end(&mut self) -> Result<&'a [u8], Broken> {
        let from = self.rest;
        let mut end = 0;
        loop {
            end += string_stop(&from[end..]).ok_or(Broken)?;
            if from[end] == b'"' {
                self.rest = &from[end + 1..];
                return Ok(&from[..end]);
            }
            end += 2;
            if end > from.len() {
                return Err(Broken);
            }
        }
    }

    /// A number, `true`, `false` or `null`. Spelling is not checked.
    fn scalar(&mut self) -> Result<&'a [u8], Broken> {
        let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let len = self.rest.iter().position(|byte| !part(byte)).unwrap_or(self.rest.len());
        let (scalar, rest) = self.rest.split_at(len);
        self.rest = rest;
        if scalar.is_empty() { Err(Broken) } else { Ok(scalar) }
    }
}

/// A number in any spelling.
#[cold]
fn whole(number: &[u8]) -> Option<u64> {
    let number = std::str::from_utf8(number).ok()?;
    if let Ok(whole) = number.parse() {
        return Some(whole);
    }
    let float: f64 = number.parse().ok()?;
    ((0.0..=MAX_EXACT).contains(&float) && float.fract() == 0.0).then_some(float as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_any_spelling() {
        let values = [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("3e2", Some(300)),
            ("-0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("3.5", None),
            ("-3", None),
            ("-3.0", None),
            ("1e300", None),
            ("null", None),
            ("true", None),
            ("\"3\"", None),
            ("[3,[4]]", None),
            ("{\"value\":3}", None),
        ];
        for (value, expected) in values {
            let text = format!(" {{ \"first\" : {value} , \"inner\":{{}},\"last\":9}} ,");
            let mut scanner = Scanner::new(text.as_bytes());
            let mut found = Vec::new();
            let read = scanner.object(|value, key| {
                found.push((key, value.count()?));
                Ok(())
            });
            assert_eq!(read, Ok(()), "{text}");
            let expected = [(b"first".as_slice(), expected), (b"inner", None), (b"last", Some(9))];
            assert_eq!(found, expected, "{text}");
            assert_eq!(scanner.look(), Some(b','), "{text}");
        }
    }

    #[test]
    fn strings_and_containers() {
        let mut scanner = Scanner::new(br#"["a\"]", "b\u00e9", {"x":[{}], "y":"}"}, 7, []]"#);
        let mut found = Vec::new();
        let read = scanner.array(|value| {
            found.push(std::str::from_utf8(value.raw()?).unwrap());
            Ok(())
        });
        assert_eq!(read, Ok(()));
        assert_eq!(found, [r#""a\"]""#, r#""b\u00e9""#, r#"{"x":[{}], "y":"}"}"#, "7", "[]"]);
        let texts = [("\"m\"", Some("m")), (r#""m\n\u00e9""#, Some("m\né")), ("7", None), ("[\"m\"]", None)];
        for (json, expected) in texts {
            assert_eq!(Scanner::new(json.as_bytes()).text().unwrap().as_deref(), expected, "{json}");
        }
        assert_eq!(Scanner::new(b"\"\xff\"").text(), Err(Broken));
        assert_eq!(Scanner::new(br#"  , "a" : [1] } "#).close_object(|value, _| value.skip()), Ok(()));
    }

    #[test]
    fn broken_text_is_told() {
        for text in [
            "",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "{\"a\":,}",
            "{\"a\\",
            "{\"a\":1]",
        ] {
            assert_eq!(Scanner::new(text.as_bytes()).object(|value, _| value.skip()), Err(Broken), "{text}");
        }
        for text in ["[", "[1", "[1,", "[1,]", "[1 2]", "[\"a]", "[{]"] {
            assert_eq!(Scanner::new(text.as_bytes()).array(Scanner::skip), Err(Broken), "{text}");
        }
        for text in ["", "]", ",}", ",\"a\":1", ",1}"] {
            assert_eq!(
                Scanner::new(text.as_bytes()).close_object(|value, _| value.skip()),
                Err(Broken),
                "{text}"
            );
        }
    }
}
