//! A client that hides nothing: status, headers, and the body piece by piece as it arrived, up to where it broke off.
//! One connection for each request, plain HTTP only, no redirects, no decompression.

use crate::sse::{self, Event};
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

/// How long an answer may take before it fails the test. Long, because only a broken test gets there.
const PATIENCE: Duration = Duration::from_secs(120);

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// In order of arrival. What one write of the server was may arrive as several, or the other way round.
    pub frames: Vec<Bytes>,
    pub trailers: Option<HeaderMap>,
    /// Why the body ended, when it did not end well.
    pub broken: Option<String>,
}

impl Answer {
    pub fn body(&self) -> Vec<u8> {
        self.frames.concat()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body()).into_owned()
    }

    /// The body, or `null` when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap_or(Value::Null)
    }

    pub fn events(&self) -> Vec<Event> {
        sse::parse(&self.body())
    }

    /// The data of all events that are JSON (`[DONE]` is not).
    pub fn event_data(&self) -> Vec<Value> {
        self.events().iter().map(Event::json).filter(|data| !data.is_null()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// An answer whose body is still arriving. Dropping it closes the connection.
#[derive(Debug)]
pub struct Opened {
    pub status: u16,
    pub headers: HeaderMap,
    body: Incoming,
    connection: Connection,
}

impl Opened {
    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// Why the body broke off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, String> {
        while let Some(frame) = self.body.frame().await {
            if let Ok(data) = frame.map_err(|error| error.to_string())?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// Reads to the end.
    pub async fn finish(mut self) -> Answer {
        let (mut frames, mut trailers, mut broken) = (Vec::new(), None, None);
        while let Some(frame) = self.body.frame().await {
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(data)) => frames.push(data),
                Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
                Err(error) => {
                    broken = Some(error.to_string());
                    break;
                }
            }
        }
        drop(self.connection);
        Answer { status: self.status, headers: self.headers, frames, trailers, broken }
    }
}

/// Closes the connection when dropped.
#[derive(Debug)]
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub async fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    send("GET", url, headers, Bytes::new()).await
}

/// Posts JSON, with `content-type: application/json` unless `headers` say otherwise.
pub async fn post(url: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let mut all = headers.to_vec();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        all.push(("content-type", "application/json"));
    }
    send("POST", url, &all, body.to_string().into()).await
}

/// Sends a request and reads the whole answer.
///
/// # Panics
/// When there is none, or it has not ended after a minute.
pub async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
    let answer = async { open(method, url, headers, body).await.expect("the server answers").finish().await };
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| panic!("{method} {url} never ends"))
}

/// Sends a request and returns once the head of the answer is there.
///
/// # Errors
/// What the connection died of before that.
pub async fn open(method: &str, url: &str, headers: &[(&str, &str)], body: Bytes) -> Result<Opened, String> {
    let rest = url.strip_prefix("http://").expect("this client speaks plain HTTP");
    let (host, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let stream = TcpStream::connect(host).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let connection = Connection(tokio::spawn(connection).abort_handle());
    let mut request = http::Request::builder().method(method).uri(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body)).expect("the test's request is valid");
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let (head, body) = answer.into_parts();
    Ok(Opened { status: head.status.as_u16(), headers: head.headers, body, connection })
}

/// Writes `bytes` to a new connection as they are and returns all that comes back until the server closes it.
pub async fn raw(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(bytes).await.expect("the server reads");
    let mut answer = Vec::new();
    // A reset ends the answer just as a close does.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server closes");
    answer
}
