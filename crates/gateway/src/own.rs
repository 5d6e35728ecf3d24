//! Requests of the gateway's own API: read whole, and handed to whoever administers.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Limited};
use tidegate_core::{ApiError, ErrorKind, Fault};

use crate::accept::Inbound;
use crate::authenticate;
use crate::body::ClientBody;
use crate::refuse::bare;
use crate::state::Gateway;

/// Far above any object of the API.
const LARGEST_BODY: usize = 1024 * 1024;

pub async fn serve(gateway: &Arc<Gateway>, peer: IpAddr, inbound: Inbound) -> Response<ClientBody> {
    let Some(admin) = gateway.control.admin.clone() else {
        return bare(&ApiError::new(ErrorKind::NotFound, Fault::Caller, 404, "Not found"));
    };
    let (parts, body) = inbound.into_parts();
    let address = authenticate::address(&gateway.snapshot.load().doors, peer, &parts.headers);
    let address = match address {
        Ok(address) => address,
        Err(refusal) => return bare(&refusal.error),
    };
    let too_large = body.size_hint().lower() > LARGEST_BODY as u64;
    let bytes: Bytes = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) if !too_large => body.to_bytes(),
        _ => {
            let message = format!("the request's body is larger than {LARGEST_BODY} bytes, or broke off");
            return bare(&ApiError::new(ErrorKind::TooLarge, Fault::Caller, 413, message));
        }
    };
    admin.serve(Request::from_parts(parts, bytes), address).await
}
