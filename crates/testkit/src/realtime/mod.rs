//! A stand-in for OpenAI's realtime API: a WebSocket that refuses what the documented schema refuses, and answers
//! `response.create` with the one story.
//!
//! A test says in `response.metadata` what else shall happen: `bytes` (a text of that length), `fragments` (the last event
//! comes in so many frames), `flood` (so many messages of audio), `end` (`drop`, or the number of a close). Models whose
//! names begin with `refuse-` are refused with the status that follows.

mod client;
mod session;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{self, HeaderValue, StatusCode};

use crate::fake::BAD_KEY;
use crate::seen::Seen;

pub use client::{Socket, SocketEnd, connect};

/// What one answer uses: text 59, cached text 60, audio 13; text 30, audio 91. At gpt-realtime's prices 0.00698 USD.
pub(crate) fn usage() -> serde_json::Value {
    json!({
        "total_tokens": 253, "input_tokens": 132, "output_tokens": 121,
        "input_token_details": {
            "text_tokens": 119, "audio_tokens": 13, "image_tokens": 0, "cached_tokens": 60,
            "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 0, "image_tokens": 0}
        },
        "output_token_details": {"text_tokens": 30, "audio_tokens": 91}
    })
}

/// A running upstream; dropping it closes the port and every connection.
#[derive(Debug)]
pub struct Realtime {
    address: SocketAddr,
    scheme: &'static str,
    log: Arc<Mutex<Log>>,
    accepting: AbortHandle,
}

/// What it was asked and told.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) handshakes: Vec<Seen>,
    /// Texts of clients, of all sessions.
    pub(crate) heard: Vec<String>,
    /// How sessions ended: the code of the client's close, or none when it left without one.
    pub(crate) ends: Vec<Option<u16>>,
    pub(crate) pings: usize,
    /// Messages that were taken off this side's hands.
    pub(crate) flooded: usize,
}

impl Realtime {
    /// Listens on an unused port of 127.0.0.1.
    pub async fn start() -> Self {
        Self::listen(0, None).await
    }

    /// Listens on `port` (0 for any), with TLS when an acceptor is given.
    pub async fn listen(port: u16, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let log = Arc::new(Mutex::new(Log::default()));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let accepting = tokio::spawn(accept(listener, Arc::clone(&log), tls)).abort_handle();
        Self { address, scheme, log, accepting }
    }

    /// `http://127.0.0.1:PORT/v1`, as OpenAI's base; `https` with TLS.
    pub fn base(&self) -> String {
        format!("{}://{}/v1", self.scheme, self.address)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        locked(&self.log)
    }

    /// The handshakes, also those that were refused.
    pub fn handshakes(&self) -> Vec<Seen> {
        self.log().handshakes.clone()
    }

    /// What clients said, oldest first.
    pub fn heard(&self) -> Vec<String> {
        self.log().heard.clone()
    }

    /// How sessions ended, in the order in which they did.
    pub fn ends(&self) -> Vec<Option<u16>> {
        self.log().ends.clone()
    }

    pub fn pings(&self) -> usize {
        self.log().pings
    }

    /// Messages of floods that were written so far.
    pub fn flooded(&self) -> usize {
        self.log().flooded
    }
}

impl Drop for Realtime {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub(crate) fn locked(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().expect("nobody panics with the log")
}

/// A connection, with TLS or without.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

pub(crate) type Wire = Box<dyn Duplex>;

async fn accept(listener: TcpListener, log: Arc<Mutex<Log>>, tls: Option<TlsAcceptor>) {
    let mut sessions = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        while sessions.try_join_next().is_some() {}
        sessions.spawn(serve(stream, tls.clone(), Arc::clone(&log)));
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, log: Arc<Mutex<Log>>) {
    let wire: Wire = match tls {
        None => Box::new(stream),
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => Box::new(stream),
            Err(_) => return,
        },
    };
    let mut model = String::new();
    let shake = |request: &Request, response: Response| judge(request, response, &log, &mut model);
    let Ok(socket) = accept_hdr_async(wire, shake).await else { return };
    let end = session::run(socket, &model, &log).await;
    locked(&log).ends.push(end);
}

fn judge(
    request: &Request,
    mut response: Response,
    log: &Mutex<Log>,
    model: &mut String,
) -> Result<Response, ErrorResponse> {
    let url = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let headers = request.headers().clone();
    let seen = Seen { method: http::Method::GET, url, headers, body: bytes::Bytes::new() };
    locked(log).handshakes.push(seen.clone());
    let refuse = |status: u16, code: &str, message: &str| {
        let body = json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}});
        let mut refused = ErrorResponse::new(Some(body.to_string()));
        *refused.status_mut() = StatusCode::from_u16(status).expect("a status");
        refused.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        refused.headers_mut().insert("x-request-id", HeaderValue::from_static("req_fake"));
        Err(refused)
    };
    if seen.path() != "/v1/realtime" {
        return refuse(404, "unknown_url", "Invalid URL");
    }
    let key = seen.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    if key.is_none_or(|key| key.is_empty() || key == BAD_KEY) {
        return refuse(401, "invalid_api_key", "Incorrect API key provided.");
    }
    if seen.header("sec-websocket-extensions").is_some() {
        return refuse(400, "extensions", "What is compressed cannot be read on the way.");
    }
    let Some(asked) = seen.query("model") else {
        return refuse(400, "missing_model", "You must provide a model parameter.");
    };
    if let Some(status) = asked.strip_prefix("refuse-").and_then(|status| status.parse().ok()) {
        return refuse(status, "refused", "The test asked for it.");
    }
    *model = asked;
    if seen.header("sec-websocket-protocol").is_some_and(|offered| offered.contains("realtime")) {
        response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("realtime"));
    }
    response.headers_mut().insert("x-request-id", HeaderValue::from_static("req_fake"));
    Ok(response)
}
