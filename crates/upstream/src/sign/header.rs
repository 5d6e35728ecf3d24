//! The key in a header, after a prefix.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use tidegate_core::Secret;

use super::SignError;

pub(super) fn apply(
    name: &HeaderName,
    prefix: &str,
    key: &Secret,
    parts: &mut Parts,
) -> Result<(), SignError> {
    let text = Bytes::from([prefix, key.expose()].concat());
    let mut value = HeaderValue::from_maybe_shared(text).map_err(|_| SignError::NotAHeaderValue)?;
    value.set_sensitive(true);
    parts.headers.insert(name.clone(), value);
    Ok(())
}
