//! Requests of the gateway's own API: read whole, and handed to whoever administers.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Limited};
use tidegate_core::{ApiError, ErrorKind, Fault};
use tidegate_dialect::ClientDialect as _;
use tidegate_limits::client_address;

use crate::accept::Inbound;
use crate::body::ClientBody;
use crate::state::Gateway;

/// Far above any object of the API.
const LARGEST_BODY: usize = 1024 * 1024;

pub async fn serve(gateway: &Arc<Gateway>, peer: IpAddr, inbound: Inbound) -> Response<ClientBody> {
    let Some(admin) = gateway.control.admin.clone() else {
        return refuse(StatusCode::NOT_FOUND, ErrorKind::NotFound, "Not found");
    };
    let doors = gateway.snapshot.load().doors.clone();
    let (parts, body) = inbound.into_parts();
    let texts: Vec<&str> =
        parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let address = client_address(peer, texts.into_iter(), &doors.proxies);
    if doors.addresses.check(address).is_err() {
        let message = format!("requests from {address} are not accepted here");
        return refuse(StatusCode::FORBIDDEN, ErrorKind::Permission, &message);
    }
    let too_large = body.size_hint().lower() > LARGEST_BODY as u64;
    let bytes: Bytes = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) if !too_large => body.to_bytes(),
        _ => {
            let message = format!("the request's body is larger than {LARGEST_BODY} bytes, or broke off");
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::TooLarge, &message);
        }
    };
    admin.serve(Request::from_parts(parts, bytes), address).await.map(ClientBody::full)
}

fn refuse(status: StatusCode, kind: ErrorKind, message: &str) -> Response<ClientBody> {
    let error = ApiError::new(kind, Fault::Caller, status.as_u16(), message);
    let body = tidegate_dialect::openai_chat::OpenAi.encode_error(&error, None);
    let mut response = Response::new(ClientBody::full(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
