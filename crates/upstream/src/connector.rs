//! The connector under the pool: from a URL's origin to a connection HTTP can be spoken on.
//!
//! Chooses the way (direct, http proxy in absolute form, tunnel through a proxy) and keeps resolving, connecting,
//! tunnelling and TLS together under one deadline. The deadline is the request's own: the client polls the connect
//! future from inside the request's, so a task-local set around that carries it here, and a request that finds a pooled
//! connection pays for no timer. A connect that is left to finish in the background (a pooled connection came free
//! first) keeps the deadline it began with.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

use crate::address::AddressPolicy;
use crate::dial::{Dialer, Endpoint, Trust, blocked};
use crate::error::{SendError, SendErrorKind};
use crate::proxy::{Proxies, Proxy};
use crate::stats::Counters;
use crate::tls::{Peer, Tls};
use crate::tunnel;
use crate::wire::{Upstream, Wire};

tokio::task_local! {
    /// How long the request being polled allows for connecting.
    pub(crate) static CONNECT_TIMEOUT: Duration;
}

/// Everything a connection is made with. One per client.
pub(crate) struct Means {
    pub(crate) dialer: Dialer,
    pub(crate) policy: AddressPolicy,
    pub(crate) proxies: Proxies,
    pub(crate) tls: Tls,
    pub(crate) counters: Arc<Counters>,
    pub(crate) connect_timeout: Duration,
}

#[derive(Clone)]
pub(crate) struct Connector(pub(crate) Arc<Means>);

impl Service<Uri> for Connector {
    type Response = Upstream;
    type Error = SendError;
    type Future = Pin<Box<dyn Future<Output = Result<Upstream, SendError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, origin: Uri) -> Self::Future {
        let means = self.0.clone();
        let timeout = CONNECT_TIMEOUT.try_get().unwrap_or(means.connect_timeout);
        Box::pin(async move { means.open(&origin, timeout).await })
    }
}

impl Means {
    /// A new connection to where a URL leads, within `timeout`.
    pub(crate) async fn open(&self, origin: &Uri, timeout: Duration) -> Result<Upstream, SendError> {
        self.open_as(Peer::Upstream, origin, timeout).await
    }

    /// The same, for HTTP/1.1 and nothing else, whatever the upstream would like.
    pub(crate) async fn open_http1(&self, origin: &Uri, timeout: Duration) -> Result<Upstream, SendError> {
        self.open_as(Peer::Proxy, origin, timeout).await
    }

    async fn open_as(&self, peer: Peer, origin: &Uri, timeout: Duration) -> Result<Upstream, SendError> {
        let to = Endpoint::of(origin)?;
        let deadline = Instant::now() + timeout;
        // On the heap: it is large, and most requests find a connection in the pool.
        let connecting = Box::pin(self.connect(peer, origin, &to, deadline));
        match timeout_at(deadline, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(SendError::connect_timeout(&to.to_string())),
        }
    }

    async fn connect(
        &self,
        peer: Peer,
        origin: &Uri,
        to: &Endpoint,
        deadline: Instant,
    ) -> Result<Upstream, SendError> {
        let https = origin.scheme() == Some(&Scheme::HTTPS);
        let proxy = self.proxies.pick(https, &to.host, to.port);
        let wire = match proxy {
            None => Wire::Tcp(self.dialer.dial(to, Trust::Judged(&self.policy), deadline).await?),
            Some(proxy) => self.through(proxy, https, to, deadline).await?,
        };
        let wire = if https { self.tls.handshake(wire, to, peer).await? } else { wire };
        Ok(Upstream::new(wire, proxy.is_some() && !https, self.counters.open()))
    }

    async fn through(
        &self,
        proxy: &Proxy,
        tunnelled: bool,
        to: &Endpoint,
        deadline: Instant,
    ) -> Result<Wire, SendError> {
        if !self.policy.permits_unresolved(&to.host) {
            return Err(blocked(&to.host));
        }
        let mut wire = self.reach(proxy, deadline).await.map_err(of_proxy)?;
        if tunnelled {
            tunnel::open(&mut wire, proxy, to).await?;
        }
        Ok(wire)
    }

    async fn reach(&self, proxy: &Proxy, deadline: Instant) -> Result<Wire, SendError> {
        let wire = Wire::Tcp(self.dialer.dial(&proxy.endpoint, Trust::Settings, deadline).await?);
        if proxy.tls { self.tls.handshake(wire, &proxy.endpoint, Peer::Proxy).await } else { Ok(wire) }
    }
}

/// A proxy out of reach is no upstream's fault, and where it is is no client's business.
fn of_proxy(error: SendError) -> SendError {
    let detail = format!("the outbound proxy cannot be reached ({})", error.kind.as_str());
    SendError::new(SendErrorKind::Proxy, detail)
}

impl Endpoint {
    /// What [`host_and_port`] reads, to keep.
    pub(crate) fn of(uri: &Uri) -> Result<Self, SendError> {
        let (host, port) = host_and_port(uri)?;
        Ok(Self { host: host.into(), port })
    }
}

/// The host a URL names, without brackets, and its port, which defaults by scheme.
///
/// # Errors
///
/// [`SendErrorKind::InvalidRequest`] for a URL that requests cannot be sent to.
pub(crate) fn host_and_port(uri: &Uri) -> Result<(&str, u16), SendError> {
    let invalid = |detail: &str| SendError::new(SendErrorKind::InvalidRequest, detail);
    let default_port = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => 80,
        Some(scheme) if *scheme == Scheme::HTTPS => 443,
        _ => return Err(invalid("the upstream URL has to begin with http:// or https://")),
    };
    let Some(authority) = uri.authority() else {
        return Err(invalid("the upstream URL names no host"));
    };
    if authority.as_str().contains('@') {
        return Err(invalid("the upstream URL may not carry a user name or password"));
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(invalid("the upstream URL names no host"));
    }
    // A port that does not fit is `None` in `port_u16`, and would silently become the default.
    let port = match authority.as_str().strip_prefix(authority.host()) {
        None | Some("" | ":") => default_port,
        Some(_) => authority
            .port_u16()
            .filter(|port| *port != 0)
            .ok_or_else(|| invalid("the port of the upstream URL has to be a number from 1 to 65535"))?,
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_read_from_a_url_or_the_url_is_refused() {
        let cases = [
            ("http://api.example/v1?q=1", Ok("api.example:80")),
            ("https://api.example", Ok("api.example:443")),
            ("https://api.example:8443/", Ok("api.example:8443")),
            ("http://[::1]:81/", Ok("[::1]:81")),
            ("http://[::1]/", Ok("[::1]:80")),
            ("ftp://api.example/", Err("http:// or https://")),
            ("/v1/chat", Err("http:// or https://")),
            ("http://user:pw@api.example/", Err("user name")),
            ("http://api.example:0/", Err("1 to 65535")),
            ("http://api.example:70000/", Err("1 to 65535")),
        ];
        for (url, expected) in cases {
            let Ok(uri) = url.parse::<Uri>() else {
                assert!(expected.is_err(), "{url} should parse");
                continue;
            };
            match (Endpoint::of(&uri), expected) {
                (Ok(endpoint), Ok(text)) => assert_eq!(endpoint.to_string(), text, "{url}"),
                (Err(error), Err(part)) => {
                    assert_eq!(error.kind, SendErrorKind::InvalidRequest, "{url}");
                    assert!(error.detail.contains(part), "{url}: {error}");
                    assert!(!error.detail.contains("pw"), "{url}: {error}");
                }
                (got, _) => panic!("{url}: {got:?}"),
            }
        }
    }
}
