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
    /// Read from an answer of the provider's own: what it left out is not made up for it.
    pub answered: bool,
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
            answered: false,
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

/// Whether a provider's text means that prompt and answer do not fit the model's context. Providers have no common
/// code for it, so the gateway goes by their words.
pub fn says_context_too_long(message: &str) -> bool {
    const PHRASES: [&str; 9] = [
        "maximum context length",
        "prompt is too long",
        "input length and max_tokens exceed",
        "input token count",
        "input is too long",
        "input length exceeds the context",
        "too many tokens",
        "context_length_exceeded",
        "please reduce the length",
    ];
    let message = message.to_ascii_lowercase();
    PHRASES.iter().any(|phrase| message.contains(phrase))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_texts_of_each_vendor_are_known() {
        for (text, known) in [
            ("This model's maximum context length is 8192 tokens.", true),
            ("prompt is too long: 210000 tokens > 200000 maximum", true),
            ("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", true),
            ("Input is too long for requested model.", true),
            ("too many tokens: total number of tokens in the prompt exceeds the limit", true),
            ("the input length exceeds the context length", true),
            ("Please reduce the length of the messages.", true),
            ("max_tokens must be positive", false),
            ("", false),
        ] {
            assert_eq!(says_context_too_long(text), known, "{text}");
        }
    }
}
