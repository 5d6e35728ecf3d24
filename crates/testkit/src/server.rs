//! An HTTP/1.1 upstream whose answers come from a [`Handler`], with a log of what it was asked.
//!
//! Beside the handler's own paths it answers `GET /__calls` with
//! `{"total", "ids": {id: calls}, "traffic": {..}, "requests": [{method, url, headers, body}]}` and `POST /__reset`, which
//! forgets all of it. Neither is logged or counted.

use crate::log::{Control, Log};
use crate::play::Play;
use crate::reply::Reply;
use crate::seen::Seen;
use crate::traffic::{InFlight, Traffic};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// Decides answers. It does no I/O, so that it can be tested without a socket.
pub trait Handler: Send + Sync + 'static {
    fn answer(&self, request: &Seen) -> Reply;

    /// Calls by id, for handlers that tell callers apart.
    fn calls(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// Forgets what it counted.
    fn reset(&self) {}
}

/// A running upstream; dropping it closes the port and every connection.
#[derive(Debug)]
pub struct Server<H> {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared<H>>,
    accepting: AbortHandle,
}

#[derive(Debug)]
struct Shared<H> {
    handler: H,
    log: Log,
}

impl<H: Handler> Server<H> {
    /// Listens on an unused port of 127.0.0.1.
    pub async fn start(handler: H) -> Self {
        Self::listen(handler, 0, None).await
    }

    /// Listens on `port` (0 for any), with TLS when an acceptor is given.
    pub async fn listen(handler: H, port: u16, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { handler, log: Log::default() });
        let scheme = if tls.is_some() { "https" } else { "http" };
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared), tls)).abort_handle();
        Self { address, scheme, shared, accepting }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn handler(&self) -> &H {
        &self.shared.handler
    }

    pub fn traffic(&self) -> &Traffic {
        &self.shared.log.traffic
    }

    /// What it was asked, oldest first.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.log.requests()
    }

    /// The only request so far.
    ///
    /// # Panics
    /// When there were none or several.
    pub fn only_request(&self) -> Seen {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "one request was expected");
        requests.into_iter().next().expect("there is one")
    }

    pub fn reset(&self) {
        self.shared.reset();
    }
}

impl<H> Drop for Server<H> {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl<H: Handler> Shared<H> {
    async fn respond(&self, request: hyper::Request<Incoming>) -> hyper::Response<Play> {
        if let Some(control) = Control::of(request.method().as_str(), request.uri().path()) {
            // Counted apart, and forgotten.
            return response(self.control(control), Traffic::default().request());
        }
        let in_flight = self.log.traffic.request();
        let (head, body) = request.into_parts();
        let url = head.uri.path_and_query().map_or_else(|| head.uri.path().to_owned(), ToString::to_string);
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let seen = Seen { method: head.method, url, headers: head.headers, body };
        self.log.note(seen.clone());
        let reply = self.handler.answer(&seen);
        if !reply.delay.is_zero() {
            tokio::time::sleep(reply.delay).await;
        }
        response(reply, in_flight)
    }

    fn control(&self, control: Control) -> Reply {
        match control {
            Control::Report => Reply::json(200, &self.log.report(&self.handler.calls())),
            Control::Reset => {
                self.reset();
                Reply::text(204, "text/plain", "")
            }
        }
    }

    fn reset(&self) {
        self.log.reset();
        self.handler.reset();
    }
}

fn response(reply: Reply, in_flight: InFlight) -> hyper::Response<Play> {
    let mut response = hyper::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    response.body(Play::new(reply.body, in_flight)).expect("scripted heads are valid")
}

async fn accept<H: Handler>(listener: TcpListener, shared: Arc<Shared<H>>, tls: Option<TlsAcceptor>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        // Done connections are collected on the way, so that the set stays small.
        while connections.try_join_next().is_some() {}
        let open = shared.log.traffic.connection();
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        let _ = stream.set_nodelay(true);
        connections.spawn(async move {
            match tls {
                None => serve(stream, shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, shared).await;
                    }
                }
            }
            drop(open);
        });
    }
}

async fn serve<H: Handler>(stream: impl AsyncRead + AsyncWrite + Unpin + Send, shared: Arc<Shared<H>>) {
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(shared.respond(request).await) }
    });
    // A connection that ends in an error is what many tests are about; the counts tell it.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
