//! A same-dialect answer: the provider's bytes as they came, each chunk at once, usage picked up on the side.
//!
//! The one thing held back is the unfinished tail of an event that arrives in pieces: no client can use half an event,
//! and without it a broken stream can still end in a well-formed error event instead of in the middle of a line.

use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tidegate_core::ApiError;
use tidegate_dialect::ClientDialect;

use crate::attempt::Passing;
use crate::body::{Cut, Piece};
use crate::patience::{Lost, Patience};
use crate::record::{End, Record};
use crate::responses;

/// An unfinished event longer than this goes out in pieces after all.
const TAIL_LIMIT: usize = 64 * 1024;

#[derive(Debug)]
pub struct PassBody {
    from: Box<Passing>,
    /// Present for event streams: they must end in a finish or in an error event of the client's dialect.
    events: Option<Events>,
    patience: Patience,
    record: Box<Record>,
    done: bool,
}

/// What an event stream needs beside the bytes.
pub struct Events {
    pub client: &'static dyn ClientDialect,
    /// Named in error events.
    pub provider: &'static str,
    tail: BytesMut,
    /// What went out last was not the end of an event.
    open: bool,
    ending: Ending,
    /// The client did not ask for the chunk with the usage.
    hides_usage: bool,
}

/// How it is known that the provider's stream came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The tap sees it.
    Tapped,
    /// By the events of the responses API.
    Responses { seen: bool },
}

impl Events {
    pub fn new(client: &'static dyn ClientDialect, provider: &'static str, ending: Ending) -> Self {
        Self { client, provider, tail: BytesMut::new(), open: false, ending, hides_usage: false }
    }

    #[must_use]
    pub fn hiding_usage(self, hides_usage: bool) -> Self {
        Self { hides_usage, ..self }
    }

    /// What of whole events the client is to see; `None` when that is nothing.
    fn shown(&self, bytes: Bytes) -> Option<Bytes> {
        if !self.hides_usage || !may_be_usage_alone(&bytes) {
            return Some(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (event, after) = rest.split_at(first_boundary(rest));
            if !is_usage_alone(event) {
                out.extend_from_slice(event);
            }
            rest = after;
        }
        (!out.is_empty()).then(|| out.into())
    }

    /// Bytes on their way to the client.
    fn see(&mut self, bytes: &[u8]) {
        if let Ending::Responses { seen } = &mut self.ending {
            *seen |= responses::is_over(bytes);
        }
    }

    /// The bytes up to the last event boundary; the rest waits for its end.
    fn whole_events(&mut self, bytes: Bytes) -> Option<Bytes> {
        if self.tail.is_empty() && ends_event(&bytes) {
            self.open = false;
            return Some(bytes);
        }
        if self.tail.is_empty() {
            let end = last_boundary(&bytes);
            self.tail.extend_from_slice(&bytes[end..]);
            if end > 0 {
                self.open = false;
                return Some(bytes.slice(..end));
            }
        } else {
            self.tail.extend_from_slice(&bytes);
        }
        let end = if self.tail.len() > TAIL_LIMIT { self.tail.len() } else { last_boundary(&self.tail) };
        let out = (end > 0).then(|| self.tail.split_to(end).freeze())?;
        self.open = !ends_event(&out);
        Some(out)
    }

    /// The event that ends a broken stream, apart from what went out before.
    fn error_event(&self, error: &ApiError) -> Bytes {
        let mut event = self.client.error_event(error, Some(self.provider));
        if self.open {
            event.splice(..0, *b"\n\n");
        }
        event.into()
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl PassBody {
    pub fn new(
        from: Box<Passing>,
        events: Option<Events>,
        patience: Patience,
        mut record: Box<Record>,
    ) -> Self {
        if events.is_some() {
            record.begin_stream();
        } else if from.source.is_end() {
            record.ended(End::Ok); // a body that is over is not asked
        }
        Self { from, events, patience, record, done: false }
    }

    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if self.done {
            return Poll::Ready(None);
        }
        loop {
            let Poll::Ready(piece) = self.from.source.poll(cx) else {
                let (end, message) = lost(ready!(self.patience.poll(cx)));
                return self.broken(end, message);
            };
            match piece {
                Piece::Data(bytes) => {
                    self.from.tap.push(&bytes);
                    self.patience.touch();
                    let bytes = match &mut self.events {
                        Some(events) => {
                            let whole = events.whole_events(bytes).inspect(|bytes| events.see(bytes));
                            whole.and_then(|bytes| events.shown(bytes))
                        }
                        None => Some(bytes),
                    };
                    if let Some(bytes) = bytes {
                        self.record.first_byte();
                        self.record.sent(&bytes);
                        if self.from.source.is_end() && self.events.is_none() {
                            self.close(End::Ok); // nobody may ask again
                        }
                        return Poll::Ready(Some(Ok(Frame::data(bytes))));
                    }
                }
                Piece::End => return self.ended(),
                Piece::Broken => return self.broken(End::UpstreamCut, "the provider's stream broke off"),
            }
        }
    }

    pub fn is_end(&self) -> bool {
        self.done || (self.events.is_none() && self.from.source.is_end())
    }

    pub fn size_hint(&self) -> SizeHint {
        if self.events.is_some() { SizeHint::default() } else { self.from.source.size_hint() }
    }

    /// The body ended cleanly; an event stream must also have said its finish.
    fn ended(&mut self) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.from.tap.end();
        if self.events.is_some() && !self.is_over() {
            return self.cut(End::UpstreamCut, "the provider's stream ended without its finish");
        }
        let tail = self.events.as_mut().map(|events| events.tail.split().freeze());
        self.whole();
        Poll::Ready(tail.filter(|tail| !tail.is_empty()).map(|tail| Ok(Frame::data(tail))))
    }

    /// The connection broke, or is not waited for any longer. A finish or an error of the provider's that came before
    /// stands, however the connection went after it.
    fn broken(&mut self, end: End, message: &str) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if self.events.is_some() && self.is_over() {
            self.whole();
            return Poll::Ready(None);
        }
        self.cut(end, message)
    }

    /// The event stream has said its finish, or an error.
    fn is_over(&self) -> bool {
        let report = self.from.tap.report();
        let finished = match self.events.as_ref().map(|events| events.ending) {
            Some(Ending::Responses { seen }) => seen,
            Some(Ending::Tapped) | None => report.finished,
        };
        finished || report.error.is_some()
    }

    /// Nothing is missing.
    fn whole(&mut self) {
        let end = if self.from.tap.report().error.is_some() { End::UpstreamError } else { End::Ok };
        self.close(end);
        self.done = true;
    }

    /// Something is missing: an error event says so, or else a transfer that fails.
    fn cut(&mut self, end: End, message: &str) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.close(end);
        self.done = true;
        let Some(events) = &self.events else { return Poll::Ready(Some(Err(Cut))) };
        let error = ApiError::upstream(message).with_code(code(end));
        Poll::Ready(Some(Ok(Frame::data(events.error_event(&error)))))
    }

    fn close(&mut self, end: End) {
        self.from.tap.end();
        let report = self.from.tap.report();
        self.record.usage.clone_from(&report.usage);
        self.record.is_finished = report.finished;
        if let Some(model) = &report.model {
            self.record.model = model.as_str().into();
        }
        self.record.ended(end);
    }
}

impl Drop for PassBody {
    fn drop(&mut self) {
        if !self.done && self.record.usage.is_none() {
            let report = self.from.tap.report();
            self.record.usage.clone_from(&report.usage);
            self.record.is_finished = report.finished;
        }
    }
}

/// How a stream ends that is not waited for any longer, and what its client is told.
pub fn lost(why: Lost) -> (End, &'static str) {
    match why {
        Lost::Silent => (End::Stalled, "the provider sent nothing for too long"),
        Lost::Draining => (End::Draining, "the gateway is being stopped; send the request again"),
    }
}

/// The machine-readable word of a stream's bad end.
pub fn code(end: End) -> &'static str {
    match end {
        End::Stalled => "upstream_stalled",
        End::Draining => "gateway_stopping",
        _ => "upstream_stream_interrupted",
    }
}

/// Words that the chunk with the usage, and hardly another, has.
fn may_be_usage_alone(bytes: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(bytes, word).is_some();
    has(b"\"usage\"") && (has(b"\"choices\":[]") || has(b"\"choices\": []"))
}

/// The chunk that a stream has when its usage was asked for: no choice, and counts.
fn is_usage_alone(event: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Chunk {
        choices: Vec<serde::de::IgnoredAny>,
        usage: Option<serde::de::IgnoredAny>,
    }
    let line = event.split(|byte| matches!(byte, b'\n' | b'\r')).find_map(|line| line.strip_prefix(b"data:"));
    let chunk = line.and_then(|data| serde_json::from_slice::<Chunk>(data).ok());
    chunk.is_some_and(|chunk| chunk.choices.is_empty() && chunk.usage.is_some())
}

/// Just behind the first blank line; the whole when there is none.
pub fn first_boundary(bytes: &[u8]) -> usize {
    let mut ends = memchr::memchr2_iter(b'\n', b'\r', bytes).map(|at| at + 1);
    ends.find(|end| ends_event(&bytes[..*end])).unwrap_or(bytes.len())
}

fn ends_event(bytes: &[u8]) -> bool {
    [b"\n\n".as_slice(), b"\r\n\r\n", b"\n\r\n", b"\r\r"].iter().any(|blank| bytes.ends_with(blank))
}

/// Just behind the last blank line; 0 when there is none.
fn last_boundary(bytes: &[u8]) -> usize {
    let mut end = bytes.len();
    while let Some(at) = memchr::memrchr2(b'\n', b'\r', &bytes[..end]) {
        if ends_event(&bytes[..=at]) {
            return at + 1;
        }
        end = at;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries() {
        for (bytes, want) in [
            ("", 0),
            ("data: a", 0),
            ("data: a\n", 0),
            ("data: a\n\n", 9),
            ("data: a\n\ndata: b", 9),
            ("data: a\r\n\r\ndata", 11),
            ("data: a\r\rdata", 9),
            ("a\n\nb\n\nc\n", 6),
        ] {
            assert_eq!(last_boundary(bytes.as_bytes()), want, "{bytes:?}");
        }
    }

    #[test]
    fn a_chunk_that_nobody_asked_for_is_left_out() {
        let events = |hides| {
            Events::new(&tidegate_dialect::openai_chat::OpenAi, "openai", Ending::Tapped).hiding_usage(hides)
        };
        let text = "data: {\"choices\":[{\"delta\":{}}],\"usage\":null}\n\ndata: {\"choices\": [],\"usage\":{\"prompt_tokens\":1}}\n\ndata: [DONE]\n\n";
        let shown = events(true).shown(Bytes::from_static(text.as_bytes())).unwrap();
        let text_of = String::from_utf8(shown.to_vec()).unwrap();
        assert_eq!(text_of, "data: {\"choices\":[{\"delta\":{}}],\"usage\":null}\n\ndata: [DONE]\n\n");
        assert_eq!(events(false).shown(Bytes::from_static(text.as_bytes())).unwrap(), text);
        // Azure's first chunk has no choice either.
        let first = "data: {\"choices\":[],\"prompt_filter_results\":[{\"usage\":1}]}\r\n\r\n";
        assert_eq!(events(true).shown(Bytes::from_static(first.as_bytes())).unwrap(), first);
        let alone = "data: {\"choices\":[],\"usage\":{}}\n\n";
        assert!(events(true).shown(Bytes::from_static(alone.as_bytes())).is_none());
    }

    #[test]
    fn events_in_pieces_come_whole() {
        let text = b"data: one\n\ndata: two\r\n\r\n: c\n\ndata: [DONE]\n\n";
        for cut in 0..text.len() {
            let mut events = Events::new(&tidegate_dialect::openai_chat::OpenAi, "openai", Ending::Tapped);
            let mut out = Vec::new();
            for part in [&text[..cut], &text[cut..]] {
                if let Some(bytes) = events.whole_events(Bytes::copy_from_slice(part)) {
                    assert!(ends_event(&bytes));
                    out.extend_from_slice(&bytes);
                }
            }
            assert_eq!(out, text, "cut at {cut}");
        }
    }
}
