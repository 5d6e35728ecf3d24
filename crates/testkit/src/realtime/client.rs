//! A client of WebSockets that hides nothing: the handshake's answer, and how the session ended.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderMap;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::client::Answer;

/// Only a broken test waits this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// An open WebSocket. Dropping it drops the connection, without a close.
#[derive(Debug)]
pub struct Socket {
    pub headers: HeaderMap,
    socket: WebSocketStream<TcpStream>,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEnd {
    Closed {
        code: u16,
        reason: String,
    },
    /// Without a closing frame.
    Broken,
}

/// Asks for a WebSocket at `path` of `address` (`127.0.0.1:PORT`).
///
/// # Errors
/// The answer, where it is another than 101.
pub async fn connect(address: &str, path: &str, headers: &[(&str, &str)]) -> Result<Socket, Answer> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let _ = stream.set_nodelay(true);
    let mut request = format!("ws://{address}{path}").into_client_request().expect("the test's URL is one");
    for (name, value) in headers {
        let name = http::HeaderName::try_from(*name).expect("a header's name");
        request.headers_mut().append(name, value.parse().expect("a header's value"));
    }
    let shaken = tokio::time::timeout(PATIENCE, client_async(request, stream)).await;
    match shaken.expect("the server answers") {
        Ok((socket, response)) => Ok(Socket { headers: response.headers().clone(), socket }),
        Err(Error::Http(response)) => {
            let (head, body) = response.into_parts();
            let frames = vec![Bytes::from(body.unwrap_or_default())];
            Err(Answer {
                status: head.status.as_u16(),
                headers: head.headers,
                frames,
                trailers: None,
                broken: None,
            })
        }
        Err(error) => panic!("the handshake fails: {error}"),
    }
}

impl Socket {
    pub async fn send(&mut self, event: &Value) {
        self.socket.send(Message::text(event.to_string())).await.expect("the server takes it");
    }

    pub async fn send_message(&mut self, message: Message) {
        self.socket.send(message).await.expect("the server takes it");
    }

    /// The next text.
    ///
    /// # Errors
    /// How the session ended.
    pub async fn text(&mut self) -> Result<String, SocketEnd> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            match next.expect("something comes, or it ends") {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(frame))) => {
                    // The library answers while it is read on.
                    while let Ok(Some(Ok(_))) = tokio::time::timeout(PATIENCE, self.socket.next()).await {}
                    let (code, reason) = frame
                        .map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()));
                    return Err(SocketEnd::Closed { code, reason });
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(SocketEnd::Broken),
            }
        }
    }

    /// Events up to one of this type, which is the last.
    ///
    /// # Errors
    /// How the session ended before it came.
    pub async fn until(&mut self, kind: &str) -> Result<Vec<Value>, SocketEnd> {
        let mut events: Vec<Value> = Vec::new();
        loop {
            let event: Value = serde_json::from_str(&self.text().await?).expect("events are JSON");
            let is_last = event["type"] == kind;
            events.push(event);
            if is_last {
                return Ok(events);
            }
        }
    }

    /// Waits for a pong with this payload.
    pub async fn ping(&mut self, payload: &'static [u8]) -> bool {
        self.send_message(Message::Ping(Bytes::from_static(payload))).await;
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("something comes") {
                Some(Ok(Message::Pong(got))) => return got == payload,
                Some(Ok(_)) => {}
                _ => return false,
            }
        }
    }

    /// Closes, and waits for the answer.
    pub async fn close(mut self, code: u16) -> SocketEnd {
        let _ = self.socket.close(Some(CloseFrame { code: code.into(), reason: "done".into() })).await;
        loop {
            if let Err(end) = self.text().await {
                return end;
            }
        }
    }

    /// All texts up to the end.
    pub async fn end(mut self) -> (Vec<Value>, SocketEnd) {
        let mut events = Vec::new();
        loop {
            match self.text().await {
                Ok(text) => events.push(serde_json::from_str(&text).expect("events are JSON")),
                Err(end) => return (events, end),
            }
        }
    }
}
