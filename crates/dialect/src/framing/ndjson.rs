//! One JSON text a line (`application/x-ndjson`): lines end with LF or CRLF, empty lines are keep-alives.

use memchr::memchr;

use super::{FrameError, MAX_FRAME, keep};

/// Splits a body into its lines. A line that lies whole inside one pushed slice is handed out without being copied.
#[derive(Debug)]
pub struct Ndjson {
    max: usize,
    /// The line under way, from slices before.
    line: Vec<u8>,
}

impl Ndjson {
    pub fn new() -> Self {
        Self::with_max(MAX_FRAME)
    }

    /// A splitter whose lines have at most `max` bytes, line end included.
    pub fn with_max(max: usize) -> Self {
        Self { max, line: Vec::new() }
    }

    /// Takes the next bytes and calls `on` with each line they complete, without its line end.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`].
    pub fn push(&mut self, bytes: &[u8], on: &mut dyn FnMut(&[u8])) -> Result<(), FrameError> {
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            if self.line.is_empty() {
                if end >= self.max {
                    return Err(FrameError::TooLarge { max: self.max });
                }
                give(&rest[..end], on);
            } else {
                keep(&mut self.line, &rest[..=end], self.max)?;
                give(&self.line, on);
                self.line.clear();
            }
            rest = &rest[end + 1..];
        }
        keep(&mut self.line, rest, self.max)
    }

    /// The body ended: a last line without line end is delivered.
    ///
    /// # Errors
    /// None today; the signature is that of the other splitters.
    pub fn finish(&mut self, on: &mut dyn FnMut(&[u8])) -> Result<(), FrameError> {
        give(&std::mem::take(&mut self.line), on);
        Ok(())
    }
}

impl Default for Ndjson {
    fn default() -> Self {
        Self::new()
    }
}

fn give(line: &[u8], on: &mut dyn FnMut(&[u8])) {
    let line = line.trim_ascii();
    if !line.is_empty() {
        on(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut splitter: Ndjson, pieces: &[&[u8]]) -> Result<Vec<String>, FrameError> {
        let mut lines = Vec::new();
        let mut on = |line: &[u8]| lines.push(String::from_utf8(line.to_vec()).unwrap());
        for piece in pieces {
            splitter.push(piece, &mut on)?;
        }
        splitter.finish(&mut on)?;
        Ok(lines)
    }

    #[test]
    fn every_case_at_every_split() {
        let cases: [(&str, &[&str]); 5] = [
            ("{\"a\":1}\n{\"b\":2}\n", &["{\"a\":1}", "{\"b\":2}"]),
            ("{}\r\n\r\n[]\r\n", &["{}", "[]"]),
            ("\n\n{}\n\n\n", &["{}"]),
            ("{\"é\":\"🌊\"}\n{\"last\":true}", &["{\"é\":\"🌊\"}", "{\"last\":true}"]),
            ("", &[]),
        ];
        for (text, want) in cases {
            let bytes = text.as_bytes();
            for cut in 0..=bytes.len() {
                assert_eq!(
                    read(Ndjson::new(), &[&bytes[..cut], &bytes[cut..]]).unwrap(),
                    want,
                    "{text:?} at {cut}"
                );
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read(Ndjson::new(), &single).unwrap(), want, "{text:?}");
        }
    }

    #[test]
    fn too_large_lines_are_refused_however_they_arrive() {
        let cases: [&[&[u8]]; 3] = [&[b"12345678\n"], &[b"1234", b"5678\n"], &[b"123456789"]];
        for pieces in cases {
            assert_eq!(read(Ndjson::with_max(8), pieces), Err(FrameError::TooLarge { max: 8 }), "{pieces:?}");
        }
        assert_eq!(read(Ndjson::with_max(8), &[b"1234567\n"]).unwrap(), ["1234567"]);
    }
}
