//! A message on its way out: the head, then the body as it comes, no more of it held than was not written yet.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Body;
use tokio::io::AsyncWrite;

/// Pieces that one write may take.
const AT_ONCE: usize = 16;
/// No more of a body is asked for while this much waits to be written.
const WAITING_BYTES: usize = 256 * 1024;

/// How a body is told from what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Nothing is said: there is no body, or it ends with the connection.
    Unsaid,
    Exact(u64),
    Chunked,
}

/// What is left to send of one message.
#[derive(Debug)]
pub struct Sending<B> {
    pieces: Pieces,
    /// Of the pieces.
    bytes: usize,
    /// Absent once it has given all, or failed.
    body: Option<B>,
    /// The body after that, kept until its last bytes are written: what happens when it is dropped (an account is closed, a
    /// log is written) can wait that long, and the reader cannot.
    given: Option<B>,
    length: Length,
    has_failed: bool,
    is_flushed: bool,
}

/// Why a message could not be sent whole.
#[derive(Debug)]
pub enum SendFailure {
    Io(io::Error),
    /// The body failed, or was not as long as it said.
    Body,
}

impl<B: Body<Data = Bytes> + Unpin> Sending<B> {
    /// `head` says `length` of `body`; no body where there is none to send.
    pub fn new(head: BytesMut, length: Length, body: Option<B>) -> Self {
        let bytes = head.len();
        Self {
            pieces: Pieces::of(head),
            bytes,
            body,
            given: None,
            length,
            has_failed: false,
            is_flushed: false,
        }
    }

    /// Sends as much as can be sent. Ready when all is.
    ///
    /// # Errors
    /// The connection takes no more; or the body failed, which is told when all that came before is sent.
    pub fn poll<T: AsyncWrite + Unpin>(
        &mut self,
        to: &mut T,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendFailure>> {
        loop {
            let body_is_pending = self.fill(cx);
            if !self.pieces.is_empty() {
                ready!(self.write(to, cx)).map_err(SendFailure::Io)?;
                continue;
            }
            if !self.is_flushed {
                ready!(Pin::new(&mut *to).poll_flush(cx)).map_err(SendFailure::Io)?;
                self.is_flushed = true;
            }
            if self.body.is_none() {
                return Poll::Ready(if self.has_failed { Err(SendFailure::Body) } else { Ok(()) });
            }
            if body_is_pending {
                return Poll::Pending;
            }
        }
    }

    /// Asks the body for as much as there is room for. `true` when it has to be waited for.
    fn fill(&mut self, cx: &mut Context<'_>) -> bool {
        while self.bytes < WAITING_BYTES
            && let Some(body) = &mut self.body
        {
            match Pin::new(body).poll_frame(cx) {
                Poll::Pending => return true,
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers would be for another connection.
                    if let Ok(data) = frame.into_data() {
                        self.push_data(data);
                    }
                }
                Poll::Ready(Some(Err(_))) => self.fail(),
                Poll::Ready(None) => self.end(),
            }
        }
        false
    }

    fn push_data(&mut self, data: Bytes) {
        if data.is_empty() {
            return;
        }
        match &mut self.length {
            Length::Exact(left) => match left.checked_sub(data.len() as u64) {
                Some(0) => {
                    *left = 0;
                    self.given = self.body.take();
                    self.push(data);
                }
                Some(rest) => {
                    *left = rest;
                    self.push(data);
                }
                None => self.fail(),
            },
            Length::Chunked => {
                let mut size = [0; 18];
                let digits = hex(data.len(), &mut size);
                self.push(Bytes::copy_from_slice(digits));
                self.push(data);
                self.push(Bytes::from_static(b"\r\n"));
            }
            Length::Unsaid => self.push(data),
        }
    }

    fn end(&mut self) {
        self.given = self.body.take();
        match self.length {
            Length::Chunked => self.push(Bytes::from_static(b"0\r\n\r\n")),
            Length::Exact(1..) => self.fail(),
            Length::Exact(0) | Length::Unsaid => {}
        }
    }

    fn fail(&mut self) {
        self.given = self.body.take();
        self.has_failed = true;
    }

    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.is_flushed = false;
        self.pieces.push(piece);
    }

    fn write<T: AsyncWrite + Unpin>(&mut self, to: &mut T, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut slices = [IoSlice::new(&[]); AT_ONCE];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(self.pieces.iter()) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        let written = ready!(crate::gather::poll_write(to, cx, &slices[..count]))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.bytes -= written;
        self.pieces.advance(written);
        Poll::Ready(Ok(()))
    }
}

/// Bytes in a row. Most messages are a head and one piece of a body, so those have a place of their own.
#[derive(Debug, Default)]
struct Pieces {
    head: BytesMut,
    /// Not empty unless `more` is.
    first: Bytes,
    more: VecDeque<Bytes>,
}

impl Pieces {
    fn of(head: BytesMut) -> Self {
        Self { head, ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        self.head.is_empty() && self.first.is_empty()
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let own = [&*self.head, &*self.first].into_iter().filter(|piece| !piece.is_empty());
        own.chain(self.more.iter().map(|piece| &**piece))
    }

    fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
        } else if self.first.is_empty() {
            self.first = piece;
        } else {
            self.more.push_back(piece);
        }
    }

    /// So many bytes are gone.
    fn advance(&mut self, mut bytes: usize) {
        let of_head = bytes.min(self.head.len());
        self.head.advance(of_head);
        bytes -= of_head;
        while bytes >= self.first.len() {
            bytes -= self.first.len();
            self.first = self.more.pop_front().unwrap_or_default();
            if self.first.is_empty() {
                return;
            }
        }
        self.first.advance(bytes);
    }
}

/// A chunk's size as its line.
fn hex(mut size: usize, line: &mut [u8; 18]) -> &[u8] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    line[16..].copy_from_slice(b"\r\n");
    let mut start = 16;
    loop {
        start -= 1;
        line[start] = DIGITS[size % 16];
        size /= 16;
        if size == 0 {
            return &line[start..];
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body::Frame;

    use super::*;

    /// What is sent of a body in these frames, and whether all of it was.
    async fn sent(length: Length, frames: &[Option<&'static str>]) -> (String, bool) {
        struct Frames(VecDeque<Option<&'static str>>);
        impl Body for Frames {
            type Data = Bytes;
            type Error = ();
            fn poll_frame(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, ()>>> {
                Poll::Ready(self.0.pop_front().map(|frame| {
                    frame.map(|data| Frame::data(Bytes::from_static(data.as_bytes()))).ok_or(())
                }))
            }
        }
        let mut sending =
            Sending::new(BytesMut::from("head|"), length, Some(Frames(frames.iter().copied().collect())));
        let mut out = Vec::new();
        let ended = std::future::poll_fn(|cx| sending.poll(&mut out, cx)).await;
        (String::from_utf8(out).unwrap(), ended.is_ok())
    }

    #[tokio::test]
    async fn bodies_are_framed_and_what_came_before_a_failure_is_sent() {
        let (a, b, failure) = (Some("hello"), Some("0123456789abcdefg"), None);
        let cases = [
            (
                Length::Chunked,
                vec![a, Some(""), b],
                "head|5\r\nhello\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n",
                true,
            ),
            (Length::Exact(22), vec![a, b], "head|hello0123456789abcdefg", true),
            (Length::Unsaid, vec![a, b], "head|hello0123456789abcdefg", true),
            (Length::Exact(6), vec![a], "head|hello", false),
            (Length::Exact(4), vec![a], "head|", false),
            (Length::Chunked, vec![a, failure, b], "head|5\r\nhello\r\n", false),
        ];
        for (length, frames, text, is_whole) in cases {
            assert_eq!(sent(length, &frames).await, (text.into(), is_whole), "{length:?} {frames:?}");
        }
    }

    #[test]
    fn sizes_are_written_in_hex() {
        for (size, line) in
            [(0, "0\r\n"), (9, "9\r\n"), (255, "ff\r\n"), (usize::MAX, "ffffffffffffffff\r\n")]
        {
            assert_eq!(hex(size, &mut [0; 18]), line.as_bytes());
        }
    }
}
