mod attacks;
mod claims;

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::testing::Chance;

const NOW_S: u64 = 1_800_000_000;

struct Pairs {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

/// Made anew in every run.
static PAIRS: LazyLock<Pairs> = LazyLock::new(|| Pairs {
    rsa: rsa::KeyPair::generate(KeySize::Rsa2048).unwrap(),
    ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
    ed: Ed25519KeyPair::generate().unwrap(),
});

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The modulus out of the DER form: what is between its header and the exponent 65537 at the end.
fn modulus() -> Vec<u8> {
    let der = PAIRS.rsa.public_key().as_ref();
    assert!(der.ends_with(&[2, 3, 1, 0, 1]));
    der[der.len() - 5 - 256..der.len() - 5].to_vec()
}

fn rsa_key() -> Value {
    json!({"kty": "RSA", "kid": "r", "alg": "RS256", "use": "sig", "n": base64(modulus()), "e": "AQAB"})
}

fn ec_key() -> Value {
    let point = PAIRS.ec.public_key().as_ref();
    json!({"kty": "EC", "crv": "P-256", "kid": "c", "x": base64(&point[1..33]), "y": base64(&point[33..])})
}

fn ed_key() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": "d", "x": base64(PAIRS.ed.public_key().as_ref())})
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn all() -> KeySet {
    set(&[rsa_key(), ec_key(), ed_key()])
}

fn good() -> Value {
    json!({
        "portkey_oid": "org", "portkey_workspace": "ws-a", "scope": "completions.write logs.view",
        "sub": "u1", "iss": "https://idp", "aud": ["gateway", "other"],
        "iat": NOW_S - 10, "exp": NOW_S + 100,
    })
}

fn signed_by(word: &str, text: &str) -> Vec<u8> {
    let text = text.as_bytes();
    match word {
        "r" => {
            let mut signature = vec![0; PAIRS.rsa.public_modulus_len()];
            PAIRS.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).unwrap();
            signature
        }
        "c" => PAIRS.ec.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec(),
        _ => PAIRS.ed.sign(text).as_ref().to_vec(),
    }
}

fn token(header: Value, claims: &Value, signer: &str) -> String {
    let text = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
    let signature = signed_by(signer, &text);
    format!("{text}.{}", base64(signature))
}

fn check(text: &str, keys: &KeySet) -> Result<Verified, TokenFault> {
    verify(Token::parse(text)?, keys, &Policy::default(), NOW_S * 1_000)
}

#[test]
fn each_algorithm() {
    for (alg, kid) in [("RS256", "r"), ("ES256", "c"), ("EdDSA", "d")] {
        let text = token(json!({"alg": alg, "kid": kid, "typ": "JWT"}), &good(), kid);
        assert!(looks_like_token(&text));
        let verified = check(&text, &all()).unwrap();
        assert_eq!(verified.claims["sub"], "u1");
        assert_eq!(verified.until_ms, (NOW_S + 160) * 1_000);
        // One bit anywhere, and it is another token.
        let mut chance = Chance(5);
        for _ in 0..60 {
            let mut bytes = text.clone().into_bytes();
            let at = chance.index(bytes.len());
            bytes[at] ^= 1 << chance.index(7);
            let changed = String::from_utf8(bytes).unwrap();
            assert!(check(&changed, &all()).is_err(), "{changed}");
        }
    }
}

#[test]
fn the_key_is_chosen_by_id_or_there_is_no_choice() {
    let named = token(json!({"alg": "EdDSA", "kid": "d"}), &good(), "d");
    let nameless = token(json!({"alg": "EdDSA"}), &good(), "d");
    assert!(check(&nameless, &all()).is_ok(), "one key of the algorithm");
    let stranger = Ed25519KeyPair::generate().unwrap();
    let other = |kid: &str| json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64(stranger.public_key().as_ref())});
    assert_eq!(check(&nameless, &set(&[ed_key(), other("e")])).unwrap_err(), TokenFault::NoSuchKey);
    assert!(check(&named, &set(&[other("e"), ed_key()])).is_ok());
    // In the middle of a change there may be two of one id.
    assert!(check(&named, &set(&[other("d"), ed_key()])).is_ok());
    assert_eq!(check(&named, &set(&[other("d")])).unwrap_err(), TokenFault::Signature);
    assert_eq!(check(&named, &set(&[rsa_key(), ec_key()])).unwrap_err(), TokenFault::NoSuchKey);
}

#[test]
fn times_and_names() {
    let with = |name: &str, value: Value| {
        let mut claims = good();
        claims[name] = value;
        token(json!({"alg": "EdDSA", "kid": "d"}), &claims, "d")
    };
    let cases = [
        ("exp", json!(NOW_S - 59), None),
        ("exp", json!(NOW_S - 60), Some(TokenFault::Expired)),
        ("exp", json!(NOW_S as f64 - 59.5), None),
        ("exp", json!(0), Some(TokenFault::Expired)),
        ("exp", json!(-5), Some(TokenFault::Expired)),
        ("exp", json!(u64::MAX), None),
        ("exp", json!(1e300), None),
        ("exp", Value::Null, Some(TokenFault::Times)),
        ("exp", json!("never"), Some(TokenFault::Times)),
        ("nbf", json!(NOW_S + 60), None),
        ("nbf", json!(NOW_S + 61), Some(TokenFault::NotYetValid)),
        ("iat", json!(NOW_S + 61), Some(TokenFault::NotYetValid)),
        ("iat", json!("today"), Some(TokenFault::Times)),
    ];
    for (name, value, want) in cases {
        assert_eq!(check(&with(name, value.clone()), &all()).err(), want, "{name} {value}");
    }
    let mut endless = good();
    endless.as_object_mut().unwrap().remove("exp");
    let endless = token(json!({"alg": "EdDSA", "kid": "d"}), &endless, "d");
    assert_eq!(check(&endless, &all()).unwrap_err(), TokenFault::Times);
    let strict = Policy { issuer: Some("https://idp".into()), audience: Some("gateway".into()), skew_s: 0 };
    let judged = |text: &str| verify(Token::parse(text).unwrap(), &all(), &strict, NOW_S * 1_000).err();
    assert_eq!(judged(&with("aud", json!("gateway"))), None);
    assert_eq!(judged(&with("aud", json!(["x", "gateway"]))), None);
    assert_eq!(judged(&with("aud", json!(["x"]))), Some(TokenFault::Audience));
    assert_eq!(judged(&with("aud", Value::Null)), Some(TokenFault::Audience));
    assert_eq!(judged(&with("iss", json!("https://idp.evil"))), Some(TokenFault::Issuer));
    assert_eq!(judged(&with("exp", json!(NOW_S))), Some(TokenFault::Expired));
}
