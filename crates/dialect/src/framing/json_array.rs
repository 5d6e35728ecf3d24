//! The elements of a top-level JSON array that arrives over time, as Gemini streams without `alt=sse`.
//!
//! Only strings and brackets are told apart, which is enough to find where an element ends; whether an element is valid
//! JSON is for its reader to say.

use super::{FrameError, MAX_FRAME, keep};

/// Splits an array into its elements. An element that lies whole inside one pushed slice is handed out without being
/// copied.
#[derive(Debug)]
pub struct JsonArray {
    max: usize,
    place: Place,
    /// Brackets open inside the element under way.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The element under way, from slices before.
    element: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    BeforeArray,
    Inside,
    AfterArray,
}

impl JsonArray {
    pub fn new() -> Self {
        Self::with_max(MAX_FRAME)
    }

    /// A splitter whose elements have at most `max` bytes, surrounding white space included.
    pub fn with_max(max: usize) -> Self {
        Self {
            max,
            place: Place::BeforeArray,
            depth: 0,
            in_string: false,
            escaped: false,
            element: Vec::new(),
        }
    }

    /// Takes the next bytes and calls `on` with each element they complete, without surrounding white space.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`], or [`FrameError::NotAnArray`] when something other than an array is there.
    pub fn push(&mut self, bytes: &[u8], on: &mut dyn FnMut(&[u8])) -> Result<(), FrameError> {
        let mut from = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if self.place == Place::Inside {
                if self.ends_element(byte) {
                    self.give(&bytes[from..at], on)?;
                    from = at + 1;
                    self.place = if byte == b']' { Place::AfterArray } else { Place::Inside };
                }
                continue;
            }
            if self.place == Place::BeforeArray && byte == b'[' {
                self.place = Place::Inside;
            } else if !byte.is_ascii_whitespace() {
                return Err(FrameError::NotAnArray);
            }
            from = at + 1;
        }
        keep(&mut self.element, &bytes[from..], self.max)
    }

    /// The body ended.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] when the array is not closed, [`FrameError::NotAnArray`] when there was none.
    pub fn finish(&mut self, _on: &mut dyn FnMut(&[u8])) -> Result<(), FrameError> {
        match self.place {
            Place::AfterArray => Ok(()),
            Place::Inside => Err(FrameError::Truncated),
            Place::BeforeArray => Err(FrameError::NotAnArray),
        }
    }

    /// Follows strings and brackets; true when `byte` is the comma or bracket after an element.
    fn ends_element(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }

    fn give(&mut self, tail: &[u8], on: &mut dyn FnMut(&[u8])) -> Result<(), FrameError> {
        if self.element.is_empty() {
            if tail.len() > self.max {
                return Err(FrameError::TooLarge { max: self.max });
            }
            give_trimmed(tail, on);
        } else {
            keep(&mut self.element, tail, self.max)?;
            give_trimmed(&self.element, on);
            self.element.clear();
        }
        Ok(())
    }
}

impl Default for JsonArray {
    fn default() -> Self {
        Self::new()
    }
}

fn give_trimmed(element: &[u8], on: &mut dyn FnMut(&[u8])) {
    let element = element.trim_ascii();
    if !element.is_empty() {
        on(element);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut splitter: JsonArray, pieces: &[&[u8]]) -> Result<Vec<String>, FrameError> {
        let mut elements = Vec::new();
        let mut on = |element: &[u8]| elements.push(String::from_utf8(element.to_vec()).unwrap());
        for piece in pieces {
            splitter.push(piece, &mut on)?;
        }
        splitter.finish(&mut on)?;
        Ok(elements)
    }

    #[test]
    fn every_case_at_every_split() {
        let cases: [(&str, &[&str]); 6] = [
            ("[{\"a\":1}\n,\r\n{\"b\":[1,2]}\n]\n", &["{\"a\":1}", "{\"b\":[1,2]}"]),
            ("[]", &[]),
            (" [ ] ", &[]),
            (r#"[{"t":"],[ \" \\"},"x,]",[],3]"#, &[r#"{"t":"],[ \" \\"}"#, r#""x,]""#, "[]", "3"]),
            ("[{\"é\":\"🌊\"}]", &["{\"é\":\"🌊\"}"]),
            ("[{\n  \"a\": {\n  }\n}]", &["{\n  \"a\": {\n  }\n}"]),
        ];
        for (text, want) in cases {
            let bytes = text.as_bytes();
            for cut in 0..=bytes.len() {
                assert_eq!(
                    read(JsonArray::new(), &[&bytes[..cut], &bytes[cut..]]).unwrap(),
                    want,
                    "{text:?} at {cut}"
                );
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read(JsonArray::new(), &single).unwrap(), want, "{text:?}");
        }
    }

    #[test]
    fn elements_come_before_the_array_ends() {
        let mut count = 0;
        JsonArray::new().push(b"[{},{},", &mut |_| count += 1).unwrap();
        assert_eq!(count, 2);
    }

    #[test]
    fn other_bodies_are_errors() {
        let cases: [(&[u8], FrameError); 6] = [
            (b"", FrameError::NotAnArray),
            (b"{\"error\":{}}", FrameError::NotAnArray),
            (b"<html>", FrameError::NotAnArray),
            (b"[] x", FrameError::NotAnArray),
            (b"[{}", FrameError::Truncated),
            (b"[123456789]", FrameError::TooLarge { max: 8 }),
        ];
        for (bytes, want) in cases {
            assert_eq!(read(JsonArray::with_max(8), &[bytes]), Err(want), "{bytes:?}");
        }
        assert_eq!(read(JsonArray::with_max(8), &[b"[12345", b"6789"]), Err(FrameError::TooLarge { max: 8 }));
    }
}
