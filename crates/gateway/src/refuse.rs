//! The one place where the gateway's own "no" becomes bytes.
//!
//! The body satisfies three kinds of readers at once: the reference's clients (`status`, `message`), OpenAI's SDKs
//! (`error.message`, `error.type`, `error.param`, `error.code`) and, on Anthropic's routes, Anthropic's SDKs
//! (`type`, `error.type`).

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;
use tidegate_core::{ApiError, ErrorKind, Fault};
use tidegate_dialect::ClientDialect;
use tidegate_http1::server::Bad;

use crate::body::ClientBody;
use crate::headers;
use crate::record::Record;
use crate::state::Gateway;

/// An early end of the path: nothing (more) was sent to a provider.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub error: ApiError,
    /// Metric label.
    pub reason: &'static str,
    /// The reference's sentence for this case, when `error.message` says more than it.
    pub reference_message: Option<&'static str>,
    /// The reference's list of schema errors.
    pub errors: Vec<String>,
    /// A failure inside a target, which also ends a fallback chain: marked by a header, as in the reference.
    pub exception: bool,
    /// It is about one target: another may be tried.
    pub target: bool,
    /// Headers that say more.
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub fn new(reason: &'static str, error: ApiError) -> Self {
        Self {
            error,
            reason,
            reference_message: None,
            errors: Vec::new(),
            exception: false,
            target: false,
            headers: Vec::new(),
        }
    }

    pub fn bad_request(reason: &'static str, param: &str, message: impl Into<String>) -> Self {
        Self::new(reason, ApiError::bad_request(param, message))
    }

    pub fn with_status(
        reason: &'static str,
        kind: ErrorKind,
        status: u16,
        message: impl Into<String>,
    ) -> Self {
        let fault = if status >= 500 { Fault::Gateway } else { Fault::Caller };
        Self::new(reason, ApiError::new(kind, fault, status, message))
    }

    /// A failure inside a target that no other target would mend (an endpoint the provider lacks, a missing option).
    pub fn exception(status: u16, message: impl Into<String>) -> Self {
        let kind = if status >= 500 { ErrorKind::Internal } else { ErrorKind::BadRequest };
        Self { exception: true, ..Self::with_status("target", kind, status, message) }
    }

    /// Another target may do better.
    #[must_use]
    pub fn of_target(mut self) -> Self {
        self.target = true;
        self
    }

    #[must_use]
    pub fn saying(mut self, reference: &'static str) -> Self {
        self.reference_message = Some(reference);
        self
    }
}

/// What a path that leads nowhere is told, in the reference's words.
pub fn not_found(record: Box<Record>) -> Response<ClientBody> {
    let refusal = Refusal::with_status("not_found", ErrorKind::NotFound, 404, "Not Found");
    respond(&refusal, &tidegate_dialect::openai_chat::OpenAi, record)
}

/// What a client is told whose request could not even be read.
pub fn unreadable(gateway: &Gateway, bad: Bad) -> Response<ClientBody> {
    let (reason, status, message) = match bad {
        Bad::Malformed => ("malformed", StatusCode::BAD_REQUEST, "the request is not well-formed HTTP/1.1"),
        Bad::TooLarge => (
            "head_too_large",
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "the request's headers are larger than `limits.max_header_bytes` allows, or too many",
        ),
        Bad::Version => (
            "http_version",
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "only HTTP/1.1 and HTTP/1.0 are spoken here",
        ),
    };
    gateway.metrics.refusal(reason);
    let error =
        ApiError::new(ErrorKind::BadRequest, Fault::Caller, status.as_u16(), message).with_code(reason);
    bare(&error)
}

/// An error without a record, for what is no request of the data plane.
pub fn bare(error: &ApiError) -> Response<ClientBody> {
    let body = tidegate_dialect::openai_chat::OpenAi.encode_error(error, None);
    let mut response = Response::new(ClientBody::full(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub fn respond(
    refusal: &Refusal,
    client: &dyn ClientDialect,
    mut record: Box<Record>,
) -> Response<ClientBody> {
    let mut body = client.encode_error(&refusal.error, None);
    if let Value::Object(members) = &mut body {
        if refusal.reason == "not_found" {
            members.insert("ok".into(), Value::Bool(false));
        }
        if let Some(message) = refusal.reference_message {
            members.insert("message".into(), message.into());
        }
        if !refusal.errors.is_empty() {
            members.insert("errors".into(), refusal.errors.clone().into());
        }
    }
    let status = StatusCode::from_u16(client.error_status(&refusal.error))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    record.status = status.as_u16();
    record.detail = Some(format!("{}: {}", refusal.reason, refusal.error.message).into());
    record.refused(refusal.reason);
    let standing = record.account.as_ref().map(|account| account.standing()).unwrap_or_default();
    let mut response = Response::new(ClientBody::recorded(body.to_string(), record));
    *response.status_mut() = status;
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // What the gateway refuses it would refuse again; clients that ask are told so.
    let retry = matches!(refusal.error.kind, ErrorKind::RateLimit | ErrorKind::Overloaded);
    out.insert(headers::SHOULD_RETRY, HeaderValue::from_static(if retry { "true" } else { "false" }));
    if refusal.exception || refusal.target {
        out.insert(headers::EXCEPTION, HeaderValue::from_static("true"));
    }
    // What the refusal says of a limit is the last word on it.
    for (name, value) in standing.headers().iter().chain(&refusal.headers) {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(*name, value);
        }
    }
    response
}
