//! A tunnel through an http proxy: `CONNECT host:port`, then whatever the two ends speak.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::dial::Endpoint;
use crate::error::{SendError, SendErrorKind};
use crate::proxy::Proxy;
use crate::wire::Wire;

/// The proxy's answer to CONNECT is a status and a few headers; more is refused.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// Asks `proxy`, at the other end of `wire`, for a tunnel to `to`. On success the next byte is from `to`.
pub(crate) async fn open(wire: &mut Wire, proxy: &Proxy, to: &Endpoint) -> Result<(), SendError> {
    let broken = |what: &str| {
        let detail = format!("the outbound proxy {what} when asked for a tunnel to {to}");
        SendError::new(SendErrorKind::Proxy, detail)
    };
    let lost = |_: std::io::Error| broken("dropped the connection");

    wire.write_all(&ask(proxy, to)).await.map_err(lost)?;
    wire.flush().await.map_err(lost)?;
    let mut head = Vec::with_capacity(256);
    let end = loop {
        if let Some(end) = find_end(&head) {
            break end;
        }
        if head.len() >= MAX_HEAD_BYTES {
            return Err(broken("answered with too large a head"));
        }
        if wire.read_buf(&mut head).await.map_err(lost)? == 0 {
            return Err(broken("closed the connection"));
        }
    };
    match status(&head) {
        // Behind a tunnel it is the client that speaks first, so bytes after the head are nobody's.
        Some(200..=299) if head.len() == end => Ok(()),
        Some(200..=299) => Err(broken("sent bytes of its own")),
        Some(status) => Err(broken(&format!("answered {status}"))),
        None => Err(broken("answered what is not HTTP")),
    }
}

fn ask(proxy: &Proxy, to: &Endpoint) -> Vec<u8> {
    let mut ask = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
    if let Some(credentials) = &proxy.authorization {
        ask.extend_from_slice(b"Proxy-Authorization: ");
        ask.extend_from_slice(credentials.as_bytes());
        ask.extend_from_slice(b"\r\n");
    }
    ask.extend_from_slice(b"\r\n");
    ask
}

/// The length of the head, once it is whole.
fn find_end(head: &[u8]) -> Option<usize> {
    head.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let rest = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "))?;
    let digits = rest.split(|byte| *byte == b' ').next()?;
    match digits {
        [b'1'..=b'5', _, _] => std::str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_or_the_answer_is_not_http() {
        let cases: [(&[u8], Option<u16>); 8] = [
            (b"HTTP/1.1 200 Connection established\r\n\r\n", Some(200)),
            (b"HTTP/1.0 407 Auth\r\n\r\n", Some(407)),
            (b"HTTP/1.1 200\r\n\r\n", Some(200)),
            (b"HTTP/2 200 OK\r\n\r\n", None),
            (b"HTTP/1.1 2000 OK\r\n\r\n", None),
            (b"HTTP/1.1 2x0 OK\r\n\r\n", None),
            (b"SSH-2.0-OpenSSH\r\n\r\n", None),
            (b"", None),
        ];
        for (head, expected) in cases {
            assert_eq!(status(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }
}
