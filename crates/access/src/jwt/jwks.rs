//! An organisation's public keys, read from a JSON Web Key Set (RFC 7517).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::token::Algorithm;

/// The keys that can be used, in the order of the set.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    pub(super) keys: Vec<PublicKey>,
    pub skipped: Vec<Skipped>,
}

/// A key of the set that is left aside, and why: for whoever entered the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Index in `keys`.
    pub at: usize,
    pub why: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksError {
    /// Not a JSON object with an array `keys`.
    NotASet,
    /// More keys than anybody has.
    TooMany,
    /// There are keys, and none of them can be used.
    NoneUsable,
}

#[derive(Debug, Clone)]
pub(super) struct PublicKey {
    pub(super) id: Option<Box<str>>,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// Uncompressed point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// The most keys in a set.
const MOST: usize = 100;

impl KeySet {
    /// # Errors
    /// A text that is no key set, or has no key that could check a token. Single unusable keys are skipped: sets hold
    /// keys for other purposes too.
    pub fn parse(json: &[u8]) -> Result<Self, JwksError> {
        let set: Value = serde_json::from_slice(json).map_err(|_| JwksError::NotASet)?;
        let rows = set.get("keys").and_then(Value::as_array).ok_or(JwksError::NotASet)?;
        if rows.len() > MOST {
            return Err(JwksError::TooMany);
        }
        let mut found = Self::default();
        for (at, row) in rows.iter().enumerate() {
            match row.as_object().ok_or("it is no object").and_then(key) {
                Ok(key) => found.keys.push(key),
                Err(why) => found.skipped.push(Skipped { at, why }),
            }
        }
        if found.keys.is_empty() { Err(JwksError::NoneUsable) } else { Ok(found) }
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl PublicKey {
    /// The one algorithm that the key is for. A token cannot choose another.
    pub(super) fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    pub(super) fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        let text = text.as_bytes();
        match &self.material {
            Material::Rsa { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }
                .verify(&RSA_PKCS1_2048_8192_SHA256, text, signature)
                .is_ok(),
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(text, signature).is_ok()
            }
            Material::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(text, signature).is_ok(),
        }
    }
}

fn key(row: &Map<String, Value>) -> Result<PublicKey, &'static str> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    if ["d", "p", "q", "k"].iter().any(|name| row.contains_key(*name)) {
        return Err("it holds a secret: give public keys only");
    }
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return Err("it is not for signatures (use)");
    }
    let operations = row.get("key_ops").and_then(Value::as_array);
    if operations.is_some_and(|list| !list.iter().any(|one| one == "verify")) {
        return Err("it is not for verifying (key_ops)");
    }
    let material = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => rsa(text("n"), text("e"))?,
        (Some("EC"), Some("P-256")) => p256(text("x"), text("y"))?,
        (Some("OKP"), Some("Ed25519")) => {
            let key = number(text("x")).filter(|key| key.len() == 32).ok_or("x is not 32 bytes")?;
            ParsedPublicKey::new(&ED25519, &key).map_err(|_| "x is no key")?;
            Material::Ed25519(key)
        }
        _ => return Err("it is of no type that is used here (RSA, EC P-256, OKP Ed25519)"),
    };
    let key = PublicKey { id: text("kid").map(Into::into), material };
    match row.get("alg").map(|alg| alg.as_str().and_then(Algorithm::of_word)) {
        Some(named) if named != Some(key.algorithm()) => {
            Err("its alg is not RS256, ES256 or EdDSA, or not of its type")
        }
        _ => Ok(key),
    }
}

/// 2048 to 8192 bits.
fn rsa(modulus: Option<&str>, exponent: Option<&str>) -> Result<Material, &'static str> {
    let trimmed = |text| {
        let bytes: Vec<u8> = number(text)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Some(bytes[zeros..].to_vec())
    };
    let modulus = trimmed(modulus).ok_or("n is no base64url")?;
    if !(256..=1024).contains(&modulus.len()) {
        return Err("n is not of 2048 to 8192 bits");
    }
    let exponent = trimmed(exponent).ok_or("e is no base64url")?;
    // With an exponent of 1 everybody's text is its own signature.
    let is_fit = exponent.len() <= 4 && exponent.last().is_some_and(|byte| byte % 2 == 1) && exponent != [1];
    if !is_fit {
        return Err("e is no exponent");
    }
    Ok(Material::Rsa { modulus, exponent })
}

fn p256(x: Option<&str>, y: Option<&str>) -> Result<Material, &'static str> {
    let half = |text| number(text).filter(|half| half.len() == 32);
    let (Some(x), Some(y)) = (half(x), half(y)) else { return Err("x or y is not 32 bytes") };
    let point = [vec![4], x, y].concat();
    // Points beside the curve give a secret away, or accept what nobody signed.
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).map_err(|_| "x and y are no point of P-256")?;
    Ok(Material::P256(point))
}

fn number(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok()
}
