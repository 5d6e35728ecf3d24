//! Alert rules of a running gateway: a provider that fails, a figure that is out of bounds, and who is told, once.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use tidegate_core::Secret;
use tidegate_notify::verify;
use tidegate_store::entity::Limits;
use tidegate_testkit::{Handler, Reply, Scratch, Seen, Server, client};

use crate::stage::{CHAT, PATIENCE, Setup, Tidegate, chat};
use crate::tenant::Tenant;

/// Answers chats with whatever status it is told to.
struct Moody(AtomicU16);

impl Handler for Moody {
    fn answer(&self, _: &Seen) -> Reply {
        let message = json!({"role": "assistant", "content": "Noon."});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        let usage = json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2});
        let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice], "usage": usage});
        Reply::json(self.0.load(Ordering::Relaxed), &body)
    }
}

struct Taking;

impl Handler for Taking {
    fn answer(&self, _: &Seen) -> Reply {
        Reply::text(204, "text/plain", "")
    }
}

const SECRET: &str = "a secret of 16 bytes or more";

struct Scene {
    tidegate: Tidegate,
    upstream: Server<Moody>,
    hook: Server<Taking>,
    key: String,
}

impl Scene {
    async fn new() -> Self {
        let directory = Scratch::new();
        let upstream = Server::start(Moody(AtomicU16::new(200))).await;
        let hook = Server::start(Taking).await;
        let tenant = Tenant::new(&directory).await;
        let workspace = tenant.workspace("a", Limits::default()).await;
        tenant.provider(workspace, "openai-a", &upstream.url(), Limits::default()).await;
        let (_, key) = tenant.key(workspace, "app", Limits::default()).await;
        let settings = "[alerts]\nevery = \"1s\"\n[egress]\nallow_private = ['127.0.0.1']";
        let setup = Setup::default().settings(settings).directory(directory);
        Self { tidegate: setup.start().await, upstream, hook, key }
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let bearer = format!("Bearer {}", self.key);
        let headers = [("authorization", bearer.as_str())];
        let answer = match method {
            "GET" => client::get(&self.tidegate.url(path), &headers).await,
            _ => self.tidegate.post(path, &headers, body).await,
        };
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    async fn rule(&self, rule: Value) -> String {
        let channels = json!([{"type": "webhook", "url": self.hook.url(), "secret": SECRET}]);
        let body = json!({"name": "Watch", "rule": rule, "channels": channels});
        let made = self.send("POST", "/v1/alerts", &body).await;
        made["id"].as_str().unwrap().to_owned()
    }

    async fn calls(&self, status: u16, count: usize) {
        self.upstream.handler().0.store(status, Ordering::Relaxed);
        let bearer = format!("Bearer {}", self.key);
        for _ in 0..count {
            let headers = [("authorization", bearer.as_str()), ("x-portkey-provider", "@openai-a")];
            let answer = self.tidegate.post(CHAT, &headers, &chat("gpt-4o")).await;
            assert_eq!(answer.status, status, "{}", answer.text());
        }
    }

    /// Goes on calling until so many notices have come; what they say happened.
    async fn told(&self, status: u16, notices: usize) -> Vec<String> {
        let started = Instant::now();
        while self.hook.requests().len() < notices {
            assert!(
                started.elapsed() < PATIENCE,
                "{} notices, {notices} were due",
                self.hook.requests().len()
            );
            self.calls(status, 1).await;
        }
        self.hook.requests().iter().map(|seen| seen.json()["event"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_rule_that_fires_tells_its_webhook_once_and_when_it_is_over() {
    let scene = Scene::new().await;
    let id = scene
        .rule(json!({"kind": "metric", "metric": "error_rate", "window_seconds": 5, "min_requests": 3,
                     "condition": {"type": "above", "threshold": 50.0, "recover": 10.0}}))
        .await;
    scene.calls(500, 5).await;
    assert_eq!(scene.told(500, 1).await, ["alert.fired"]);
    let seen = &scene.hook.requests()[0];
    let (signature, seconds) =
        (seen.header("webhook-signature").unwrap(), seen.header("webhook-timestamp").unwrap());
    let notice = seen.header("webhook-id").unwrap();
    let seconds = seconds.parse().unwrap();
    assert!(verify(&Secret::from(SECRET), notice, seconds, &seen.body, signature).unwrap());
    assert_eq!(seen.json()["rule"]["id"], id.as_str());
    // It goes on to fail through several looks, and nobody is told again; then it is well.
    let looks = r#"tidegate_alert_looks_total{reason="looked"}"#;
    let until = scene.tidegate.metric(looks).await + 3;
    let started = Instant::now();
    while scene.tidegate.metric(looks).await < until {
        assert!(started.elapsed() < PATIENCE, "nobody looks");
        scene.calls(500, 1).await;
    }
    assert_eq!(scene.told(200, 2).await, ["alert.fired", "alert.resolved"]);
    let events = scene.send("GET", &format!("/v1/alerts/{id}/events"), &json!({})).await;
    let what: Vec<_> = events["data"].as_array().unwrap().iter().map(|event| &event["what"]).collect();
    assert_eq!(what, ["resolved", "fired"]);
    assert_eq!(scene.tidegate.metric(r#"tidegate_alert_looks_total{reason="failed"}"#).await, 0);
}

#[tokio::test]
async fn a_provider_is_down_by_its_own_faults_only() {
    let scene = Scene::new().await;
    scene.rule(json!({"kind": "provider_outage", "window_seconds": 5})).await;
    // What callers do wrong is no outage.
    scene.calls(400, 10).await;
    let health = async |want: &str| {
        let started = Instant::now();
        loop {
            let health = scene.send("GET", "/v1/providers/health", &json!({})).await;
            let row = health["data"][0].clone();
            if row["state"] == want {
                return row;
            }
            assert!(started.elapsed() < PATIENCE, "{health}");
        }
    };
    let row = health("ok").await;
    assert_eq!((&row["provider"], &row["since"]), (&json!("openai"), &json!(null)));
    scene.calls(503, 15).await;
    let row = health("down").await;
    assert!(row["since"].is_string() && row["faults"].as_u64().unwrap() >= 10, "{row}");
    assert_eq!(scene.told(503, 1).await, ["alert.fired"]);
    let notice = scene.hook.requests()[0].json();
    assert_eq!((&notice["group"], &notice["metric"]), (&json!("openai"), &json!(null)));
    assert_eq!(scene.told(200, 2).await, ["alert.fired", "alert.resolved"]);
}
