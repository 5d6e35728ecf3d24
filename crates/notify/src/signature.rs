//! Signatures as the Standard Webhooks specification has them: `v1,` and the HMAC-SHA256 of id, time and body in Base64.
//! Libraries for receivers exist in many languages.

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidegate_core::{FieldError, Secret};

const PREFIX: &str = "whsec_";
const LEAST_BYTES: usize = 16;

/// The value of `webhook-signature`, for a body that is sent with this `webhook-id` at this time (seconds since 1970).
///
/// # Errors
/// A secret that is no secret; see [`verify`].
pub fn sign(secret: &Secret, id: &str, seconds: u64, body: &[u8]) -> Result<String, FieldError> {
    let tag = hmac::sign(&key(secret)?, &signed(id, seconds, body));
    Ok(format!("v1,{}", STANDARD.encode(tag)))
}

/// Whether a signature is the one that [`sign`] makes. In constant time.
///
/// # Errors
/// The secret is `whsec_` and Base64, or any text, of at least 16 bytes.
pub fn verify(
    secret: &Secret,
    id: &str,
    seconds: u64,
    body: &[u8],
    signature: &str,
) -> Result<bool, FieldError> {
    let key = key(secret)?;
    let tag = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
    Ok(tag.is_some_and(|tag| hmac::verify(&key, &signed(id, seconds, body), &tag).is_ok()))
}

fn signed(id: &str, seconds: u64, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{id}.{seconds}.").into_bytes();
    text.extend_from_slice(body);
    text
}

pub(crate) fn key(secret: &Secret) -> Result<Key, FieldError> {
    let text = secret.expose();
    let wrong = |problem: &str| {
        let expected = "`whsec_` and 24 or more bytes in Base64, or any text of at least 16 bytes";
        FieldError::new("secret", problem, expected)
    };
    let bytes = match text.strip_prefix(PREFIX) {
        Some(encoded) => {
            STANDARD.decode(encoded).map_err(|_| wrong("what follows `whsec_` is not Base64"))?
        }
        None => text.as_bytes().to_vec(),
    };
    if bytes.len() < LEAST_BYTES {
        return Err(wrong("is too short"));
    }
    Ok(Key::new(HMAC_SHA256, &bytes))
}
