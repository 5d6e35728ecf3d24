//! Google's error bodies: `{"error": {code, message, status, details}}`, alone or in an array.

use serde::Deserialize;
use serde_json::Value;
use tidegate_core::error::says_context_too_long;
use tidegate_core::{ApiError, ErrorKind, Fault};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GoogleError {
    code: u16,
    message: String,
    /// Google's word: `RESOURCE_EXHAUSTED`.
    status: Option<String>,
    details: Vec<Detail>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Detail {
    /// Of `ErrorInfo`: `API_KEY_INVALID`.
    reason: Option<String>,
    /// Of `RetryInfo`: `34.4s`.
    retry_delay: Option<String>,
}

pub(super) fn decode(status: u16, body: &[u8]) -> ApiError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let body = body.as_array().and_then(|errors| errors.first()).unwrap_or(&body);
    match body.get("error").map(GoogleError::deserialize) {
        Some(Ok(error)) => classify(status, error),
        _ => ApiError::new(
            ErrorKind::of_status(status),
            Fault::of_status(status),
            status,
            format!("the provider answered status {status} without a readable error"),
        ),
    }
}

/// The error that came as a member of a 200, plain or in a stream: its own code is the status.
pub(super) fn from_member(error: &Value) -> ApiError {
    let error = GoogleError::deserialize(error).unwrap_or_default();
    let status = if (400..=599).contains(&error.code) { error.code } else { 502 };
    classify(status, error)
}

fn classify(status: u16, error: GoogleError) -> ApiError {
    let bad_key = error
        .details
        .iter()
        .any(|detail| matches!(detail.reason.as_deref(), Some("API_KEY_INVALID" | "API_KEY_EXPIRED")));
    let (kind, status, code) = if bad_key {
        (ErrorKind::Auth, 401, Some("invalid_api_key".to_owned()))
    } else if status == 400 && says_context_too_long(&error.message) {
        (ErrorKind::ContextTooLong, 400, Some("context_length_exceeded".to_owned()))
    } else {
        (ErrorKind::of_status(status), status, error.status.as_deref().map(str::to_ascii_lowercase))
    };
    let message = if error.message.is_empty() {
        format!("the provider answered status {status} without a message")
    } else {
        error.message
    };
    let mut decoded = ApiError::new(kind, Fault::of_status(status), status, message);
    decoded.code = code;
    decoded.vendor_type = error.status;
    decoded.retry_after_ms =
        error.details.iter().filter_map(|detail| detail.retry_delay.as_deref()).find_map(milliseconds);
    decoded
}

/// A duration in Google's JSON form, seconds with up to nine decimals: `34.4s`.
fn milliseconds(duration: &str) -> Option<u64> {
    let seconds = duration.strip_suffix('s')?;
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(thousandths.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_classified() {
        let body = |status: &str, message: &str, details: Value| json!({"error": {"code": 400, "message": message, "status": status, "details": details}});
        let key = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
        for (status, body, expected) in [
            (
                400,
                body("INVALID_ARGUMENT", "bad", json!([])),
                (400, ErrorKind::BadRequest, "invalid_argument", Fault::Caller),
            ),
            (
                400,
                body("INVALID_ARGUMENT", "API key not valid", key),
                (401, ErrorKind::Auth, "invalid_api_key", Fault::Caller),
            ),
            (
                400,
                body("INVALID_ARGUMENT", "The input token count (9) exceeds the maximum", json!([])),
                (400, ErrorKind::ContextTooLong, "context_length_exceeded", Fault::Caller),
            ),
            (
                403,
                body("PERMISSION_DENIED", "no", json!([])),
                (403, ErrorKind::Permission, "permission_denied", Fault::Caller),
            ),
            (404, body("NOT_FOUND", "no", json!([])), (404, ErrorKind::NotFound, "not_found", Fault::Caller)),
            (
                429,
                json!([body("RESOURCE_EXHAUSTED", "slow", json!([]))]),
                (429, ErrorKind::RateLimit, "resource_exhausted", Fault::Provider),
            ),
            (
                503,
                body("UNAVAILABLE", "busy", json!([])),
                (503, ErrorKind::Overloaded, "unavailable", Fault::Provider),
            ),
            (
                504,
                body("DEADLINE_EXCEEDED", "late", json!([])),
                (504, ErrorKind::Timeout, "deadline_exceeded", Fault::Provider),
            ),
        ] {
            let error = decode(status, body.to_string().as_bytes());
            let seen = (error.status, error.kind, error.code.as_deref().unwrap_or(""), error.fault);
            assert_eq!(seen, expected, "{body}");
        }
    }

    #[test]
    fn the_wait_is_read_from_the_body() {
        for (delay, ms) in [
            ("34.4s", Some(34_400)),
            ("34s", Some(34_000)),
            ("0.000123456s", Some(0)),
            ("1.0625s", Some(1_062)),
            ("s", None),
            ("-1s", None),
            ("34", None),
            ("99999999999999999999s", None),
        ] {
            let details = json!([{"@type": "x"}, {"@type": "google.rpc.RetryInfo", "retryDelay": delay}]);
            let body =
                json!({"error": {"message": "slow", "status": "RESOURCE_EXHAUSTED", "details": details}});
            assert_eq!(decode(429, body.to_string().as_bytes()).retry_after_ms, ms, "{delay}");
        }
    }

    #[test]
    fn unknown_bodies_still_make_an_error() {
        for body in ["", "<html>", "[]", "{}", r#"{"error":"text"}"#, r#"{"error":{"code":"x"}}"#] {
            let error = decode(500, body.as_bytes());
            assert_eq!((error.status, error.kind), (500, ErrorKind::UpstreamBroken), "{body}");
            assert_eq!(error.message, "the provider answered status 500 without a readable error");
        }
        let error = decode(500, br#"{"error":{}}"#);
        assert_eq!(error.message, "the provider answered status 500 without a message");
    }

    #[test]
    fn an_error_inside_a_success_brings_its_status() {
        for (member, status) in [(json!({"code": 429, "message": "m"}), 429), (json!({"code": 7}), 502)] {
            assert_eq!(from_member(&member).status, status);
        }
    }
}
