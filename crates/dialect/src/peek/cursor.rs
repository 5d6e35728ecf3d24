//! A place in a body that is kept as the frames it arrived in. A token may begin in one frame and end in another; only
//! then is it copied. Long strings are passed over by `memchr`, everything else byte by byte. Knows tokens, not what
//! they mean.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

use super::quote::string_stop;
use super::{Flaw, PeekError};

/// Bytes that matter outside strings when the value is not wanted.
const STRUCTURE: [bool; 256] = {
    let mut table = [false; 256];
    table[b'"' as usize] = true;
    table[b'{' as usize] = true;
    table[b'}' as usize] = true;
    table[b'[' as usize] = true;
    table[b']' as usize] = true;
    table
};

pub(super) struct Cursor<'a, F> {
    frames: &'a [F],
    /// Which frames hold neither a quote nor a backslash; fewer than there are frames, when it is not known of the rest.
    plain: &'a [bool],
    /// Index of the frame after the one being read.
    next: usize,
    /// What is unread of the current frame.
    rest: &'a [u8],
    /// Offset in the body of the end of the current frame.
    end: usize,
}

/// A token as it stands in the body.
#[derive(Debug)]
pub(super) struct Token<'a> {
    /// A string without its quotes, or a scalar.
    pub(super) raw: Cow<'a, [u8]>,
    /// The string holds at least one escape, so `raw` is not yet its text.
    pub(super) escaped: bool,
    /// Where it stands, quotes included.
    pub(super) range: Range<usize>,
}

impl<'a, F: AsRef<[u8]>> Cursor<'a, F> {
    pub(super) fn new(frames: &'a [F], plain: &'a [bool]) -> Self {
        Self { frames, plain, next: 0, rest: &[], end: 0 }
    }

    /// Offset in the body of the next byte.
    pub(super) fn offset(&self) -> usize {
        self.end - self.rest.len()
    }

    pub(super) fn fail<T>(&self, what: Flaw) -> Result<T, PeekError> {
        Err(PeekError { offset: self.offset(), what })
    }

    /// The next byte that is not white space, left unread. `None` at the end of the body.
    #[inline]
    pub(super) fn look(&mut self) -> Option<u8> {
        loop {
            match self.rest {
                [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] => self.rest = rest,
                [byte, ..] => return Some(*byte),
                [] => self.refill()?,
            }
        }
    }

    /// As [`Self::look`], where the body may not end.
    #[inline]
    pub(super) fn expect_any(&mut self) -> Result<u8, PeekError> {
        self.look().map_or_else(|| self.fail(Flaw::Ended), Ok)
    }

    /// Reads past the next byte, which [`Self::look`] has shown.
    #[inline]
    pub(super) fn bump(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// Reads past the next byte that is not white space; it must be `wanted`.
    #[inline]
    pub(super) fn expect(&mut self, wanted: u8) -> Result<(), PeekError> {
        if self.expect_any()? != wanted {
            return self.fail(Flaw::Unexpected);
        }
        self.bump();
        Ok(())
    }

    /// Reads up to and past the next `{`, `}`, `[`, `]` or `"` and returns it.
    #[inline]
    pub(super) fn next_structure(&mut self) -> Result<u8, PeekError> {
        loop {
            let mut rest = self.rest;
            while let [byte, after @ ..] = rest {
                rest = after;
                if STRUCTURE[usize::from(*byte)] {
                    self.rest = rest;
                    return Ok(*byte);
                }
            }
            self.refill_or_fail()?;
        }
    }

    /// Reads past the rest of a string whose opening quote was read. Says whether it holds an escape.
    #[inline]
    pub(super) fn skip_string(&mut self) -> Result<bool, PeekError> {
        let at = string_stop(self.rest).unwrap_or(self.rest.len());
        if self.rest.get(at) == Some(&b'"') {
            self.rest = &self.rest[at + 1..];
            return Ok(false);
        }
        self.rest = &self.rest[at..];
        self.skip_odd_string()
    }

    /// As [`Self::skip_string`], for one with escapes or in several frames: text, mostly, and long.
    #[inline(never)]
    fn skip_odd_string(&mut self) -> Result<bool, PeekError> {
        let mut escaped = false;
        loop {
            let Some(at) = memchr2(b'"', b'\\', self.rest) else {
                self.refill_or_fail()?;
                while self.plain.get(self.next - 1).is_some_and(|plain| *plain) {
                    self.refill_or_fail()?;
                }
                continue;
            };
            let found = self.rest[at];
            self.rest = &self.rest[at + 1..];
            if found == b'"' {
                return Ok(escaped);
            }
            escaped = true;
            while self.rest.is_empty() {
                self.refill_or_fail()?;
            }
            self.bump();
        }
    }

    /// Reads a string whose opening quote is the next byte.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Token<'a>, PeekError> {
        let start = self.offset();
        self.bump();
        let mark = (self.next, self.rest);
        let escaped = self.skip_string()?;
        let range = start..self.offset();
        Ok(Token { raw: self.since(mark, range.len() - 2), escaped, range })
    }

    /// Reads a number, `true`, `false` or `null`, which begins at the next byte. Spelling is not checked, only that
    /// nothing else stands there.
    #[inline]
    pub(super) fn scalar(&mut self) -> Result<Token<'a>, PeekError> {
        let start = self.offset();
        let mark = (self.next, self.rest);
        loop {
            match self.rest {
                [b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.', rest @ ..] => self.rest = rest,
                [] => {
                    if self.refill().is_none() {
                        break;
                    }
                }
                _ => break,
            }
        }
        let range = start..self.offset();
        if range.is_empty() {
            return self.fail(Flaw::Unexpected);
        }
        Ok(Token { raw: self.since(mark, range.len()), escaped: false, range })
    }

    /// The `len` bytes from `mark` on: borrowed when they lie in one frame.
    #[inline]
    fn since(&self, mark: (usize, &'a [u8]), len: usize) -> Cow<'a, [u8]> {
        mark.1.get(..len).map_or_else(|| Cow::Owned(self.joined(mark, len)), Cow::Borrowed)
    }

    #[cold]
    fn joined(&self, (next, rest): (usize, &'a [u8]), len: usize) -> Vec<u8> {
        let mut joined = Vec::with_capacity(len);
        joined.extend_from_slice(rest);
        for frame in &self.frames[next..] {
            let frame = frame.as_ref();
            let wanted = len - joined.len();
            joined.extend_from_slice(frame.get(..wanted).unwrap_or(frame));
        }
        joined
    }

    #[cold]
    fn refill(&mut self) -> Option<()> {
        self.rest = self.frames.get(self.next)?.as_ref();
        self.next += 1;
        self.end += self.rest.len();
        Some(())
    }

    fn refill_or_fail(&mut self) -> Result<(), PeekError> {
        // What is left of the frame was looked at and holds nothing of interest; an error points to the body's end.
        self.rest = &[];
        self.refill().map_or_else(|| self.fail(Flaw::Ended), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_borrowed_unless_they_cross_frames() {
        let frames = ["\"mod", "el\"", " 12", "", "34,"];
        let mut cursor = Cursor::new(&frames, &[]);
        assert_eq!(cursor.look(), Some(b'"'));
        let token = cursor.string().unwrap();
        assert_eq!((&*token.raw, token.escaped, token.range), (b"model".as_slice(), false, 0..7));
        assert_eq!(cursor.look(), Some(b'1'));
        let token = cursor.scalar().unwrap();
        assert_eq!((&*token.raw, token.range), (b"1234".as_slice(), 8..12));

        let mut cursor = Cursor::new(&["\"a\\\"b\""], &[]);
        assert_eq!(cursor.look(), Some(b'"'));
        let token = cursor.string().unwrap();
        assert!(matches!(token.raw, Cow::Borrowed(b"a\\\"b")));
        assert!(token.escaped);
    }

    #[test]
    fn an_escape_may_be_cut_from_its_backslash() {
        let frames = ["\"a\\", "", "\"b\"", "}"];
        let mut cursor = Cursor::new(&frames, &[]);
        assert_eq!(cursor.look(), Some(b'"'));
        assert_eq!(&*cursor.string().unwrap().raw, b"a\\\"b");
        assert_eq!(cursor.next_structure().unwrap(), b'}');
        assert_eq!(cursor.next_structure().unwrap_err(), PeekError { offset: 7, what: Flaw::Ended });
    }
}
