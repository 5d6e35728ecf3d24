//! A client's connection: one request after another, until the client leaves, the server drains, or one of them says that
//! this was the last.
//!
//! All of it runs in the task that calls [`serve`]: the service's future, its answer's body, and the body of the request,
//! which the service reads from the socket itself. While nobody reads the socket for a body it is watched, so that a client
//! that leaves ends what is done for it. A client that only closes its sending half has left, too: nobody else does that.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use crate::body::{Framing, Reading};
use crate::busy::{Busy, give_way};
use crate::fields::MoreFields;
use crate::receive::Receiver;
use crate::request::{self, Encoded, Head, Manner};
use crate::send::Sending;
use crate::upgrade::{self, Takeover, Upgraded};

/// Bounds of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of one request's head.
    pub max_head_bytes: usize,
    /// A connection that waits for a head for this long, or up to twice as long, is closed.
    pub head_patience: Duration,
}

/// Why a request was not taken; the connection ends after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    Malformed,
    /// The head has too many bytes, or too many fields.
    TooLarge,
    /// Not HTTP/1.0 and not HTTP/1.1.
    Version,
}

/// How long a client that was refused may go on sending before it is cut off, and how much: what it is told would be lost
/// in a reset otherwise.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: u64 = 64 * 1024 * 1024;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Serves a connection to its end. `service` answers a request, `refuse` one that could not be read.
pub async fn serve<S, F, B>(
    io: TcpStream,
    limits: Limits,
    mut draining: watch::Receiver<bool>,
    mut service: S,
    refuse: impl FnOnce(Bad) -> Response<B>,
) where
    S: FnMut(Box<Request<Incoming>>) -> F,
    F: Future<Output = Response<B>>,
    B: Body<Data = Bytes> + Unpin,
{
    let (read, write) = io.into_split();
    let wire = Wire { read, receiver: Receiver::default(), looked_at: 0, body: RequestBody::Over };
    let news = draining.clone();
    let mut connection = Connection { wire: Arc::new(Mutex::new(wire)), write };
    let mut waiting = Waiting { limits, news, asked: false, turns: 0, armed_at: 0, sleep: None };
    let mut drained = pin!(draining.wait_for(|draining| *draining));
    loop {
        let head = poll_fn(|cx| {
            let mut wire = connection.wire();
            match wire.poll_head(cx, limits.max_head_bytes) {
                Poll::Ready(head) => Poll::Ready(Some(head)),
                Poll::Pending if waiting.is_over(cx, wire.receiver.received.is_empty(), drained.as_mut()) => {
                    Poll::Ready(None)
                }
                Poll::Pending => Poll::Pending,
            }
        });
        match head.await {
            Some(Ok(Some(head))) => {
                waiting.turns += 1;
                match connection.turn(head, &mut service, &waiting).await {
                    Turn::Again => {}
                    Turn::Last => break,
                    Turn::Switch(head, takeover) => return Box::pin(connection.switch(head, takeover)).await,
                }
            }
            Some(Err(bad)) => {
                let manner = Manner { is_head: false, is_http11: true, is_kept: false };
                if connection.answer(refuse(bad), manner).await.is_err() {
                    return;
                }
                return connection.linger().await;
            }
            Some(Ok(None)) | None => break,
        }
    }
    if connection.wire().body.is_over() {
        let _ = connection.write.shutdown().await;
    } else {
        connection.linger().await;
    }
}

/// What ends the wait for a next request.
struct Waiting {
    limits: Limits,
    news: watch::Receiver<bool>,
    /// The drain knows whom to wake.
    asked: bool,
    turns: u64,
    /// The turn in which the timer was set: setting one for each would cost more than waiting twice as long.
    armed_at: u64,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Waiting {
    fn is_draining(&self) -> bool {
        self.news.has_changed().unwrap_or(true)
    }

    /// `is_idle`: nothing of a next request is there.
    fn is_over(&mut self, cx: &mut Context<'_>, is_idle: bool, drained: Pin<&mut impl Future>) -> bool {
        if is_idle && (!self.asked || self.is_draining()) {
            self.asked = true;
            if drained.poll(cx).is_ready() {
                return true;
            }
        }
        let patience = self.limits.head_patience;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        while sleep.as_mut().poll(cx).is_ready() {
            if self.armed_at == self.turns {
                return true;
            }
            self.armed_at = self.turns;
            sleep.as_mut().reset(Instant::now() + patience);
        }
        false
    }
}

struct Connection {
    wire: Arc<Mutex<Wire>>,
    write: OwnedWriteHalf,
}

/// The client is gone, or its answer cannot be finished.
struct Gone;

/// What follows a request.
enum Turn {
    Again,
    /// It was the last of its connection.
    Last,
    /// No request: the connection is another's after this head.
    Switch(BytesMut, Takeover),
}

impl Connection {
    fn wire(&self) -> MutexGuard<'_, Wire> {
        locked(&self.wire)
    }

    /// One request and its answer.
    async fn turn<S, F, B>(&mut self, head: Head, service: &mut S, waiting: &Waiting) -> Turn
    where
        S: FnMut(Box<Request<Incoming>>) -> F,
        F: Future<Output = Response<B>>,
        B: Body<Data = Bytes> + Unpin,
    {
        let _busy = Busy::begin();
        let body = self.begin(&head);
        let Head { mut request, is_kept, .. } = head;
        let is_http11 = request.version() == Version::HTTP_11;
        let is_head = *request.method() == Method::HEAD;
        *request.body_mut() = body;
        let mut answering = pin!(service(request));
        let response = loop {
            let polled = poll_fn(|cx| {
                if let Poll::Ready(response) = answering.as_mut().poll(cx) {
                    return Poll::Ready(Ok(Some(response)));
                }
                let mut wire = locked(&self.wire);
                if wire.body.takes_continue() {
                    return Poll::Ready(Ok(None));
                }
                wire.poll_gone(cx).map(|()| Err(Gone))
            });
            match polled.await {
                Ok(Some(response)) => break response,
                Ok(None) if self.write.write_all(CONTINUE).await.is_ok() => {}
                Ok(None) | Err(Gone) => return Turn::Last,
            }
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return self.switching(&response);
        }
        // What is left of a request that nobody read would be taken for the next one.
        let is_kept = is_kept && self.wire().body.is_over() && !waiting.is_draining();
        match self.answer(response, Manner { is_head, is_http11, is_kept }).await {
            Ok(true) => Turn::Again,
            Ok(false) | Err(Gone) => Turn::Last,
        }
    }

    /// An answer that nobody takes the connection after, or that leaves a body unread, ends it.
    #[cold]
    fn switching<B>(&self, response: &Response<B>) -> Turn {
        match response.extensions().get::<Takeover>() {
            Some(takeover) if self.wire().body.is_over() => {
                let more = MoreFields::of(response.extensions());
                Turn::Switch(upgrade::encode(response.headers(), more), takeover.clone())
            }
            _ => Turn::Last,
        }
    }

    /// Sends the last head, and gives the connection away until it ends.
    async fn switch(mut self, head: BytesMut, takeover: Takeover) {
        if self.write.write_all(&head).await.is_err() {
            return;
        }
        let wire = Arc::into_inner(self.wire).map(Mutex::into_inner);
        if let Some(Ok(Wire { read, receiver, .. })) = wire
            && let Ok(io) = read.reunite(self.write)
        {
            takeover.run(Upgraded { io, receiver }).await;
        }
    }

    fn begin(&mut self, head: &Head) -> Incoming {
        if head.framing == Framing::Length(0) {
            return Incoming::none();
        }
        let reading = head.framing.reading();
        let left = reading.exact();
        let notice = if head.awaits_continue { Notice::Awaited } else { Notice::None };
        self.wire().body = RequestBody::Coming { reading, notice };
        Incoming { wire: Some(self.wire.clone()), left }
    }

    /// Sends an answer. Says whether the connection goes on after it.
    async fn answer<B>(&mut self, response: Response<B>, manner: Manner) -> Result<bool, Gone>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (parts, body) = response.into_parts();
        let exact = if body.is_end_stream() { Some(0) } else { body.size_hint().exact() };
        let Encoded { head, length, has_body, is_kept } =
            request::encode(parts.status, &parts.headers, MoreFields::of(&parts.extensions), exact, manner);
        drop(parts);
        let mut sending = Sending::new(head, length, has_body.then_some(body));
        // What is ready at the same time goes out at the same time: decision 0017.
        give_way().await;
        let sent = poll_fn(|cx| match sending.poll(&mut self.write, cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(is_kept)),
            Poll::Ready(Err(_)) => Poll::Ready(Err(Gone)),
            Poll::Pending => locked(&self.wire).poll_gone(cx).map(|()| Err(Gone)),
        })
        .await;
        // What happens when the body is dropped can wait for others' answers.
        give_way().await;
        drop(sending);
        sent
    }

    /// Says that this is all, and reads on for a moment.
    async fn linger(mut self) {
        let _ = self.write.shutdown().await;
        let wire = Arc::into_inner(self.wire).map(Mutex::into_inner);
        if let Some(Ok(wire)) = wire {
            let mut rest = wire.read.take(LINGER_BYTES);
            let _ = tokio::time::timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        }
    }
}

/// The receiving side, which the connection and the request's body share.
struct Wire {
    read: OwnedReadHalf,
    receiver: Receiver,
    /// How much of what was received is known to be no whole head.
    looked_at: usize,
    body: RequestBody,
}

/// The body of the request at hand.
enum RequestBody {
    /// Read to its end, or there was none.
    Over,
    Coming {
        reading: Reading,
        notice: Notice,
    },
}

/// The word that a client may wait for before it sends its body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notice {
    None,
    Awaited,
    /// The service asked for the body: time to say it.
    Due,
}

impl RequestBody {
    fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// The word is due, and is taken to be said.
    fn takes_continue(&mut self) -> bool {
        match self {
            Self::Coming { notice: notice @ Notice::Due, .. } => {
                *notice = Notice::None;
                true
            }
            _ => false,
        }
    }
}

impl Wire {
    /// The next request's head; `None` at the end of the connection.
    fn poll_head(&mut self, cx: &mut Context<'_>, max_bytes: usize) -> Poll<Result<Option<Head>, Bad>> {
        loop {
            // A head that comes byte by byte is not parsed with each of them.
            if !self.receiver.received.is_empty() && self.may_be_whole(max_bytes) {
                match request::parse(&mut self.receiver.received, max_bytes) {
                    Ok(Some(head)) => {
                        self.looked_at = 0;
                        return Poll::Ready(Ok(Some(head)));
                    }
                    Ok(None) => self.looked_at = self.receiver.received.len(),
                    Err(bad) => return Poll::Ready(Err(bad)),
                }
            }
            if !matches!(ready!(self.receiver.poll_more(Pin::new(&mut self.read), cx)), Ok(true)) {
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// Whether there is something to parse that was not there the last time: the end of a line, or too much.
    fn may_be_whole(&self, max_bytes: usize) -> bool {
        let received = &self.receiver.received;
        let new = received.get(self.looked_at..).unwrap_or_default();
        self.looked_at == 0 || received.len() > max_bytes || new.contains(&b'\n')
    }

    /// Ready when the client has left. Nothing is read while the service reads, or has left something unread.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        /// A client may send its next request before it has its answer, and is not read further than this.
        const AHEAD_BYTES: usize = 64 * 1024;
        while self.body.is_over() && self.receiver.received.len() < AHEAD_BYTES {
            if !matches!(ready!(self.receiver.poll_more(Pin::new(&mut self.read), cx)), Ok(true)) {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let RequestBody::Coming { reading, notice, .. } = &mut self.body else { return Poll::Ready(None) };
        if *notice == Notice::Awaited && self.receiver.received.is_empty() {
            *notice = Notice::Due;
        }
        let polled = ready!(self.receiver.poll_data(Pin::new(&mut self.read), cx, reading));
        if polled.is_none() || reading.exact() == Some(0) {
            self.body = RequestBody::Over;
        }
        Poll::Ready(polled)
    }
}

/// The body of a request, read from its connection when it is asked for.
pub struct Incoming {
    /// Absent when there is no body, and once it has ended or failed.
    wire: Option<Arc<Mutex<Wire>>>,
    left: Option<u64>,
}

impl Incoming {
    pub(crate) fn none() -> Self {
        Self { wire: None, left: Some(0) }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(wire) = &self.wire else { return Poll::Ready(None) };
        let polled = ready!(locked(wire).poll_data(cx));
        if let (Some(Ok(data)), Some(left)) = (&polled, &mut self.left) {
            *left = left.saturating_sub(data.len() as u64);
        }
        match &polled {
            None | Some(Err(_)) => self.wire = None,
            Some(Ok(_)) if self.left == Some(0) => self.wire = None,
            Some(Ok(_)) => {}
        }
        Poll::Ready(polled.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.wire.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("left", &self.left).finish_non_exhaustive()
    }
}

fn locked(wire: &Mutex<Wire>) -> MutexGuard<'_, Wire> {
    // What a panic may have left half done is a position in bytes that nobody reads any more.
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}
