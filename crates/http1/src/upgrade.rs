//! A connection that leaves HTTP behind: after an answer of 101 it belongs to whoever answered.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{BufMut as _, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue};
use tokio::net::TcpStream;

use crate::fields;
use crate::receive::Receiver;

/// A client's connection that speaks HTTP no longer.
#[derive(Debug)]
pub struct Upgraded {
    pub io: TcpStream,
    /// Holds what the client sent already.
    pub receiver: Receiver,
}

type Using = Pin<Box<dyn Future<Output = ()> + Send>>;
type Use = Box<dyn FnOnce(Upgraded) -> Using + Send>;

/// What is done with a connection after 101. It rides with the answer, as an extension of it, and runs in the connection's
/// task; dropped unused when the client has left before.
#[derive(Clone)]
pub struct Takeover(Arc<Mutex<Option<Use>>>);

impl Takeover {
    pub fn new<F: Future<Output = ()> + Send + 'static>(
        takes: impl FnOnce(Upgraded) -> F + Send + 'static,
    ) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(|upgraded| Box::pin(takes(upgraded)))))))
    }

    pub(crate) async fn run(self, upgraded: Upgraded) {
        let takes = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(takes) = takes {
            takes(upgraded).await;
        }
    }
}

impl fmt::Debug for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Takeover")
    }
}

/// Whether a message asks for this protocol, or agrees to it: `Upgrade` names it, and `Connection` says `upgrade`.
pub fn names(headers: &HeaderMap, protocol: &str) -> bool {
    let listed = |name, wanted: &str| {
        let values = headers.get_all(name).iter();
        let mut items = values.flat_map(|value: &HeaderValue| value.as_bytes().split(|byte| *byte == b','));
        items.any(|item| item.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
    };
    listed(http::header::UPGRADE, protocol) && listed(CONNECTION, "upgrade")
}

/// The head of an answer of 101. `headers` name the protocol; `more` are fields as they go out.
pub(crate) fn encode(headers: &HeaderMap, more: &[u8]) -> BytesMut {
    let mut head = BytesMut::with_capacity(fields::size(headers) + more.len() + 64);
    head.put_slice(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n");
    for (name, value) in headers {
        // It has no body, and what it is like is nothing of the connection's.
        if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            fields::put(&mut head, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    head.put_slice(more);
    head.put_slice(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_headers_have_to_say_it() {
        for (upgrade, connection, want) in [
            ("websocket", "Upgrade", true),
            ("h2c, WebSocket", "keep-alive, upgrade", true),
            ("websocket", "keep-alive", false),
            ("h2c", "upgrade", false),
            ("websockets", "upgrade", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("upgrade", HeaderValue::from_static(upgrade));
            headers.insert("connection", HeaderValue::from_static(connection));
            assert_eq!(names(&headers, "websocket"), want, "{upgrade} {connection}");
        }
        assert!(!names(&HeaderMap::new(), "websocket"));
    }
}
