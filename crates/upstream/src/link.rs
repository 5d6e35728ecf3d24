//! One HTTP/1.1 connection, driven by whoever uses it: the request polls it, then the body of its answer does. It has no task,
//! so nothing moves unless somebody waits for it, nothing crosses between tasks, and dropping it closes it at once.
//!
//! While it idles it tells its pool's keeper when something happens to it: most often that its server has closed it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request};
use http_body::Body as _;
use tidegate_http1::answer::{self, Head};
use tidegate_http1::body::Reading;
use tidegate_http1::receive::Receiver;
use tidegate_http1::send::{Length, SendFailure, Sending};
use tidegate_http1::{MAX_HEAD_BYTES, Malformed};
use tokio::sync::Notify;

use crate::body::OutBody;
use crate::error::{SendErrorKind, classify_io};
use crate::websocket::Tunnel;
use crate::wire::Upstream;

/// How the head of an answer is read.
type ParseHead = fn(&mut Bytes, &Method) -> Result<Option<Head>, Malformed>;

/// A connection that serves one request at a time. Dropping it closes it.
pub(crate) struct Link {
    upstream: Upstream,
    host: HeaderValue,
    receiver: Receiver,
    /// What of the request is still to be sent. An answer may come before that is done.
    sending: Option<Sending<OutBody>>,
    /// Sending failed: the answer, if one comes, is the last.
    send_error: Option<io::Error>,
    is_kept: bool,
    idle: Arc<Idle>,
    /// The signal to the keeper, in the form polls take.
    idle_waker: Waker,
}

/// Tells the keeper that something happened to an idle connection.
struct Idle {
    was_stirred: AtomicBool,
    keeper: Arc<Notify>,
}

impl Link {
    /// A connection that was just made to `host`. `keeper` is told when something happens to it while it idles.
    pub(crate) fn new(upstream: Upstream, host: HeaderValue, keeper: Arc<Notify>) -> Box<Self> {
        let idle = Arc::new(Idle { was_stirred: AtomicBool::new(false), keeper });
        let idle_waker = Waker::from(idle.clone());
        Box::new(Self {
            upstream,
            host,
            receiver: Receiver::default(),
            sending: None,
            send_error: None,
            is_kept: true,
            idle,
            idle_waker,
        })
    }

    /// What the `host` header of requests over this connection says.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// The peer is a proxy that reads whole URLs.
    pub(crate) fn is_absolute_form(&self) -> bool {
        self.upstream.is_absolute_form()
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn ask(&mut self, request: Request<OutBody>) -> Result<(Head, Reading), SendErrorKind> {
        self.exchange(request, answer::parse).await
    }

    /// As [`Link::ask`], for a request to speak another protocol: the answer may be 101.
    pub(crate) async fn ask_to_switch(
        &mut self,
        request: Request<OutBody>,
    ) -> Result<(Head, Reading), SendErrorKind> {
        self.exchange(request, answer::parse_switching).await
    }

    /// Speaks HTTP no longer.
    pub(crate) fn into_tunnel(self) -> Tunnel {
        Tunnel { upstream: self.upstream, receiver: self.receiver }
    }

    async fn exchange(
        &mut self,
        request: Request<OutBody>,
        parse: ParseHead,
    ) -> Result<(Head, Reading), SendErrorKind> {
        let (Parts { method, uri, headers, .. }, body) = request.into_parts();
        let length = match body.size_hint().exact() {
            // A method that means to send something says that it sends nothing.
            Some(0) if matches!(method, Method::POST | Method::PUT | Method::PATCH) => Length::Exact(0),
            Some(0) => Length::Unsaid,
            Some(bytes) => Length::Exact(bytes),
            None => Length::Chunked,
        };
        let head = answer::encode(&method, &uri, &headers, length);
        let body = (!matches!(length, Length::Unsaid | Length::Exact(0))).then_some(body);
        self.sending = Some(Sending::new(head, length, body));
        // What is ready at the same time goes out at the same time: decision 0017.
        tidegate_http1::give_way().await;
        let head = poll_fn(|cx| self.poll_head(cx, &method, parse)).await?;
        self.is_kept = head.is_kept;
        let reading = head.framing.reading();
        Ok((head, reading))
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        method: &Method,
        parse: ParseHead,
    ) -> Poll<Result<Head, SendErrorKind>> {
        loop {
            self.go_on_sending(cx)?;
            match ready!(self.receiver.poll_more(Pin::new(self.upstream.wire()), cx)) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(Err(self.closed())),
                Err(error) => return Poll::Ready(Err(classify_io(&error))),
            }
            match parse(&mut self.receiver.received, method) {
                Ok(Some(head)) => return Poll::Ready(Ok(head)),
                Ok(None) if self.receiver.received.len() <= MAX_HEAD_BYTES => {}
                Ok(None) | Err(Malformed) => return Poll::Ready(Err(SendErrorKind::BadResponse)),
            }
        }
    }

    /// Sends what can be sent. That the connection takes no more is not the end: the answer may be there already.
    fn go_on_sending(&mut self, cx: &mut Context<'_>) -> Result<(), SendErrorKind> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        match sending.poll(self.upstream.wire(), cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => self.sending = None,
            Poll::Ready(Err(SendFailure::Io(error))) => {
                self.send_error = Some(error);
                self.sending = None;
            }
            Poll::Ready(Err(SendFailure::Body)) => return Err(SendErrorKind::RequestBody),
        }
        Ok(())
    }

    fn closed(&self) -> SendErrorKind {
        self.send_error.as_ref().map_or(SendErrorKind::Closed, classify_io)
    }

    /// The next data of an answer's body; `None` at its end.
    pub(crate) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
        reading: &mut Reading,
    ) -> Poll<Option<io::Result<Bytes>>> {
        // The answer stands, however the rest of the request fares.
        if self.go_on_sending(cx).is_err() {
            self.sending = None;
            self.is_kept = false;
        }
        self.receiver.poll_data(Pin::new(self.upstream.wire()), cx, reading)
    }

    /// Takes up the idle state. `false` when the connection cannot serve another request.
    pub(crate) fn rest(&mut self) -> bool {
        let is_over =
            self.receiver.received.is_empty() && self.sending.is_none() && self.send_error.is_none();
        is_over && self.is_kept && self.is_alive()
    }

    /// Whether something happened to this idle connection since the last call.
    pub(crate) fn was_stirred(&self) -> bool {
        self.idle.was_stirred.swap(false, Ordering::AcqRel)
    }

    /// Looks at an idle connection: `false` when it has ended, or says what nobody asked for. Costs no call to the kernel
    /// unless something happened.
    pub(crate) fn is_alive(&mut self) -> bool {
        let mut cx = Context::from_waker(&self.idle_waker);
        self.receiver.poll_more(Pin::new(self.upstream.wire()), &mut cx).is_pending()
    }
}

impl Wake for Idle {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.was_stirred.store(true, Ordering::Release);
        self.keeper.notify_one();
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("host", &self.host).finish_non_exhaustive()
    }
}
