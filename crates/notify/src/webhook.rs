//! A POST to an address that was configured.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use tidegate_core::{Clock, FieldError, Secret};
use tidegate_upstream::{Egress, OutBody, SendError, SendErrorKind};

use crate::channel::Trouble;
use crate::notice::Notice;
use crate::options::{Form, Webhook};
use crate::{payload, signature};

pub(crate) struct Hook {
    url: Uri,
    form: Form,
    secret: Option<Secret>,
    egress: Egress,
    clock: Arc<dyn Clock>,
}

impl Hook {
    /// `field` is where it is written, for the errors.
    pub(crate) fn new(
        field: &str,
        options: &Webhook,
        egress: Egress,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FieldError> {
        let wrong = |problem: &str| {
            // Not what was written: it may be a credential.
            FieldError::new(
                &format!("{field}.url"),
                problem,
                "an address such as https://hooks.example.com/tidegate",
            )
        };
        let url: Uri = options.url.expose().trim().parse().map_err(|_| wrong("is no address"))?;
        if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none_or(str::is_empty) {
            return Err(wrong("is no address of the web"));
        }
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong("has a user in it"));
        }
        if let Some(secret) = &options.secret {
            signature::key(secret)
                .map_err(|error| FieldError { field: format!("{field}.{}", error.field), ..error })?;
        }
        Ok(Self { url, form: options.form, secret: options.secret.clone(), egress, clock })
    }

    pub(crate) fn name(&self) -> String {
        format!("webhook {}", self.url.host().unwrap_or_default())
    }

    pub(crate) async fn deliver(&self, notice: &Notice) -> Result<(), Trouble> {
        let request = self.request(notice).map_err(|reason| Trouble::Lasting { reason })?;
        let answer = self.egress.send(request, None).await.map_err(unsent)?;
        // What else it says is of no use: the connection goes with it.
        judge(answer.status(), answer.headers())
    }

    fn request(&self, notice: &Notice) -> Result<Request<OutBody>, String> {
        let body = payload::of(notice, self.form).map_err(|error| error.to_string())?;
        let seconds = self.clock.unix_ms() / 1_000;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", notice.id())
            .header("webhook-timestamp", seconds);
        if let Some(secret) = &self.secret {
            let signature =
                signature::sign(secret, notice.id(), seconds, &body).map_err(|error| error.to_string())?;
            request = request.header("webhook-signature", signature);
        }
        request.body(OutBody::full(body)).map_err(|error| error.to_string())
    }
}

fn unsent(error: SendError) -> Trouble {
    match error.kind {
        SendErrorKind::InvalidRequest | SendErrorKind::Blocked => Trouble::Lasting { reason: error.detail },
        _ => Trouble::Passing { reason: error.detail, after: None },
    }
}

fn judge(status: StatusCode, headers: &HeaderMap) -> Result<(), Trouble> {
    if status.is_success() {
        return Ok(());
    }
    let reason = format!("answered {}", status.as_u16());
    let passes = status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
    if !passes {
        return Err(Trouble::Lasting { reason });
    }
    let after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Err(Trouble::Passing { reason, after: after.map(Duration::from_secs) })
}
