//! From a host and a port to a TCP connection: resolve once, judge every address, connect to those very addresses.
//!
//! Nothing is resolved again between judging and connecting, so an answer that changes (DNS rebinding) changes nothing.
//! One address the policy forbids refuses the whole name: a name that mixes public and inner addresses is hostile or
//! misconfigured. Addresses are tried in the resolver's order, each with an even share of the time left.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::address::AddressPolicy;
use crate::error::{SendError, SendErrorKind};

/// The pending answer of a [`Resolve`].
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Names to addresses, in order of preference.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, a name without brackets or port. None, and an error, both mean that it cannot be reached.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

/// Whether the addresses of a host have to be judged.
#[derive(Clone, Copy)]
pub(crate) enum Trust<'a> {
    /// A host the request names.
    Judged(&'a AddressPolicy),
    /// A host the operator set: the proxy.
    Settings,
}

/// Where to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Without brackets.
    pub(crate) host: Box<str>,
    pub(crate) port: u16,
}

/// Makes the TCP connections of one client.
pub(crate) struct Dialer {
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) keepalive: Duration,
}

/// More addresses than this are not tried: a name may answer hundreds.
const MAX_ADDRESSES: usize = 8;

impl Dialer {
    /// Connects to `to` before `deadline`.
    pub(crate) async fn dial(
        &self,
        to: &Endpoint,
        trust: Trust<'_>,
        deadline: Instant,
    ) -> Result<TcpStream, SendError> {
        let addresses = self.addresses(to).await?;
        if let Trust::Judged(policy) = trust
            && !addresses.iter().all(|ip| policy.permits(&to.host, *ip))
        {
            return Err(blocked(&to.host));
        }
        let stream = connect_to_one_of(to, &addresses, deadline).await?;
        self.tune(&stream).map_err(|error| SendError::of_connect(&to.to_string(), &error))?;
        Ok(stream)
    }

    async fn addresses(&self, to: &Endpoint) -> Result<Vec<IpAddr>, SendError> {
        if let Ok(literal) = to.host.parse() {
            return Ok(vec![literal]);
        }
        let mut addresses = match self.resolver.resolve(&to.host).await {
            Ok(addresses) if !addresses.is_empty() => addresses,
            _ => {
                let detail = format!("the host name {} cannot be resolved", to.host);
                return Err(SendError::new(SendErrorKind::Dns, detail));
            }
        };
        addresses.truncate(MAX_ADDRESSES);
        Ok(addresses)
    }

    fn tune(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let probes = TcpKeepalive::new().with_time(self.keepalive).with_interval(self.keepalive);
        SockRef::from(stream).set_tcp_keepalive(&probes)
    }
}

/// The refusal of a host. It names only what the request named.
pub(crate) fn blocked(host: &str) -> SendError {
    let detail = format!("the address policy does not allow requests to {host}");
    SendError::new(SendErrorKind::Blocked, detail)
}

async fn connect_to_one_of(
    to: &Endpoint,
    addresses: &[IpAddr],
    deadline: Instant,
) -> Result<TcpStream, SendError> {
    let mut last = None;
    for (tried, ip) in addresses.iter().enumerate() {
        let now = Instant::now();
        let untried = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let until = now + deadline.saturating_duration_since(now) / untried;
        match timeout_at(until, TcpStream::connect(SocketAddr::new(*ip, to.port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Some(SendError::of_connect(&to.to_string(), &error)),
            Err(_) => last = Some(SendError::connect_timeout(&to.to_string())),
        }
    }
    Err(last.unwrap_or_else(|| SendError::connect_timeout(&to.to_string())))
}

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            let mut addresses: Vec<IpAddr> = Vec::new();
            for address in found {
                if !addresses.contains(&address.ip()) {
                    addresses.push(address.ip());
                }
            }
            Ok(addresses)
        })
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn dialer() -> Dialer {
        Dialer { resolver: Arc::new(SystemResolver), keepalive: Duration::from_secs(30) }
    }

    #[tokio::test]
    async fn a_connection_sends_at_once_and_is_probed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = Endpoint { host: "127.0.0.1".into(), port: listener.local_addr().unwrap().port() };
        let deadline = Instant::now() + Duration::from_secs(120);
        let stream = dialer().dial(&to, Trust::Settings, deadline).await.unwrap();
        assert!(stream.nodelay().unwrap());
        assert!(SockRef::from(&stream).keepalive().unwrap());
    }

    /// A listener whose queue is full drops what comes after, as a dead route does.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_that_hangs_has_only_its_share_of_the_time() {
        use socket2::{Domain, Socket, Type};

        let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        full.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
        full.listen(0).unwrap();
        let address = full.local_addr().unwrap().as_socket().unwrap();
        let _queued: Vec<_> = (0..4)
            .map(|_| {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                socket.set_nonblocking(true).unwrap();
                let _ = socket.connect(&address.into());
                socket
            })
            .collect();
        let listener = TcpListener::bind(("127.0.0.1", address.port())).await.unwrap();

        let to = Endpoint { host: "two.example".into(), port: address.port() };
        let deadline = Instant::now() + Duration::from_millis(400);
        let both = [address.ip(), listener.local_addr().unwrap().ip()];
        let stream = connect_to_one_of(&to, &both, deadline).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());

        let deadline = Instant::now() + Duration::from_millis(50);
        let error = connect_to_one_of(&to, &both[..1], deadline).await.unwrap_err();
        assert_eq!(error.kind, SendErrorKind::ConnectTimeout);
        assert_eq!(error.to_string(), format!("connecting to two.example:{} took too long", address.port()));
    }

    #[test]
    fn an_endpoint_reads_as_in_a_url() {
        let cases = [("api.example", "api.example:443"), ("10.0.0.1", "10.0.0.1:443"), ("::1", "[::1]:443")];
        for (host, text) in cases {
            assert_eq!(Endpoint { host: host.into(), port: 443 }.to_string(), text);
        }
    }
}
