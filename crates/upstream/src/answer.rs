//! The body of an answer. It owns its connection: reading it moves the connection, the end gives it back to the pool, and
//! dropping it before the end closes it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Uri;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::link::Link;
use crate::pool::Pool;

/// What an upstream sends after its head.
pub struct Answer {
    body: Incoming,
    /// Absent once the body has ended, and for HTTP/2, where a task of hyper's moves what many answers share.
    connection: Option<Held>,
}

struct Held {
    link: Box<Link>,
    /// Where the connection leads.
    origin: Uri,
    pool: Arc<Pool>,
}

impl Answer {
    pub(crate) fn new(body: Incoming, link: Box<Link>, origin: Uri, pool: Arc<Pool>) -> Self {
        let mut answer = Self { body, connection: Some(Held { link, origin, pool }) };
        if answer.body.is_end_stream() {
            answer.give_back();
        }
        answer
    }

    pub(crate) fn shared(body: Incoming) -> Self {
        Self { body, connection: None }
    }

    fn give_back(&mut self) {
        if let Some(Held { link, origin, pool }) = self.connection.take() {
            pool.put(&origin, link);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let Some(held) = &mut this.connection else { return Pin::new(&mut this.body).poll_frame(cx) };
        let polled = held.link.poll_body(cx, &mut this.body);
        match &polled {
            Poll::Ready(None) => this.give_back(),
            Poll::Ready(Some(Ok(_))) if this.body.is_end_stream() => this.give_back(),
            Poll::Ready(Some(Err(_))) => this.connection = None,
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("body", &self.body).finish_non_exhaustive()
    }
}
