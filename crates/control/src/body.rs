//! Bodies of answers: most are known whole, and what is large is made while it goes out.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Parts that wait for a slow reader.
const PARTS: usize = 2;

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    Whole(Bytes),
    Flow(Flow),
}

/// A body that is made while it is read. Dropping it stops whoever makes it.
#[derive(Debug)]
pub struct Flow(Receiver<Result<Bytes, BrokenOff>>);

/// The rest of the body cannot be made: the transfer is to be cut, so that nobody takes it for whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the records could not be read to their end")
    }
}

impl std::error::Error for BrokenOff {}

impl Flow {
    pub(crate) fn new() -> (Sender<Result<Bytes, BrokenOff>>, Self) {
        let (sender, receiver) = channel(PARTS);
        (sender, Self(receiver))
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match self.get_mut() {
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Flow(Flow(parts)) => parts.poll_recv(cx).map(|part| part.map(|part| part.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Flow(_) => SizeHint::default(),
        }
    }
}
