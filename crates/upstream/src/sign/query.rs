//! The key as a query parameter, last.

use http::Uri;
use http::request::Parts;
use http::uri::PathAndQuery;
use tidegate_core::Secret;

use super::SignError;
use crate::percent::push_encoded;

pub(super) fn apply(name: &str, key: &Secret, parts: &mut Parts) -> Result<(), SignError> {
    let mut target = String::from(parts.uri.path());
    target.push('?');
    let theirs = parts.uri.query().unwrap_or_default().split('&');
    for pair in theirs.filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name)) {
        target.push_str(pair);
        target.push('&');
    }
    push_encoded(&mut target, name.as_bytes());
    target.push('=');
    push_encoded(&mut target, key.expose().as_bytes());

    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    uri.path_and_query = Some(PathAndQuery::from_maybe_shared(target).map_err(|_| SignError::Url)?);
    parts.uri = Uri::from_parts(uri).map_err(|_| SignError::Url)?;
    Ok(())
}
