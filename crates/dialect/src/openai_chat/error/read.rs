//! Errors of OpenAI-like vendors. Nearly each has a shape of its own; all of them come down to a message, a type, a
//! code and sometimes a member. The kind is decided by code and words first, and by the status where they say nothing.

use serde_json::{Map, Value};
use tidegate_core::error::says_context_too_long;
use tidegate_core::{ApiError, ErrorKind, Fault};

use super::super::member::whole;
use super::wait::hinted_ms;

/// Longest vendor text passed on, in bytes.
const MAX_MESSAGE: usize = 4_096;

/// A non-2xx answer.
pub(in super::super) fn read(status: u16, body: &[u8]) -> ApiError {
    match serde_json::from_slice(body) {
        // Some edges wrap the error in a list.
        Ok(Value::Array(list)) => told(list.first().unwrap_or(&Value::Null)).into_error(status),
        Ok(value) => told(&value).into_error(status),
        Err(_) => Told { message: text_of_page(body, status), ..Told::default() }.into_error(status),
    }
}

/// An error inside an answer or chunk that came with status 200, if it is one.
pub(in super::super) fn in_success(answer: &Map<String, Value>) -> Option<ApiError> {
    let is_error = answer.get("error").is_some_and(is_something)
        || answer.get("object").is_some_and(|object| object == "error")
        || answer.get("success").is_some_and(|success| *success == false)
        || base_code(answer).is_some_and(|code| code != 0);
    if !is_error {
        return answer.get("x_groq").and_then(Value::as_object).and_then(in_success);
    }
    let told = told_by(answer);
    let status = told.status.unwrap_or(match told.code.as_deref().or(told.kind.as_deref()) {
        Some("invalid_request_error" | "context_length_exceeded" | "content_filter") => 400,
        Some("rate_limit_exceeded" | "rate_limit_error" | "insufficient_quota") => 429,
        Some("overloaded_error" | "overloaded" | "service_unavailable") => 503,
        _ => 502,
    });
    Some(told.into_error(status))
}

/// A 2xx body that is no JSON object.
pub(in super::super) fn unreadable(body: &[u8], provider: &str) -> ApiError {
    let what = if body.trim_ascii().is_empty() {
        "an empty body"
    } else if looks_like_html(body) {
        "an HTML page"
    } else {
        "something that is not a JSON object"
    };
    ApiError::upstream(format!("{provider} answered with {what} instead of a completion"))
}

/// What a vendor's error says, before it is judged.
#[derive(Debug, Default)]
struct Told {
    message: String,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
    /// The status as the body repeats it.
    status: Option<u16>,
    request_id: Option<String>,
    wait_ms: Option<u64>,
}

fn told(value: &Value) -> Told {
    match value {
        Value::Object(members) => told_by(members),
        Value::String(text) => Told { message: text.clone(), ..Told::default() },
        _ => Told::default(),
    }
}

fn told_by(members: &Map<String, Value>) -> Told {
    let mut told = match members.get("error") {
        Some(Value::Object(error)) => inner(error),
        Some(Value::String(text)) => Told {
            message: text.clone(),
            kind: text_at(members, "error_type").or_else(|| text_at(members, "type")),
            code: code_at(members, "code"),
            ..Told::default()
        },
        _ => other_shapes(members),
    };
    if told.message.is_empty() {
        told.message = message_at(members, "message").unwrap_or_default();
    }
    told.request_id = told.request_id.or_else(|| text_at(members, "request_id"));
    told.status = told.status.or_else(|| status_at(members, "status_code"));
    told
}

/// The members of `error`.
fn inner(error: &Map<String, Value>) -> Told {
    let details = error.get("innererror").and_then(|inner| text_at(inner.as_object()?, "code"));
    let filtered = details.as_deref() == Some("ResponsibleAIPolicyViolation");
    Told {
        message: message_at(error, "message").or_else(|| message_at(error, "detail")).unwrap_or_default(),
        kind: text_at(error, "type"),
        code: if filtered { Some("content_filter".to_owned()) } else { code_at(error, "code") },
        param: text_at(error, "param"),
        status: status_at(error, "status").or_else(|| status_at(error, "code")),
        request_id: text_at(error, "request_id"),
        wait_ms: error.get("retry_after").and_then(Value::as_f64).map(seconds_to_ms),
    }
}

/// Errors without `error`: flat ones, lists, edge proxies', validators' and MiniMax's.
fn other_shapes(members: &Map<String, Value>) -> Told {
    if let Some(code) = base_code(members) {
        let message = members.get("base_resp").and_then(|base| text_at(base.as_object()?, "status_msg"));
        return Told {
            message: message.unwrap_or_default(),
            code: Some(code.to_string()),
            status: Some(minimax_status(code)),
            ..Told::default()
        };
    }
    if let Some(fault) = members.get("fault").and_then(Value::as_object) {
        let detail = fault.get("detail").and_then(Value::as_object);
        return Told {
            message: text_at(fault, "faultstring").unwrap_or_default(),
            code: detail.and_then(|detail| text_at(detail, "errorcode")),
            ..Told::default()
        };
    }
    if let Some(first) = members.get("errors").and_then(|errors| errors.get(0)?.as_object()) {
        return Told {
            message: message_at(first, "message").unwrap_or_default(),
            code: code_at(first, "code"),
            ..Told::default()
        };
    }
    let detail = members.get("detail");
    Told {
        message: message_at(members, "message").or_else(|| message_at(members, "detail")).unwrap_or_default(),
        kind: text_at(members, "type"),
        code: code_at(members, "code").or_else(|| code_at(members, "error_code")),
        param: text_at(members, "param").or_else(|| location(detail?)),
        status: ["raw_status_code", "status", "code"].iter().find_map(|name| status_at(members, name)),
        ..Told::default()
    }
}

impl Told {
    fn into_error(self, status: u16) -> ApiError {
        let kind = self.kind_of(status);
        // What the caller's account or request ran into says nothing about the provider's health.
        let fault = match kind {
            ErrorKind::Quota | ErrorKind::ContextTooLong | ErrorKind::ContentBlocked => Fault::Caller,
            _ => Fault::of_status(status),
        };
        let message = if self.message.is_empty() { format!("HTTP status {status}") } else { self.message };
        let mut error = ApiError::new(kind, fault, status, shorten(message));
        error.retry_after_ms = self.wait_ms.or_else(|| hinted_ms(&error.message));
        error.vendor_type = self.kind;
        error.code = self.code;
        error.param = self.param;
        error.request_id = self.request_id;
        error
    }

    fn kind_of(&self, status: u16) -> ErrorKind {
        let by_word = [&self.code, &self.kind].into_iter().flatten().find_map(|word| kind_of_word(word));
        // A word about the request cannot explain a failure of the server.
        if let Some(kind) = by_word.filter(|_| status != 401 && status != 403 || self.is_blocked()) {
            return kind;
        }
        match status {
            400 | 413 | 422 if says_context_too_long(&self.message) => ErrorKind::ContextTooLong,
            498 => ErrorKind::Overloaded,
            _ => ErrorKind::of_status(status),
        }
    }

    fn is_blocked(&self) -> bool {
        [&self.code, &self.kind]
            .into_iter()
            .flatten()
            .any(|word| kind_of_word(word) == Some(ErrorKind::ContentBlocked))
    }
}

fn kind_of_word(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "context_length_exceeded" => ErrorKind::ContextTooLong,
        "insufficient_quota" | "billing_hard_limit_reached" | "billing_error" => ErrorKind::Quota,
        "content_filter" | "content_policy_violation" | "moderation_blocked" => ErrorKind::ContentBlocked,
        "invalid_api_key" | "authentication_error" => ErrorKind::Auth,
        "model_not_found" => ErrorKind::NotFound,
        "rate_limit_exceeded" | "rate_limit_error" => ErrorKind::RateLimit,
        "overloaded_error" | "overloaded" => ErrorKind::Overloaded,
        _ => return None,
    })
}

fn base_code(members: &Map<String, Value>) -> Option<i64> {
    members.get("base_resp")?.get("status_code")?.as_i64()
}

/// MiniMax answers 200 whatever happened; its own codes say what did.
fn minimax_status(code: i64) -> u16 {
    match code {
        1001 => 504,
        1002 | 1039 | 1041 => 429,
        1004 | 2049 => 401,
        1008 => 402,
        1026 | 1027 | 1042 | 2013 => 400,
        _ => 502,
    }
}

/// A message is a text, or a validator's list of complaints.
fn message_at(members: &Map<String, Value>, name: &str) -> Option<String> {
    match members.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Object(inner) => message_at(inner, "detail").or_else(|| message_at(inner, "message")),
        Value::Array(list) => {
            let lines: Vec<String> = list.iter().take(10).filter_map(complaint).collect();
            Some(lines.join("; ")).filter(|lines| !lines.is_empty())
        }
        _ => None,
    }
}

/// `{loc: ["body", "messages", 0], msg}` as `body.messages.0: …`.
fn complaint(entry: &Value) -> Option<String> {
    if let Value::String(text) = entry {
        return Some(text.clone());
    }
    let text = entry.get("msg").or_else(|| entry.get("message"))?.as_str()?;
    Some(match location(entry) {
        Some(place) => format!("{place}: {text}"),
        None => text.to_owned(),
    })
}

fn location(detail: &Value) -> Option<String> {
    let entry = detail.get(0).unwrap_or(detail);
    let steps = entry.get("loc")?.as_array()?;
    let steps: Vec<String> = steps
        .iter()
        .take(20)
        .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
        .collect();
    Some(steps.join("."))
}

fn text_at(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn code_at(members: &Map<String, Value>, name: &str) -> Option<String> {
    match members.get(name)? {
        Value::Number(number) => Some(number.to_string()),
        _ => text_at(members, name),
    }
}

/// An HTTP error status, as a number or as digits.
fn status_at(members: &Map<String, Value>, name: &str) -> Option<u16> {
    let value = members.get(name)?;
    let number = whole(value).or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|status| (400..600).contains(status))
}

fn seconds_to_ms(seconds: f64) -> u64 {
    (seconds.clamp(0.0, 86_400.0) * 1_000.0).ceil() as u64
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(error) => *error,
        _ => true,
    }
}

/// The text of an answer that is no JSON: a page's title, or the beginning of a plain text.
fn text_of_page(body: &[u8], status: u16) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_MESSAGE)]);
    if !looks_like_html(body) {
        return text.trim().to_owned();
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        let end = start + lower[start..].find('<')?;
        Some(text[start..end].trim().to_owned())
    });
    match title.filter(|title| !title.is_empty()) {
        Some(title) => format!("HTTP status {status} with an HTML page: {title}"),
        None => format!("HTTP status {status} with an HTML page"),
    }
}

fn looks_like_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

fn shorten(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        let cut = (0..=MAX_MESSAGE).rev().find(|&at| message.is_char_boundary(at)).unwrap_or(0);
        message.truncate(cut);
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Want {
        kind: ErrorKind,
        message: &'static str,
        vendor_type: Option<&'static str>,
        code: Option<&'static str>,
        param: Option<&'static str>,
    }

    fn want(kind: ErrorKind, message: &'static str) -> Want {
        Want { kind, message, vendor_type: None, code: None, param: None }
    }

    #[test]
    fn shapes_of_each_vendor() {
        use ErrorKind::*;
        let cases: Vec<(&str, u16, &str, Want)> = vec![
            (
                "openai",
                400,
                r#"{"error":{"message":"bad","type":"invalid_request_error","param":"messages","code":"invalid_value"}}"#,
                Want {
                    vendor_type: Some("invalid_request_error"),
                    code: Some("invalid_value"),
                    param: Some("messages"),
                    ..want(BadRequest, "bad")
                },
            ),
            (
                "openai, quota",
                429,
                r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
                Want {
                    vendor_type: Some("insufficient_quota"),
                    code: Some("insufficient_quota"),
                    ..want(Quota, "You exceeded your current quota")
                },
            ),
            (
                "openai, context by words",
                400,
                r#"{"error":{"message":"This model's maximum context length is 8192 tokens."}}"#,
                want(ContextTooLong, "This model's maximum context length is 8192 tokens."),
            ),
            (
                "azure, blocked prompt",
                400,
                r#"{"error":{"message":"filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
                Want {
                    code: Some("content_filter"),
                    param: Some("prompt"),
                    ..want(ContentBlocked, "filtered")
                },
            ),
            (
                "azure, key",
                401,
                r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key."}}"#,
                Want { code: Some("401"), ..want(Auth, "Access denied due to invalid subscription key.") },
            ),
            (
                "mistral, validator",
                422,
                r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","user"],"msg":"Extra inputs are not permitted","input":"u"}]},"type":"invalid_request_error","param":null,"code":null}"#,
                Want {
                    vendor_type: Some("invalid_request_error"),
                    ..want(BadRequest, "body.user: Extra inputs are not permitted")
                },
            ),
            (
                "fastapi",
                422,
                r#"{"detail":[{"loc":["body","messages",0],"msg":"field required"}]}"#,
                Want {
                    param: Some("body.messages.0"),
                    ..want(BadRequest, "body.messages.0: field required")
                },
            ),
            ("detail text", 404, r#"{"detail":"Not Found"}"#, want(NotFound, "Not Found")),
            (
                "mistral, key",
                401,
                r#"{"message":"Unauthorized","request_id":"r1"}"#,
                want(Auth, "Unauthorized"),
            ),
            (
                "together, text",
                500,
                r#"{"error":"boom","error_type":"internal"}"#,
                Want { vendor_type: Some("internal"), ..want(UpstreamBroken, "boom") },
            ),
            (
                "openrouter",
                402,
                r#"{"error":{"code":402,"message":"Insufficient credits"},"user_id":"u"}"#,
                Want { code: Some("402"), ..want(Quota, "Insufficient credits") },
            ),
            (
                "fireworks, edge",
                503,
                r#"{"fault":{"faultstring":"upstream down","detail":{"errorcode":"messaging.adaptors"}}}"#,
                Want { code: Some("messaging.adaptors"), ..want(Overloaded, "upstream down") },
            ),
            (
                "watsonx",
                404,
                r#"{"errors":[{"code":"model_not_supported","message":"no such model","more_info":"x"}],"trace":"t","status_code":404}"#,
                Want { code: Some("model_not_supported"), ..want(NotFound, "no such model") },
            ),
            (
                "workers ai",
                429,
                r#"{"success":false,"errors":[{"code":3040,"message":"No more data centers"}],"result":null}"#,
                Want { code: Some("3040"), ..want(RateLimit, "No more data centers") },
            ),
            (
                "xai, outside chat",
                400,
                r#"{"code":"Client specified an invalid argument","error":"bad model"}"#,
                Want { code: Some("Client specified an invalid argument"), ..want(BadRequest, "bad model") },
            ),
            (
                "azure inference",
                422,
                r#"{"status":422,"code":"parameter_not_supported","detail":{"loc":["body","n"],"input":"2"}}"#,
                Want {
                    code: Some("parameter_not_supported"),
                    param: Some("body.n"),
                    ..want(BadRequest, "HTTP status 422")
                },
            ),
            (
                "databricks",
                400,
                r#"{"error_code":"BAD_REQUEST","message":"no"}"#,
                Want { code: Some("BAD_REQUEST"), ..want(BadRequest, "no") },
            ),
            (
                "groq, tokens per minute",
                413,
                r#"{"error":{"message":"Request too large","type":"tokens","code":"rate_limit_exceeded"}}"#,
                Want {
                    vendor_type: Some("tokens"),
                    code: Some("rate_limit_exceeded"),
                    ..want(RateLimit, "Request too large")
                },
            ),
            ("groq, flex", 498, r#"{"error":{"message":"capacity"}}"#, want(Overloaded, "capacity")),
            ("list", 400, r#"[{"error":{"message":"bad"}}]"#, want(BadRequest, "bad")),
            (
                "html",
                502,
                "<html><head><title>502 Bad Gateway</title></head></html>",
                want(UpstreamBroken, "HTTP status 502 with an HTML page: 502 Bad Gateway"),
            ),
            ("html without title", 401, "<!DOCTYPE html>", want(Auth, "HTTP status 401 with an HTML page")),
            ("plain text", 401, "Unauthorized\n", want(Auth, "Unauthorized")),
            ("empty", 500, "", want(UpstreamBroken, "HTTP status 500")),
            ("empty error", 500, r#"{"error":{}}"#, want(UpstreamBroken, "HTTP status 500")),
        ];
        for (name, status, body, want) in cases {
            let error = read(status, body.as_bytes());
            assert_eq!((error.kind, error.status), (want.kind, status), "{name}");
            assert_eq!(error.message, want.message, "{name}");
            assert_eq!(error.vendor_type.as_deref(), want.vendor_type, "{name}");
            assert_eq!(error.code.as_deref(), want.code, "{name}");
            assert_eq!(error.param.as_deref(), want.param, "{name}");
        }
    }

    #[test]
    fn waits_and_request_ids_are_found() {
        let error =
            read(429, br#"{"error":{"message":"retry after 6 seconds","code":"429"},"request_id":"r"}"#);
        assert_eq!((error.retry_after_ms, error.request_id.as_deref()), (Some(6_000), Some("r")));
        let error = read(429, br#"{"error":{"message":"slow down","retry_after":1.5}}"#);
        assert_eq!(error.retry_after_ms, Some(1_500));
    }

    #[test]
    fn health_counts_only_what_the_provider_did() {
        for (status, body, fault) in [
            (429, r#"{"error":{"code":"insufficient_quota"}}"#, Fault::Caller),
            (429, "{}", Fault::Provider),
            (500, "{}", Fault::Provider),
            (401, "{}", Fault::Caller),
        ] {
            assert_eq!(read(status, body.as_bytes()).fault, fault, "{status} {body}");
        }
    }

    #[test]
    fn errors_hidden_in_success_are_seen() {
        let seen = |text: &str| in_success(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap());
        for (text, status, message) in [
            (r#"{"error":{"code":429,"message":"busy"}}"#, 429, "busy"),
            (r#"{"error":"broken"}"#, 502, "broken"),
            (r#"{"error":{"message":"long","code":"context_length_exceeded"}}"#, 400, "long"),
            (r#"{"error":{"message":"x","type":"overloaded_error"}}"#, 503, "x"),
            (
                r#"{"base_resp":{"status_code":1002,"status_msg":"rate limit"},"choices":null}"#,
                429,
                "rate limit",
            ),
            (r#"{"base_resp":{"status_code":1,"status_msg":""}}"#, 502, "HTTP status 502"),
            (r#"{"success":false,"errors":[{"code":5007,"message":"no such model"}]}"#, 502, "no such model"),
            (r#"{"object":"error","message":"down","code":503}"#, 503, "down"),
            (r#"{"x_groq":{"error":"over capacity"}}"#, 502, "over capacity"),
        ] {
            let error = seen(text).unwrap();
            assert_eq!((error.status, error.message.as_str()), (status, message), "{text}");
        }
        for fine in [
            r#"{"error":null,"choices":[]}"#,
            r#"{"error":"","choices":[]}"#,
            r#"{"base_resp":{"status_code":0,"status_msg":"success"}}"#,
            r#"{"success":true}"#,
            r#"{"x_groq":{"id":"r"}}"#,
        ] {
            assert_eq!(seen(fine), None, "{fine}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let error = read(500, format!("{}é", "x".repeat(4_095)).as_bytes());
        assert!(error.message.len() <= MAX_MESSAGE + 3, "{}", error.message.len());
        let body = serde_json::json!({"error": {"message": "é".repeat(4_000)}}).to_string();
        assert_eq!(read(500, body.as_bytes()).message.chars().count(), 2_049);
    }
}
