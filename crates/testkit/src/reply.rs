//! An answer that an upstream has decided on, before it is played.

use serde_json::Value;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: ReplyBody,
    /// How long to wait before the head.
    pub delay: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyBody {
    /// Sent with a content length.
    Whole(Vec<u8>),
    /// Sent as chunks, each flushed.
    Stream(Vec<Vec<u8>>),
    /// The same, and then the connection is destroyed.
    Broken(Vec<Vec<u8>>),
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    pub fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, content_type, ReplyBody::Whole(body.into()))
    }

    /// 200 `text/event-stream`; each event is one chunk.
    pub fn events(events: Vec<String>) -> Self {
        let chunks = events.into_iter().map(String::into_bytes).collect();
        Self::new(200, "text/event-stream", ReplyBody::Stream(chunks))
    }

    /// Like [`Reply::events`], ending in a destroyed connection.
    pub fn broken(events: Vec<String>) -> Self {
        let chunks = events.into_iter().map(String::into_bytes).collect();
        Self::new(200, "text/event-stream", ReplyBody::Broken(chunks))
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The chunks joined.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.body {
            ReplyBody::Whole(bytes) => bytes.clone(),
            ReplyBody::Stream(chunks) | ReplyBody::Broken(chunks) => chunks.concat(),
        }
    }

    fn new(status: u16, content_type: &str, body: ReplyBody) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body, delay: Duration::ZERO }
    }
}
