//! Connections from a client's side: bytes over a real socket, a service that does what the test says.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, RETRY_AFTER, SERVER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::MoreFields;
use crate::server::{Bad, Incoming, Limits, serve};

const LIMITS: Limits = Limits { max_head_bytes: 4096, head_patience: Duration::from_secs(10) };

/// A body of these frames; then it ends, fails, or waits for ever.
struct Frames {
    frames: VecDeque<&'static str>,
    exact: Option<u64>,
    then: Then,
    /// Told when it is dropped.
    dropped: Option<mpsc::UnboundedSender<&'static str>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Then {
    End,
    Fail,
    Wait,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match (self.frames.pop_front(), self.then) {
            (Some(frame), _) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(frame.as_bytes()))))),
            (None, Then::End) => Poll::Ready(None),
            (None, Then::Fail) => Poll::Ready(Some(Err(io::ErrorKind::Other.into()))),
            (None, Then::Wait) => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.exact.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        if let Some(dropped) = &self.dropped {
            let _ = dropped.send("dropped");
        }
    }
}

fn text(text: &'static str) -> Response<Frames> {
    let exact = Some(text.len() as u64);
    Response::new(Frames { frames: [text].into(), exact, then: Then::End, dropped: None })
}

fn stream(frames: &[&'static str], then: Then) -> Response<Frames> {
    Response::new(Frames { frames: frames.iter().copied().collect(), exact: None, then, dropped: None })
}

fn refused(bad: Bad) -> Response<Frames> {
    let mut response = text("refused");
    *response.status_mut() = match bad {
        Bad::Malformed => StatusCode::BAD_REQUEST,
        Bad::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Bad::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
    };
    response
}

struct Client {
    stream: TcpStream,
    drain: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
}

impl Client {
    async fn of<S, F>(service: S) -> Self
    where
        S: FnMut(Box<Request<Incoming>>) -> F + Send + 'static,
        F: Future<Output = Response<Frames>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (drain, draining) = watch::channel(false);
        let (accepted, _) = listener.accept().await.unwrap();
        let server = tokio::spawn(serve(accepted, LIMITS, draining, service, refused));
        Self { stream, drain, server }
    }

    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads until the text ends so.
    async fn hear(&mut self, end: &str) -> String {
        let mut heard = Vec::new();
        soon(async {
            while !heard.ends_with(end.as_bytes()) {
                assert!(
                    self.stream.read_buf(&mut heard).await.unwrap() > 0,
                    "{}",
                    String::from_utf8_lossy(&heard)
                );
            }
        })
        .await;
        String::from_utf8(heard).unwrap()
    }

    async fn hear_all(mut self) -> String {
        let mut heard = Vec::new();
        let _ = soon(self.stream.read_to_end(&mut heard)).await;
        soon(self.server).await.unwrap();
        String::from_utf8(heard).unwrap()
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), what).await.expect("this should have happened by now")
}

async fn echo(request: Box<Request<Incoming>>) -> Response<Frames> {
    match request.into_body().collect().await {
        Ok(body) => text(String::leak(String::from_utf8(body.to_bytes().to_vec()).unwrap())),
        Err(_) => text("failed"),
    }
}

#[tokio::test]
async fn requests_follow_each_other_also_when_they_come_at_once() {
    let mut client = Client::of(echo).await;
    let bodies = [
        "content-length: 3\r\n\r\none",
        "transfer-encoding: chunked\r\n\r\n1\r\nt\r\n2\r\nwo\r\n0\r\n\r\n",
        "content-length: 6\r\n\r\nthree!",
    ];
    let all: String = bodies.map(|body| format!("POST / HTTP/1.1\r\nhost: x\r\n{body}")).concat();
    client.say(&all).await;
    let answers = client.hear("three!").await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
    assert!(answers.contains("\r\n\r\none") && answers.contains("\r\n\r\ntwo"), "{answers}");
    for byte in b"POST / HTTP/1.1\r\ncontent-length: 4\r\nconnection: close\r\n\r\nlast" {
        client.stream.write_all(&[*byte]).await.unwrap();
    }
    let last = client.hear_all().await;
    assert!(last.contains("connection: close") && last.ends_with("\r\n\r\nlast"), "{last}");
}

#[tokio::test]
async fn streams_are_chunked_and_one_that_fails_is_cut_after_what_it_gave() {
    for (then, end) in [(Then::End, "0\r\n\r\n"), (Then::Fail, "")] {
        let mut client = Client::of(move |_| async move { stream(&["hello", "world"], then) }).await;
        client.say("GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
        let all = client.hear_all().await;
        assert!(all.ends_with(&format!("5\r\nhello\r\n5\r\nworld\r\n{end}")), "{all}");
    }
    let mut client = Client::of(|_| async { stream(&["hello"], Then::End) }).await;
    client.say("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
    let all = client.hear_all().await;
    assert!(all.contains("connection: close") && all.ends_with("\r\n\r\nhello"), "{all}");
}

#[tokio::test]
async fn each_frame_goes_out_when_it_is_there() {
    let mut client = Client::of(|_| async { stream(&["data: 1\n\n"], Then::Wait) }).await;
    client.say("GET / HTTP/1.1\r\n\r\n").await;
    client.hear("9\r\ndata: 1\n\n\r\n").await;
}

#[tokio::test]
async fn head_has_no_body_and_the_connection_goes_on() {
    let mut client = Client::of(|_| async { text("hello") }).await;
    client.say("HEAD / HTTP/1.1\r\n\r\n").await;
    assert!(client.hear("\r\n\r\n").await.contains("content-length: 5\r\n"));
    client.say("GET / HTTP/1.1\r\n\r\n").await;
    client.hear("\r\n\r\nhello").await;
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on_only_when_its_body_is_wanted() {
    let mut client = Client::of(echo).await;
    client.say("POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n").await;
    client.hear("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.say("body").await;
    client.hear("\r\n\r\nbody").await;

    let mut client = Client::of(|_| async { text("no") }).await;
    client.say("POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n").await;
    let all = client.hear_all().await;
    assert!(all.starts_with("HTTP/1.1 200") && all.contains("connection: close"), "{all}");
}

/// Nothing that the service did not read may be taken for a request.
#[tokio::test]
async fn what_is_left_of_a_body_is_never_the_next_request() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let mut client = Client::of(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { text("unread") }
    })
    .await;
    client.say("POST / HTTP/1.1\r\ncontent-length: 27\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\nxx").await;
    let all = client.hear_all().await;
    assert!(all.contains("connection: close") && all.ends_with("unread"), "{all}");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_client_that_leaves_ends_what_is_done_for_it() {
    struct Told(mpsc::UnboundedSender<&'static str>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send("dropped");
        }
    }
    let (told, mut tidings) = mpsc::unbounded_channel();
    let mut client = Client::of(move |request: Box<Request<Incoming>>| {
        let told = Told(told.clone());
        async move {
            let _ = request.into_body().collect().await;
            let _ = told.0.send("asked");
            pending::<()>().await;
            drop(told);
            text("")
        }
    })
    .await;
    client.say("POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}").await;
    assert_eq!(soon(tidings.recv()).await, Some("asked"));
    drop(client.stream);
    assert_eq!(soon(tidings.recv()).await, Some("dropped"));

    let (told, mut tidings) = mpsc::unbounded_channel();
    let mut client = Client::of(move |request: Box<Request<Incoming>>| {
        let told = told.clone();
        async move {
            let _ = request.into_body().collect().await;
            let mut response = stream(&["hello"], Then::Wait);
            response.body_mut().dropped = Some(told);
            response
        }
    })
    .await;
    client.say("POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}").await;
    client.hear("5\r\nhello\r\n").await;
    drop(client.stream);
    assert_eq!(soon(tidings.recv()).await, Some("dropped"));
}

#[tokio::test]
async fn more_fields_go_out_behind_those_of_the_map() {
    let mut client = Client::of(|_| async {
        let mut more = MoreFields::default();
        more.put(&HOST, &HeaderValue::from_static("here"));
        more.put_numbers(&RETRY_AFTER, [(6, "m"), (10, "s")].into_iter());
        let mut response = text("hello");
        response.headers_mut().insert(SERVER, HeaderValue::from_static("first"));
        response.extensions_mut().insert(more);
        response
    })
    .await;
    client.say("GET / HTTP/1.1\r\n\r\n").await;
    let heard = client.hear("hello").await;
    assert!(heard.contains("\r\nserver: first\r\nhost: here\r\nretry-after: 6m10s\r\n"), "{heard}");
    assert_eq!(heard.matches("\r\n\r\n").count(), 1, "{heard}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_of_the_body() {
    let (told, mut tidings) = mpsc::unbounded_channel();
    let mut client = Client::of(move |request: Box<Request<Incoming>>| {
        let told = told.clone();
        async move {
            told.send(request.into_body().collect().await.map(|_| ()).map_err(|error| error.kind())).unwrap();
            text("")
        }
    })
    .await;
    client.say("POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nhalf").await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(soon(tidings.recv()).await, Some(Err(io::ErrorKind::UnexpectedEof)));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_so() {
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(8192));
    let cases = [("nonsense\r\n\r\n", "400"), ("GET / HTTP/3.0\r\n\r\n", "505"), (long.as_str(), "431")];
    for (request, status) in cases {
        let mut client = Client::of(echo).await;
        client.say(request).await;
        let all = client.hear_all().await;
        assert!(all.starts_with(&format!("HTTP/1.1 {status}")) && all.ends_with("refused"), "{all}");
    }
}

#[tokio::test]
async fn a_drain_ends_idle_connections_at_once_and_others_after_their_answer() {
    let mut client = Client::of(echo).await;
    client.say("POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\nx").await;
    client.hear("\r\n\r\nx").await;
    client.drain.send(true).unwrap();
    assert_eq!(client.hear_all().await, "");

    let mut client = Client::of(echo).await;
    client.say("POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n").await;
    client.hear("100 Continue\r\n\r\n").await;
    client.drain.send(true).unwrap();
    client.say("body").await;
    let all = client.hear_all().await;
    assert!(all.contains("connection: close") && all.ends_with("\r\n\r\nbody"), "{all}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed() {
    let start = tokio::time::Instant::now();
    let client = Client::of(echo).await;
    let Client { mut stream, server, drain: _drain } = client;
    stream.write_all(b"GET / HT").await.unwrap();
    server.await.unwrap();
    assert!(start.elapsed() >= LIMITS.head_patience);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}
