//! Requests of the gateway's own API: read whole, and handed to whoever administers.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tidegate_access::route::Body;
use tidegate_core::{ApiError, ErrorKind, Fault};
use tidegate_http1::server::Incoming;
use tokio::time::timeout;

use crate::accept::Inbound;
use crate::body::ClientBody;
use crate::control::router;
use crate::refuse::bare;
use crate::state::Gateway;
use crate::{authenticate, intake};

/// Answers `inbound`, which is for the API.
pub async fn serve(gateway: &Arc<Gateway>, peer: IpAddr, inbound: Inbound) -> Response<ClientBody> {
    let Some(admin) = gateway.control.admin.clone() else {
        return bare(&ApiError::new(ErrorKind::NotFound, Fault::Caller, 404, "Not found"));
    };
    let (parts, body) = inbound.into_parts();
    let snapshot = gateway.snapshot.load_full();
    let address = match authenticate::address(&snapshot.doors, peer, &parts.headers) {
        Ok(address) => address,
        Err(refusal) => return bare(&refusal.error),
    };
    let most = largest(&parts, snapshot.bounds.max_intake);
    let Some(room) = gateway.intake.room(body.size_hint().exact(), most) else {
        let message = "more is being told than can be held now; send it again";
        let mut refused = bare(&ApiError::new(ErrorKind::Overloaded, Fault::Gateway, 503, message));
        refused.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        return refused;
    };
    let bytes = match read(body, most).await {
        Ok(bytes) => bytes,
        Err(error) => return bare(&error),
    };
    let response = admin.serve(Request::from_parts(parts, bytes), address).await;
    drop(room);
    response
}

/// Bytes that a request may bring: little, but for routes on which programs tell.
fn largest(parts: &Parts, intake: usize) -> usize {
    match router().find(&parts.method, parts.uri.path()) {
        Ok(found) if found.route.body() == Body::Intake => intake,
        _ => intake::SMALL,
    }
}

async fn read(body: Incoming, most: usize) -> Result<Bytes, ApiError> {
    let too_large = || {
        let message = format!("the request's body is larger than {most} bytes");
        ApiError::new(ErrorKind::TooLarge, Fault::Caller, 413, message)
    };
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    match timeout(intake::WITHIN, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => {
            let message = "the request's body broke off before its end";
            Err(ApiError::new(ErrorKind::BadRequest, Fault::Caller, 400, message))
        }
        Err(_) => {
            let message = format!("the request's body took longer than {} s", intake::WITHIN.as_secs());
            Err(ApiError::new(ErrorKind::Timeout, Fault::Caller, 408, message))
        }
    }
}
