//! Alert rules: from told calls to what a rule's channels are told, with a clock that is set.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tidegate_alerts::{Notice, Way, What};
use tidegate_control::{Delivered, Lookout, Messenger};

use crate::telling::Telling;
use crate::world::World;

/// Takes what it is given, but for addresses that say `broken`.
#[derive(Debug, Default)]
pub struct Heard(Mutex<Vec<(String, Notice)>>);

impl Messenger for Heard {
    fn deliver<'a>(&'a self, way: &'a Way, notice: &'a Notice) -> Delivered<'a> {
        let name = tidegate_alerts::Channel { id: String::new(), way: way.clone() }.name();
        let outcome = if name.contains("broken") { Err("answered 500".to_owned()) } else { Ok(()) };
        self.0.lock().unwrap().push((name, notice.clone()));
        Box::pin(std::future::ready(outcome))
    }

    fn attempt<'a>(&'a self, way: &'a Way, notice: &'a Notice) -> Delivered<'a> {
        self.deliver(way, notice)
    }
}

struct Watched {
    telling: Telling,
    heard: Arc<Heard>,
    lookout: Lookout,
}

const MINUTE: u64 = 60_000;

impl Watched {
    async fn new() -> Self {
        let heard = Arc::new(Heard::default());
        let telling = Telling::heard_by(Arc::clone(&heard) as Arc<dyn Messenger>).await;
        let lookout = telling.world.api.lookout();
        Self { telling, heard, lookout }
    }

    fn world(&self) -> &World {
        &self.telling.world
    }

    async fn rule(&self, rule: Value, channels: Value) -> String {
        let body = json!({"name": "Errors", "rule": rule, "channels": channels, "workspace_id": "ws-a"});
        let made = self.world().done("service_key", "POST", "/v1/alerts", body).await;
        format!("/v1/alerts/{}", made["id"].as_str().unwrap())
    }

    /// Calls with these statuses, told now.
    async fn calls(&self, model: &str, statuses: &[u16]) {
        for status in statuses {
            let item = json!({
                "request": {"url": "https://api.openai.com/v1/chat/completions", "method": "POST",
                            "provider": "openai", "body": {"model": model, "messages": []}},
                "response": {"status": status, "body": {"model": model}, "response_time": 5},
            });
            self.telling.tell(item).await;
        }
    }

    /// A minute later, a look; what was heard of it.
    async fn look(&self) -> Vec<(Option<What>, String, Option<f64>)> {
        self.world().clock.advance(MINUTE);
        self.lookout.look(MINUTE).await;
        self.lookout.told().await;
        let heard = std::mem::take(&mut *self.heard.0.lock().unwrap());
        heard.into_iter().map(|(_, notice)| (notice.what, notice.key, notice.value)).collect()
    }

    async fn get(&self, uri: &str) -> Value {
        self.telling.get(uri).await
    }
}

fn errors() -> Value {
    json!({"kind": "metric", "metric": "error_rate", "window_seconds": 120, "min_requests": 2,
           "condition": {"type": "above", "threshold": 20.0}})
}

fn hook() -> Value {
    json!([{"type": "webhook", "url": "https://hooks.example.org/SECRET-PATH", "secret": "SECRET-that-is-long-enough"}])
}

#[tokio::test]
async fn a_rule_fires_once_and_resolves_once() {
    let watched = Watched::new().await;
    let uri = watched.rule(errors(), hook()).await;
    assert_eq!(watched.look().await, []);
    watched.calls("m", &[200, 200, 500]).await;
    assert_eq!(watched.look().await, [(Some(What::Fired), String::new(), Some(100.0 / 3.0))]);
    let row = watched.get(&uri).await;
    assert_eq!((&row["state"], &row["groups"][0]["key"]), (&json!("firing"), &json!(null)));
    watched.calls("m", &[500]).await;
    assert_eq!(watched.look().await, [], "told once");
    watched.calls("m", &[200; 8]).await;
    // What failed is more than two minutes ago.
    assert_eq!(watched.look().await, [(Some(What::Resolved), String::new(), Some(0.0))]);
    assert_eq!(watched.look().await, []);
    assert_eq!(watched.get(&uri).await["state"], "ok");
    let events = watched.get(&format!("{uri}/events")).await;
    let told: Vec<_> = events["data"].as_array().unwrap().iter().map(|event| &event["what"]).collect();
    assert_eq!(told, ["resolved", "fired"]);
    let first = &events["data"][1];
    assert_eq!((&first["requests"], &first["told"][0]["delivered"]), (&json!(3), &json!(true)));
    assert_eq!(first["told"][0]["name"], "webhook hooks.example.org");
    let counts = watched.lookout.counts();
    assert_eq!((counts.looked, counts.failed, counts.delivered), (5, 0, 2));
}

#[tokio::test]
async fn groups_fire_by_themselves_and_filters_hold() {
    let watched = Watched::new().await;
    let mut rule = errors();
    rule["group"] = json!("model");
    watched.rule(rule.clone(), hook()).await;
    rule["filters"] = json!({"ai_model": "fine"});
    watched.rule(rule, hook()).await;
    watched.calls("bad", &[500, 500]).await;
    watched.calls("fine", &[200, 200]).await;
    assert_eq!(watched.look().await, [(Some(What::Fired), "bad".to_owned(), Some(100.0))]);
}

#[tokio::test]
async fn a_change_is_against_the_same_time_of_the_day_before() {
    let watched = Watched::new().await;
    let rule = json!({"kind": "metric", "metric": "requests", "window_seconds": 120,
                      "condition": {"type": "change", "percent": 50.0, "direction": "up"}});
    watched.rule(rule, hook()).await;
    watched.calls("m", &[200, 200]).await;
    watched.world().clock.advance(86_400_000 - 2 * MINUTE);
    assert_eq!(watched.look().await, [], "nothing yet");
    watched.calls("m", &[200; 4]).await;
    assert_eq!(watched.look().await, [(Some(What::Fired), String::new(), Some(100.0))]);
}

#[tokio::test]
async fn who_looks_second_tells_nothing() {
    let watched = Watched::new().await;
    watched.rule(errors(), hook()).await;
    watched.calls("m", &[500, 500]).await;
    let other = watched.world().api.lookout();
    watched.world().clock.advance(MINUTE);
    tokio::join!(watched.lookout.look(MINUTE), other.look(MINUTE));
    // Not its turn: the other one has just looked.
    other.look(MINUTE).await;
    watched.lookout.told().await;
    other.told().await;
    assert_eq!(watched.heard.0.lock().unwrap().len(), 1);
    assert_eq!(watched.lookout.counts().looked + other.counts().looked, 1);
}

#[tokio::test]
async fn what_a_channel_does_not_take_is_in_the_history() {
    let watched = Watched::new().await;
    let channels = json!([{"type": "slack", "url": "https://broken.example.org/x"}, {"type": "email", "to": ["a@b.example"]}]);
    let uri = watched.rule(errors(), channels).await;
    watched.calls("m", &[500, 500]).await;
    assert_eq!(watched.look().await.len(), 2);
    let events = watched.get(&format!("{uri}/events")).await;
    let told = &events["data"][0]["told"];
    assert_eq!((&told[0]["delivered"], &told[0]["problem"]), (&json!(false), &json!("answered 500")));
    assert_eq!(told[1]["delivered"], true);
    let tried = watched.world().done("service_key", "POST", &format!("{uri}/test"), json!({})).await;
    assert_eq!(
        (&tried["results"][0]["delivered"], &tried["results"][1]["delivered"]),
        (&json!(false), &json!(true))
    );
    let heard = watched.heard.0.lock().unwrap();
    assert!(heard.iter().all(|(_, notice)| notice.what.is_none()), "a test says that it is one");
}

#[tokio::test]
async fn paused_rules_are_not_looked_at() {
    let watched = Watched::new().await;
    let uri = watched.rule(errors(), hook()).await;
    watched.world().done("service_key", "PUT", &uri, json!({"enabled": false})).await;
    watched.calls("m", &[500, 500]).await;
    assert_eq!(watched.look().await, []);
    assert_eq!(watched.get(&uri).await["state"], "paused");
}

#[tokio::test]
async fn secrets_are_kept_and_not_shown() {
    let watched = Watched::new().await;
    let uri = watched.rule(errors(), hook()).await;
    let row = watched.get(&uri).await;
    let channel = &row["channels"][0];
    assert_eq!((&channel["url"], &channel["signed"]), (&json!("https://hooks.example.org/…"), &json!(true)));
    let id = channel["id"].as_str().unwrap();
    let change = async |channels: Value| {
        watched.world().done("service_key", "PUT", &uri, json!({"channels": channels})).await["channels"]
            .clone()
    };
    // What is left out stays; a secret does not go to another address.
    assert_eq!(change(json!([{"id": id, "type": "webhook"}])).await[0], *channel);
    let moved =
        change(json!([{"id": id, "type": "webhook", "url": "https://other.example.org/SECRET-TOO"}])).await;
    assert_eq!(
        (&moved[0]["url"], &moved[0]["signed"]),
        (&json!("https://other.example.org/…"), &json!(false))
    );
    let log = watched.world().ask("owner", "GET", "/v1/audit-logs?size=100", None).await;
    assert!(!log.text.contains("SECRET"), "{}", log.text);
    for (channels, param) in [
        (json!([{"type": "webhook"}]), "channels[0].url"),
        (json!([{"type": "webhook", "url": "SECRET"}]), "channels[0].url"),
        (json!([{"type": "webhook", "url": "https://a.example", "secret": "SECRET"}]), "channels[0].secret"),
        (json!([{"type": "slack", "url": "https://a.example", "to": ["SECRET"]}]), "channels[0].to"),
        (json!([{"type": "email", "to": []}]), "channels[0].to"),
        (json!([{"type": "email", "url": "SECRET"}]), "channels[0].url"),
        (json!([{"id": "ch_x", "type": "webhook"}]), "channels[0].id"),
    ] {
        let got = watched.world().ask("service_key", "PUT", &uri, Some(&json!({"channels": channels}))).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{}", got.text);
        assert!(!got.text.contains("SECRET"), "{}", got.text);
    }
}

#[tokio::test]
async fn rules_that_mean_nothing_are_refused() {
    let world = World::new().await;
    let rule = |more: Value| {
        let mut rule = errors();
        for (name, value) in more.as_object().unwrap() {
            rule[name] = value.clone();
        }
        json!({"name": "x", "rule": rule})
    };
    for (body, param) in [
        (rule(json!({"metric": "x"})), "rule.metric"),
        (rule(json!({"group": "x"})), "rule.group"),
        (rule(json!({"filters": {"status_code": "x"}})), "status_code"),
        (rule(json!({"filters": {"search": "x"}})), "rule.filters.search"),
        (rule(json!({"filters": {"time_of_generation_min": "2026-01-31T12:00:00Z"}})), "rule.filters"),
        (rule(json!({"window_seconds": 1})), "rule.window_seconds"),
        (json!({"name": "", "rule": errors()}), "name"),
    ] {
        let got = world.ask("service_key", "POST", "/v1/alerts", Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{}", got.text);
    }
    let tested = world.done("service_key", "POST", "/v1/alerts", rule(json!({}))).await;
    let uri = format!("/v1/alerts/{}/test", tested["id"].as_str().unwrap());
    assert_eq!(world.ask("service_key", "POST", &uri, None).await.status, 409);
}
