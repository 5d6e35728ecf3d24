//! Servers that say exactly the bytes they are told to, and clients to call them with.

use std::future::Future;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::{AddressPolicy, Egress, EgressSettings};

/// Settings that reach this machine.
pub(super) fn local_settings() -> EgressSettings {
    let policy = AddressPolicy { allow_private: true, ..Default::default() };
    EgressSettings { policy, ..Default::default() }
}

pub(super) fn local_client() -> Egress {
    Egress::new(local_settings()).unwrap()
}

/// Accepts for as long as the test runs, handing each connection to `serve` with its number.
pub(super) async fn listen<F, Served>(serve: F) -> SocketAddr
where
    F: Fn(usize, TcpStream) -> Served + Send + 'static,
    Served: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(number, stream));
        }
    });
    address
}

/// Reads a request's head, and its body as far as `content-length` says. `None` at the end of the connection.
pub(super) async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut body = vec![0; content_length(&head)];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, body))
}

/// Serves one answer after another, each to its own request, on every connection.
pub(super) async fn answering(answer: &'static str) -> SocketAddr {
    listen(move |_, mut stream| async move {
        while read_request(&mut stream).await.is_some() {
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await
}

fn content_length(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.map_or(0, |length| length.parse().unwrap())
}
