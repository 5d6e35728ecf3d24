//! Bodies on their way to the client. A body owns what must live until its last byte: the upstream body, the decoder,
//! and the request's [`Record`], which closes when the body is dropped, read to its end or not.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use tidegate_upstream::Answer;

use crate::paced::PacedBody;
use crate::pass::PassBody;
use crate::record::{End, Record};
use crate::translated::TranslatedBody;

/// The error of a body that cannot be finished honestly: the connection is given up, so the client sees a cut
/// transfer and never a short answer that looks whole.
#[derive(Debug)]
pub struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the provider's answer broke off")
    }
}

impl std::error::Error for Cut {}

#[derive(Debug)]
pub enum ClientBody {
    /// Bytes known whole. The record is absent for the gateway's own pages.
    Full(Option<Bytes>, Option<Box<Record>>),
    /// The provider's bytes, untouched.
    Pass(Box<PassBody>),
    /// The provider's stream in the client's dialect.
    Translated(Box<TranslatedBody>),
    /// A stream that goes out at a pace.
    Paced(Box<PacedBody>),
    /// Made by whoever administers while it is read.
    Made(UnsyncBoxBody<Bytes, Cut>),
    /// Nothing but the news that the answer broke off.
    Broken,
}

impl ClientBody {
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self::Full(Some(bytes.into()), None)
    }

    /// A body of somebody else's making; where that fails, the transfer is cut.
    pub fn made<E>(body: impl Body<Data = Bytes, Error = E> + Send + 'static) -> Self {
        Self::Made(body.map_err(|_| Cut).boxed_unsync())
    }

    pub fn recorded(bytes: impl Into<Bytes>, record: Box<Record>) -> Self {
        Self::Full(Some(bytes.into()), Some(record))
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Full(bytes, record) => {
                if let Some(record) = record {
                    record.first_byte();
                    if let Some(bytes) = bytes {
                        record.sent(bytes);
                    }
                    record.ended(End::Ok);
                }
                Poll::Ready(
                    bytes.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))),
                )
            }
            Self::Pass(body) => body.poll(cx),
            Self::Translated(body) => body.poll(cx),
            Self::Paced(body) => body.poll(cx),
            Self::Made(body) => Pin::new(body).poll_frame(cx),
            Self::Broken => Poll::Ready(Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes, _) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Pass(body) => body.is_end(),
            Self::Made(body) => body.is_end_stream(),
            Self::Translated(_) | Self::Paced(_) | Self::Broken => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes, _) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Pass(body) => body.size_hint(),
            Self::Made(body) => body.size_hint(),
            Self::Translated(_) | Self::Paced(_) | Self::Broken => SizeHint::default(),
        }
    }
}

/// Frames that were read while the head was held back, then the rest of the provider's body.
#[derive(Debug)]
pub struct Source {
    /// Most heads are held back for one frame, which has a place of its own.
    first: Option<Bytes>,
    held: VecDeque<Bytes>,
    rest: Option<Answer>,
}

/// What a [`Source`] gives next.
#[derive(Debug)]
pub enum Piece {
    Data(Bytes),
    /// The body ended as HTTP says it should.
    End,
    /// The connection broke, or the body was shorter than announced.
    Broken,
}

impl Source {
    pub fn new(rest: Answer) -> Self {
        Self { first: None, held: VecDeque::new(), rest: Some(rest) }
    }

    /// A source of bytes made in this process.
    pub fn of(frames: impl IntoIterator<Item = Bytes>) -> Self {
        Self { first: None, held: frames.into_iter().collect(), rest: None }
    }

    /// Gives a frame back, to be read again first.
    pub fn hold(&mut self, frames: impl DoubleEndedIterator<Item = Bytes>) {
        for frame in frames.rev() {
            if let Some(second) = self.first.replace(frame) {
                self.held.push_front(second);
            }
        }
    }

    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Piece> {
        if let Some(bytes) = self.first.take().or_else(|| self.held.pop_front()) {
            return Poll::Ready(Piece::Data(bytes));
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(Piece::End) };
        loop {
            let piece = match ready!(Pin::new(&mut *rest).poll_frame(cx)) {
                None => Piece::End,
                Some(Err(_)) => Piece::Broken,
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if bytes.is_empty() => continue,
                    Ok(bytes) => Piece::Data(bytes),
                    Err(_trailers) => continue,
                },
            };
            if !matches!(piece, Piece::Data(_)) {
                self.rest = None; // gives the connection back, or closes it
            }
            return Poll::Ready(piece);
        }
    }

    pub async fn next(&mut self) -> Piece {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    pub fn is_end(&self) -> bool {
        self.first.is_none() && self.held.is_empty() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    pub fn size_hint(&self) -> SizeHint {
        let held: u64 = self.first.iter().chain(&self.held).map(|bytes| bytes.len() as u64).sum();
        let mut hint = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + held);
        }
        hint.set_lower(hint.lower() + held);
        hint
    }

    /// Reads the rest into one piece, up to `limit` bytes.
    ///
    /// # Errors
    /// `TooLong` past the limit, `Broken` when the connection fails first.
    pub async fn collect(&mut self, limit: usize) -> Result<Bytes, CollectError> {
        let mut first = Bytes::new();
        let mut joined: Vec<u8> = Vec::new();
        loop {
            match self.next().await {
                Piece::Data(bytes) if first.is_empty() && joined.is_empty() => first = bytes,
                Piece::Data(bytes) => {
                    if joined.is_empty() {
                        joined.extend_from_slice(&first);
                    }
                    joined.extend_from_slice(&bytes);
                }
                Piece::End => return Ok(if joined.is_empty() { first } else { joined.into() }),
                Piece::Broken => return Err(CollectError::Broken),
            }
            if first.len().max(joined.len()) > limit {
                self.rest = None;
                return Err(CollectError::TooLong);
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectError {
    TooLong,
    Broken,
}
