//! The provider: answers at once, from memory, by the first segment of the path.
//!
//! | path begins with | answer |
//! |---|---|
//! | `/plain`, `/anthropic` | a whole answer of 1 KB in that dialect |
//! | `/size` | an answer that tells how many bytes of the request arrived |
//! | `/stream/<chunks>/<gap ms>`, `/anthropic-stream/<chunks>/<gap ms>` | that many chunks of 200 bytes, and the usage where it is asked for |
//! | `/__count` | how many requests it has answered, in digits; itself not counted |
//!
//! `mock --port 9100`. One thread.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use tidegate_bench::answers::{self, Events, Form};
use tidegate_bench::args::Args;
use tidegate_bench::listen;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = Args::read()?.get("port")?;
    let mock = Arc::new(Mock {
        answered: AtomicU64::new(0),
        plain: answers::plain(Form::OpenAi),
        anthropic: answers::plain(Form::Anthropic),
        stream: answers::events(Form::OpenAi),
        anthropic_stream: answers::events(Form::Anthropic),
    });
    listen::serve(port, move |request| {
        let mock = Arc::clone(&mock);
        async move { mock.answer(request).await }
    })
    .await
}

struct Mock {
    answered: AtomicU64,
    plain: Bytes,
    anthropic: Bytes,
    stream: Events,
    anthropic_stream: Events,
}

type Answer = Response<Either<Full<Bytes>, Stream>>;

impl Mock {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        let mut segments = path.split('/').skip(1);
        let kind = segments.next().unwrap_or_default();
        if kind == "__count" {
            return json(Bytes::from(self.answered.load(Ordering::Relaxed).to_string()));
        }
        let Received { bytes, wants_usage } = drain(request.into_body()).await;
        self.answered.fetch_add(1, Ordering::Relaxed);
        match kind {
            "plain" => json(self.plain.clone()),
            "anthropic" => json(self.anthropic.clone()),
            "size" => json(answers::size(bytes)),
            "stream" => stream(&self.stream, segments, wants_usage),
            "anthropic-stream" => stream(&self.anthropic_stream, segments, wants_usage),
            _ => {
                let mut missing = json(Bytes::from_static(b"{\"error\":{\"message\":\"no such path\"}}"));
                *missing.status_mut() = http::StatusCode::NOT_FOUND;
                missing
            }
        }
    }
}

fn json(body: Bytes) -> Answer {
    let mut response = Response::new(Either::Left(Full::new(body)));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn stream<'a>(events: &Events, mut segments: impl Iterator<Item = &'a str>, wants_usage: bool) -> Answer {
    let mut number = |default| segments.next().and_then(|word| word.parse().ok()).unwrap_or(default);
    let (chunks, gap_ms) = (number(10), number(0));
    let gap = (gap_ms > 0).then(|| {
        let gap = Duration::from_millis(gap_ms);
        let mut gap = interval_at(Instant::now() + gap, gap);
        gap.set_missed_tick_behavior(MissedTickBehavior::Delay);
        gap
    });
    let body = Stream { events: events.clone(), left: chunks, gap, place: Place::Start, wants_usage };
    let mut response = Response::new(Either::Right(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/event-stream"));
    response
}

/// A stream's events with a pause before each chunk but the first, which goes out by itself right after the head: a timer, and be it
/// due, is waited for up to two milliseconds, and to the same stroke whether the request came a little sooner or later.
struct Stream {
    events: Events,
    left: u64,
    gap: Option<Interval>,
    place: Place,
    wants_usage: bool,
}

#[derive(Clone, Copy)]
enum Place {
    Start,
    Head,
    First,
    Chunks,
    Over,
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let event = match self.place {
            Place::Start => {
                self.place = Place::Head;
                self.events.start.clone()
            }
            Place::Head => {
                self.place = Place::First;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Place::First if self.left > 0 => {
                self.place = Place::Chunks;
                self.left -= 1;
                self.events.chunk.clone()
            }
            Place::Chunks if self.left > 0 => {
                if let Some(gap) = &mut self.gap {
                    ready!(gap.poll_tick(cx));
                }
                self.left -= 1;
                self.events.chunk.clone()
            }
            Place::First | Place::Chunks => {
                self.place = Place::Over;
                let events = &self.events;
                if self.wants_usage { events.end_with_usage.clone() } else { events.end.clone() }
            }
            Place::Over => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(Frame::data(event))))
    }
}

struct Received {
    bytes: u64,
    /// OpenAI's `stream_options.include_usage`; the loads' requests come in one frame.
    wants_usage: bool,
}

/// Reads a request's body to its end.
async fn drain(mut body: Incoming) -> Received {
    let mut received = Received { bytes: 0, wants_usage: false };
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else { continue };
        received.bytes += data.len() as u64;
        received.wants_usage |=
            data.len() < 4096 && memchr::memmem::find(data, b"\"include_usage\":true").is_some();
    }
    received
}
