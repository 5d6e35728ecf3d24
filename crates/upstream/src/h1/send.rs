//! A request on its way out: the head, then the body as it comes, no more of it held than was not written yet.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::request::Parts;
use http::{Method, Request};
use http_body::Body as _;
use tokio::io::AsyncWrite;

use super::head::{self, Length};
use crate::body::OutBody;

/// Pieces that one write may take.
const AT_ONCE: usize = 16;
/// No more of a body is asked for while this much waits to be written.
const WAITING_BYTES: usize = 256 * 1024;

/// What is left to send of one request.
#[derive(Debug)]
pub(crate) struct Sending {
    pieces: VecDeque<Bytes>,
    /// Of the pieces.
    bytes: usize,
    /// Absent once it has given all.
    body: Option<OutBody>,
    length: Length,
    is_flushed: bool,
}

/// Why a request could not be sent whole.
#[derive(Debug)]
pub(crate) enum SendFailure {
    Io(io::Error),
    /// The body failed, or was not as long as it said.
    Body,
}

impl Sending {
    pub(crate) fn new(request: Request<OutBody>) -> (Self, Method) {
        let (Parts { method, uri, headers, .. }, body) = request.into_parts();
        let length = match body.size_hint().exact() {
            // A method that means to send something says that it sends nothing.
            Some(0) if matches!(method, Method::POST | Method::PUT | Method::PATCH) => Length::Exact(0),
            Some(0) => Length::Unsaid,
            Some(bytes) => Length::Exact(bytes),
            None => Length::Chunked,
        };
        let head = head::encode(&method, &uri, &headers, length);
        let body = (!matches!(length, Length::Unsaid | Length::Exact(0))).then_some(body);
        let sending =
            Self { bytes: head.len(), pieces: VecDeque::from([head]), body, length, is_flushed: false };
        (sending, method)
    }

    /// Sends as much as can be sent. Ready when all is.
    pub(crate) fn poll<T: AsyncWrite + Unpin>(
        &mut self,
        to: &mut T,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendFailure>> {
        loop {
            let body_is_pending = self.fill(cx)?;
            if !self.pieces.is_empty() {
                ready!(self.write(to, cx)).map_err(SendFailure::Io)?;
                continue;
            }
            if !self.is_flushed {
                ready!(Pin::new(&mut *to).poll_flush(cx)).map_err(SendFailure::Io)?;
                self.is_flushed = true;
            }
            if self.body.is_none() {
                return Poll::Ready(Ok(()));
            }
            if body_is_pending {
                return Poll::Pending;
            }
        }
    }

    /// Asks the body for as much as there is room for. `true` when it has to be waited for.
    fn fill(&mut self, cx: &mut Context<'_>) -> Result<bool, SendFailure> {
        while self.bytes < WAITING_BYTES
            && let Some(body) = &mut self.body
        {
            let frame = match Pin::new(body).poll_frame(cx) {
                Poll::Pending => return Ok(true),
                Poll::Ready(Some(Ok(frame))) => frame,
                Poll::Ready(Some(Err(_))) => return Err(SendFailure::Body),
                Poll::Ready(None) => {
                    self.end()?;
                    break;
                }
            };
            // Trailers would be for the client's own connection.
            if let Ok(data) = frame.into_data() {
                self.push_data(data)?;
            }
        }
        Ok(false)
    }

    fn push_data(&mut self, data: Bytes) -> Result<(), SendFailure> {
        if data.is_empty() {
            return Ok(());
        }
        match &mut self.length {
            Length::Exact(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or(SendFailure::Body)?;
                let is_all = *left == 0;
                self.push(data);
                if is_all {
                    self.body = None;
                }
            }
            Length::Chunked => {
                self.push(Bytes::from(format!("{:x}\r\n", data.len())));
                self.push(data);
                self.push(Bytes::from_static(b"\r\n"));
            }
            Length::Unsaid => return Err(SendFailure::Body),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), SendFailure> {
        self.body = None;
        match self.length {
            Length::Chunked => self.push(Bytes::from_static(b"0\r\n\r\n")),
            Length::Exact(1..) => return Err(SendFailure::Body),
            Length::Exact(0) | Length::Unsaid => {}
        }
        Ok(())
    }

    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.is_flushed = false;
        self.pieces.push_back(piece);
    }

    fn write<T: AsyncWrite + Unpin>(&mut self, to: &mut T, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut slices = [IoSlice::new(&[]); AT_ONCE];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        let mut written = ready!(crate::gather::poll_write(to, cx, &slices[..count]))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.bytes -= written;
        while let Some(piece) = self.pieces.front_mut() {
            if written < piece.len() {
                piece.advance(written);
                break;
            }
            written -= piece.len();
            self.pieces.pop_front();
        }
        Poll::Ready(Ok(()))
    }
}
