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
use crate::principal::{OrganisationId, Who, Workspace, WorkspaceId};
use crate::scope::{Scope, ScopeSet};
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

fn claims() -> Value {
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
        let text = token(json!({"alg": alg, "kid": kid, "typ": "JWT"}), &claims(), kid);
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
fn the_classic_attacks() {
    let good = claims();
    let fault = |text: &str| check(text, &all()).unwrap_err();
    let unsigned = |alg: &str| {
        let head = base64(json!({"alg": alg, "kid": "r"}).to_string());
        format!("{head}.{}", base64(good.to_string()))
    };
    // No signature, in every spelling.
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        assert_eq!(fault(&format!("{}.", unsigned(alg))), TokenFault::Algorithm, "{alg}");
        assert_eq!(fault(&format!("{}.AAAA", unsigned(alg))), TokenFault::Algorithm, "{alg}");
    }
    assert_eq!(fault(&format!("{}.", unsigned("RS256"))), TokenFault::Malformed);
    assert_eq!(fault(&format!("{}.AAAA", unsigned("RS256"))), TokenFault::Signature);
    // The public key as a shared secret.
    for secret in [PAIRS.rsa.public_key().as_ref().to_vec(), modulus(), rsa_key().to_string().into_bytes()] {
        let text = unsigned("HS256");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), text.as_bytes());
        assert_eq!(fault(&format!("{text}.{}", base64(tag))), TokenFault::Algorithm);
    }
    // One key's id with another's algorithm.
    let crossed = token(json!({"alg": "ES256", "kid": "r"}), &good, "c");
    assert_eq!(fault(&crossed), TokenFault::NoSuchKey);
    let crossed = token(json!({"alg": "EdDSA", "kid": "d"}), &good, "c");
    assert_eq!(fault(&crossed), TokenFault::Signature);
    // The attacker's own key, brought along.
    let own = Ed25519KeyPair::generate().unwrap();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "d", "x": base64(own.public_key().as_ref())});
    for header in [
        json!({"alg": "EdDSA", "kid": "d", "jwk": jwk}),
        json!({"alg": "EdDSA", "kid": "d", "jku": "https://evil/jwks.json", "x5u": "https://evil"}),
    ] {
        let text = format!("{}.{}", base64(header.to_string()), base64(good.to_string()));
        let signature = own.sign(text.as_bytes());
        assert_eq!(fault(&format!("{text}.{}", base64(signature.as_ref()))), TokenFault::Signature);
    }
    // Signatures of zeros ("psychic"), cut ones, long ones.
    let head = base64(json!({"alg": "ES256", "kid": "c"}).to_string());
    for signature in [vec![0; 64], vec![0; 63], vec![0; 72], vec![0xff; 64], vec![48, 6, 2, 1, 0, 2, 1, 0]] {
        let text = format!("{head}.{}.{}", base64(good.to_string()), base64(signature));
        assert_eq!(fault(&text), TokenFault::Signature);
    }
    // Ids that are paths, queries or of other types choose nothing.
    for kid in [json!("../../dev/null"), json!("' or 1=1"), json!(""), json!("R"), json!("x")] {
        let text = token(json!({"alg": "EdDSA", "kid": kid}), &good, "d");
        assert_eq!(fault(&text), TokenFault::NoSuchKey);
    }
    for kid in [json!(1), json!(["d"]), json!({"d": 1}), json!(true)] {
        assert_eq!(fault(&token(json!({"alg": "EdDSA", "kid": kid}), &good, "d")), TokenFault::Header);
    }
    // Headers that would change the meaning.
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("typ", json!("dpop+jwt")),
        ("typ", json!("logout+jwt")),
        ("typ", json!(7)),
    ] {
        let mut header = json!({"alg": "EdDSA", "kid": "d"});
        header[name] = value;
        assert_eq!(fault(&token(header, &good, "d")), TokenFault::Header, "{name}");
    }
    // Another token's claims under this one's signature.
    let (one, two) = (
        token(json!({"alg": "EdDSA", "kid": "d"}), &good, "d"),
        token(json!({"alg": "EdDSA", "kid": "d"}), &json!({"exp": NOW_S + 9_999}), "d"),
    );
    let signature = one.rsplit_once('.').unwrap().1;
    let mixed = format!("{}.{signature}", two.rsplit_once('.').unwrap().0);
    assert_eq!(fault(&mixed), TokenFault::Signature);
}

#[test]
fn the_key_is_chosen_by_id_or_there_is_no_choice() {
    let named = token(json!({"alg": "EdDSA", "kid": "d"}), &claims(), "d");
    let nameless = token(json!({"alg": "EdDSA"}), &claims(), "d");
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
        let mut claims = claims();
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
    let mut endless = claims();
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

#[test]
fn claims_become_a_principal() {
    let mut given = claims();
    given["scope"] = json!("completions.write logs.view audit_logs.list made.up");
    given["email_id"] = json!("anna@example.com");
    given["defaults"] =
        json!({"config_id": "pc-a", "allow_config_override": false, "metadata": {"team": "x"}});
    given["rate_limits"] = json!([{"type": "requests", "unit": "rpm", "value": 5}]);
    let organisation = OrganisationId::new("org");
    let read = |given: &Value, mapping: &Mapping, organisation: &OrganisationId| {
        let text = token(json!({"alg": "EdDSA", "kid": "d"}), given, "d");
        let parsed = Token::parse(&text).unwrap();
        assert_eq!(parsed.unverified(&mapping.organisation), given["portkey_oid"].as_str());
        TokenGrant::read(check(&text, &all()).unwrap(), mapping, organisation)
    };
    let grant = read(&given, &Mapping::default(), &organisation).unwrap();
    assert_eq!(grant.workspace, "ws-a");
    assert_eq!(grant.unknown, ["made.up"]);
    assert_eq!(grant.rate_limits, Some(given["rate_limits"].clone()));
    let workspace = Workspace { id: WorkspaceId::new("a"), slug: "ws-a".into() };
    let principal = grant.principal(organisation.clone(), workspace);
    assert_eq!((&principal.who, principal.user.as_ref().unwrap().text()), (&Who::Token, "anna@example.com"));
    let scopes = principal.anywhere();
    assert!(scopes.contains(Scope::CompletionsWrite) && !scopes.contains(Scope::AuditLogsList));
    assert!(principal.defaults.config_is_fixed);
    assert_eq!(principal.defaults.config.as_deref(), Some("pc-a"));
    assert_eq!(principal.defaults.metadata.unwrap()["team"], "x");

    // A key of one organisation says nothing about another.
    let other = OrganisationId::new("other");
    assert_eq!(read(&given, &Mapping::default(), &other).unwrap_err(), TokenFault::Organisation);
    for (name, value, want) in [
        ("portkey_oid", Value::Null, TokenFault::Organisation),
        ("portkey_oid", json!("other"), TokenFault::Organisation),
        ("portkey_workspace", json!(""), TokenFault::Claims),
        ("portkey_workspace", json!(["ws-a", "ws-b"]), TokenFault::Claims),
        ("defaults", json!("pc-a"), TokenFault::Claims),
    ] {
        let mut given = given.clone();
        given[name] = value;
        assert_eq!(read(&given, &Mapping::default(), &organisation).unwrap_err(), want, "{name}");
    }

    let mapping = Mapping {
        scopes: vec!["permissions".into()],
        roles: vec!["groups".into()],
        role_scopes: [("ml".into(), ScopeSet::EMPTY.with(Scope::CompletionsWrite))].into(),
        ..Mapping::default()
    };
    given["groups"] = json!(["ml", "unheard-of"]);
    given["permissions"] = json!(["configs.read", 7]);
    let grant = read(&given, &mapping, &organisation).unwrap();
    assert_eq!(format!("{:?}", grant.scopes), r#"{"configs.read", "completions.write"}"#);
}

#[test]
fn a_set_keeps_the_keys_that_can_be_used() {
    let mut small = rsa_key();
    small["n"] = json!(base64([0xc1; 128]));
    let mut weak = rsa_key();
    weak["e"] = json!("AQ");
    let mut beside = ec_key();
    beside["y"] = beside["x"].clone();
    let mut crossed = ec_key();
    crossed["alg"] = json!("RS256");
    let mut shared = rsa_key();
    shared["alg"] = json!("HS256");
    let mut encrypts = rsa_key();
    encrypts["use"] = json!("enc");
    let mut signs = rsa_key();
    signs["key_ops"] = json!(["sign"]);
    let mut private = ed_key();
    private["d"] = json!("AAAA");
    let secret = json!({"kty": "oct", "k": "AAAA"});
    let curve = json!({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"});
    let bad =
        [small, weak, beside, crossed, shared, encrypts, signs, private, secret, curve, json!(7), json!({})];
    for key in &bad {
        let text = json!({ "keys": [key] }).to_string();
        assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err(), JwksError::NoneUsable, "{key}");
    }
    let mut keys = bad.to_vec();
    keys.push(ed_key());
    let set = set(&keys);
    assert_eq!((set.len(), set.skipped.len(), set.is_empty()), (1, bad.len(), false));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, "nonsense"] {
        assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err(), JwksError::NotASet, "{text}");
    }
    let many = json!({ "keys": vec![ed_key(); 101] }).to_string();
    assert_eq!(KeySet::parse(many.as_bytes()).unwrap_err(), JwksError::TooMany);
}

#[test]
fn any_text_is_a_token_or_a_fault() {
    let mut chance = Chance(6);
    let good = token(json!({"alg": "EdDSA", "kid": "d"}), &claims(), "d");
    for _ in 0..5_000 {
        let mut text: String = match chance.index(3) {
            0 => chance.text(60),
            1 => {
                format!("{}.{}.{}", base64(chance.text(30)), base64(chance.text(30)), base64(chance.text(9)))
            }
            _ => good.clone(),
        };
        for _ in 0..chance.index(4) {
            let at =
                (0..=text.len()).filter(|at| text.is_char_boundary(*at)).nth(chance.index(text.len() + 1));
            text.insert_str(at.unwrap_or(0), &chance.text(3));
        }
        if text != good {
            assert!(check(&text, &all()).is_err(), "{text:?}");
        }
        let _ = looks_like_token(&text);
    }
    assert_eq!(Token::parse(&"a".repeat(100_000)).unwrap_err(), TokenFault::Malformed);
    for text in ["", ".", "..", "...", "a.b", "a.b.c.d", "e30.e30.", ".e30.AA", "e30=.e30.AA", "e30.e30.AB"] {
        assert!(Token::parse(text).is_err(), "{text}");
    }
    assert_eq!(Refusal::from(TokenFault::Signature).status(), 401);
    assert!(!format!("{:?}", Token::parse(&good).unwrap()).contains("u1"));
    assert!(!looks_like_token("sk-eyJ.a.b") && !looks_like_token("eyJ.a") && !looks_like_token("eyJ.a b.c"));
}
