//! Connections to PostgreSQL, for all who keep something there: where a server is, and how what is said to it is
//! protected on the way.
//!
//! [`Server`] is read from an address as PostgreSQL's own programs read it, `sslmode` and `sslrootcert` included. What is
//! asked on a connection is its user's.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod address;
mod connector;
mod stream;

use std::fmt;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio_postgres::{Client, Config, Connection, Error, Socket};

pub use address::BadAddress;
use connector::Connector;
pub use stream::Stream;

/// A server and a database on it. Never printed: it may hold a password.
#[derive(Clone)]
pub struct Server {
    config: Config,
    /// `None`: in clear.
    tls: Option<Arc<ClientConfig>>,
}

/// What carries the messages of a [`Client`]: to be driven by a task of its own.
pub type Carrier = Connection<Socket, Stream>;

impl Server {
    /// How long that takes is the caller's to bound.
    ///
    /// # Errors
    /// A server that is away, that lets nobody in with these credentials, or that cannot be trusted.
    pub async fn connect(&self) -> Result<(Client, Carrier), Error> {
        self.config.connect(Connector(self.tls.clone())).await
    }

    pub fn database(&self) -> Option<&str> {
        self.config.get_dbname()
    }
}

/// In clear, whatever it says of encryption.
impl From<Config> for Server {
    fn from(mut config: Config) -> Self {
        config.ssl_mode(tokio_postgres::config::SslMode::Disable);
        Self { config, tls: None }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Server({}, {})",
            self.database().unwrap_or("?"),
            if self.tls.is_some() { "TLS" } else { "clear" }
        )
    }
}
