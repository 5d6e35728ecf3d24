//! Where requests go and what they hold: everything that is the same for all requests of a run.

use std::error::Error;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tidegate_bench::args::Args;
use tokio::net::TcpStream;

pub(crate) struct Target {
    address: String,
    path: Uri,
    headers: HeaderMap,
    body: Bytes,
    /// What a right answer holds.
    pub(crate) marks: usize,
    pub(crate) tail: String,
}

impl Target {
    pub(crate) fn new(args: &Args) -> Result<Self, Box<dyn Error>> {
        let address: String = args.get("to")?;
        let mut headers = HeaderMap::new();
        headers.insert(HOST, address.parse()?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for header in args.all("header") {
            let (name, value) = header.split_once(':').ok_or("--header takes name:value")?;
            headers.insert(name.parse::<HeaderName>()?, value.trim().parse()?);
        }
        Ok(Self {
            path: args.get("path")?,
            headers,
            body: padded(&args.get::<String>("body")?, args.get_or("pad", 0)?),
            marks: args.get_or("marks", 1)?,
            tail: args.get_or("tail", "}".to_owned())?,
            address,
        })
    }

    /// A connection of its own, with TCP_NODELAY.
    pub(crate) async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Box<dyn Error>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // How it ended shows in the answer that did not come.
            let _ended = connection.await;
        });
        Ok(sender)
    }

    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        request.uri_mut().clone_from(&self.path);
        request.headers_mut().clone_from(&self.headers);
        request
    }
}

/// `body` with `PAD` replaced so that the whole has `size` bytes; as it is when it is longer already.
fn padded(body: &str, size: usize) -> Bytes {
    let room = (size + "PAD".len()).saturating_sub(body.len());
    // Looks like base64, as the images do that make bodies large.
    let pad: String = "iVBORw0KGgoAAAANSUhEUgAA/+".chars().cycle().take(room).collect();
    Bytes::from(body.replacen("PAD", &pad, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_get_the_asked_size() {
        assert_eq!(padded("[\"PAD\"]", 100).len(), 100);
        assert_eq!(padded("[\"PAD\"]", 0), "[\"\"]");
        assert_eq!(padded("{}", 100), "{}");
    }
}
