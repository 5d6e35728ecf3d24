//! Signed tokens in place of API keys.
//!
//! An organisation gives the gateway its public keys ([`KeySet`]); who holds a token signed by one of them is whom its
//! claims say, as far as a [`Mapping`] reads them. The order is fixed: a [`Token`] is taken apart, [`verify`] checks
//! signature and times, and only then does anybody believe a claim. Fetching keys is a caller's work.

pub mod cache;
pub mod claims;
pub mod jwks;
#[cfg(test)]
mod tests;
mod token;
mod verify;

pub use cache::TokenCache;
pub use claims::{Mapping, TokenGrant};
pub use jwks::{JwksError, KeySet, Skipped};
pub use token::{Algorithm, Token};
pub use verify::{Policy, Verified, verify};

use crate::refusal::{Reason, Refusal};

/// Why a token is not taken, for the record. The caller hears the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// Not three parts of base64url with JSON objects in the first two, or too long.
    Malformed,
    /// `none`, a shared-secret algorithm, or one that the gateway does not know.
    Algorithm,
    /// A header that changes what the token means (`crit`, `b64`, `zip`), or a `typ` of something else.
    Header,
    /// No key of that id, or none of that algorithm, or several and no id to choose by.
    NoSuchKey,
    Signature,
    /// No `exp`, or a time that is no number.
    Times,
    Expired,
    NotYetValid,
    Issuer,
    Audience,
    /// Signed by one organisation's key in the name of another.
    Organisation,
    /// A claim that is needed and is not there, or is of the wrong type.
    Claims,
}

impl From<TokenFault> for Refusal {
    fn from(_: TokenFault) -> Self {
        Refusal::new(Reason::BadToken)
    }
}

/// Whether a text has the outer form of a token, so that it is verified and not looked up. Nothing is decoded.
pub fn looks_like_token(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    // `eyJ` is `{"`: a header is a JSON object.
    text.starts_with("eyJ")
        && text.bytes().filter(|byte| *byte == b'.').count() == 2
        && text.bytes().all(is_base64url)
}
