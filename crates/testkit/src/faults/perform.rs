//! The life of one connection, and what each fault does to it.

use super::body::{Form, gzip};
use super::date::http_date_in;
use super::fault::Fault;
use super::wire::Wire;
use crate::log::{Control, Log};
use crate::seen::{Seen, decode};
use crate::traffic::InFlight;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Keep,
    Close,
    /// Closed once the client has closed, so that it can read the answer though it still sends.
    Linger,
    Reset,
}

pub(super) async fn converse(stream: TcpStream, log: &Log) -> io::Result<()> {
    let mut wire = Wire::new(stream);
    let mut served = 0;
    while let Some(mut request) = wire.head().await? {
        if let Some(control) = Control::of(request.method.as_str(), request.path()) {
            report(&mut wire, control, log).await?;
            continue;
        }
        let mut in_flight = log.traffic.request();
        let by_path = by_path(&request);
        if !matches!(by_path, Some(Ok(Fault::EarlyClose | Fault::EarlyAnswer))) {
            request.body = wire.body(&request).await?;
        }
        let chosen = by_path.or_else(|| by_model(&request)).unwrap_or(Ok(Fault::Fine));
        let form = Form::of(&request);
        log.note(request);
        let after = match chosen {
            Ok(Fault::Stale) if served > 0 => After::Close,
            Ok(fault) => Performance { wire: &mut wire, in_flight: &in_flight, form }.perform(fault).await?,
            Err(message) => {
                let body =
                    json!({"error": {"message": message, "type": "invalid_request_error"}}).to_string();
                Performance { wire: &mut wire, in_flight: &in_flight, form }
                    .whole(400, &[], body.as_bytes())
                    .await?
            }
        };
        in_flight.finish();
        served += 1;
        match after {
            After::Keep => {}
            After::Close => {
                wire.close().await;
                return Ok(());
            }
            After::Linger => {
                wire.linger().await;
                return Ok(());
            }
            After::Reset => {
                wire.reset();
                return Ok(());
            }
        }
    }
    Ok(())
}

fn by_path(request: &Seen) -> Option<Result<Fault, String>> {
    let name = request.path().strip_prefix("/fault/")?.split('/').next()?;
    Some(decode(name).parse())
}

fn by_model(request: &Seen) -> Option<Result<Fault, String>> {
    Some(request.json()["model"].as_str()?.strip_prefix("fault:")?.parse())
}

async fn report(wire: &mut Wire, control: Control, log: &Log) -> io::Result<()> {
    let (status, body) = match control {
        Control::Report => (200, log.report(&BTreeMap::new()).to_string()),
        Control::Reset => {
            log.reset();
            (204, String::new())
        }
    };
    // Counted apart, and forgotten.
    let in_flight = crate::Traffic::default().request();
    let form = Form { anthropic: false, stream: false };
    Performance { wire, in_flight: &in_flight, form }.whole(status, &[], body.as_bytes()).await?;
    Ok(())
}

/// One answer in the making.
struct Performance<'a> {
    wire: &'a mut Wire,
    in_flight: &'a InFlight,
    form: Form,
}

impl Performance<'_> {
    async fn perform(mut self, fault: Fault) -> io::Result<After> {
        match fault {
            Fault::Status(status) => self.error(status, &[]).await,
            Fault::RetryAfter(s) => self.error(429, &[("retry-after", s.to_string())]).await,
            Fault::RetryAfterMs(ms) => self.error(429, &[("retry-after-ms", ms.to_string())]).await,
            Fault::RetryAfterDate(s) => self.error(429, &[("retry-after", http_date_in(s))]).await,
            Fault::EarlyAnswer => {
                self.error(413, &[("connection", "close".to_owned())]).await?;
                Ok(After::Linger)
            }
            Fault::Reset => Ok(After::Reset),
            Fault::Close | Fault::EarlyClose => Ok(After::Close),
            Fault::Stall => self.stall().await,
            Fault::ResetAfterHead | Fault::StallAfterHead => {
                let head = self.head(&[], &self.form.pieces());
                self.write(head.as_bytes()).await?;
                if fault == Fault::StallAfterHead { self.stall().await } else { Ok(After::Reset) }
            }
            Fault::ResetMid(n) | Fault::CloseMid(n) | Fault::StallMid(n) => self.part(fault, n).await,
            Fault::EndMid(n) => {
                let mut pieces = self.form.pieces();
                pieces.truncate(if self.form.stream { n } else { 0 });
                self.body(&[], &pieces).await
            }
            Fault::Drip(ms) => self.byte_by_byte(Duration::from_millis(ms)).await,
            Fault::Split => self.byte_by_byte(Duration::ZERO).await,
            Fault::ShortBody => self.undelimited("content-length", 10).await,
            Fault::UntilClose => self.undelimited("connection", 0).await,
            Fault::Informational => {
                self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                self.write(b"HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n").await?;
                self.body(&[], &self.form.pieces()).await
            }
            Fault::Html => {
                let page = b"<!doctype html><title>fault</title><h1>Welcome</h1>";
                self.whole(200, &[("content-type", "text/html".to_owned())], page).await
            }
            Fault::JsonForStream => {
                self.form.stream = false;
                self.body(&[], &self.form.pieces()).await
            }
            Fault::Gzip => {
                self.body(&[("content-encoding", "gzip".to_owned())], &gzip(&self.form.pieces())).await
            }
            Fault::Trailers => self.trailers().await,
            Fault::Endless => self.endless().await,
            Fault::Fine
            | Fault::Stale
            | Fault::InvalidJson
            | Fault::InvalidUtf8
            | Fault::Crlf
            | Fault::Cr
            | Fault::Huge(_)
            | Fault::ErrorFirst
            | Fault::ErrorMid(_) => self.body(&[], &self.form.damaged(fault)).await,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write(bytes, self.in_flight).await
    }

    /// Waits for the client to leave, which is the only end.
    async fn stall(&mut self) -> io::Result<After> {
        self.wire.stall().await;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    async fn error(&mut self, status: u16, headers: &[(&str, String)]) -> io::Result<After> {
        self.whole(status, headers, &self.form.error(status)).await
    }

    /// An answer with a length; its content type is JSON unless `headers` say otherwise.
    async fn whole(&mut self, status: u16, headers: &[(&str, String)], body: &[u8]) -> io::Result<After> {
        let mut head = format!("HTTP/1.1 {status} Fault\r\n");
        if !headers.iter().any(|(name, _)| *name == "content-type") && !body.is_empty() {
            head.push_str("content-type: application/json\r\n");
        }
        add(&mut head, headers);
        let has_body = !matches!(status, 204 | 304);
        if has_body {
            let _ = write!(head, "content-length: {}\r\n", body.len());
        }
        head.push_str("\r\n");
        self.write(head.as_bytes()).await?;
        if has_body {
            self.write(body).await?;
        }
        Ok(After::Keep)
    }

    /// The head of a proper answer with these pieces.
    fn head(&self, headers: &[(&str, String)], pieces: &[Vec<u8>]) -> String {
        let mut head = format!("HTTP/1.1 200 OK\r\ncontent-type: {}\r\n", self.form.content_type());
        add(&mut head, headers);
        if self.form.stream {
            head.push_str("transfer-encoding: chunked\r\n\r\n");
        } else {
            let length: usize = pieces.iter().map(Vec::len).sum();
            let _ = write!(head, "content-length: {length}\r\n\r\n");
        }
        head
    }

    /// A piece as it goes over the wire.
    fn framed(&self, piece: &[u8]) -> Vec<u8> {
        if self.form.stream { chunk(piece) } else { piece.to_vec() }
    }

    fn end(&self) -> &'static [u8] {
        if self.form.stream { b"0\r\n\r\n" } else { b"" }
    }

    /// A proper answer.
    async fn body(&mut self, headers: &[(&str, String)], pieces: &[Vec<u8>]) -> io::Result<After> {
        self.write(self.head(headers, pieces).as_bytes()).await?;
        for piece in pieces {
            self.write(&self.framed(piece)).await?;
        }
        self.write(self.end()).await?;
        Ok(After::Keep)
    }

    /// The head and `n` events, or half of the document, and then what the fault says.
    async fn part(&mut self, fault: Fault, n: usize) -> io::Result<After> {
        let mut pieces = self.form.pieces();
        self.write(self.head(&[], &pieces).as_bytes()).await?;
        pieces.truncate(if self.form.stream { n } else { 1 });
        if let (false, Some(document)) = (self.form.stream, pieces.first_mut()) {
            document.truncate(document.len() / 2);
        }
        for piece in &pieces {
            self.write(&self.framed(piece)).await?;
        }
        match fault {
            Fault::StallMid(_) => self.stall().await,
            Fault::ResetMid(_) => Ok(After::Reset),
            _ => Ok(After::Close),
        }
    }

    async fn byte_by_byte(&mut self, pause: Duration) -> io::Result<After> {
        let pieces = self.form.pieces();
        let mut bytes = self.head(&[], &pieces).into_bytes();
        bytes.extend(pieces.iter().flat_map(|piece| self.framed(piece)));
        bytes.extend_from_slice(self.end());
        self.wire.write_each(&bytes, pause, self.in_flight).await?;
        Ok(After::Keep)
    }

    /// The plain body and then the end of the connection, after a head that promises `missing` more bytes
    /// (`content-length`) or nothing (`connection: close`).
    async fn undelimited(&mut self, header: &str, missing: usize) -> io::Result<After> {
        let body = self.form.pieces().concat();
        let value = if missing == 0 { "close".to_owned() } else { (body.len() + missing).to_string() };
        let content_type = self.form.content_type();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n{header}: {value}\r\n\r\n");
        self.write(head.as_bytes()).await?;
        self.write(&body).await?;
        Ok(After::Close)
    }

    async fn trailers(&mut self) -> io::Result<After> {
        let mut head = format!("HTTP/1.1 200 OK\r\ncontent-type: {}\r\n", self.form.content_type());
        head.push_str("trailer: x-trailer\r\ntransfer-encoding: chunked\r\n\r\n");
        self.write(head.as_bytes()).await?;
        for piece in self.form.pieces() {
            self.write(&chunk(&piece)).await?;
        }
        self.write(b"0\r\nx-trailer: 1\r\n\r\n").await?;
        Ok(After::Keep)
    }

    /// The event with the first word over and over, until the client leaves.
    async fn endless(&mut self) -> io::Result<After> {
        self.form.stream = true;
        let pieces = self.form.pieces();
        self.write(self.head(&[], &pieces).as_bytes()).await?;
        let opening = if self.form.anthropic { 3 } else { 1 };
        for piece in &pieces[..opening] {
            self.write(&chunk(piece)).await?;
        }
        let again = chunk(&pieces[opening]);
        loop {
            self.write(&again).await?;
        }
    }
}

fn add(head: &mut String, headers: &[(&str, String)]) {
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
}

fn chunk(piece: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
