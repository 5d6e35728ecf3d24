//! Bounds that several objects share.

use serde_json::Value;

use crate::error::StoreError;

/// The longest name, in characters.
const NAME: usize = 255;
/// The longest description or note, in characters.
const NOTE: usize = 5_000;
const SLUG: usize = 128;

pub(super) fn name(field: &str, text: &str) -> Result<(), StoreError> {
    if text.trim().is_empty() {
        return Err(StoreError::invalid(field, "must not be empty"));
    }
    at_most(field, text, NAME)
}

pub(super) fn note(field: &str, text: Option<&str>) -> Result<(), StoreError> {
    text.map_or(Ok(()), |text| at_most(field, text, NOTE))
}

pub(super) fn slug(text: &str) -> Result<(), StoreError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > SLUG || !text.chars().all(allowed) {
        let problem = "must be 1 to 128 letters, digits, hyphens, underscores and dots";
        return Err(StoreError::invalid("slug", problem));
    }
    Ok(())
}

pub(super) fn object(field: &str, value: &Value) -> Result<(), StoreError> {
    if value.is_object() { Ok(()) } else { Err(StoreError::invalid(field, "must be a JSON object")) }
}

fn at_most(field: &str, text: &str, most: usize) -> Result<(), StoreError> {
    if text.chars().count() > most {
        return Err(StoreError::invalid(field, format!("must not be longer than {most} characters")));
    }
    Ok(())
}
