//! Connections to the server of an address, in clear or not.

use std::fmt;
use std::sync::Arc;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisError};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tidegate_trust::{Asked, Check, Roots};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The address of a server, read.
pub(crate) struct Dial {
    client: Client,
    /// `None`: in clear.
    tls: Option<Encrypted>,
}

/// Where it is, and who is believed there.
struct Encrypted {
    host: String,
    port: u16,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl Dial {
    /// Connects to nothing.
    ///
    /// # Errors
    /// What is wrong with the address, without the address: it may hold a password.
    pub(crate) fn to(url: &str) -> Result<Self, String> {
        const KNOWN: &str = "verify-full, verify-ca or require";
        let Asked { address, mode, roots } = Asked::of(url);
        // What the library says may quote the address.
        let opened = |address: &str| {
            Client::open(address).map_err(|_| "is not a Redis address such as redis://host:6379/0".to_owned())
        };
        let Some(rest) = address.strip_prefix("rediss://") else {
            if mode.is_some() || roots.is_some() {
                return Err("has sslmode or sslrootcert and is in clear; write rediss://".to_owned());
            }
            return Ok(Self { client: opened(&address)?, tls: None });
        };
        let check = match (mode.as_deref(), &roots) {
            (None | Some("verify-full"), _) => Check::Full,
            (Some("verify-ca"), _) | (Some("require"), Some(_)) => Check::Issuer,
            (Some("require"), None) => Check::Nothing,
            (Some("disable" | "prefer"), _) => {
                return Err(format!("is encrypted by rediss://; its sslmode is one of {KNOWN}"));
            }
            (Some(_), _) => return Err(format!("has an sslmode that is not accepted; write {KNOWN}")),
        };
        // The library reads the rest. It would encrypt by itself, but believe other servers.
        let client = opened(&format!("redis://{rest}"))?;
        let ConnectionAddr::Tcp(host, port) = client.get_connection_info().addr().clone() else {
            return Err("has no host; write rediss://user:password@host:6379/0".to_owned());
        };
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| "has a host that no certificate can be made out to".to_owned())?;
        let config = tidegate_trust::config(check, roots.unwrap_or(Roots::System))
            .map_err(|error| error.to_string())?;
        Ok(Self { client, tls: Some(Encrypted { host, port, name, config }) })
    }

    /// How long that takes is the caller's to bound.
    pub(crate) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let Some(tls) = &self.tls else {
            return self.client.get_multiplexed_async_connection_with_config(&config).await;
        };
        let settings = self.client.get_connection_info().redis_settings();
        let (connection, carrier) =
            MultiplexedConnection::new_with_config(settings, tls.stream().await?, config).await?;
        // Ends with the last clone of the connection.
        tokio::spawn(carrier);
        Ok(connection)
    }

    /// A connection that hears what is published. How long that takes is the caller's to bound.
    pub(crate) async fn subscribe(&self) -> Result<PubSub, RedisError> {
        match &self.tls {
            None => self.client.get_async_pubsub().await,
            Some(tls) => {
                PubSub::new(self.client.get_connection_info().redis_settings(), tls.stream().await?).await
            }
        }
    }
}

impl Encrypted {
    async fn stream(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let socket = TcpStream::connect((self.host.trim_matches(['[', ']']), self.port)).await?;
        socket.set_nodelay(true)?;
        TlsConnector::from(Arc::clone(&self.config)).connect(self.name.clone(), socket).await
    }
}

impl fmt::Debug for Dial {
    /// Without the address: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dial({})", if self.tls.is_some() { "TLS" } else { "clear" })
    }
}
