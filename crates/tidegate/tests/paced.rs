//! Both ends of a raw connection, each step when the test says so: for what must be seen before something else is sent.

use std::future::Future;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::stage::PATIENCE;

/// An upstream that does nothing by itself.
pub struct Paced(TcpListener);

impl Paced {
    pub async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    pub async fn accept(&self) -> Wire {
        let (stream, _) = in_time("a connection", self.0.accept()).await.unwrap();
        Wire { stream, seen: Vec::new() }
    }
}

/// A connection, and all that came over it so far.
pub struct Wire {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Wire {
    pub async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, seen: Vec::new() }
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        in_time("room to write", self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// To somebody who may have closed meanwhile.
    pub async fn write_if_open(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = in_time("room to write", self.stream.write_all(bytes.as_ref())).await;
    }

    /// One chunk of a chunked body.
    pub async fn write_chunk(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.write(chunk).await;
    }

    /// Reads until `mark` has come, and returns everything that came since the connection opened.
    pub async fn read_until(&mut self, mark: &str) -> String {
        while !self.text().contains(mark) {
            let read = in_time(mark, self.stream.read_buf(&mut self.seen)).await.unwrap();
            assert!(read > 0, "closed before {mark:?}: {}", self.text());
        }
        self.text()
    }

    /// Reads a request's head and its JSON body.
    pub async fn read_request(&mut self) -> String {
        let text = self.read_until("\r\n\r\n").await;
        let head = text.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        while self.seen.len() < head.len() + 4 + length {
            let read = in_time("the body", self.stream.read_buf(&mut self.seen)).await.unwrap();
            assert!(read > 0, "closed within the body: {}", self.text());
        }
        self.text()
    }

    /// Reads until so many requests have come since the connection opened.
    pub async fn read_requests(&mut self, count: usize) {
        while self.text().matches("POST /").count() < count {
            let read = in_time("a request", self.stream.read_buf(&mut self.seen)).await.unwrap();
            assert!(read > 0, "closed before request {count}: {}", self.text());
        }
    }

    /// Reads to the end and returns everything.
    pub async fn read_to_end(&mut self) -> String {
        // A reset ends it just as well.
        let _ = in_time("the end", self.stream.read_to_end(&mut self.seen)).await;
        self.text()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}

async fn in_time<T>(what: &str, wait: impl Future<Output = T>) -> T {
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited in vain for {what:?}"))
}
