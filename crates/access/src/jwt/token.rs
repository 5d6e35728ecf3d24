//! A token, taken apart and not yet believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::TokenFault;
use crate::carrier::LONGEST;

/// The algorithms that are accepted. All are of key pairs: a public key can then never serve as a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

/// The parts of a token. Its claims are private until [`super::verify`] gives them out.
pub struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<Box<str>>,
    /// What the signature is over: header and claims as they came.
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
    pub(super) claims: Map<String, Value>,
}

impl Algorithm {
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "RS256" => Self::Rs256,
            "ES256" => Self::Es256,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }
}

impl<'a> Token<'a> {
    /// # Errors
    /// A text that is no token, or one whose header asks for something the gateway does not do.
    pub fn parse(text: &'a str) -> Result<Self, TokenFault> {
        if text.len() > LONGEST {
            return Err(TokenFault::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        let header = object(header)?;
        // `jwk`, `jku`, `x5c`, `x5u` are not read: a token does not bring the key that it is checked with.
        let word = header.get("alg").and_then(Value::as_str).ok_or(TokenFault::Algorithm)?;
        let algorithm = Algorithm::of_word(word).ok_or(TokenFault::Algorithm)?;
        if ["crit", "b64", "zip", "enc"].iter().any(|name| header.contains_key(*name)) {
            return Err(TokenFault::Header);
        }
        if header.get("typ").is_some_and(|typ| !typ.as_str().is_some_and(is_token_type)) {
            return Err(TokenFault::Header);
        }
        let key_id = match header.get("kid") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id.as_str().into()),
            Some(_) => return Err(TokenFault::Header),
        };
        let claims = object(claims)?;
        let signature = decoded(signature)?;
        Ok(Self { algorithm, key_id, signed, signature, claims })
    }

    /// A claim before it is believed: to find the keys to check with, and for nothing else.
    pub fn unverified(&self, names: &[Box<str>]) -> Option<&str> {
        names.iter().find_map(|name| self.claims.get(&**name)).and_then(Value::as_str)
    }
}

impl std::fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("algorithm", &self.algorithm).field("key_id", &self.key_id).finish()
    }
}

/// Of access tokens (RFC 9068) and of tokens at large.
fn is_token_type(typ: &str) -> bool {
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    typ.eq_ignore_ascii_case("jwt") || typ.eq_ignore_ascii_case("at+jwt")
}

fn object(part: &str) -> Result<Map<String, Value>, TokenFault> {
    serde_json::from_slice(&decoded(part)?).map_err(|_| TokenFault::Malformed)
}

/// Without padding, and only the one spelling that a text has.
fn decoded(part: &str) -> Result<Vec<u8>, TokenFault> {
    if part.is_empty() {
        return Err(TokenFault::Malformed);
    }
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)
}
