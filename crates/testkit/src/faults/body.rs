//! What a fault is applied to: the story, whole and as events, and errors, in the form of the dialect asked.

use super::fault::Fault;
use crate::fake::anthropic::Anthropic;
use crate::fake::openai::OpenAi;
use crate::fake::story::TIDE;
use crate::reply::{Reply, ReplyBody};
use crate::seen::Seen;
use crate::server::Handler;
use crate::sse;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};
use std::io::Write;

/// The dialect of the answer, and whether it is a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) anthropic: bool,
    pub(super) stream: bool,
}

impl Form {
    pub(super) fn of(request: &Seen) -> Self {
        Self { anthropic: request.path().ends_with("/messages"), stream: request.json()["stream"] == true }
    }

    pub(super) fn content_type(self) -> &'static str {
        if self.stream { "text/event-stream" } else { "application/json" }
    }

    /// The pieces of the body: the events of a stream, or one document.
    pub(super) fn pieces(self) -> Vec<Vec<u8>> {
        match self.story().body {
            ReplyBody::Whole(bytes) => vec![bytes],
            ReplyBody::Stream(events) | ReplyBody::Broken(events) => events,
        }
    }

    /// The pieces with the fault's own damage done.
    pub(super) fn damaged(self, fault: Fault) -> Vec<Vec<u8>> {
        let mut pieces = self.pieces();
        match fault {
            Fault::InvalidJson => *second(&mut pieces) = self.piece(b"{\"id\":\"cut\","),
            Fault::InvalidUtf8 => {
                let piece = second(&mut pieces);
                *piece = replace(piece, TIDE.as_bytes(), b"\xff\xfe");
                *piece = replace(piece, b"The", b"\xff\xfe");
                *piece = replace(piece, b"ping", b"\xff\xfe");
            }
            Fault::Crlf => pieces = pieces.iter().map(|piece| replace(piece, b"\n", b"\r\n")).collect(),
            Fault::Cr => pieces = pieces.iter().map(|piece| replace(piece, b"\n", b"\r")).collect(),
            Fault::Huge(megabytes) => {
                let text = "x".repeat(megabytes << 20);
                let at = pieces.iter().position(|piece| contains(piece, b"The"));
                if let Some(piece) = at.and_then(|at| pieces.get_mut(at)) {
                    *piece = replace(piece, b"The", text.as_bytes());
                }
            }
            Fault::ErrorFirst => pieces = vec![self.hidden_error()],
            Fault::ErrorMid(events) => {
                pieces.truncate(events);
                pieces.push(self.hidden_error());
            }
            _ => {}
        }
        pieces
    }

    /// The body of an error answer.
    pub(super) fn error(self, status: u16) -> Vec<u8> {
        let (openai, anthropic) = words(status);
        let message = format!("fault {status}");
        let body = if self.anthropic {
            json!({"type": "error", "error": {"type": anthropic, "message": message}, "request_id": "req_fault"})
        } else {
            json!({"error": {"message": message, "type": openai, "param": null, "code": null}})
        };
        body.to_string().into_bytes()
    }

    /// An error where an answer should be.
    fn hidden_error(self) -> Vec<u8> {
        let error = serde_json::from_slice::<Value>(&self.error(529)).unwrap_or_default();
        match (self.stream, self.anthropic) {
            (false, _) => error.to_string().into_bytes(),
            (true, false) => sse::data(&error).into_bytes(),
            (true, true) => sse::typed(&error).into_bytes(),
        }
    }

    /// Raw data as a piece.
    fn piece(self, data: &[u8]) -> Vec<u8> {
        if self.stream { [b"data: ", data, b"\n\n"].concat() } else { data.to_vec() }
    }

    fn story(self) -> Reply {
        let mut body = json!({"model": "fault", "messages": [{"role": "user", "content": "High water?"}]});
        body["stream"] = json!(self.stream);
        body["max_tokens"] = json!(1_000);
        let headers = [
            ("content-type", "application/json"),
            ("authorization", "Bearer k"),
            ("anthropic-version", "2023-06-01"),
        ];
        let headers: HeaderMap = headers
            .into_iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let url = if self.anthropic { "/messages" } else { "/chat/completions" };
        let request =
            Seen { method: Method::POST, url: url.to_owned(), headers, body: body.to_string().into() };
        if self.anthropic { Anthropic.answer(&request) } else { OpenAi.answer(&request) }
    }
}

/// Each piece compressed and flushed, so that a reader can have it before the next one.
pub(super) fn gzip(pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut compressed = Vec::new();
    for piece in pieces {
        encoder.write_all(piece).and_then(|()| encoder.flush()).expect("memory takes everything");
        compressed.push(std::mem::take(encoder.get_mut()));
    }
    compressed.push(encoder.finish().expect("memory takes everything"));
    compressed
}

fn second(pieces: &mut [Vec<u8>]) -> &mut Vec<u8> {
    let at = usize::from(pieces.len() > 1);
    pieces.get_mut(at).expect("an answer has a piece")
}

/// The types of an error in OpenAI's and in Anthropic's words.
fn words(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("invalid_request_error", "authentication_error"),
        403 => ("permission_error", "permission_error"),
        404 => ("invalid_request_error", "not_found_error"),
        413 => ("invalid_request_error", "request_too_large"),
        429 => ("rate_limit_error", "rate_limit_error"),
        529 => ("server_error", "overloaded_error"),
        500..=599 => ("server_error", "api_error"),
        _ => ("invalid_request_error", "invalid_request_error"),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}
