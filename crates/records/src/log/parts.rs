//! Stored bodies and their headers as JSON.

use serde_json::value::{RawValue, to_raw_value};

use super::Headers;
use crate::body::{StoredBodies, StoredBody};

pub(super) fn of<'a>(bodies: Option<&'a StoredBodies>, part: &str) -> Option<&'a StoredBody> {
    bodies?.bodies.iter().find(|body| body.part == part)
}

pub(super) fn headers(body: &StoredBody) -> Headers {
    some(body, |_| true)
}

pub(super) fn portkey_headers(body: &StoredBody) -> Headers {
    some(body, |name| name.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("x-portkey-")))
}

fn some(body: &StoredBody, wanted: impl Fn(&str) -> bool) -> Headers {
    let wanted = body.headers.iter().filter(|(name, _)| wanted(name));
    wanted.map(|(name, value)| (name.to_string(), value.as_str().into())).collect()
}

/// JSON where the text is JSON from end to end, else a string; `None`: nothing was kept.
pub(super) fn body(body: &StoredBody) -> Option<Box<RawValue>> {
    let text = body.text().filter(|text| !text.is_empty())?;
    match RawValue::from_string(text) {
        Ok(json) => Some(json),
        Err(_) => to_raw_value(&body.text()?).ok(),
    }
}
