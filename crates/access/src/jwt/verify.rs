//! Whether a token is signed by one of the keys, for us, and now.

use serde_json::{Map, Value};

use super::TokenFault;
use super::jwks::KeySet;
use super::token::Token;

/// What a token has to be beside signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How far clocks may be apart, in seconds.
    pub skew_s: u64,
    /// When set, `iss` has to be it.
    pub issuer: Option<Box<str>>,
    /// When set, `aud` has to be or to hold it.
    pub audience: Option<Box<str>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { skew_s: 60, issuer: None, audience: None }
    }
}

/// Claims that may be believed.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    pub claims: Map<String, Value>,
    /// The first millisecond at which the token is no longer good, the skew included.
    pub until_ms: u64,
}

/// `now_ms`: milliseconds since 1970.
///
/// # Errors
/// The first thing that is wrong: key, signature, then times and names. Nothing of the claims is looked at before the
/// signature is good.
pub fn verify(token: Token<'_>, keys: &KeySet, policy: &Policy, now_ms: u64) -> Result<Verified, TokenFault> {
    check_signature(&token, keys)?;
    let claims = token.claims;
    let until_ms = check_times(&claims, policy.skew_s.saturating_mul(1_000), now_ms)?;
    if let Some(issuer) = &policy.issuer
        && claims.get("iss").and_then(Value::as_str) != Some(issuer)
    {
        return Err(TokenFault::Issuer);
    }
    if let Some(audience) = &policy.audience
        && !is_for(claims.get("aud"), audience)
    {
        return Err(TokenFault::Audience);
    }
    Ok(Verified { claims, until_ms })
}

fn check_signature(token: &Token<'_>, keys: &KeySet) -> Result<(), TokenFault> {
    // A key is for one algorithm. Which one the token asks for only narrows the choice.
    let fit = keys.keys.iter().filter(|key| key.algorithm() == token.algorithm);
    let mut candidates: Vec<_> = match &token.key_id {
        Some(id) => fit.filter(|key| key.id.as_ref() == Some(id)).collect(),
        None => fit.collect(),
    };
    // Without an id there must be no choice: trying all would let every key speak for every other.
    if candidates.is_empty() || (token.key_id.is_none() && candidates.len() > 1) {
        return Err(TokenFault::NoSuchKey);
    }
    // Two keys of one id: somebody is in the middle of changing them.
    candidates.truncate(4);
    let signed = candidates.iter().any(|key| key.has_signed(token.signed, &token.signature));
    if signed { Ok(()) } else { Err(TokenFault::Signature) }
}

/// Gives the first millisecond at which the token is no longer good.
fn check_times(claims: &Map<String, Value>, skew_ms: u64, now_ms: u64) -> Result<u64, TokenFault> {
    let until = moment(claims.get("exp"))?.ok_or(TokenFault::Times)?.saturating_add(skew_ms);
    if until <= now_ms {
        return Err(TokenFault::Expired);
    }
    for name in ["nbf", "iat"] {
        if moment(claims.get(name))?.is_some_and(|from| from > now_ms.saturating_add(skew_ms)) {
            return Err(TokenFault::NotYetValid);
        }
    }
    Ok(until)
}

/// A NumericDate (seconds, fractions allowed) in milliseconds.
fn moment(claim: Option<&Value>) -> Result<Option<u64>, TokenFault> {
    let Some(claim) = claim else { return Ok(None) };
    if let Some(seconds) = claim.as_u64() {
        return Ok(Some(seconds.saturating_mul(1_000)));
    }
    // Negative times and fractions; the cast saturates.
    let seconds = claim.as_f64().filter(|seconds| seconds.is_finite()).ok_or(TokenFault::Times)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "floored and not negative")]
    let ms = (seconds.max(0.0) * 1_000.0) as u64;
    Ok(Some(ms))
}

fn is_for(claim: Option<&Value>, audience: &str) -> bool {
    match claim {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(list)) => list.iter().any(|one| one == audience),
        _ => false,
    }
}
