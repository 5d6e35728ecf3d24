//! People who sign in through an identity provider, a fake one over real sockets.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_core::{Clock as _, SystemClock};
use tidegate_testkit::client::{self, Answer};
use tidegate_testkit::{Handler, Reply, Seen, Server, free_port};

use crate::signer::{Signer, unsigned};
use crate::stage::{Setup, Tidegate};

const BEGIN: &str = "/sign-in/oidc";
const SESSION: &str = "/v1/session";

/// What the identity provider says of whoever signs in, and how it misbehaves.
#[derive(Default)]
struct Says {
    /// Members of the token in place of the right ones; null takes one out.
    claims: Value,
    is_unsigned: bool,
    is_foreign: bool,
    /// The token endpoint is out of order.
    is_away: bool,
    /// Its document names another issuer.
    is_other: bool,
    /// Of the authorization request that is under way.
    nonce: String,
    challenge: String,
    /// What it was asked for tokens.
    exchanges: Vec<String>,
}

struct Provider {
    signer: Signer,
    stranger: Signer,
    says: Arc<Mutex<Says>>,
    port: u16,
}

impl Provider {
    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn token(&self, says: &Says) -> String {
        let now = SystemClock::new().unix_ms() / 1_000;
        let mut claims = json!({"iss": self.issuer(), "aud": "gateway", "sub": "ann-1", "exp": now + 300, "iat": now,
            "nonce": says.nonce, "email": "Ann@Example.org", "email_verified": true, "given_name": "Ann"});
        for (name, value) in says.claims.as_object().into_iter().flatten() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        match (says.is_unsigned, says.is_foreign) {
            (true, _) => unsigned(&claims),
            (_, true) => self.stranger.sign(&claims),
            _ => self.signer.sign(&claims),
        }
    }
}

impl Handler for Provider {
    fn answer(&self, request: &Seen) -> Reply {
        let mut says = self.says.lock().unwrap();
        let issuer = self.issuer();
        match request.path() {
            "/.well-known/openid-configuration" => Reply::json(
                200,
                &json!({
                    "issuer": if says.is_other { "https://other.example.org" } else { &issuer },
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
                }),
            ),
            "/keys" => Reply::json(200, &json!({"keys": [self.signer.jwk()]})),
            "/token" if says.is_away => Reply::json(503, &json!({"error": "out of order"})),
            "/token" => {
                let form = String::from_utf8(request.body.to_vec()).unwrap();
                let member = |name: &str| {
                    let pair = form.split('&').filter_map(|pair| pair.split_once('='));
                    pair.clone().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()).unwrap_or_default()
                };
                let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, member("code_verifier").as_bytes()));
                let basic = format!("Basic {}", STANDARD.encode("gateway:hush%21"));
                let is_fit = member("grant_type") == "authorization_code"
                    && member("code") == "the-code"
                    && challenge == says.challenge
                    && request.header("authorization") == Some(basic.as_str());
                says.exchanges.push(form.clone());
                match is_fit {
                    true => Reply::json(200, &json!({"token_type": "Bearer", "id_token": self.token(&says)})),
                    false => Reply::json(400, &json!({"error": "invalid_grant"})),
                }
            }
            path => Reply::json(404, &json!({"error": path})),
        }
    }
}

struct Stage {
    tidegate: Tidegate,
    says: Arc<Mutex<Says>>,
    /// From how many addresses somebody came.
    people: AtomicU8,
    _provider: Server<Provider>,
}

impl Stage {
    async fn new(more: &str) -> Self {
        let says = Arc::<Mutex<Says>>::default();
        let port = free_port();
        let provider =
            Provider { signer: Signer::new("k"), stranger: Signer::new("k"), says: says.clone(), port };
        let issuer = provider.issuer();
        let server = Server::listen(provider, port, None).await;
        let own = free_port();
        let settings = format!(
            "[server]\npublic_url = 'http://127.0.0.1:{own}'\n[oidc]\nissuer = '{issuer}'\nclient_id = 'gateway'\nclient_secret = 'hush!'\n{more}\n[access]\nproxies = ['127.0.0.1']"
        );
        let tidegate = Setup::default().settings(&settings).port(own).start().await;
        Self { tidegate, says, people: AtomicU8::new(0), _provider: server }
    }

    /// From another address each time: tries are counted for each.
    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let address = format!("192.0.2.{}", self.people.fetch_add(1, Ordering::Relaxed));
        self.get_from(&address, path, cookie).await
    }

    async fn get_from(&self, address: &str, path: &str, cookie: &str) -> Answer {
        let headers = [("cookie", cookie), ("x-forwarded-for", address)];
        client::send("GET", &self.tidegate.url(path), &headers, Bytes::new()).await
    }

    /// To the identity provider. Gives the cookie and the `state`.
    async fn leave(&self) -> (String, String) {
        let answer = self.get(BEGIN, "").await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let place = answer.header("location").unwrap();
        let member = |name: &str| {
            let (_, query) = place.split_once('?').unwrap();
            let found = query.split('&').filter_map(|pair| pair.split_once('=')).find(|pair| pair.0 == name);
            found.unwrap_or_else(|| panic!("no {name} in {place}")).1.to_owned()
        };
        assert_eq!(
            (member("response_type"), member("code_challenge_method")),
            ("code".into(), "S256".into())
        );
        assert!(member("redirect_uri").ends_with("%2Fsign-in%2Foidc%2Fcallback"), "{place}");
        let mut says = self.says.lock().unwrap();
        (says.nonce, says.challenge) = (member("nonce"), member("code_challenge"));
        (set(&answer, "tidegate_oidc").unwrap(), member("state"))
    }

    async fn come_back(&self, cookie: &str, state: &str) -> Answer {
        self.get(&format!("{BEGIN}/callback?code=the-code&state={state}"), cookie).await
    }

    /// There and back, with `claims` said otherwise.
    async fn sign_in(&self, claims: Value) -> Answer {
        self.says.lock().unwrap().claims = claims;
        let (cookie, state) = self.leave().await;
        self.come_back(&cookie, &state).await
    }

    async fn session(&self, answer: &Answer) -> Value {
        assert_eq!((answer.status, answer.header("location")), (303, Some("/console/")), "{}", answer.text());
        let session = self.get(SESSION, &set(answer, "tidegate_session").unwrap()).await;
        assert_eq!(session.status, 200, "{}", session.text());
        session.json()
    }
}

/// `name=value` of a cookie that an answer sets.
fn set(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let mut pairs = all.filter_map(|text| text.split(';').next()).filter(|pair| !pair.ends_with('='));
    pairs.find(|pair| pair.starts_with(name)).map(str::to_owned)
}

#[tokio::test]
async fn somebody_signs_in_and_is_the_same_user_the_next_time() {
    let stage = Stage::new("allowed_domains = ['example.org']\nrole_claim = 'groups'").await;
    let first = stage.session(&stage.sign_in(json!({})).await).await;
    assert_eq!(first["user"]["email"], "ann@example.org");
    assert_eq!((&first["user"]["first_name"], &first["user"]["role"]), (&json!("Ann"), &json!("member")));
    // Known by issuer and subject: the address may have become another one.
    let changed = json!({"email": "ann@new.example.org", "groups": ["everybody", "admin"]});
    let again = stage.session(&stage.sign_in(changed).await).await;
    assert_eq!(again["user"]["id"], first["user"]["id"]);
    assert_eq!(
        (&again["user"]["email"], &again["user"]["role"]),
        (&json!("ann@example.org"), &json!("admin"))
    );
    let other = stage.sign_in(json!({"sub": "ann-2"})).await;
    assert_eq!(other.status, 403, "somebody else with her address: {}", other.text());
    // The verifier went to the token endpoint, and the secret is in no answer and no log.
    assert_eq!(stage.says.lock().unwrap().exchanges.len(), 3);
    assert!(!stage.tidegate.printed().contains("hush!"));
}

#[tokio::test]
async fn nothing_is_believed_that_is_not_meant_for_this_sign_in() {
    let stage = Stage::new("allowed_domains = ['*']").await;
    let now = SystemClock::new().unix_ms() / 1_000;
    for claims in [
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"aud": "somebody"}),
        json!({"aud": ["gateway", "somebody"]}),
        json!({"azp": "somebody"}),
        json!({"iss": "https://idp.example.org"}),
        json!({"exp": now - 300}),
        json!({"exp": null}),
        json!({"iat": now + 600}),
    ] {
        let answer = stage.sign_in(claims.clone()).await;
        assert_eq!(
            (answer.status, set(&answer, "tidegate_session")),
            (401, None),
            "{claims}: {}",
            answer.text()
        );
    }
    for (is_unsigned, is_foreign) in [(true, false), (false, true)] {
        {
            let mut says = stage.says.lock().unwrap();
            (says.is_unsigned, says.is_foreign) = (is_unsigned, is_foreign);
        }
        let answer = stage.sign_in(json!({})).await;
        assert_eq!((answer.status, set(&answer, "tidegate_session")), (401, None), "{}", answer.text());
    }
    stage.says.lock().unwrap().is_foreign = false;
    let (cookie, state) = stage.leave().await;
    let asked = stage.says.lock().unwrap().exchanges.len();
    let (others, _) = stage.leave().await;
    for (cookie, query) in [
        (cookie.as_str(), "code=the-code&state=another".to_owned()),
        (&cookie, "code=the-code".to_owned()),
        (&cookie, format!("error=access_denied&state={state}")),
        (&cookie, format!("code=the-code&state={state}&iss=https://idp.example.org")),
        ("", format!("code=the-code&state={state}")),
        (&others, format!("code=the-code&state={state}")),
    ] {
        let answer = stage.get(&format!("{BEGIN}/callback?{query}"), cookie).await;
        assert_eq!(answer.status, 401, "{query}: {}", answer.text());
    }
    assert_eq!(stage.says.lock().unwrap().exchanges.len(), asked, "its answer was not even asked about");
}

#[tokio::test]
async fn who_is_let_in_and_as_what() {
    let stage = Stage::new("allowed_domains = ['example.org']\ndefault_role = 'admin'").await;
    for claims in [
        json!({"email": "ann@elsewhere.org"}),
        json!({"email": "ann@not-example.org"}),
        json!({"email": "ann@example.org@elsewhere.org"}),
        json!({"email_verified": false}),
        json!({"email_verified": null}),
        json!({"email": null}),
        json!({"sub": null}),
    ] {
        let answer = stage.sign_in(claims.clone()).await;
        assert_eq!(answer.status, 403, "{claims}: {}", answer.text());
    }
    assert_eq!(stage.session(&stage.sign_in(json!({})).await).await["user"]["role"], "admin");
}

#[tokio::test]
async fn without_domains_only_users_sign_in_and_tries_are_counted() {
    let stage = Stage::new("").await;
    let stranger = stage.sign_in(json!({})).await;
    assert_eq!(stranger.status, 403, "{}", stranger.text());
    // The first start made this one.
    let admin = stage.session(&stage.sign_in(json!({"email": "admin@localhost"})).await).await;
    assert_eq!(admin["user"]["role"], "owner");
    stage.says.lock().unwrap().is_away = true;
    let away = stage.sign_in(json!({})).await;
    assert_eq!(away.status, 503, "{}", away.text());
    let mut answer = away;
    for _ in 0..11 {
        answer = stage.get_from("198.51.100.7", BEGIN, "").await;
    }
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn an_identity_provider_that_is_another_or_none() {
    let stage = Stage::new("").await;
    stage.says.lock().unwrap().is_other = true;
    assert_eq!(stage.get(BEGIN, "").await.status, 503);
    let without = Tidegate::start().await;
    assert_eq!(without.get(BEGIN).await.status, 404);
    let wrong = Setup::default().settings("[oidc]\nclient_id = 'gateway'").ended("check");
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("oidc.issuer"), "{wrong:?}");
}

#[tokio::test]
async fn a_log_of_json_tells_the_first_link_once() {
    let mut tidegate = Setup::default().settings("[log]\nformat = 'json'").start().await;
    let line: Value = serde_json::from_str(&tidegate.process.wait_for("sign_in_link").await).unwrap();
    let (_, token) = line["url"].as_str().unwrap().split_once("token=").unwrap();
    let body = json!({"token": token});
    assert_eq!(tidegate.post(SESSION, &[], &body).await.status, 200);
    assert_eq!(tidegate.post(SESSION, &[], &body).await.status, 401);
    assert!(!tidegate.printed().contains("Admin key"));
}
