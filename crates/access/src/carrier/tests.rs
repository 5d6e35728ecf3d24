use http::HeaderName;

use super::*;
use crate::key::{KeyKind, generate};
use crate::testing::Chance;

/// `K1` and `K2` stand for two of the gateway's own keys.
fn headers(given: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let value = value.replace("K1", &k1()).replace("K2", &k2());
        headers
            .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(&value).unwrap());
    }
    headers
}

fn k1() -> String {
    generate(KeyKind::WorkspaceService, &[1; 32]).expose().to_owned()
}

fn k2() -> String {
    generate(KeyKind::WorkspaceUser, &[2; 32]).expose().to_owned()
}

#[test]
fn which_header_is_the_key() {
    use Reading::{Assumed, Certain, Possible};
    const P: &str = "x-portkey-api-key";
    const T: &str = "x-tidegate-api-key";
    const B: &str = "authorization";
    const X: &str = "x-api-key";
    const WHO: &str = "x-portkey-provider";
    type Case =
        (&'static [(&'static str, &'static str)], Option<&'static str>, Reading, Option<&'static str>);
    let cases: &[Case] = &[
        // A header of its own: any text, with the bearer beside it as a credential or as noise.
        (&[(P, "K1")], Some("K1"), Certain, None),
        (&[(T, "K1")], Some("K1"), Certain, None),
        (&[(P, "imported")], Some("imported"), Certain, None),
        (&[(P, "K1"), (T, "K1")], Some("K1"), Certain, None),
        (&[(P, "K1"), (B, "Bearer sk-own")], Some("K1"), Certain, Some("sk-own")),
        (&[(P, "K1"), (X, "sk-ant")], Some("K1"), Certain, Some("sk-ant")),
        (&[(P, "K1"), (B, "Bearer OPENAI_API_KEY")], Some("K1"), Certain, None),
        (&[(P, "K1"), (B, "Bearer DUMMY-KEY")], Some("K1"), Certain, None),
        (&[(P, "K1"), (B, "Bearer K1")], Some("K1"), Certain, None),
        (&[(P, "imported"), (B, "Bearer imported")], Some("imported"), Certain, None),
        (&[(P, "K1"), (B, "Bearer sk-own"), (X, "sk-ant")], Some("K1"), Certain, Some("sk-own")),
        (&[(P, "K1"), (B, "Basic dTpw")], Some("K1"), Certain, Some("Basic dTpw")),
        // The gateway's form, wherever it stands.
        (&[(B, "Bearer K1")], Some("K1"), Certain, None),
        (&[(B, "bearer  K1 ")], Some("K1"), Certain, None),
        (&[(B, "K1")], Some("K1"), Certain, None),
        (&[(X, "K1")], Some("K1"), Certain, None),
        (&[(B, "Bearer K1"), (WHO, "anthropic")], Some("K1"), Certain, None),
        (&[(B, "Bearer K1"), (X, "sk-ant")], Some("K1"), Certain, Some("sk-ant")),
        (&[(X, "K1"), (B, "Bearer sk-own")], Some("K1"), Certain, Some("sk-own")),
        (&[(B, "Bearer tg-mistyped"), (WHO, "openai")], Some("tg-mistyped"), Certain, None),
        // Any other text: what the headers around it say.
        (&[(B, "Bearer imported")], Some("imported"), Assumed, None),
        (&[(B, "Bearer imported"), (WHO, "@openai-prod")], Some("imported"), Assumed, None),
        (&[(B, "Bearer x"), (WHO, "openai"), ("x-portkey-virtual-key", "v")], Some("x"), Assumed, None),
        (&[(B, "Bearer x"), (WHO, "openai"), ("x-portkey-config", "pc-a-1")], Some("x"), Assumed, None),
        (&[(B, "Bearer x"), (WHO, "openai"), ("x-portkey-config", "{}")], Some("x"), Possible, None),
        (&[(B, "Bearer sk-own"), (WHO, "openai")], Some("sk-own"), Possible, None),
        (&[(B, "Bearer sk-own"), ("x-tidegate-provider", "openai")], Some("sk-own"), Possible, None),
        (&[(B, "sk-own"), (WHO, "")], Some("sk-own"), Assumed, None),
        (&[(X, "sk-ant"), (WHO, "anthropic")], Some("sk-ant"), Possible, None),
        (&[(X, "imported")], Some("imported"), Assumed, None),
        (&[(B, "Bearer a"), (X, "b")], Some("a"), Assumed, Some("b")),
        (&[(B, "Bearer a"), (X, "a")], Some("a"), Assumed, None),
        (&[(B, "Basic dTpw"), (X, "b"), (WHO, "azure-openai")], Some("b"), Possible, Some("Basic dTpw")),
        (&[(B, "Basic dTpw"), (WHO, "azure-openai")], None, Possible, Some("Basic dTpw")),
        // Nothing that counts.
        (&[], None, Assumed, None),
        (&[(P, ""), (B, "Bearer "), (X, " ")], None, Assumed, None),
        (&[(B, "Bearer OPENAI_API_KEY")], None, Assumed, None),
        (&[(B, "bearer")], None, Assumed, None),
    ];
    for (given, key, reading, credential) in cases {
        let key = key.map(|key| key.replace("K1", &k1()));
        let headers = headers(given);
        let found = carried(&headers).unwrap();
        assert_eq!(found.key, key.as_deref(), "{given:?}");
        assert_eq!(found.reading, *reading, "{given:?}");
        assert_eq!(found.credential, *credential, "{given:?}");
    }
}

#[test]
fn two_keys_are_a_mistake_that_is_named() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("x-portkey-api-key", "a"), ("x-tidegate-api-key", "b")],
            "x-tidegate-api-key and x-portkey-api-key carry different API keys; send one",
        ),
        (
            &[("x-portkey-api-key", "K1"), ("authorization", "Bearer K2")],
            "x-portkey-api-key and authorization carry different API keys; send one",
        ),
        (
            &[("x-portkey-api-key", "K1"), ("x-api-key", "K2")],
            "x-portkey-api-key and x-api-key carry different API keys; send one",
        ),
        (
            &[("authorization", "Bearer K1"), ("x-api-key", "K2")],
            "authorization and x-api-key carry different API keys; send one",
        ),
        (
            &[("x-portkey-api-key", "a"), ("x-portkey-api-key", "b")],
            "x-portkey-api-key was sent twice with different keys; send one",
        ),
        (
            &[("authorization", "Bearer sk-a"), ("authorization", "Bearer sk-b")],
            "authorization was sent twice with different keys; send one",
        ),
    ];
    for (given, message) in cases {
        let headers = headers(given);
        let refusal = carried(&headers).unwrap_err();
        assert_eq!((refusal.status(), &*refusal.message), (400, *message));
        assert!(!format!("{refusal:?}").contains(&k1()));
    }
    let same = headers(&[("x-portkey-api-key", "a"), ("x-portkey-api-key", "a")]);
    assert_eq!(carried(&same).unwrap().key, Some("a"));
}

#[test]
fn unreadable_text_is_refused_and_not_shown() {
    let long = "a".repeat(LONGEST + 1);
    for bytes in [b"caf\xe9".as_slice(), long.as_bytes()] {
        let mut headers = HeaderMap::new();
        headers.insert("x-portkey-api-key", HeaderValue::from_bytes(bytes).unwrap());
        let refusal = carried(&headers).unwrap_err();
        assert_eq!(refusal.reason, Reason::UnreadableKey);
        assert!(refusal.message.starts_with("x-portkey-api-key is not visible ASCII"));
    }
}

/// Whatever comes, a text is never both key and credential, and nothing of the gateway's form is a credential.
#[test]
fn no_key_is_handed_on_as_a_credential() {
    let mut chance = Chance(3);
    let names =
        ["x-portkey-api-key", "x-tidegate-api-key", "authorization", "x-api-key", "x-portkey-provider"];
    let texts = [k1(), k2(), "sk-own".into(), "imported".into(), "openai".into(), String::new()];
    for _ in 0..20_000 {
        let mut headers = HeaderMap::new();
        for _ in 0..chance.index(5) {
            let text = &texts[chance.index(texts.len())];
            let text = if chance.index(2) == 0 { format!("Bearer {text}") } else { text.clone() };
            headers.append(names[chance.index(names.len())], HeaderValue::from_str(&text).unwrap());
        }
        let Ok(found) = carried(&headers) else { continue };
        assert!(found.key.is_none() || found.key != found.credential, "{headers:?}");
        let credential = found.credential.unwrap_or_default();
        assert!(!credential.starts_with("tg-"), "{headers:?}");
        if let Some(key) = found.key
            && found.reading != Reading::Certain
        {
            assert!(!key.starts_with("tg-"), "{headers:?}");
        }
    }
}
