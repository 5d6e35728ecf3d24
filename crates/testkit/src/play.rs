//! A [`ReplyBody`] as a body for hyper: one flush for each chunk, and the count of what was taken.

use crate::reply::ReplyBody;
use crate::traffic::InFlight;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

#[derive(Debug)]
pub(crate) struct Play {
    chunks: VecDeque<Bytes>,
    /// Bytes, when the length is to be declared.
    length: Option<u64>,
    broken: bool,
    /// hyper flushes what it has when a body has nothing: so every other poll says that.
    rest: bool,
    in_flight: InFlight,
}

impl Play {
    pub(crate) fn new(body: ReplyBody, mut in_flight: InFlight) -> Self {
        let broken = matches!(body, ReplyBody::Broken(_));
        let (chunks, length) = match body {
            ReplyBody::Whole(bytes) => (vec![bytes], true),
            ReplyBody::Stream(chunks) | ReplyBody::Broken(chunks) => (chunks, false),
        };
        let chunks: VecDeque<_> =
            chunks.into_iter().filter(|chunk| !chunk.is_empty()).map(Bytes::from).collect();
        if chunks.is_empty() && !broken {
            in_flight.finish();
        }
        let length = length.then(|| chunks.iter().map(|chunk| chunk.len() as u64).sum());
        Self { chunks, length, broken, rest: false, in_flight }
    }
}

impl Body for Play {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if std::mem::take(&mut self.rest) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.rest = self.length.is_none();
        match self.chunks.pop_front() {
            Some(chunk) => {
                self.in_flight.wrote(chunk.len());
                if self.is_end_stream() {
                    self.in_flight.finish();
                }
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            None if self.broken => {
                self.in_flight.finish();
                Poll::Ready(Some(Err(io::Error::other("the script breaks the connection here"))))
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_empty() && !self.broken
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, |_| {
            SizeHint::with_exact(self.chunks.iter().map(|chunk| chunk.len() as u64).sum())
        })
    }
}
