//! The chunked coding, read as it arrives: data comes out as the slices it came in, nothing is copied.

use bytes::{Buf as _, Bytes};

use crate::body::Part;
use crate::{MAX_HEAD_BYTES, Malformed};

/// Where in a chunked body the next byte belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the digits of a size; how many there were.
    Size(u8),
    /// Behind the size, before the line's end: extensions, which mean nothing here.
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// At the start of a trailer, or of the last line.
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    End,
}

/// Reads a chunked body. Trailers are read past.
#[derive(Debug)]
pub struct Chunked {
    at: At,
    /// Of the chunk's data.
    left: u64,
    /// Bytes of extensions and trailers so far: they are not content, and not without end.
    overhead: usize,
}

impl Default for Chunked {
    fn default() -> Self {
        Self { at: At::Size(0), left: 0, overhead: 0 }
    }
}

impl Chunked {
    /// Takes the next piece of data from the front of `bytes`.
    ///
    /// # Errors
    /// The bytes are no chunked body.
    pub fn next(&mut self, bytes: &mut Bytes) -> Result<Part, Malformed> {
        loop {
            if self.at == At::Data {
                if bytes.is_empty() {
                    return Ok(Part::More);
                }
                let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= len as u64;
                if self.left == 0 {
                    self.at = At::DataCr;
                }
                return Ok(Part::Data(bytes.split_to(len)));
            }
            if self.at == At::End {
                return Ok(Part::End);
            }
            let Some(byte) = bytes.first().copied() else { return Ok(Part::More) };
            bytes.advance(1);
            self.at = self.step(byte)?;
        }
    }

    fn step(&mut self, byte: u8) -> Result<At, Malformed> {
        Ok(match (self.at, byte) {
            (At::Size(digits), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                if digits == 15 {
                    return Err(Malformed); // no chunk has 2^60 bytes
                }
                let digit = char::from(byte).to_digit(16).unwrap_or(0);
                self.left = self.left * 16 + u64::from(digit);
                At::Size(digits + 1)
            }
            (At::Size(1..), b'\r') => At::SizeLf,
            (At::Size(1..), b' ' | b'\t' | b';') => At::Extension,
            (At::Extension, b'\r') => At::SizeLf,
            (At::Extension, byte) if byte != b'\n' => self.count(At::Extension)?,
            (At::SizeLf, b'\n') if self.left == 0 => At::TrailerStart,
            (At::SizeLf, b'\n') => At::Data,
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Size(0),
            (At::TrailerStart, b'\r') => At::EndLf,
            (At::Trailer, b'\r') => At::TrailerLf,
            (At::TrailerStart | At::Trailer, byte) if byte != b'\n' => self.count(At::Trailer)?,
            (At::TrailerLf, b'\n') => At::TrailerStart,
            (At::EndLf, b'\n') => At::End,
            _ => return Err(Malformed),
        })
    }

    fn count(&mut self, at: At) -> Result<At, Malformed> {
        self.overhead += 1;
        if self.overhead > MAX_HEAD_BYTES { Err(Malformed) } else { Ok(at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data, and how the reading ended: what is left behind the end, or `None` for malformed.
    fn read(pieces: &[&[u8]]) -> (Vec<u8>, Option<Part>, Vec<u8>) {
        let (mut chunked, mut data) = (Chunked::default(), Vec::new());
        for (i, piece) in pieces.iter().enumerate() {
            let mut bytes = Bytes::copy_from_slice(piece);
            loop {
                match chunked.next(&mut bytes) {
                    Ok(Part::Data(piece)) => data.extend_from_slice(&piece),
                    Ok(Part::More) if i + 1 < pieces.len() => break,
                    Ok(end) => return (data, Some(end), bytes.to_vec()),
                    Err(Malformed) => return (data, None, bytes.to_vec()),
                }
            }
        }
        (data, Some(Part::More), Vec::new())
    }

    #[test]
    fn every_split_gives_the_same_data() {
        let body: &[u8] =
            b"5\r\nhello\r\n00A;x=\"y\"\r\n, world of\r\n1 \r\n!\r\n0\r\nx-sum: 1\r\nx: 2\r\n\r\nHTTP/1.1";
        let whole = (b"hello, world of!".to_vec(), Some(Part::End), b"HTTP/1.1".to_vec());
        assert_eq!(read(&[body]), whole);
        for at in 0..body.len() - 8 {
            let (first, second) = body.split_at(at);
            assert_eq!(read(&[first, second]), whole, "split at {at}");
        }
        let bytes: Vec<&[u8]> = body[..body.len() - 8].chunks(1).collect();
        assert_eq!(read(&bytes), (whole.0, Some(Part::End), Vec::new()));
    }

    #[test]
    fn data_is_not_copied() {
        let mut bytes = Bytes::from_static(b"3\r\nabc\r\n0\r\n\r\n");
        let inside = bytes.as_ptr().wrapping_add(3);
        assert!(
            matches!(Chunked::default().next(&mut bytes), Ok(Part::Data(data)) if data.as_ptr() == inside)
        );
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let cases: [&[u8]; 14] = [
            b"\r\n",
            b";x\r\n",
            b" 5\r\nhello\r\n",
            b"+5\r\nhello\r\n",
            b"-1\r\n",
            b"0x5\r\nhello\r\n",
            b"5\nhello\r\n",
            b"5\r\rhello",
            b"5\r\nhelloX\n",
            b"5\r\nhello\rX",
            b"5\r\nhello\n",
            b"1000000000000000\r\n",
            b"0\r\nx: 1\n\r\n",
            b"0\r\n\n",
        ];
        for case in cases {
            assert_eq!(read(&[case]).1, None, "{}", String::from_utf8_lossy(case));
        }
        let endless = [b"5;".to_vec(), vec![b'x'; MAX_HEAD_BYTES + 1]].concat();
        assert_eq!(read(&[&endless]).1, None);
    }
}
