//! One HTTP/1.1 connection, driven by whoever uses it.
//!
//! hyper's connection is a future that has to be polled for anything to move. Commonly it gets a task of its own, and
//! each request then crosses from task to task and back: on a gateway that is a good part of the price of a request. Here
//! the request polls it, then the answer's body does, so nothing moves unless somebody waits for it, and dropping either
//! closes the connection at once.
//!
//! The parts of hyper's client talk through channels that wake the connection's task when there is something to do. Here
//! that task is the one that is talking, so their words go [`unheard`].

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use tokio::sync::Notify;
use tokio::task::coop::unconstrained;

use crate::body::OutBody;
use crate::unheard::{is_heard, unheard};
use crate::wire::Upstream;

/// The largest head of an answer, and the largest single read, on HTTP/1.1. Reads begin at 8 KB and only grow while they
/// are filled, so a slow stream holds 8 KB and a large body is read in few calls.
pub(crate) const MAX_BUFFER_BYTES: usize = 128 * 1024;

/// A connection that serves one request at a time. Dropping it closes it.
pub(crate) struct Link {
    sender: SendRequest<OutBody>,
    connection: Connection<Upstream, OutBody>,
    signal: Arc<Signal>,
    /// The signal, in the form futures take.
    waker: Waker,
    host: HeaderValue,
    absolute_form: bool,
    /// The connection's future is done, and may not be polled again.
    has_ended: bool,
}

/// A request that was not answered.
pub(crate) struct Unanswered {
    pub(crate) error: hyper::Error,
    /// The request, when nothing of it was written.
    pub(crate) unsent: Option<Request<OutBody>>,
}

impl Link {
    /// Speaks HTTP/1.1 over a connection that was just made to `host`. `keeper` is told when something happens to it while it idles.
    pub(crate) async fn new(
        upstream: Upstream,
        host: HeaderValue,
        keeper: Arc<Notify>,
    ) -> Result<Box<Self>, hyper::Error> {
        let absolute_form = upstream.is_absolute_form();
        let (sender, connection) = Builder::new().max_buf_size(MAX_BUFFER_BYTES).handshake(upstream).await?;
        let signal = Arc::new(Signal { task: Mutex::default(), stirred: AtomicBool::new(false), keeper });
        let waker = Waker::from(signal.clone());
        Ok(Box::new(Self { sender, connection, signal, waker, host, absolute_form, has_ended: false }))
    }

    /// What the `host` header of requests over this connection says.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// The peer is a proxy that reads whole URLs.
    pub(crate) fn is_absolute_form(&self) -> bool {
        self.absolute_form
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn ask(&mut self, request: Request<OutBody>) -> Result<Response<Incoming>, Unanswered> {
        // Outside the task's budget: running out of that would be told to a waker that nobody listens to.
        let answer = unheard(|| self.sender.try_send_request(request)).0;
        let mut answer = pin!(unconstrained(answer));
        let answered = poll_fn(|cx| self.drive(cx, |cx| answer.as_mut().poll(cx))).await;
        answered
            .map_err(|mut refused| Unanswered { unsent: refused.take_message(), error: refused.into_error() })
    }

    /// The next frame of an answer this connection carries.
    pub(crate) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut nobody = Context::from_waker(Waker::noop());
        let (first, _) = unheard(|| Pin::new(&mut *body).poll_frame(&mut nobody));
        if first.is_ready() {
            return first;
        }
        self.drive(cx, |cx| Pin::new(&mut *body).poll_frame(cx))
    }

    /// Takes up the idle state. `false` when the connection cannot serve another request.
    pub(crate) fn rest(&mut self) -> bool {
        self.signal.listen_for(None);
        if !self.sender.is_ready() {
            self.advance();
        }
        self.sender.is_ready() && !self.has_ended
    }

    /// Whether something happened to this idle connection since the last call.
    pub(crate) fn was_stirred(&self) -> bool {
        self.signal.stirred.swap(false, Ordering::AcqRel)
    }

    /// Looks at an idle connection: `false` when it has ended.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.advance();
        self.sender.is_ready() && !self.has_ended
    }

    /// Moves the connection for as long as it moves, until `wanted` is there.
    fn drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut wanted: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.signal.listen_for(Some(cx.waker()));
        let mut nobody = Context::from_waker(Waker::noop());
        loop {
            // An end of the connection shows in what is wanted.
            self.advance();
            let (polled, missed) = unheard(|| wanted(&mut nobody));
            if polled.is_ready() || !missed {
                return polled;
            }
        }
    }

    fn advance(&mut self) {
        if !self.has_ended {
            let polled = Pin::new(&mut self.connection).poll(&mut Context::from_waker(&self.waker));
            self.has_ended = polled.is_ready();
        }
    }
}

/// What the connection's events wake: the task that waits, or the keeper of idle connections.
struct Signal {
    task: Mutex<Option<Waker>>,
    stirred: AtomicBool,
    keeper: Arc<Notify>,
}

impl Signal {
    fn listen_for(&self, task: Option<&Waker>) {
        let mut slot = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *slot, task) {
            (Some(old), Some(new)) => old.clone_from(new), // does nothing for the same task
            (slot, new) => *slot = new.cloned(),
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !is_heard() {
            return;
        }
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        match &*task {
            Some(task) => task.wake_by_ref(),
            None => {
                self.stirred.store(true, Ordering::Release);
                self.keeper.notify_one();
            }
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("absolute_form", &self.absolute_form).finish_non_exhaustive()
    }
}
