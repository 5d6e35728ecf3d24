//! Bytes in and out of one connection: requests read by hand, answers written as slowly or brokenly as wanted.

use crate::seen::Seen;
use crate::traffic::InFlight;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest head that is read.
const MAX_HEAD: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    /// Read and not yet used.
    buffer: BytesMut,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        Self { stream, buffer: BytesMut::new() }
    }

    /// The next request without its body; `None` when the client is done.
    pub(super) async fn head(&mut self) -> io::Result<Option<Seen>> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if self.buffer.len() > MAX_HEAD || self.fill().await? == 0 {
                return Ok(None);
            }
        };
        let head = self.buffer.split_to(end + 4);
        Ok(Some(parse(&String::from_utf8_lossy(&head))?))
    }

    /// The body of `request`, by its length or in chunks.
    pub(super) async fn body(&mut self, request: &Seen) -> io::Result<Bytes> {
        if request.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            return self.chunks().await;
        }
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        self.take(length).await
    }

    pub(super) async fn write(&mut self, bytes: &[u8], in_flight: &InFlight) -> io::Result<()> {
        // In pieces, so that what is counted has really been taken by the socket.
        for piece in bytes.chunks(16 << 10) {
            self.stream.write_all(piece).await?;
            in_flight.wrote(piece.len());
        }
        Ok(())
    }

    /// One write for each byte, `pause` apart. Fails when the client leaves meanwhile.
    pub(super) async fn write_each(
        &mut self,
        bytes: &[u8],
        pause: Duration,
        in_flight: &InFlight,
    ) -> io::Result<()> {
        for byte in bytes.chunks(1) {
            self.write(byte, in_flight).await?;
            if pause.is_zero() {
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = gone(&mut self.stream, &mut self.buffer) => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        Ok(())
    }

    /// Writes nothing more, until the client leaves.
    pub(super) async fn stall(&mut self) {
        gone(&mut self.stream, &mut self.buffer).await;
    }

    /// Closes with a reset instead of an end.
    pub(super) fn reset(self) {
        let _ = self.stream.set_zero_linger();
    }

    /// Closes properly: the other side sees the end after everything written.
    pub(super) async fn close(mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Ends its own side, and reads on until the client ends the other.
    pub(super) async fn linger(mut self) {
        let _ = self.stream.shutdown().await;
        let mut ignored = [0; 4_096];
        while self.stream.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.buffer).await
    }

    async fn take(&mut self, length: usize) -> io::Result<Bytes> {
        while self.buffer.len() < length {
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line = self.buffer.split_to(at + 2);
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn chunks(&mut self) -> io::Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| io::Error::other("no chunk size"))?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(body.freeze());
            }
            body.extend_from_slice(&self.take(size).await?);
            self.line().await?;
        }
    }
}

/// Returns when the client has closed or reset the connection.
async fn gone(stream: &mut TcpStream, buffer: &mut BytesMut) {
    while stream.read_buf(buffer).await.is_ok_and(|read| read > 0) {}
}

fn parse(head: &str) -> io::Result<Seen> {
    let invalid = || io::Error::other("the head of the request is not HTTP");
    let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
    let mut words = lines.next().ok_or_else(invalid)?.split(' ');
    let (method, url) = (words.next().ok_or_else(invalid)?, words.next().ok_or_else(invalid)?);
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(invalid)?;
        let name = HeaderName::try_from(name).map_err(|_| invalid())?;
        headers.append(name, HeaderValue::try_from(value.trim()).map_err(|_| invalid())?);
    }
    let method = Method::try_from(method).map_err(|_| invalid())?;
    Ok(Seen { method, url: url.to_owned(), headers, body: Bytes::new() })
}
