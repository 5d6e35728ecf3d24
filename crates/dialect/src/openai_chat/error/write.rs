//! Errors for OpenAI's clients, in the shape their libraries parse; `provider` beside it is Portkey's.

use serde_json::{Value, json};
use tidegate_core::{ApiError, ErrorKind};

use crate::framing;

/// The body of an error answer. An error of a provider is told apart by a prefix and a member; the gateway's own has
/// `status` and `message` at the top as well, where Portkey's clients look for them.
pub(in super::super) fn write(error: &ApiError, provider: Option<&str>) -> Value {
    match provider {
        Some(provider) => json!({"error": inner(error, Some(provider)), "provider": provider}),
        None => json!({"status": "failure", "message": error.message, "error": inner(error, None)}),
    }
}

/// The event that ends a stream in an error. No `[DONE]` follows: the answer is not complete.
pub(in super::super) fn write_event(error: &ApiError, provider: Option<&str>) -> Vec<u8> {
    let mut data = json!({"error": inner(error, provider)});
    if let Some(provider) = provider {
        data["provider"] = Value::from(provider);
    }
    let mut out = Vec::new();
    framing::write_event(&mut out, None, data.to_string().as_bytes());
    out
}

/// The statuses OpenAI itself uses; its clients decide by them whether to try again.
pub(in super::super) fn status(error: &ApiError) -> u16 {
    match (error.kind, error.status) {
        (ErrorKind::Quota, _) => 429,
        (ErrorKind::ContextTooLong | ErrorKind::ContentBlocked, _) => 400,
        (_, 498 | 529) => 503,
        (_, status) => status,
    }
}

fn inner(error: &ApiError, provider: Option<&str>) -> Value {
    let message = match provider {
        Some(provider) => format!("{provider} error: {}", error.message),
        None => error.message.clone(),
    };
    json!({
        "message": message,
        "type": error.vendor_type.as_deref().unwrap_or_else(|| default_type(error.kind)),
        "param": error.param,
        "code": error.code.as_deref().or_else(|| default_code(error, provider)),
    })
}

fn default_type(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Quota => "insufficient_quota",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::Overloaded => "service_unavailable_error",
        ErrorKind::Timeout | ErrorKind::UpstreamBroken | ErrorKind::Internal => "server_error",
        ErrorKind::BadRequest
        | ErrorKind::ContextTooLong
        | ErrorKind::Auth
        | ErrorKind::NotFound
        | ErrorKind::TooLarge
        | ErrorKind::ContentBlocked
        | ErrorKind::Conflict => "invalid_request_error",
    }
}

/// Codes that clients look for. Where a vendor gave a type of its own, only those are added that the type cannot tell.
fn default_code(error: &ApiError, provider: Option<&str>) -> Option<&'static str> {
    let untyped = error.vendor_type.is_none();
    match error.kind {
        ErrorKind::ContextTooLong => Some("context_length_exceeded"),
        ErrorKind::ContentBlocked => Some("content_filter"),
        ErrorKind::Quota => Some("insufficient_quota"),
        ErrorKind::RateLimit if untyped => Some("rate_limit_exceeded"),
        ErrorKind::Auth if untyped => Some("invalid_api_key"),
        ErrorKind::Timeout if untyped => Some("timeout"),
        ErrorKind::NotFound if untyped && provider.is_some() => Some("model_not_found"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::Fault;

    use super::*;

    fn error(kind: ErrorKind, status: u16) -> ApiError {
        ApiError::new(kind, Fault::Provider, status, "bad")
    }

    #[test]
    fn provider_errors_are_prefixed() {
        let mut told = error(ErrorKind::BadRequest, 400);
        told.vendor_type = Some("t".into());
        told.code = Some("c".into());
        assert_eq!(
            write(&told, Some("openai")).to_string(),
            r#"{"error":{"message":"openai error: bad","type":"t","param":null,"code":"c"},"provider":"openai"}"#
        );
    }

    #[test]
    fn the_gateways_own_errors_suit_both_kinds_of_clients() {
        let refused = ApiError::bad_request("n", "too many");
        assert_eq!(
            write(&refused, None).to_string(),
            concat!(
                r#"{"status":"failure","message":"too many","error":{"message":"too many","#,
                r#""type":"invalid_request_error","param":"n","code":null}}"#
            )
        );
    }

    #[test]
    fn events_end_a_stream_without_done() {
        let event = write_event(&error(ErrorKind::Overloaded, 529), Some("anthropic"));
        assert_eq!(
            String::from_utf8(event).unwrap(),
            concat!(
                r#"data: {"error":{"message":"anthropic error: bad","type":"service_unavailable_error","#,
                r#""param":null,"code":null},"provider":"anthropic"}"#,
                "\n\n"
            )
        );
    }

    #[test]
    fn statuses_are_those_openai_uses() {
        for (kind, status_, want) in [
            (ErrorKind::Overloaded, 529, 503),
            (ErrorKind::Overloaded, 498, 503),
            (ErrorKind::Quota, 402, 429),
            (ErrorKind::ContextTooLong, 413, 400),
            (ErrorKind::ContentBlocked, 403, 400),
            (ErrorKind::RateLimit, 429, 429),
            (ErrorKind::Timeout, 504, 504),
            (ErrorKind::BadRequest, 422, 422),
        ] {
            assert_eq!(status(&error(kind, status_)), want, "{kind:?} {status_}");
        }
    }

    #[test]
    fn codes_that_clients_look_for() {
        for (kind, vendor_type, provider, code) in [
            (
                ErrorKind::ContextTooLong,
                Some("invalid_request_error"),
                Some("p"),
                Some("context_length_exceeded"),
            ),
            (ErrorKind::RateLimit, Some("rate_limit_error"), Some("p"), None),
            (ErrorKind::RateLimit, None, Some("p"), Some("rate_limit_exceeded")),
            (ErrorKind::NotFound, None, Some("p"), Some("model_not_found")),
            (ErrorKind::NotFound, None, None, None),
            (ErrorKind::Auth, None, None, Some("invalid_api_key")),
        ] {
            let mut told = error(kind, 400);
            told.vendor_type = vendor_type.map(str::to_owned);
            assert_eq!(write(&told, provider)["error"]["code"], json!(code), "{kind:?} {provider:?}");
        }
    }
}
