//! From claims to a principal, and from a key set to keys.

use super::*;
use crate::id::{OrganisationId, Workspace, WorkspaceId};
use crate::principal::Who;
use crate::scope::{Scope, ScopeSet};

#[test]
fn claims_become_a_principal() {
    let mut given = good();
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
