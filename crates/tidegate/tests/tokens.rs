//! Signed tokens in place of API keys.

use std::sync::Mutex;
use std::time::Instant;

use serde_json::{Value, json};
use tidegate_core::{Clock as _, SystemClock};
use tidegate_store::entity::Limits;
use tidegate_testkit::client::Answer;
use tidegate_testkit::{Handler, Reply, Scratch, Scripted, Seen, Server};

use crate::signer::Signer;
use crate::stage::{CHAT, PATIENCE, Setup, Tidegate};
use crate::tenant::Tenant;

/// What an issuer's server gives; `Null` stands for a server that is out of order.
struct KeySet(Mutex<Value>);

impl Handler for KeySet {
    fn answer(&self, _: &Seen) -> Reply {
        match &*self.0.lock().unwrap() {
            Value::Null => Reply::json(503, &json!({"error": "out of order"})),
            keys => Reply::json(200, &json!({"keys": keys})),
        }
    }
}

/// A gateway with one workspace, `team-a`, that takes tokens.
struct Stage {
    tidegate: Tidegate,
    upstream: Server<Scripted>,
    organisation: String,
}

impl Stage {
    async fn new(settings: impl FnOnce(&Scratch) -> String) -> Self {
        let (directory, upstream) = (Scratch::new(), Server::start(Scripted::default()).await);
        let tenant = Tenant::new(&directory).await;
        let workspace = tenant.workspace("team-a", Limits::default()).await;
        tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
        let organisation = tenant.organisation().to_string();
        let settings = settings(&directory);
        let tidegate = Setup::default().settings(&settings).directory(directory).start().await;
        Self { tidegate, upstream, organisation }
    }

    fn claims(&self) -> Value {
        json!({"portkey_oid": self.organisation, "portkey_workspace": "team-a", "scope": "completions.write",
            "sub": "ann", "iss": "https://idp", "aud": "gateway", "exp": now() + 600})
    }

    async fn ask(&self, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let message = json!({"role": "user", "content": "High water?"});
        let body = json!({"model": "gpt-4o", "max_tokens": 50, "messages": [message]});
        self.tidegate.post(CHAT, &[("authorization", &bearer)], &body).await
    }
}

fn now() -> u64 {
    SystemClock::new().unix_ms() / 1_000
}

fn from(server: &Server<KeySet>, more: &str) -> String {
    format!("[access]\njwks_url = \"{}/keys\"\n{more}", server.url())
}

#[tokio::test]
async fn a_token_opens_its_workspace_and_says_what_it_may() {
    let (issuer, stranger) = (Signer::new("k1"), Signer::new("k1"));
    let keys = Server::start(KeySet(Mutex::new(json!([issuer.jwk()])))).await;
    let more = "jwt_issuer = \"https://idp\"\njwt_audience = \"gateway\"";
    let stage = Stage::new(|_| from(&keys, more)).await;
    let token = issuer.sign(&stage.claims());
    for _ in 0..2 {
        let answer = stage.ask(&token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for seen in stage.upstream.requests() {
        assert_eq!(seen.header("authorization"), Some("Bearer sk-openai"));
        assert!(!format!("{seen:?}").contains(&token));
    }
    stage.upstream.reset();
    for (member, value, status) in [
        ("scope", json!("logs.view"), 403),
        ("scope", json!(["logs.view", "completions.write"]), 200),
        ("portkey_workspace", json!("team-b"), 401),
        ("portkey_workspace", json!(null), 401),
        ("portkey_oid", json!("another"), 401),
        ("exp", json!(now() - 600), 401),
        ("exp", json!(null), 401),
        ("iss", json!("https://other"), 401),
        ("aud", json!("other"), 401),
        ("rate_limits", json!([{"type": "dreams"}]), 401),
    ] {
        let mut claims = stage.claims();
        claims[member] = value.clone();
        let answer = stage.ask(&issuer.sign(&claims)).await;
        assert_eq!(answer.status, status, "{member}: {value}: {}", answer.text());
    }
    assert_eq!(stage.ask(&stranger.sign(&stage.claims())).await.status, 401);
    assert_eq!(stage.ask("sk-of-the-callers-own").await.status, 401, "tokens are keys: the door is closed");
    assert_eq!(stage.upstream.requests().len(), 1);
}

#[tokio::test]
async fn limits_of_a_token_are_its_subjects() {
    let issuer = Signer::new("k1");
    let keys = Server::start(KeySet(Mutex::new(json!([issuer.jwk()])))).await;
    let stage = Stage::new(|_| from(&keys, "")).await;
    let token = |subject: &str, exp: u64, limits: &Value| {
        let mut claims = stage.claims();
        (claims["sub"], claims["exp"]) = (json!(subject), json!(now() + exp));
        claims.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        issuer.sign(&claims)
    };
    let rate = json!({"rate_limits": [{"type": "requests", "unit": "rpd", "value": 2}]});
    let mut statuses = Vec::new();
    for (subject, exp) in [("ann", 600), ("ann", 700), ("ann", 800), ("bob", 600)] {
        statuses.push(stage.ask(&token(subject, exp, &rate)).await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 200]);
    let answer = stage.ask(&token("ann", 900, &rate)).await;
    assert_eq!(answer.json()["error"]["message"], "Rate limit exceeded for api key 'ann': 2 rpd");

    // A prompt of about a hundred bytes and an answer of fifty tokens may be more than this.
    let budget = json!({"usage_limits": {"type": "tokens", "credit_limit": 100}});
    let answer = stage.ask(&token("eve", 600, &budget)).await;
    assert_eq!(answer.status, 412, "{}", answer.text());
    assert_eq!(answer.json()["error"]["message"], "Usage limit exceeded for api key 'eve'");
}

#[tokio::test]
async fn keys_outlive_their_issuer_and_new_ones_are_noticed() {
    let (old, new) = (Signer::new("k1"), Signer::new("k2"));
    let keys = Server::start(KeySet(Mutex::new(json!([old.jwk()])))).await;
    let stage = Stage::new(|_| from(&keys, "")).await;
    let (by_old, by_new) = (old.sign(&stage.claims()), new.sign(&stage.claims()));
    assert_eq!(stage.ask(&by_old).await.status, 200);

    *keys.handler().0.lock().unwrap() = Value::Null;
    let asked = keys.requests().len();
    assert_eq!(stage.ask(&by_new).await.status, 401);
    let started = Instant::now();
    while keys.requests().len() == asked {
        assert!(started.elapsed() < PATIENCE, "an unknown key is asked for");
        tokio::task::yield_now().await;
    }
    let mut another = stage.claims();
    another["sub"] = json!("bob");
    assert_eq!(stage.ask(&by_old).await.status, 200);
    assert_eq!(stage.ask(&old.sign(&another)).await.status, 200);

    *keys.handler().0.lock().unwrap() = json!([new.jwk()]);
    let started = Instant::now();
    while stage.ask(&by_new).await.status != 200 {
        assert!(started.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.ask(&by_old).await.status, 401, "what was found good was signed by a key that is gone");
}

#[tokio::test]
async fn an_issuer_that_is_away_at_the_start_is_waited_for() {
    let issuer = Signer::new("k1");
    let keys = Server::start(KeySet(Mutex::new(Value::Null))).await;
    let stage = Stage::new(|_| from(&keys, "")).await;
    let token = issuer.sign(&stage.claims());
    assert_eq!(stage.ask(&token).await.status, 503);
    *keys.handler().0.lock().unwrap() = json!([issuer.jwk()]);
    let started = Instant::now();
    while stage.ask(&token).await.status != 200 {
        assert!(started.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn keys_from_a_file() {
    let issuer = Signer::new("k1");
    let file = |directory: &Scratch| {
        directory.write("keys.json", json!({"keys": [issuer.jwk()]}).to_string());
        format!("[access]\njwks_file = \"{}\"", directory.path().join("keys.json").display())
    };
    let stage = Stage::new(file).await;
    assert_eq!(stage.ask(&issuer.sign(&stage.claims())).await.status, 200);

    for (settings, said) in [
        ("jwks_file = \"/nowhere/keys.json\"", "access.jwks_file: /nowhere/keys.json"),
        ("jwks_url = \"http://idp.example/keys\"", "exchanged on the way"),
        ("jwt_issuer = \"https://idp\"", "no effect without access.jwks_url"),
    ] {
        let output = Setup::default().settings(&format!("[access]\n{settings}")).ended("serve");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(said), "{settings}: {text}");
    }
}
