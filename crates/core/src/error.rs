//! One inner form of every failure: what kind it is, whose fault, and what a retry could do about it.

/// What went wrong, independent of any dialect. Dialects map it to their own words and statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    BadRequest,
    ContextTooLong,
    Auth,
    Quota,
    Permission,
    NotFound,
    TooLarge,
    RateLimit,
    Timeout,
    Overloaded,
    /// The provider answered something that cannot be used, or the connection to it failed.
    UpstreamBroken,
    ContentBlocked,
    Conflict,
    /// A defect or a limit of the gateway itself.
    Internal,
}

/// Who has to act. Health (circuit breakers, outage detection) counts [`Fault::Provider`] only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    Caller,
    Provider,
    Gateway,
}

/// A failure on its way to a client. `message` is for the caller and holds no secret and no internal address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub kind: ErrorKind,
    pub fault: Fault,
    /// HTTP status to answer with (the provider's own where there is one).
    pub status: u16,
    pub message: String,
    /// The provider's own word for the type (`rate_limit_error`, `invalid_request_error`), kept when known.
    pub vendor_type: Option<String>,
    /// The member of the request that is wrong, in the client's words (`messages[0].role`).
    pub param: Option<String>,
    /// Machine-readable code (`model_not_found`, `context_length_exceeded`).
    pub code: Option<String>,
    /// How long the provider asked to wait, from headers or body.
    pub retry_after_ms: Option<u64>,
    /// The provider's request id, for its support.
    pub request_id: Option<String>,
}

impl ApiError {
    pub fn new(kind: ErrorKind, fault: Fault, status: u16, message: impl Into<String>) -> Self {
        Self {
            kind,
            fault,
            status,
            message: message.into(),
            vendor_type: None,
            param: None,
            code: None,
            retry_after_ms: None,
            request_id: None,
        }
    }

    /// The caller's request cannot be served as written: 400 naming the member.
    pub fn bad_request(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, Fault::Caller, 400, message).with_param(param)
    }

    /// The provider broke its side: 502.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::UpstreamBroken, Fault::Provider, 502, message)
    }

    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

impl ErrorKind {
    /// The kind an HTTP status stands for when the body says no more.
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Auth,
            402 => Self::Quota,
            403 => Self::Permission,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            409 => Self::Conflict,
            413 => Self::TooLarge,
            429 => Self::RateLimit,
            503 | 529 => Self::Overloaded,
            400..=499 => Self::BadRequest,
            _ => Self::UpstreamBroken,
        }
    }
}

impl Fault {
    /// Who an upstream status is about. 401 and 403 are about credentials, not the provider's health; 408, 429 and
    /// 5xx are the provider's own.
    pub fn of_status(status: u16) -> Self {
        match status {
            408 | 429 | 498 | 500..=599 => Self::Provider,
            _ => Self::Caller,
        }
    }
}
