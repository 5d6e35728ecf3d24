//! `?pretty` on any JSON answer: the body with two spaces of indentation, as in the reference.

use bytes::Bytes;
use http::{Response, Uri, header};
use http_body_util::{BodyExt as _, Limited};

use crate::body::ClientBody;

/// Larger answers stay as they are.
const LIMIT: usize = 16 * 1024 * 1024;

pub fn wanted(uri: &Uri) -> bool {
    uri.query()
        .is_some_and(|query| query.split('&').any(|pair| pair == "pretty" || pair.starts_with("pretty=")))
}

pub async fn print(response: Response<ClientBody>) -> Response<ClientBody> {
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let small = http_body::Body::size_hint(response.body()).upper().is_some_and(|len| len <= LIMIT as u64);
    if !is_json || !small || response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(collected) = Limited::new(body, LIMIT).collect().await else {
        // The transfer broke; what is left cannot be told from a whole answer, so it ends in a cut as well.
        return Response::from_parts(parts, ClientBody::Broken);
    };
    let plain = collected.to_bytes();
    let printed = serde_json::from_slice::<serde_json::Value>(&plain)
        .ok()
        .and_then(|value| serde_json::to_vec_pretty(&value).ok())
        .map_or(plain, Bytes::from);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, ClientBody::full(printed))
}
