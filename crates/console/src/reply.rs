//! From a name to an answer.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::ROOT;
use crate::files::{File, PAGE, find};

/// Everything comes from the gateway itself; nothing is run or styled that stands in a page; nobody frames it. Images of
/// requests are shown from the records, never fetched from where they point to.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
static OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Their names change with their content.
const HASHED: &str = "assets/";

pub(crate) fn to_root() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(ROOT));
    response
}

pub(crate) fn of(name: &str, headers: &HeaderMap) -> Response<Bytes> {
    match find(name) {
        Some(file) => answer(file, headers),
        None if name.starts_with(HASHED) => not_found(),
        None => find(PAGE).map_or_else(not_found, |page| answer(page, headers)),
    }
}

fn answer(file: &File, headers: &HeaderMap) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let is_hashed = file.name.starts_with(HASHED);
    let keep = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let own = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, file.content_type),
        (CACHE_CONTROL, keep),
        (ETAG, file.etag),
        (VARY, "accept-encoding"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (OPENER.clone(), "same-origin"),
    ] {
        own.insert(name, HeaderValue::from_static(value));
    }
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == file.etag.as_bytes()) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    if takes_gzip(headers) {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        *response.body_mut() = Bytes::from_static(file.gzip);
        return response;
    }
    match plain(file) {
        Some(content) => *response.body_mut() = content.into(),
        None => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    response
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    codings.flat_map(|text| text.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let is_refused = parts
            .filter_map(|part| part.strip_prefix("q="))
            .any(|quality| quality.parse().is_ok_and(|quality: f32| quality <= 0.0));
        is_gzip && !is_refused
    })
}

/// `None` for a file that is no gzip, which a test rules out.
pub(crate) fn plain(file: &File) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    GzDecoder::new(file.gzip).read_to_end(&mut content).ok()?;
    Some(content)
}

fn not_found() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"Not found\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
