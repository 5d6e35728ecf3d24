//! Bodies of answers: how a streamed one is framed, found out from its first byte, and what to say of one that cannot be
//! read. Whatever was asked for, a vendor may answer a stream with a plain body: an error, or the answer at once.

use tidegate_core::ApiError;

use crate::framing::{FrameError, JsonArray, MAX_FRAME, Ndjson, Sse};

/// What a streamed body is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// The data of an event, an element of an array, or a line.
    Piece(&'a [u8]),
    /// A body that is one JSON object, given when it has ended.
    Whole(&'a [u8]),
}

/// Splits a streamed body. A frame, and so the memory held, is bounded by [`MAX_FRAME`].
#[derive(Debug, Default)]
pub(crate) enum StreamBody {
    /// Nothing but white space yet.
    #[default]
    Undecided,
    Sse(Sse),
    Array(JsonArray),
    /// Never found out: asked for with [`Self::lines`].
    Lines(Ndjson),
    Whole(Vec<u8>),
}

impl StreamBody {
    /// A body of lines, whatever its first byte.
    pub(crate) fn lines() -> Self {
        Self::Lines(Ndjson::new())
    }

    /// Takes the next bytes, cut anywhere.
    ///
    /// # Errors
    /// A frame that is too large, or an array that is none.
    pub(crate) fn push(&mut self, bytes: &[u8], on: &mut dyn FnMut(Frame<'_>)) -> Result<(), FrameError> {
        let bytes = self.decide(bytes);
        match self {
            Self::Undecided => Ok(()),
            Self::Sse(sse) => sse.push(bytes, &mut |event| on(Frame::Piece(event.data))),
            Self::Array(array) => array.push(bytes, &mut |element| on(Frame::Piece(element))),
            Self::Lines(lines) => lines.push(bytes, &mut |line| on(Frame::Piece(line))),
            Self::Whole(body) if body.len() + bytes.len() > MAX_FRAME => {
                Err(FrameError::TooLarge { max: MAX_FRAME })
            }
            Self::Whole(body) => {
                body.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// The body ended.
    ///
    /// # Errors
    /// As [`Self::push`]; an array that is not closed.
    pub(crate) fn finish(&mut self, on: &mut dyn FnMut(Frame<'_>)) -> Result<(), FrameError> {
        match self {
            Self::Undecided => Ok(()),
            Self::Sse(sse) => sse.finish(&mut |event| on(Frame::Piece(event.data))),
            Self::Array(array) => array.finish(&mut |element| on(Frame::Piece(element))),
            Self::Lines(lines) => lines.finish(&mut |line| on(Frame::Piece(line))),
            Self::Whole(body) => {
                on(Frame::Whole(body));
                Ok(())
            }
        }
    }

    /// Looks at the first byte that counts; gives what is left to be read.
    fn decide<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if !matches!(self, Self::Undecided) {
            return bytes;
        }
        let bytes = from_first(bytes);
        *self = match bytes.first() {
            None => Self::Undecided,
            Some(b'[') => Self::Array(JsonArray::new()),
            Some(b'{') => Self::Whole(Vec::new()),
            Some(_) => Self::Sse(Sse::new()),
        };
        bytes
    }
}

/// Drops white space and bytes of a byte-order mark from the beginning of a body. They are dropped in every framing:
/// what reads a body that is not cut must not see bytes that would have been passed over, had they come on their own.
pub(crate) fn from_first(bytes: &[u8]) -> &[u8] {
    let blank = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0xEF | 0xBB | 0xBF);
    let start = bytes.iter().position(|b| !blank(b)).unwrap_or(bytes.len());
    &bytes[start..]
}

/// The error of a body, or of a piece of one, that is no answer of `vendor`'s. Says where, not what: the text may hold the
/// user's words.
pub(crate) fn unreadable(vendor: &str, e: &serde_json::Error) -> ApiError {
    ApiError::upstream(format!(
        "the provider's answer cannot be read as one of {vendor}'s (line {}, column {})",
        e.line(),
        e.column()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(pieces: &[&[u8]]) -> (Vec<String>, Option<FrameError>) {
        let mut frames = Vec::new();
        let mut body = StreamBody::default();
        let mut on = |frame: Frame<'_>| {
            frames.push(match frame {
                Frame::Piece(data) => format!("piece {}", data.escape_ascii()),
                Frame::Whole(data) => format!("whole {}", data.escape_ascii()),
            });
        };
        let error = pieces.iter().find_map(|piece| body.push(piece, &mut on).err());
        let error = error.or_else(|| body.finish(&mut on).err());
        (frames, error)
    }

    #[test]
    fn the_first_byte_tells_the_framing() {
        for (bytes, expected) in [
            ("data: 1\n\n: x\n\ndata: 2", vec!["piece 1", "piece 2"]),
            ("\u{feff}\r\n data: 1\n\n", vec!["piece 1"]),
            (" [1,\r\n2]\r\n", vec!["piece 1", "piece 2"]),
            ("\n{\"a\":\n1}", vec!["whole {\\\"a\\\":\\n1}"]),
            (" \r\n", vec![]),
            ("<html>", vec![]),
        ] {
            let bytewise: Vec<&[u8]> = bytes.as_bytes().chunks(1).collect();
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(frames(&[bytes.as_bytes()]), (expected.clone(), None), "{bytes:?}");
            assert_eq!(frames(&bytewise), (expected, None), "{bytes:?}, byte by byte");
        }
    }

    #[test]
    fn frames_are_bounded_and_arrays_are_closed() {
        let half = vec![b' '; MAX_FRAME / 2];
        let too_large = frames(&[b"{", &half, &half]);
        assert_eq!(too_large, (vec![], Some(FrameError::TooLarge { max: MAX_FRAME })));
        assert_eq!(frames(&[b"[1,2"]).1, Some(FrameError::Truncated));
    }
}
