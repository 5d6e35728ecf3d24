//! The admin API over HTTP: one request, one answer, and errors that say what the gateway said.

use std::fmt;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidegate_upstream::sign::{self, Scheme};
use tidegate_upstream::{AddressPolicy, Egress, EgressSettings, OutBody, ProxyEnv, SendErrorKind};
use tokio::time::timeout;

use crate::admin_key::AdminKey;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::refusal;

/// The variable with the gateway's address.
pub const URL_VARIABLE: &str = "TIDEGATE_URL";
const KEY_HEADER: HeaderName = HeaderName::from_static("x-portkey-api-key");
/// For a request and its whole answer.
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// A gateway and a key for it.
pub(crate) struct Client {
    egress: Egress,
    /// Without `/v1` and without a slash at the end.
    base: String,
    key: AdminKey,
}

/// What the API answered, unread.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Method and path, for messages.
    asked: String,
    text: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) fn new(context: &Context<'_>, url: Option<&str>, key: AdminKey) -> Result<Self, Failure> {
        let (url, source) = match (url, context.variable(URL_VARIABLE)) {
            (Some(url), _) => (url.to_owned(), "--url"),
            (None, Some(url)) => (url.to_owned(), URL_VARIABLE),
            (None, None) => (context.own_url(), "server.port"),
        };
        let base = base(&url).map_err(|problem| Failure::usage(format!("{source}: {problem}")))?;
        let is_here = [context.own_url().as_str(), "http://localhost", "http://127."]
            .iter()
            .any(|here| base.starts_with(here));
        let proxy = match is_here {
            true => ProxyEnv::default(),
            false => ProxyEnv::from_lookup(|name| context.env.get(name).cloned()),
        };
        let egress = Egress::new(EgressSettings {
            // Who types the address may reach it anyway.
            policy: AddressPolicy { allow_private: true, ..AddressPolicy::default() },
            proxy,
            extra_ca_pem: context.extra_ca_pem.clone(),
            connect_timeout: CONNECT_PATIENCE,
            ..EgressSettings::default()
        });
        let egress = egress.map_err(|error| Failure::failed(error.to_string()))?;
        Ok(Self { egress, base, key })
    }

    /// The gateway's address, as applications are told.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
        self.ask(Method::GET, &with_query(path, query), None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        self.ask(Method::POST, path, Some(json(body)?)).await
    }

    pub(crate) async fn put(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Result<Answer, Failure> {
        self.ask(Method::PUT, &with_query(path, query), Some(json(body)?)).await
    }

    pub(crate) async fn delete(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
        self.ask(Method::DELETE, &with_query(path, query), None).await
    }

    /// For the few that want a body.
    pub(crate) async fn delete_with(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        self.ask(Method::DELETE, path, Some(json(body)?)).await
    }

    /// Writes an answer while it comes in, however long it is.
    pub(crate) async fn download(&self, path: &str, to: &mut impl Write) -> Result<(), Failure> {
        let request = self.request(Method::GET, path, None)?;
        let late = |_| {
            let problem = format!("{} sent nothing for {} s", self.base, PATIENCE.as_secs());
            Failure::new(FailureKind::Unreachable, problem)
        };
        let answer = timeout(PATIENCE, self.egress.send(request, None)).await.map_err(late)?;
        let answer = answer.map_err(|error| self.unreachable(error.kind, &error.detail))?;
        let (head, mut body) = answer.into_parts();
        if !head.status.is_success() {
            let asked = "GET of the download";
            return Err(refusal::of(head.status, "", asked, &self.base, &self.key.source));
        }
        while let Some(frame) = timeout(PATIENCE, body.frame()).await.map_err(late)? {
            let frame = frame.map_err(|error| Failure::failed(format!("the download broke off: {error}")))?;
            let Ok(part) = frame.into_data() else { continue };
            to.write_all(&part).map_err(|error| Failure::failed(error.to_string()))?;
        }
        to.flush().map_err(|error| Failure::failed(error.to_string()))
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Answer, Failure> {
        let request = self.request(method.clone(), path, body)?;
        // Without the query, which is noise to people.
        let asked = format!("{method} /v1{}", path.split('?').next().unwrap_or(path));
        let exchange = self.exchange(request);
        let (status, text) = timeout(PATIENCE, exchange).await.unwrap_or_else(|_| {
            let problem = format!("{} did not answer {asked} within {} s", self.base, PATIENCE.as_secs());
            Err(Failure::new(FailureKind::Unreachable, problem))
        })?;
        if status.is_success() {
            return Ok(Answer { asked, text });
        }
        Err(refusal::of(status, &text, &asked, &self.base, &self.key.source))
    }

    fn request(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Request<OutBody>, Failure> {
        let uri: Uri = format!("{}/v1{path}", self.base)
            .parse()
            .map_err(|_| Failure::usage(format!("{path} cannot be part of an address")))?;
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("tidegate-cli/", env!("CARGO_PKG_VERSION")));
        if body.is_some() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let request = request
            .body(body.map_or_else(OutBody::empty, OutBody::full))
            .map_err(|error| Failure::failed(error.to_string()))?;
        let (mut parts, body) = request.into_parts();
        let scheme = Scheme::Header { name: KEY_HEADER, prefix: "".into() };
        sign::apply(&scheme, &self.key.key, &mut parts, None, || 0).map_err(|_| {
            let problem = format!("the key in {} has characters that no key has", self.key.source);
            Failure::new(FailureKind::Key, problem)
        })?;
        Ok(Request::from_parts(parts, body))
    }

    async fn exchange(&self, request: Request<OutBody>) -> Result<(StatusCode, String), Failure> {
        let answer = self
            .egress
            .send(request, None)
            .await
            .map_err(|error| self.unreachable(error.kind, &error.detail))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
        let body =
            body.map_err(|error| Failure::failed(format!("the answer of {} broke off: {error}", self.base)))?;
        let text = String::from_utf8(body.to_bytes().into())
            .map_err(|_| Failure::failed(format!("the answer of {} is not text", self.base)))?;
        Ok((head.status, text))
    }

    fn unreachable(&self, kind: SendErrorKind, detail: &str) -> Failure {
        let hint = match kind {
            SendErrorKind::ConnectRefused | SendErrorKind::ConnectTimeout | SendErrorKind::Dns => {
                "\nIs the gateway running? Start it with `tidegate serve`, or say where it is with --url or TIDEGATE_URL."
            }
            SendErrorKind::Tls => {
                "\nIs it https? A private certificate authority is named by egress.extra_ca_file."
            }
            _ => "",
        };
        Failure::new(FailureKind::Unreachable, format!("{}: {detail}{hint}", self.base))
    }
}

impl Answer {
    /// # Errors
    /// An answer of another shape: another program, or another version.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.text).map_err(|error| {
            Failure::failed(format!("the answer to {} has another shape than expected: {error}", self.asked))
        })
    }

    /// As the API wrote it, indented.
    pub(crate) fn pretty(&self) -> String {
        let value: Result<Value, _> = serde_json::from_str(&self.text);
        let indented = value.and_then(|value| serde_json::to_string_pretty(&value));
        indented.unwrap_or_else(|_| self.text.clone())
    }
}

fn json(body: &impl Serialize) -> Result<Bytes, Failure> {
    serde_json::to_vec(body).map(Bytes::from).map_err(|error| Failure::failed(error.to_string()))
}

/// `http://127.0.0.1:8787` from any of the addresses that people know: with a slash at the end, or `/v1`.
fn base(url: &str) -> Result<String, String> {
    let text = url.trim().trim_end_matches('/');
    let text = text.strip_suffix("/v1").unwrap_or(text);
    let form = "write http://host:port or https://host";
    let uri: Uri = text.parse().map_err(|_| format!("`{text}` is no address; {form}"))?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    match uri.authority() {
        Some(authority) if is_web && uri.query().is_none() && !authority.as_str().contains('@') => {
            Ok(text.to_owned())
        }
        _ => Err(format!("this is no address of a gateway; {form}")),
    }
}

fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut text = path.to_owned();
    for (i, (name, value)) in query.iter().enumerate() {
        text.push(if i == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.push_str(&segment(value));
    }
    text
}

/// Text as one segment of a path, or one value of a query.
pub(crate) fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_in_the_forms_that_people_know() {
        for url in ["http://a:1", "http://a:1/", "http://a:1/v1", " http://a:1/v1/ "] {
            assert_eq!(base(url).unwrap(), "http://a:1");
        }
        assert_eq!(base("https://gate.example/llm/v1").unwrap(), "https://gate.example/llm");
        for url in ["", "a:1", "ftp://a", "http://", "http://user:secret@a", "http://a?b"] {
            let error = base(url).unwrap_err();
            assert!(error.contains("http://host:port") && !error.contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn names_are_one_segment() {
        assert_eq!(segment("a/b c?é"), "a%2Fb%20c%3F%C3%A9");
        assert_eq!(with_query("/x", &[("a", "1&2"), ("b", "")]), "/x?a=1%262&b=");
    }
}
