//! A connection to an upstream that becomes a WebSocket: the handshake of RFC 6455 over a connection of its own.
//!
//! Always HTTP/1.1, and never from the pool: a connection that waited may be closed just then, and there is no second try
//! once the client's own handshake waits for this one.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{
    CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use tidegate_http1::answer::Head;
use tidegate_http1::receive::Receiver;
use tidegate_http1::upgrade;
use tidegate_websocket::handshake;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::answer::Answer;
use crate::body::OutBody;
use crate::client::{Egress, host_of, origin_form};
use crate::error::{SendError, SendErrorKind};
use crate::link::Link;
use crate::wire::Upstream;

/// What came of asking for a WebSocket.
#[derive(Debug)]
pub enum Handshake {
    /// Agreed. The headers are those of the answer.
    Open(HeaderMap, Box<Tunnel>),
    /// An answer as any other: the upstream said no, or something else than was asked.
    Answered(Response<Answer>),
}

/// A connection that speaks HTTP no longer. Dropping it closes it.
#[derive(Debug)]
pub struct Tunnel {
    pub(crate) upstream: Upstream,
    /// Holds what came with the head.
    pub receiver: Receiver,
}

impl Egress {
    /// Asks for a WebSocket: `request` as for [`Egress::send`], without a body and without the headers of the handshake, but
    /// with the protocols that are offered. No extension is.
    ///
    /// # Errors
    /// As [`Egress::send`]; and [`SendErrorKind::BadResponse`] for an upstream that agrees to what nobody offered.
    pub async fn websocket(
        &self,
        request: Box<Request<OutBody>>,
        connect_timeout: Option<Duration>,
    ) -> Result<Handshake, SendError> {
        let timeout = connect_timeout.unwrap_or(self.means.connect_timeout);
        let asked = self.ask_for_websocket(request, timeout).await;
        if let Err(error) = &asked {
            self.means.counters.failed(error.kind);
        }
        asked
    }

    async fn ask_for_websocket(
        &self,
        mut request: Box<Request<OutBody>>,
        timeout: Duration,
    ) -> Result<Handshake, SendError> {
        self.complete(&mut request)?;
        let uri = request.uri().clone();
        let upstream = self.means.open_http1(&uri, timeout).await?;
        let mut link = Link::new(upstream, host_of(&uri)?, self.pool.keeper());
        let key = handshake::new_key();
        let offered = request.headers().get(SEC_WEBSOCKET_PROTOCOL).cloned();
        let host = link.host().clone();
        let headers = request.headers_mut();
        headers.entry(HOST).or_insert(host);
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(handshake::VERSION));
        headers.remove(SEC_WEBSOCKET_EXTENSIONS);
        if let Ok(key) = HeaderValue::from_str(&key) {
            headers.insert(SEC_WEBSOCKET_KEY, key);
        }
        if !link.is_absolute_form() {
            *request.uri_mut() = origin_form(&uri);
        }
        let asked = link.ask_to_switch(*request).await;
        let (head, reading) = asked.map_err(|kind| SendError::of_exchange(kind, &uri))?;
        let Head { status, headers, .. } = head;
        if status == StatusCode::SWITCHING_PROTOCOLS {
            judge(&headers, &key, offered.as_ref(), &uri)?;
            return Ok(Handshake::Open(headers, Box::new(link.into_tunnel())));
        }
        let mut answer = Response::new(Answer::alone(reading, link, uri, self.pool.clone()));
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(Handshake::Answered(answer))
    }
}

/// # Errors
/// An agreement to something else than was asked for.
fn judge(headers: &HeaderMap, key: &str, offered: Option<&HeaderValue>, uri: &Uri) -> Result<(), SendError> {
    let wrong = |what: &str| {
        let host = uri.host().unwrap_or_default();
        let detail = format!("{host} answered the WebSocket handshake wrongly: {what}");
        Err(SendError::new(SendErrorKind::BadResponse, detail))
    };
    if !upgrade::names(headers, "websocket") {
        return wrong("it does not say that it becomes one");
    }
    let accept = headers.get(SEC_WEBSOCKET_ACCEPT).map(|value| value.as_bytes().trim_ascii());
    if accept != Some(handshake::accept(key.as_bytes()).as_bytes()) {
        return wrong("`Sec-WebSocket-Accept` is not of the key that was sent");
    }
    if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return wrong("it chose an extension, and none was offered");
    }
    let Some(chosen) = headers.get(SEC_WEBSOCKET_PROTOCOL) else { return Ok(()) };
    let mut protocols = offered.iter().flat_map(|offered| offered.as_bytes().split(|byte| *byte == b','));
    if !protocols.any(|protocol| protocol.trim_ascii() == chosen.as_bytes().trim_ascii()) {
        return wrong("it chose a protocol that was not offered");
    }
    Ok(())
}

impl AsyncRead for Tunnel {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().upstream.wire()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.get_mut().upstream.wire()).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().upstream.wire()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().upstream.wire()).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.get_mut().upstream.wire()).poll_write_vectored(cx, bufs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_offered_is_agreed_to() {
        let key = handshake::new_key();
        let accept = handshake::accept(key.as_bytes());
        let right = [("connection", "Upgrade"), ("upgrade", "WebSocket"), ("sec-websocket-accept", &accept)];
        type Case = (&'static [(&'static str, &'static str)], &'static [&'static str], Option<&'static str>);
        let cases: [Case; 8] = [
            (&[], &[], None),
            (&[("sec-websocket-protocol", "realtime")], &[], None),
            (&[("sec-websocket-protocol", "other")], &[], Some("protocol")),
            (&[("sec-websocket-extensions", "permessage-deflate")], &[], Some("extension")),
            (&[("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")], &[], Some("key")),
            (&[], &["sec-websocket-accept"], Some("key")),
            (&[], &["upgrade"], Some("becomes")),
            (&[], &["connection"], Some("becomes")),
        ];
        for (more, without, wrong) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in right.iter().chain(more) {
                let name = http::HeaderName::try_from(*name).unwrap();
                headers.insert(name, HeaderValue::try_from(*value).unwrap());
            }
            for name in without {
                headers.remove(*name);
            }
            let offered = HeaderValue::from_static("a, realtime");
            let judged = judge(&headers, &key, Some(&offered), &Uri::from_static("https://api.example/x"));
            match (judged, wrong) {
                (Ok(()), None) => {}
                (Err(error), Some(word)) => assert!(error.detail.contains(word), "{error}"),
                (judged, _) => panic!("{more:?} {without:?}: {judged:?}"),
            }
        }
    }
}
