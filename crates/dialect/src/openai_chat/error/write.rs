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

/// The provider's own status, except where its clients would take it for something else: they decide by it whether to
/// try again.
pub(in super::super) fn status(error: &ApiError) -> u16 {
    match (error.kind, error.status) {
        (ErrorKind::Quota, _) => 429,
        (ErrorKind::ContextTooLong | ErrorKind::ContentBlocked, _) => 400,
        (_, 498) => 503,
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
        "type": error.vendor_type.as_deref().or_else(|| (!error.answered).then(|| default_type(error.kind))),
        "param": error.param,
        "code": error.code.as_deref().or_else(|| default_code(error)),
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

/// Codes that clients look for. Of a provider's own answer, only those that nothing else in it tells.
fn default_code(error: &ApiError) -> Option<&'static str> {
    let untold = error.vendor_type.is_none() && !error.answered;
    match error.kind {
        ErrorKind::ContextTooLong => Some("context_length_exceeded"),
        ErrorKind::ContentBlocked => Some("content_filter"),
        ErrorKind::Quota => Some("insufficient_quota"),
        ErrorKind::RateLimit if untold => Some("rate_limit_exceeded"),
        ErrorKind::Auth if untold => Some("invalid_api_key"),
        ErrorKind::Timeout if untold => Some("timeout"),
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
    fn statuses_are_the_providers_where_clients_understand_them() {
        for (kind, status_, want) in [
            (ErrorKind::Overloaded, 529, 529),
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
        for (kind, vendor_type, answered, code) in [
            (ErrorKind::ContextTooLong, Some("invalid_request_error"), true, Some("context_length_exceeded")),
            (ErrorKind::RateLimit, Some("rate_limit_error"), false, None),
            (ErrorKind::RateLimit, None, false, Some("rate_limit_exceeded")),
            (ErrorKind::RateLimit, None, true, None),
            (ErrorKind::NotFound, None, false, None),
            (ErrorKind::Auth, None, false, Some("invalid_api_key")),
        ] {
            let mut told = error(kind, 400);
            told.vendor_type = vendor_type.map(str::to_owned);
            told.answered = answered;
            assert_eq!(write(&told, None)["error"]["code"], json!(code), "{kind:?} {answered}");
        }
    }

    #[test]
    fn a_type_is_made_up_for_the_gateways_own_errors_only() {
        let own = error(ErrorKind::Overloaded, 503);
        assert_eq!(write(&own, Some("p"))["error"]["type"], "service_unavailable_error");
        let told = ApiError { answered: true, ..own };
        assert_eq!(write(&told, Some("p"))["error"]["type"], Value::Null);
    }
}
