//! Addresses: one to listen on, and ones that cannot be reached.

use std::net::TcpListener;

/// A host name that no resolver knows (RFC 2606).
pub const INVALID_HOST: &str = "no-such-host.invalid";

/// A port of 127.0.0.1 that nothing listens on, to give to a process that is told where to listen.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port is free")
        .port()
}

/// The base URL of an upstream that refuses connections: its port was bound and is closed again.
pub fn refused_port() -> String {
    format!("http://127.0.0.1:{}", free_port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn nothing_listens_there() {
        let address = refused_port();
        assert!(TcpStream::connect(address.trim_start_matches("http://")).is_err());
    }
}
