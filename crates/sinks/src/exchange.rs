//! One request to a warehouse, and what its answer means.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use tidegate_core::FieldError;
use tidegate_upstream::{Egress, OutBody};
use tokio::time::timeout;

/// The beginning of an answer that is looked into for the reason of a failure.
const MOST_OF_ANSWER: usize = 64 << 10;
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// What the warehouse said. The texts show no secret, and nothing of what was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Taken,
    /// It is about what was sent: it would be no different again.
    Refused(String),
    Later {
        why: String,
        after: Option<Duration>,
    },
}

impl Sent {
    pub(crate) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), after: None }
    }
}

/// Sends, and reads the answer to its end. `reason` finds the warehouse's own word for a failure.
pub(crate) async fn ask(
    egress: &Egress,
    request: Request<OutBody>,
    patience: Duration,
    reason: fn(&HeaderMap, &[u8]) -> Option<String>,
) -> Sent {
    let exchange = async {
        // Whatever the reason: settings and firewalls change, and what waits on disk is not given up for them.
        let answer = egress.send(request, None).await.map_err(|error| error.detail)?;
        let (head, body) = answer.into_parts();
        // A 200 counts when its body has come to its end: before that the connection may have broken in the middle of a
        // failure.
        let body = Limited::new(body, MOST_OF_ANSWER).collect().await;
        match body {
            Ok(body) => Ok((head, body.to_bytes())),
            Err(_) if !head.status.is_success() => Ok((head, bytes::Bytes::new())),
            Err(error) => Err(format!("its answer broke off: {error}")),
        }
    };
    let (head, body) = match timeout(patience, exchange).await {
        Err(_) => return Sent::later(format!("no answer within {} ms", patience.as_millis())),
        Ok(Err(why)) => return Sent::later(why),
        Ok(Ok(answer)) => answer,
    };
    if head.status.is_success() {
        return Sent::Taken;
    }
    let why = match reason(&head.headers, &body) {
        None => format!("it answered {}", head.status.as_u16()),
        Some(reason) => format!("it answered {} ({reason})", head.status.as_u16()),
    };
    match head.status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            Sent::Refused(why)
        }
        _ => {
            let after =
                head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
            let after = after.map(|seconds: u64| Duration::from_secs(seconds).min(LONGEST_WAIT));
            Sent::Later { why, after }
        }
    }
}

/// A base address without query and credentials, and without a slash at its end.
pub(crate) fn base(field: &str, url: &str) -> Result<String, FieldError> {
    let wrong = |problem: &str| FieldError::new(field, problem, "such as https://warehouse.example:8443");
    let text = url.trim_end_matches('/');
    let uri: http::Uri = text.parse().map_err(|_| wrong("is no address of the web"))?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_web || uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
        return Err(wrong("is no address of the web"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(wrong("holds credentials, which have settings of their own"));
    }
    Ok(text.to_owned())
}
