//! An upstream that breaks HTTP, or the dialect, in one chosen way, with hand-written bytes where a library would not
//! let one be wrong.
//!
//! The fault is named by the path, `/fault/<name>[:argument]/..`, or else by the model, `fault:<name>[:argument]`; see
//! [`Fault`] for the names. A path that ends in `/messages` gets Anthropic's forms, any other OpenAI's. A request that
//! names no fault is answered properly; an unknown name gets 400 and the list.
//!
//! The answer underneath is always the story's text. Its stream has 11 events in OpenAI's form (the role, eight words,
//! the finish, `[DONE]`), and 14 in Anthropic's (two that open, a `ping`, eight words, three that close).
//!
//! Faults of connecting need no upstream: [`refused_port`](crate::refused_port), [`INVALID_HOST`](crate::INVALID_HOST),
//! a [`Server`](crate::Server) with a flawed [`Identity`](crate::tls::Identity), or any plain server spoken to with TLS.

mod body;
mod date;
mod fault;
mod perform;
#[cfg(test)]
mod tests;
mod wire;

pub use fault::Fault;

use crate::log::Log;
use crate::seen::Seen;
use crate::traffic::Traffic;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

/// A running upstream; dropping it closes the port and every connection.
#[derive(Debug)]
pub struct Faults {
    address: SocketAddr,
    log: Arc<Log>,
    accepting: AbortHandle,
}

impl Faults {
    /// Listens on an unused port of 127.0.0.1.
    pub async fn start() -> Self {
        Self::listen(0).await
    }

    /// Listens on `port`, 0 for any.
    pub async fn listen(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let log = Arc::new(Log::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&log))).abort_handle();
        Self { address, log, accepting }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL under which every request meets `fault`.
    pub fn url_of(&self, fault: Fault) -> String {
        format!("http://{}/fault/{fault}", self.address)
    }

    pub fn traffic(&self) -> &Traffic {
        &self.log.traffic
    }

    /// What it was asked, oldest first. A body that the fault left unread is empty.
    pub fn requests(&self) -> Vec<Seen> {
        self.log.requests()
    }

    pub fn reset(&self) {
        self.log.reset();
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, log: Arc<Log>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        while connections.try_join_next().is_some() {}
        let open = log.traffic.connection();
        let log = Arc::clone(&log);
        connections.spawn(async move {
            // A connection that ends in an error is what this is about; the counts tell it.
            let _ = perform::converse(stream, &log).await;
            drop(open);
        });
    }
}
