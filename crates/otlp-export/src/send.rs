//! One request to the collector.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use prost::Message as _;
use tidegate_core::{FieldError, Secret};
use tidegate_otlp::message::ExportTraceServiceRequest;
use tidegate_upstream::{Egress, OutBody, SendErrorKind};
use tokio::time::timeout;

use crate::options::Options;

/// What the collector said. The texts show no secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Taken,
    /// It would be no different again.
    Refused(String),
    Later {
        why: String,
        after: Option<Duration>,
    },
}

pub(crate) struct Sender {
    url: Uri,
    headers: HeaderMap,
    egress: Egress,
    timeout: Duration,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sender({})", self.url)
    }
}

impl Sender {
    pub(crate) fn new(options: &Options, egress: Egress) -> Result<Self, FieldError> {
        let base = options.endpoint.trim_end_matches('/');
        let url = if base.ends_with("/v1/traces") { base.to_owned() } else { format!("{base}/v1/traces") };
        let wrong =
            || FieldError::new("otlp.endpoint", "is no address of the web", "such as http://localhost:4318");
        let url: Uri = url.parse().map_err(|_| wrong())?;
        let is_web = matches!(url.scheme_str(), Some("http" | "https"));
        let plain = url.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if !is_web || !plain || url.host().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        let headers = options.headers.as_ref().map(headers).transpose()?.unwrap_or_default();
        Ok(Self { url, headers, egress, timeout: options.timeout })
    }

    pub(crate) async fn send(&self, spans: &ExportTraceServiceRequest) -> Sent {
        let request = match self.request(spans) {
            Ok(request) => request,
            Err(why) => return Sent::Refused(why),
        };
        let later = |why: String| Sent::Later { why, after: None };
        let answer = match timeout(self.timeout, self.egress.send(request, None)).await {
            Err(_) => return later(format!("no answer within {} ms", self.timeout.as_millis())),
            Ok(Err(error)) => {
                return match error.kind {
                    SendErrorKind::InvalidRequest | SendErrorKind::Blocked => Sent::Refused(error.detail),
                    _ => later(error.detail),
                };
            }
            Ok(Ok(answer)) => answer,
        };
        let status = answer.status();
        if status.is_success() {
            return Sent::Taken;
        }
        let why = format!("the collector answered {}", status.as_u16());
        // Those that the protocol says may be tried again.
        if !matches!(status.as_u16(), 429 | 502 | 503 | 504) {
            return Sent::Refused(why);
        }
        let after =
            answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Sent::Later { why, after: after.map(|seconds: u64| Duration::from_secs(seconds.min(60))) }
    }

    fn request(&self, spans: &ExportTraceServiceRequest) -> Result<Request<OutBody>, String> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        let body = packed.write_all(&spans.encode_to_vec()).and_then(|()| packed.finish());
        let body = body.map_err(|error| error.to_string())?;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.url.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(CONTENT_ENCODING, "gzip")
            .header(USER_AGENT, concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .body(OutBody::full(body.into()))
            .map_err(|error| error.to_string())?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }
}

/// `name=value,other=value`
fn headers(text: &Secret) -> Result<HeaderMap, FieldError> {
    // Not what was written: it is a credential.
    let wrong = || FieldError::new("otlp.headers", "is no list of headers", "name=value,other=value");
    let mut headers = HeaderMap::new();
    for pair in text.expose().split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        let name: HeaderName = name.trim().parse().map_err(|_| wrong())?;
        let mut value: HeaderValue =
            unescaped(value.trim()).ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// Percent escapes resolved.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        if *byte == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_as_the_environment_has_them() {
        let read = |text: &str| headers(&Secret::from(text));
        let all = read("authorization=Basic%20YTpi, x-team = red,").unwrap();
        assert_eq!(
            (all["authorization"].to_str().unwrap(), all["x-team"].to_str().unwrap()),
            ("Basic YTpi", "red")
        );
        assert!(all["authorization"].is_sensitive());
        for text in ["novalue", "a b=c", "a=%zz", "a=%e2%28%a1"] {
            assert!(!read(text).unwrap_err().to_string().contains(text), "{text}");
        }
    }
}
