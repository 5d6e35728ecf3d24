//! The body of an answer. It owns its connection: reading it moves the connection, the end gives it back to the pool, and
//! dropping it before the end closes it.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Uri;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tidegate_http1::body::Reading;

use crate::link::Link;
use crate::pool::Pool;

/// What an upstream sends after its head.
pub struct Answer(Form);

enum Form {
    /// From a connection of its own; absent once the body has ended or failed.
    Alone { held: Option<Held>, reading: Reading },
    /// From a connection that a task of hyper's moves for many.
    Shared(Incoming),
}

struct Held {
    link: Box<Link>,
    /// Where the connection leads.
    origin: Uri,
    pool: Arc<Pool>,
}

impl Answer {
    pub(crate) fn alone(reading: Reading, link: Box<Link>, origin: Uri, pool: Arc<Pool>) -> Self {
        let mut held = Some(Held { link, origin, pool });
        if reading.exact() == Some(0) {
            give_back(&mut held);
        }
        Self(Form::Alone { held, reading })
    }

    pub(crate) fn shared(body: Incoming) -> Self {
        Self(Form::Shared(body))
    }
}

fn give_back(held: &mut Option<Held>) {
    if let Some(Held { link, origin, pool }) = held.take() {
        pool.put(&origin, link);
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.get_mut().0 {
            Form::Shared(body) => Pin::new(body).poll_frame(cx).map_err(io::Error::other),
            Form::Alone { held, reading } => {
                let Some(there) = held else { return Poll::Ready(None) };
                let polled = there.link.poll_data(cx, reading);
                match &polled {
                    Poll::Pending => {}
                    Poll::Ready(Some(Err(_))) => *held = None,
                    Poll::Ready(None) => give_back(held),
                    Poll::Ready(Some(Ok(_))) if reading.exact() == Some(0) => give_back(held),
                    Poll::Ready(Some(Ok(_))) => {}
                }
                polled.map(|data| data.map(|data| data.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Form::Shared(body) => body.is_end_stream(),
            Form::Alone { held, .. } => held.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Form::Shared(body) => body.size_hint(),
            Form::Alone { reading, .. } => {
                reading.exact().map_or_else(SizeHint::default, SizeHint::with_exact)
            }
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("left", &self.size_hint().exact()).finish_non_exhaustive()
    }
}
