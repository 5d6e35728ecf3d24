//! `authorization: Bearer {key}`.

use http::header::AUTHORIZATION;
use http::request::Parts;
use tidegate_core::Secret;

use super::{SignError, header};

pub(super) fn apply(key: &Secret, parts: &mut Parts) -> Result<(), SignError> {
    header::apply(&AUTHORIZATION, "Bearer ", key, parts)
}
