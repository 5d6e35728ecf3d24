//! What has been tried against verifiers of tokens, and anything at all.

use super::*;
use crate::refusal::Refusal;

#[test]
fn the_classic_attacks() {
    let good = good();
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
fn any_text_is_a_token_or_a_fault() {
    let mut chance = Chance(6);
    let good = token(json!({"alg": "EdDSA", "kid": "d"}), &good(), "d");
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
