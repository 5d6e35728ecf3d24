//! A refusal: what is told to the caller, and what only the record and the audit log learn.
//!
//! The body of the admin API is the one that all its clients read: several documented shapes in one object. To somebody
//! whose key is unknown, revoked, expired or rotated away the words are the same, so that a key can be tried without
//! learning anything; [`Refusal::reason`] keeps them apart inside. Nothing of a presented key is in either.

use std::borrow::Cow;

use serde_json::{Value, json};
use tidegate_core::{ApiError, ErrorKind, Fault};

/// Why, for logs, metrics and the audit log: a closed set of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    NoKey,
    /// Begins as one of the gateway's own keys and is none.
    BrokenKey,
    UnknownKey,
    RevokedKey,
    ExpiredKey,
    /// The secret before the last rotation, after its overlap.
    RotatedKey,
    /// Two different keys in one request.
    TwoKeys,
    /// A credential header that is not visible ASCII, or is too long.
    UnreadableKey,
    BadToken,
    MissingScope,
    /// A key of a workspace that was archived.
    ArchivedWorkspace,
    /// A workspace key named another workspace.
    OtherWorkspace,
    /// A key of the whole organisation named none where one is needed.
    NoWorkspace,
    /// Not there, or not the caller's to know.
    NotFound,
    /// A scope that does not exist, or that a key of this kind cannot hold.
    BadScope,
    /// The path is not one that a route is looked up by.
    BadPath,
}

/// Where the body goes: clients of the data plane also read `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    Control,
    Data,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    pub message: Cow<'static, str>,
    /// The header, member or scope that it is about.
    pub param: Option<Cow<'static, str>>,
}

/// The words of the reference for everything that a scope, a role, a switch or a kind of key does not allow.
pub const NOT_PERMITTED: &str = "You do not have enough permissions to execute this request";
const UNAUTHORISED: &str = "Unauthorized: the API key is not valid";

impl Refusal {
    /// With the message that the reason has by itself.
    pub fn new(reason: Reason) -> Self {
        let message = match reason {
            Reason::NoKey => {
                "Unauthorized: send an API key as x-portkey-api-key, x-tidegate-api-key or Authorization: Bearer"
            }
            Reason::BrokenKey => {
                "Unauthorized: this is not a complete API key; it was mistyped or cut when it was copied"
            }
            Reason::UnknownKey
            | Reason::RevokedKey
            | Reason::ExpiredKey
            | Reason::RotatedKey
            | Reason::BadToken => UNAUTHORISED,
            Reason::ArchivedWorkspace => "The workspace of this API key is archived",
            Reason::TwoKeys => "two different API keys were sent",
            Reason::UnreadableKey => "the credential is not readable text",
            Reason::MissingScope | Reason::OtherWorkspace => NOT_PERMITTED,
            Reason::NoWorkspace => "workspace_id is required with a key of the whole organisation",
            Reason::NotFound => "Not found",
            Reason::BadScope => "unknown scope",
            Reason::BadPath => "the path holds `.`, `..`, a backslash or a control character as a segment",
        };
        Self { reason, message: Cow::Borrowed(message), param: None }
    }

    #[must_use]
    pub fn about(mut self, param: impl Into<Cow<'static, str>>) -> Self {
        self.param = Some(param.into());
        self
    }

    #[must_use]
    pub fn saying(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    pub fn status(&self) -> u16 {
        match self.reason {
            Reason::NoKey
            | Reason::BrokenKey
            | Reason::UnknownKey
            | Reason::RevokedKey
            | Reason::ExpiredKey
            | Reason::RotatedKey
            | Reason::BadToken => 401,
            Reason::MissingScope | Reason::ArchivedWorkspace | Reason::OtherWorkspace => 403,
            Reason::NotFound => 404,
            Reason::TwoKeys
            | Reason::UnreadableKey
            | Reason::NoWorkspace
            | Reason::BadScope
            | Reason::BadPath => 400,
        }
    }

    /// The admin API's code.
    pub fn code(&self) -> &'static str {
        match self.status() {
            401 => "AB05",
            403 => "AB03",
            404 => "AB08",
            _ => "AB01",
        }
    }

    pub fn body(&self, plane: Plane) -> Value {
        let scope = self.param.as_deref().filter(|_| self.reason == Reason::MissingScope);
        body_of(self.code(), &self.message, self.param.as_deref(), scope, plane)
    }

    /// For dialects that have error shapes of their own.
    pub fn to_error(&self) -> ApiError {
        let status = self.status();
        let error = ApiError::new(ErrorKind::of_status(status), Fault::Caller, status, &*self.message)
            .with_code(self.code());
        match &self.param {
            Some(param) => error.with_param(&**param),
            None => error,
        }
    }
}

/// The body that all clients of the admin API read, for any code of it.
pub fn body_of(
    code: &str,
    message: &str,
    param: Option<&str>,
    missing_scope: Option<&str>,
    plane: Plane,
) -> Value {
    let kind = if code == "AB04" { "server_error" } else { "client_error" };
    let mut body = json!({
        "success": false,
        "message": message,
        "errorCode": code,
        "error": { "message": message, "type": kind, "code": code, "param": param },
        "data": { "message": message, "errorCode": code },
    });
    if let Some(scope) = missing_scope {
        body["data"]["missing_scope"] = json!(scope);
    }
    if plane == Plane::Data {
        body["status"] = json!("failure");
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_what_every_client_reads() {
        let refusal = Refusal::new(Reason::MissingScope).about("configs.create");
        let want = json!({
            "success": false,
            "message": NOT_PERMITTED,
            "errorCode": "AB03",
            "error": {
                "message": NOT_PERMITTED, "type": "client_error", "code": "AB03", "param": "configs.create"
            },
            "data": { "message": NOT_PERMITTED, "errorCode": "AB03", "missing_scope": "configs.create" },
        });
        assert_eq!(refusal.body(Plane::Control), want);
        assert_eq!(refusal.body(Plane::Data)["status"], "failure");
        let other = Refusal::new(Reason::OtherWorkspace).about("workspace_id").body(Plane::Control);
        assert!(other["data"].get("missing_scope").is_none() && other["error"]["param"] == "workspace_id");
        let error = refusal.to_error();
        assert_eq!((error.status, error.kind), (403, ErrorKind::Permission));
        assert_eq!(error.param.as_deref(), Some("configs.create"));
    }

    #[test]
    fn a_key_that_is_tried_tells_nothing() {
        let told = |reason| {
            let refusal = Refusal::new(reason);
            (refusal.status(), refusal.body(Plane::Data))
        };
        let unknown = told(Reason::UnknownKey);
        assert_eq!(unknown.0, 401);
        for reason in [Reason::RevokedKey, Reason::ExpiredKey, Reason::RotatedKey, Reason::BadToken] {
            assert_eq!(told(reason), unknown, "{reason:?}");
        }
    }
}
