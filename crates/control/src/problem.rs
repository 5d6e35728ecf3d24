//! What a request is told when it is not done.
//!
//! One body that every client of the admin API reads: the shapes that are documented, merged. Causes that are nobody
//! else's business (a database's words) go into the response's extensions as [`Cause`], for the log.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use tidegate_access::{Denied, Plane, Reason, Refusal};
use tidegate_core::FieldError;
use tidegate_store::StoreError;

/// Why a request failed, in words for the log of whoever runs the gateway. In the extensions of 5xx replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause(pub String);

/// An answer that is not a success. `Display` is what the caller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    message: Cow<'static, str>,
    /// The member, header or scope that it is about.
    param: Option<Cow<'static, str>>,
    missing_scope: bool,
    /// Seconds.
    retry_after: Option<u64>,
    /// Methods, for 405.
    allow: Option<String>,
    cause: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            message: message.into(),
            param: None,
            missing_scope: false,
            retry_after: None,
            allow: None,
            cause: None,
        }
    }

    /// 400: `field` is the member as the caller wrote it, `expected` what would be right.
    pub(crate) fn field(field: &str, problem: impl Into<String>, expected: impl Into<String>) -> Self {
        FieldError::new(field, problem, expected).into()
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} was not found"))
    }

    pub(crate) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 500, with a cause that only the log learns.
    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        let mut problem =
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the gateway failed; its log says why");
        problem.cause = Some(cause.into());
        problem
    }

    /// What only the log learns.
    #[must_use]
    pub(crate) fn because(mut self, cause: String) -> Self {
        self.cause = Some(cause);
        self
    }

    #[must_use]
    pub(crate) fn about(mut self, param: impl Into<Cow<'static, str>>) -> Self {
        self.param = Some(param.into());
        self
    }

    #[must_use]
    pub(crate) fn after_seconds(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    #[must_use]
    pub(crate) fn allowing(mut self, methods: String) -> Self {
        self.allow = Some(methods);
        self
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code of the reference's table of errors.
    fn code(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "AB05",
            403 => "AB03",
            404 => "AB08",
            409 => "AB07",
            429 => "AB06",
            500.. => "AB04",
            _ => "AB01",
        }
    }

    pub(crate) fn into_response(self) -> Response<Bytes> {
        let scope = self.param.as_deref().filter(|_| self.missing_scope);
        let body = tidegate_access::refusal::body_of(
            self.code(),
            &self.message,
            self.param.as_deref(),
            scope,
            Plane::Control,
        );
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow.and_then(|methods| HeaderValue::from_str(&methods).ok()) {
            response.headers_mut().insert(ALLOW, allow);
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        response
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut problem = Self::new(status, refusal.message);
        problem.param = refusal.param;
        problem.missing_scope = refusal.reason == Reason::MissingScope;
        problem
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Refusal::from(denied).into()
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        let message = error.to_string();
        Self::new(StatusCode::BAD_REQUEST, message).about(error.field)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, text),
            StoreError::Conflict { .. } | StoreError::Taken { .. } | StoreError::HasDependents { .. } => {
                Self::conflict(text)
            }
            StoreError::Invalid { field, .. } => Self::new(StatusCode::BAD_REQUEST, text).about(field),
            StoreError::Away { .. } => {
                let mut problem =
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; try again");
                problem.cause = Some(text);
                problem.after_seconds(1)
            }
            StoreError::ReadOnly { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, text),
            _ => Self::internal(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tidegate_store::Kind;

    use super::*;

    fn told(problem: Problem) -> (u16, Value, Option<Cause>) {
        let response = problem.into_response();
        let cause = response.extensions().get::<Cause>().cloned();
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap(), cause)
    }

    #[test]
    fn a_databases_words_are_for_the_log() {
        let away = StoreError::Away { reason: "10.0.0.7:5432 refused".to_owned() };
        let (status, body, cause) = told(away.into());
        assert_eq!((status, &body["errorCode"]), (503, &"AB04".into()));
        assert!(!body.to_string().contains("10.0.0.7"));
        assert!(cause.unwrap().0.contains("10.0.0.7"));
        let (status, body, _) = told(StoreError::Internal { reason: "row 5".to_owned() }.into());
        assert_eq!(status, 500);
        assert!(!body.to_string().contains("row 5"));
    }

    #[test]
    fn one_body_for_every_client() {
        let (status, body, cause) = told(Problem::field("name", "is missing", "text"));
        let message = "name: is missing; expected text";
        let want = serde_json::json!({
            "success": false, "message": message, "errorCode": "AB01",
            "error": {"message": message, "type": "client_error", "code": "AB01", "param": "name"},
            "data": {"message": message, "errorCode": "AB01"},
        });
        assert_eq!((status, body, cause), (400, want, None));
        let taken = StoreError::Taken { kind: Kind::Config, what: "pc-a".to_owned() };
        assert_eq!(told(taken.into()).0, 409);
    }
}
