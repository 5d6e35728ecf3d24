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
    let by_word = || [&told.code, &told.kind].into_iter().flatten().find_map(|word| status_of_word(word));
    let status = told.status.or_else(by_word).unwrap_or(502);
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

/// The status that an error event would have had as an answer.
fn status_of_word(word: &str) -> Option<u16> {
    match word {
        "invalid_request_error" => Some(400),
        "permission_error" => Some(403),
        "service_unavailable" | "service_unavailable_error" => Some(503),
        _ => match kind_of_word(word)? {
            ErrorKind::ContextTooLong | ErrorKind::ContentBlocked => Some(400),
            ErrorKind::Auth => Some(401),
            ErrorKind::NotFound => Some(404),
            ErrorKind::Quota | ErrorKind::RateLimit => Some(429),
            ErrorKind::Overloaded => Some(503),
            _ => None,
        },
    }
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
mod tests;
