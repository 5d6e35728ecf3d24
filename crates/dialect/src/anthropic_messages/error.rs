//! Errors on Anthropic's wire: read from the provider, written for its clients.
//!
//! The type in the body says more than the status; where there is no status (inside a stream) it gives one.

use serde_json::{Map, Value, json};
use tidegate_core::error::says_context_too_long;
use tidegate_core::{ApiError, ErrorKind, Fault};

/// Longest text taken from a body that is no JSON, in characters.
const MAX_EXCERPT: usize = 300;

/// Reads a non-2xx answer of whatever shape.
pub(super) fn decode(status: u16, body: &[u8]) -> ApiError {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => decode_value(Some(status), &value),
        Err(_) => {
            let kind = ErrorKind::of_status(status);
            ApiError::new(kind, Fault::of_status(status), status, excerpt(status, body))
        }
    }
}

/// Reads an error object: `{"type":"error","error":{"type","message"},"request_id"}`, or what intermediaries make of
/// it. Without a status, as in a stream, the type gives one.
pub(super) fn decode_value(status: Option<u16>, value: &Value) -> ApiError {
    let inner = value.get("error").unwrap_or(value);
    let text = |member: &str| inner.get(member).and_then(text_of);
    let vendor_type = text("type").filter(|kind| *kind != "error");
    let message = text_of(inner).or_else(|| text("message")).or_else(|| text("detail"));
    let status = status.unwrap_or_else(|| vendor_type.map_or(500, status_of_type));
    let message =
        message.map_or_else(|| format!("answered with status {status} and no message"), str::to_owned);
    let kind = kind(status, vendor_type, &message);
    let mut error = ApiError::new(kind, Fault::of_status(status), status, message);
    error.vendor_type = vendor_type.map(str::to_owned);
    error.request_id = value.get("request_id").and_then(Value::as_str).map(str::to_owned);
    error.code = match kind {
        ErrorKind::ContextTooLong => Some("context_length_exceeded".to_owned()),
        _ => None,
    };
    error
}

fn text_of(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

fn kind(status: u16, vendor_type: Option<&str>, message: &str) -> ErrorKind {
    let request_is_wrong = matches!(vendor_type, Some("invalid_request_error")) || status == 400;
    if request_is_wrong && says_context_too_long(message) || is_over_limit(message) {
        return ErrorKind::ContextTooLong;
    }
    // Said with a 400, although nothing is wrong with the request.
    if request_is_wrong && message.contains("credit balance is too low") {
        return ErrorKind::Quota;
    }
    match vendor_type {
        Some("invalid_request_error") => ErrorKind::BadRequest,
        Some("authentication_error") => ErrorKind::Auth,
        Some("billing_error") => ErrorKind::Quota,
        Some("permission_error") => ErrorKind::Permission,
        Some("not_found_error") => ErrorKind::NotFound,
        Some("conflict_error") => ErrorKind::Conflict,
        Some("request_too_large") => ErrorKind::TooLarge,
        Some("rate_limit_error") => ErrorKind::RateLimit,
        Some("timeout_error") => ErrorKind::Timeout,
        Some("overloaded_error") => ErrorKind::Overloaded,
        _ => ErrorKind::of_status(status),
    }
}

/// The API's words for prompt and `max_tokens` together.
fn is_over_limit(message: &str) -> bool {
    message.contains("exceed context limit")
}

fn status_of_type(vendor_type: &str) -> u16 {
    match vendor_type {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "conflict_error" => 409,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 500,
    }
}

fn excerpt(status: u16, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        return format!("answered with status {status} and no body");
    }
    if text.starts_with('<') {
        return format!("answered with status {status} and a page of HTML");
    }
    text.chars().take(MAX_EXCERPT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The error object for a client. `provider` is the one at fault; without one the error is the gateway's or the
/// caller's, and the members that Portkey's clients look for are there too.
pub(super) fn encode(error: &ApiError, provider: Option<&str>) -> Value {
    let message = message(error, provider);
    let mut body = Map::from_iter([
        ("type".to_owned(), Value::from("error")),
        ("error".to_owned(), json!({"type": own_type(error), "message": message})),
    ]);
    if let Some(request_id) = &error.request_id {
        body.insert("request_id".to_owned(), request_id.as_str().into());
    }
    match provider {
        Some(provider) => {
            body.insert("provider".to_owned(), provider.into());
        }
        None => {
            body.insert("status".to_owned(), "failure".into());
            body.insert("message".to_owned(), message.into());
        }
    }
    Value::Object(body)
}

/// The status Anthropic's clients expect for a kind of error.
pub(super) fn status(error: &ApiError) -> u16 {
    match error.kind {
        ErrorKind::BadRequest | ErrorKind::ContentBlocked if (400..500).contains(&error.status) => {
            error.status
        }
        ErrorKind::BadRequest | ErrorKind::ContentBlocked | ErrorKind::ContextTooLong => 400,
        ErrorKind::Auth => 401,
        ErrorKind::Quota => 402,
        ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::Conflict => 409,
        ErrorKind::TooLarge => 413,
        ErrorKind::RateLimit => 429,
        // Its clients try all of these again.
        ErrorKind::Timeout | ErrorKind::Overloaded | ErrorKind::UpstreamBroken | ErrorKind::Internal
            if matches!(error.status, 408 | 500..=599) =>
        {
            error.status
        }
        ErrorKind::Timeout => 504,
        ErrorKind::Overloaded => 529,
        ErrorKind::UpstreamBroken | ErrorKind::Internal => 500,
    }
}

/// What went wrong at the provider's keeps the provider's word for it, where that is one of Anthropic's.
fn own_type(error: &ApiError) -> &str {
    match (error.kind, error.vendor_type.as_deref()) {
        (
            ErrorKind::Timeout | ErrorKind::Overloaded | ErrorKind::UpstreamBroken,
            Some(word @ ("api_error" | "overloaded_error" | "timeout_error")),
        ) if error.answered => word,
        (kind, _) => type_of(kind),
    }
}

fn type_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::BadRequest | ErrorKind::ContentBlocked | ErrorKind::ContextTooLong => {
            "invalid_request_error"
        }
        ErrorKind::Auth => "authentication_error",
        ErrorKind::Quota => "billing_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::Conflict => "conflict_error",
        ErrorKind::TooLarge => "request_too_large",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::UpstreamBroken | ErrorKind::Internal => "api_error",
    }
}

/// Clients tell a full context by these words, whoever says it, and compact the conversation.
fn message(error: &ApiError, provider: Option<&str>) -> String {
    const TOO_LONG: &str = "prompt is too long";
    let mut message = error.message.clone();
    if error.kind == ErrorKind::ContextTooLong && !message.contains(TOO_LONG) {
        message = format!("{TOO_LONG}: {message}");
    }
    if let Some(param) = &error.param
        && !message.contains(param)
    {
        message = format!("{param}: {message}");
    }
    match provider {
        Some(provider) => format!("{provider} error: {message}"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(kind: &str, message: &str) -> Vec<u8> {
        json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn kinds_by_type_status_and_text() {
        for (status, kind, text, expected) in [
            (400, "invalid_request_error", "bad", ErrorKind::BadRequest),
            (
                400,
                "invalid_request_error",
                "prompt is too long: 210000 tokens > 200000 maximum",
                ErrorKind::ContextTooLong,
            ),
            (
                400,
                "invalid_request_error",
                "input length and `max_tokens` exceed context limit: 1 + 2 > 2",
                ErrorKind::ContextTooLong,
            ),
            (400, "invalid_request_error", "Your credit balance is too low to …", ErrorKind::Quota),
            (401, "authentication_error", "x", ErrorKind::Auth),
            (402, "billing_error", "x", ErrorKind::Quota),
            (403, "permission_error", "x", ErrorKind::Permission),
            (404, "not_found_error", "x", ErrorKind::NotFound),
            (409, "conflict_error", "x", ErrorKind::Conflict),
            (413, "request_too_large", "x", ErrorKind::TooLarge),
            (429, "rate_limit_error", "x", ErrorKind::RateLimit),
            (500, "api_error", "x", ErrorKind::UpstreamBroken),
            (504, "timeout_error", "x", ErrorKind::Timeout),
            (529, "overloaded_error", "x", ErrorKind::Overloaded),
            (429, "t", "bad", ErrorKind::RateLimit),
        ] {
            let error = decode(status, &body(kind, text));
            assert_eq!(
                (error.kind, error.status, error.message.as_str()),
                (expected, status, text),
                "{kind}"
            );
            assert_eq!(error.vendor_type.as_deref(), Some(kind));
            assert_eq!(error.request_id.as_deref(), Some("req_1"));
            let in_stream = decode_value(None, &serde_json::from_slice(&body(kind, text)).unwrap());
            if kind != "t" {
                assert_eq!((in_stream.kind, in_stream.status), (expected, status), "{kind} in a stream");
            }
        }
    }

    #[test]
    fn any_body_gives_a_message() {
        for (body, message) in [
            (r#"{"error":"flat"}"#, "flat"),
            (r#"{"message":"top"}"#, "top"),
            (r#"{"detail":"why"}"#, "why"),
            (r#"{"x":1}"#, "answered with status 503 and no message"),
            (r#"{"error":""}"#, "answered with status 503 and no message"),
            (r#""""#, "answered with status 503 and no message"),
            ("", "answered with status 503 and no body"),
            ("<html>x</html>", "answered with status 503 and a page of HTML"),
            ("no\nroute", "no route"),
            ("[", "["),
        ] {
            let error = decode(503, body.as_bytes());
            assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Overloaded, message), "{body}");
        }
        assert_eq!(decode(500, &[b'x'; 5_000]).message.len(), MAX_EXCERPT);
    }

    #[test]
    fn a_providers_error_for_a_client() {
        let mut error = decode(429, &body("rate_limit_error", "slow down"));
        assert_eq!(
            encode(&error, Some("anthropic")),
            json!({
                "type": "error",
                "error": {"type": "rate_limit_error", "message": "anthropic error: slow down"},
                "request_id": "req_1",
                "provider": "anthropic",
            })
        );
        error =
            ApiError::new(ErrorKind::ContextTooLong, Fault::Caller, 400, "maximum context length is 8192");
        assert_eq!(
            encode(&error, Some("openai"))["error"],
            json!({
                "type": "invalid_request_error",
                "message": "openai error: prompt is too long: maximum context length is 8192",
            })
        );
    }

    #[test]
    fn the_gateways_own_error_serves_two_kinds_of_clients() {
        let error = ApiError::bad_request("messages.0.role", "must be `user`");
        assert_eq!(
            encode(&error, None),
            json!({
                "type": "error",
                "error": {"type": "invalid_request_error", "message": "messages.0.role: must be `user`"},
                "status": "failure",
                "message": "messages.0.role: must be `user`",
            })
        );
    }

    #[test]
    fn a_providers_own_type_stays() {
        let mut error = ApiError::new(ErrorKind::Overloaded, Fault::Provider, 503, "x");
        for (told, shown) in [("api_error", "api_error"), ("server_error", "overloaded_error")] {
            error.vendor_type = Some(told.to_owned());
            error.answered = true;
            assert_eq!(encode(&error, Some("p"))["error"]["type"], shown);
        }
        error.answered = false;
        assert_eq!(encode(&error, Some("p"))["error"]["type"], "overloaded_error");
    }

    #[test]
    fn statuses_and_types_by_kind() {
        for (kind, given, expected, name) in [
            (ErrorKind::BadRequest, 422, 422, "invalid_request_error"),
            (ErrorKind::BadRequest, 500, 400, "invalid_request_error"),
            (ErrorKind::ContextTooLong, 413, 400, "invalid_request_error"),
            (ErrorKind::ContentBlocked, 446, 446, "invalid_request_error"),
            (ErrorKind::Auth, 401, 401, "authentication_error"),
            (ErrorKind::Quota, 429, 402, "billing_error"),
            (ErrorKind::Permission, 403, 403, "permission_error"),
            (ErrorKind::NotFound, 404, 404, "not_found_error"),
            (ErrorKind::Conflict, 409, 409, "conflict_error"),
            (ErrorKind::TooLarge, 413, 413, "request_too_large"),
            (ErrorKind::RateLimit, 429, 429, "rate_limit_error"),
            (ErrorKind::Timeout, 408, 408, "timeout_error"),
            (ErrorKind::Overloaded, 503, 503, "overloaded_error"),
            (ErrorKind::Overloaded, 498, 529, "overloaded_error"),
            (ErrorKind::UpstreamBroken, 502, 502, "api_error"),
            (ErrorKind::Internal, 500, 500, "api_error"),
        ] {
            let error = ApiError::new(kind, Fault::Provider, given, "x");
            assert_eq!((status(&error), type_of(kind)), (expected, name), "{kind:?} {given}");
        }
    }
}
