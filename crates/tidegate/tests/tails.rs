//! Logs as they come, from a request to the stream that shows it, and the end of both.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_testkit::client::{self, Opened};

use crate::stage::{CHAT, PATIENCE, Setup, Tidegate};

struct Office {
    gateway: Tidegate,
    admin: String,
}

impl Office {
    async fn new() -> Self {
        let settings = "[records]\nbodies = 'all'\n[server]\ngrace_period = '60s'\n";
        let gateway = Setup::default().settings(settings).start().await;
        let path = gateway.directory.path().join("admin.key");
        let admin = std::fs::read_to_string(path).unwrap().trim().to_owned();
        Self { gateway, admin }
    }

    /// Id and text.
    async fn key(&self) -> (String, String) {
        let scopes = ["completions.write", "logs.list", "logs.view"];
        let body = json!({"name": "app", "workspace_id": "ws-default", "scopes": scopes});
        let url = self.gateway.url("/v1/api-keys/workspace/service");
        let made = client::post(&url, &[("x-portkey-api-key", &self.admin)], &body).await.json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    async fn tail(&self, key: &str, query: &str) -> Reading {
        let url = self.gateway.url(&format!("/v1/logs/tail{query}"));
        let stream = client::open("GET", &url, &[("x-portkey-api-key", key)], Bytes::new()).await.unwrap();
        let mut reading = Reading { stream, text: String::new() };
        reading.until(": the tail begins\n\n").await;
        reading
    }

    async fn ask(&self, key: &str, words: &str) {
        let body = json!({"model": "@demo/echo", "messages": [{"role": "user", "content": words}]});
        let answer = self.gateway.post(CHAT, &[("x-portkey-api-key", key)], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

struct Reading {
    stream: Opened,
    text: String,
}

impl Reading {
    async fn until(&mut self, text: &str) {
        let reading = async {
            while !self.text.contains(text) {
                let part = self.stream.next().await.unwrap();
                self.text
                    .push_str(&String::from_utf8_lossy(&part.unwrap_or_else(|| panic!("{}", self.text))));
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap();
    }
}

#[tokio::test]
async fn a_request_is_seen_as_it_comes_until_the_key_is_revoked_or_the_gateway_stops() {
    let office = Office::new().await;
    let ((id, key), (_, other)) = (office.key().await, office.key().await);
    let mut all = office.tail(&key, "").await;
    let mut found = office.tail(&other, "?search=%E9%80%80%E6%AC%BE").await;
    assert_eq!(office.gateway.metric("tidegate_log_tails").await, 2);
    office.ask(&key, "where is my refund?").await;
    office.ask(&key, "我的退款在哪里？").await;
    found.until("\"ai_model\":\"echo\"").await;
    all.until("\"ai_model\":\"echo\"").await;
    let rows = |text: &str| -> Vec<Value> {
        let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(rows(&found.text).len(), 1);
    // What a tail shows is in the list, and found there by the same words.
    let listed = office.gateway.url("/v1/logs?search=%E9%80%80%E6%AC%BE");
    let listed = client::get(&listed, &[("x-portkey-api-key", &key)]).await.json();
    assert_eq!(listed["data"], json!([rows(&found.text)[0]]), "the same rows");

    let began = Instant::now();
    let url = office.gateway.url(&format!("/v1/api-keys/{id}"));
    let gone = client::send("DELETE", &url, &[("x-portkey-api-key", &office.admin)], Bytes::new()).await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    all.until("event: end\ndata: {\"reason\":\"revoked\"}\n\n").await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "a second, and what a busy machine adds: {took:?}");
    office.gateway.wait_for_metric("tidegate_log_tails", 1).await;

    let mut process = office.gateway.process;
    // The grace period is longer than anybody waits here.
    let (ended, ()) =
        tokio::join!(process.terminate(), found.until("event: end\ndata: {\"reason\":\"shutdown\"}\n\n"));
    assert!(ended.success());
}

#[tokio::test]
async fn without_records_there_is_nothing_to_watch() {
    let gateway = Setup::default().settings("[records]\nenabled = false\n").start().await;
    let path = gateway.directory.path().join("admin.key");
    let admin = std::fs::read_to_string(path).unwrap().trim().to_owned();
    let url = gateway.url("/v1/logs/tail?workspace_id=ws-default");
    let answer = client::get(&url, &[("x-portkey-api-key", &admin)]).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
}
