//! The client everyone holds: a pool of connections over our own connector, with every failure given its name.
//!
//! Over HTTP/1.1 a connection serves one request at a time and goes back to the pool when the answer has been read to
//! its end; dropping an answer early closes its connection, which is how the upstream learns that nobody listens. Where
//! HTTP/2 is on offer, hyper-util's client takes over: requests to one origin share one connection, and a drop resets the stream. A pooled connection that turns out
//! dead before a request was written is replaced without a word; anything later is the caller's to decide.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HOST, PROXY_AUTHORIZATION};
use http::uri::{Parts, Scheme};
use http::{HeaderValue, Method, Request, Response, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tidegate_http1::MAX_HEAD_BYTES;
use tidegate_http1::answer::Head;

use crate::address::AddressPolicy;
use crate::answer::Answer;
use crate::body::OutBody;
use crate::connector::{CONNECT_TIMEOUT, Connector, Means, host_and_port};
use crate::dial::{Dialer, Endpoint, Resolve, SystemResolver};
use crate::error::{SendError, SendErrorKind, SetupError};
use crate::link::Link;
use crate::pool::Pool;
use crate::proxy::{Proxies, ProxyEnv};
use crate::stats::EgressStats;
use crate::tls::Tls;

/// The egress client. A clone is the same client: same pool, same counters.
#[derive(Clone)]
pub struct Egress {
    pub(crate) means: Arc<Means>,
    pub(crate) pool: Arc<Pool>,
    /// Set when HTTP/2 is on offer: what speaks it shares connections.
    shared: Option<Client<Connector, OutBody>>,
}

/// How to reach the outside. The defaults reach public addresses, directly, over HTTP/1.1.
#[derive(Clone)]
pub struct EgressSettings {
    /// Which addresses may be reached beyond public ones.
    pub policy: AddressPolicy,
    /// Proxies, as the environment names them; the default is none.
    pub proxy: ProxyEnv,
    /// PEM text of certificates to trust besides the machine's roots.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// For resolving, connecting, tunnelling and TLS together, where a request does not say.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept. Shorter than servers' own limits (60 s is common), so that ours closes
    /// first.
    pub pool_idle_timeout: Duration,
    /// Unused connections kept for one origin; more are closed.
    pub pool_max_idle_per_host: usize,
    /// Time without traffic before the kernel probes a connection, and between probes. At least a second.
    pub tcp_keepalive: Duration,
    /// Offer HTTP/2 to https upstreams. Off by default: all requests to an origin would share one connection, and those
    /// beyond the streams its server allows (often 100) would wait there unseen.
    pub http2: bool,
    /// Names to addresses; the operating system's unless a test brings its own.
    pub resolver: Arc<dyn Resolve>,
}

impl Egress {
    /// Reads the machine's root certificates, which takes some milliseconds and blocks; connects nowhere.
    ///
    /// # Errors
    ///
    /// A proxy variable that is not a proxy URL, or extra certificates that cannot be read.
    pub fn new(settings: EgressSettings) -> Result<Self, SetupError> {
        let pool = Arc::new(Pool::new(settings.pool_idle_timeout, settings.pool_max_idle_per_host));
        let shared = settings.http2.then(|| shared(&settings));
        let means = Arc::new(Means {
            dialer: Dialer {
                resolver: settings.resolver,
                keepalive: settings.tcp_keepalive.max(Duration::from_secs(1)),
            },
            policy: settings.policy,
            proxies: Proxies::new(&settings.proxy)?,
            tls: Tls::new(settings.extra_ca_pem.as_deref(), settings.http2)?,
            counters: Arc::default(),
            connect_timeout: settings.connect_timeout,
        });
        Ok(Self { shared: shared.map(|client| client.build(Connector(means.clone()))), means, pool })
    }

    /// Sends one request and waits for the head of the answer, however long that takes; only connecting is bounded here,
    /// by `connect_timeout` or else by the settings. The body of the answer is read by the caller at its own pace, and
    /// the upstream waits for it. Dropping the future, or the answer, stops the upstream.
    ///
    /// The URL has to be absolute; the version is ignored. `host` is set from it where the request does not set one. Headers are sent as they
    /// are: taking out those that belong to the client's own connection is up to the caller. Behind an http proxy the
    /// answer to a plain http request may be the proxy's own.
    ///
    /// # Errors
    ///
    /// Any [`SendError`]; each is counted in [`Egress::stats`].
    pub fn send(
        &self,
        // On the heap: a request is large, and passes through many hands.
        request: impl Into<Box<Request<OutBody>>>,
        connect_timeout: Option<Duration>,
    ) -> impl Future<Output = Result<Response<Answer>, SendError>> + Send {
        self.send_counted(request.into(), connect_timeout.unwrap_or(self.means.connect_timeout))
    }

    async fn send_counted(
        &self,
        request: Box<Request<OutBody>>,
        connect_timeout: Duration,
    ) -> Result<Response<Answer>, SendError> {
        let sent = match &self.shared {
            None => self.send_alone(request, connect_timeout).await,
            Some(client) => Box::pin(self.send_shared(client, *request, connect_timeout)).await,
        };
        if let Err(error) = &sent {
            self.means.counters.failed(error.kind);
        }
        sent
    }

    /// The counters as they are now.
    pub fn stats(&self) -> EgressStats {
        self.means.counters.read()
    }

    /// Over a connection that is this request's alone until its answer has ended.
    async fn send_alone(
        &self,
        mut request: Box<Request<OutBody>>,
        connect_timeout: Duration,
    ) -> Result<Response<Answer>, SendError> {
        self.complete(&mut request)?;
        let uri = request.uri().clone();
        // Says which host is asked, unless the request does: the connection knows.
        let says_host = request.headers().contains_key(HOST);
        let mut link = match self.pool.take(&uri) {
            Some(link) => link,
            None => Box::pin(self.open(&uri, connect_timeout)).await?,
        };
        if !says_host {
            request.headers_mut().insert(HOST, link.host().clone());
        }
        if !link.is_absolute_form() {
            *request.uri_mut() = origin_form(&uri);
        }
        let (Head { status, headers, .. }, reading) =
            link.ask(*request).await.map_err(|kind| SendError::of_exchange(kind, &uri))?;
        let mut answer = Response::new(Answer::alone(reading, link, uri, self.pool.clone()));
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }

    async fn open(&self, uri: &Uri, connect_timeout: Duration) -> Result<Box<Link>, SendError> {
        let upstream = self.means.open(uri, connect_timeout).await?;
        Ok(Link::new(upstream, host_of(uri)?, self.pool.keeper()))
    }

    /// Over a connection that may be shared with other requests.
    async fn send_shared(
        &self,
        client: &Client<Connector, OutBody>,
        mut request: Request<OutBody>,
        connect_timeout: Duration,
    ) -> Result<Response<Answer>, SendError> {
        self.complete(&mut request)?;
        let uri = request.uri().clone();
        Endpoint::of(&uri)?;
        let answer = CONNECT_TIMEOUT.scope(connect_timeout, client.request(request)).await;
        match answer {
            Ok(answer) => Ok(answer.map(Answer::shared)),
            Err(error) => Err(SendError::of_client(&Endpoint::of(&uri)?.to_string(), &error)),
        }
    }

    /// What every request gets on its way out.
    pub(crate) fn complete(&self, request: &mut Request<OutBody>) -> Result<(), SendError> {
        if request.method() == Method::CONNECT {
            return Err(SendError::new(
                SendErrorKind::InvalidRequest,
                "CONNECT cannot be sent to an upstream",
            ));
        }
        // What the client spoke says nothing about the upstream: the connection decides.
        *request.version_mut() = Version::HTTP_11;
        if self.means.proxies.is_empty() { Ok(()) } else { self.authorize_to_proxy(request) }
    }

    /// A plain http request through a proxy carries the proxy's credentials itself; a tunnel carried them already.
    fn authorize_to_proxy(&self, request: &mut Request<OutBody>) -> Result<(), SendError> {
        let (host, port) = host_and_port(request.uri())?;
        if request.uri().scheme() == Some(&Scheme::HTTP)
            && let Some(proxy) = self.means.proxies.pick(false, host, port)
            && let Some(credentials) = &proxy.authorization
        {
            request.headers_mut().insert(PROXY_AUTHORIZATION, credentials.clone());
        }
        Ok(())
    }
}

impl Default for EgressSettings {
    fn default() -> Self {
        Self {
            policy: AddressPolicy::default(),
            proxy: ProxyEnv::default(),
            extra_ca_pem: None,
            connect_timeout: Duration::from_secs(10),
            pool_idle_timeout: Duration::from_secs(50),
            pool_max_idle_per_host: 512,
            tcp_keepalive: Duration::from_secs(30),
            http2: false,
            resolver: Arc::new(SystemResolver),
        }
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl fmt::Debug for EgressSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressSettings")
            .field("policy", &self.policy)
            .field("proxy", &self.proxy)
            .field("connect_timeout", &self.connect_timeout)
            .field("pool_idle_timeout", &self.pool_idle_timeout)
            .field("pool_max_idle_per_host", &self.pool_max_idle_per_host)
            .field("tcp_keepalive", &self.tcp_keepalive)
            .field("http2", &self.http2)
            .finish_non_exhaustive()
    }
}

/// What one HTTP/2 stream may have on its way to a reader that does not read.
const HTTP2_STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// What one HTTP/2 connection may: room for 256 stalled streams, so that they cannot hold up the others.
const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 256 * HTTP2_STREAM_WINDOW_BYTES;
/// A silent HTTP/2 connection carries everyone's requests, so it is asked whether it is alive.
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(20);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(15);

fn shared(settings: &EgressSettings) -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(settings.pool_idle_timeout)
        .pool_max_idle_per_host(settings.pool_max_idle_per_host)
        .retry_canceled_requests(true)
        .http1_max_buf_size(MAX_HEAD_BYTES)
        .http2_initial_stream_window_size(HTTP2_STREAM_WINDOW_BYTES)
        .http2_initial_connection_window_size(HTTP2_CONNECTION_WINDOW_BYTES)
        .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
        .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT);
    builder
}

/// The authority, without a port that goes without saying.
pub(crate) fn host_of(uri: &Uri) -> Result<HeaderValue, SendError> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let default_port = if uri.scheme() == Some(&Scheme::HTTPS) { ":443" } else { ":80" };
    HeaderValue::from_str(authority.strip_suffix(default_port).unwrap_or(authority))
        .map_err(|_| SendError::new(SendErrorKind::InvalidRequest, "the upstream URL names no host"))
}

pub(crate) fn origin_form(uri: &Uri) -> Uri {
    let mut parts = Parts::default();
    parts.path_and_query = uri.path_and_query().cloned();
    Uri::from_parts(parts).unwrap_or_default()
}
