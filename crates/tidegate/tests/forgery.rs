//! Requests forged through the gateway: no caller reaches an address that is not theirs to reach.

use serde_json::json;
use tidegate_testkit::{Handler, Reply, Scripted, Seen, Server, client};

use crate::stage::{CHAT, MESSAGES, Setup, Tidegate, chat, messages, target};

/// One of each kind of route.
const ROUTES: [(&str, &str, &str); 12] = [
    ("POST", CHAT, "application/json"),
    ("POST", MESSAGES, "application/json"),
    ("POST", "/v1/messages/count_tokens", "application/json"),
    ("POST", "/v1/completions", "application/json"),
    ("POST", "/v1/embeddings", "application/json"),
    ("POST", "/v1/responses", "application/json"),
    ("POST", "/v1/images/generations", "application/json"),
    ("POST", "/v1/audio/transcriptions", "multipart/form-data; boundary=b"),
    ("POST", "/v1/files", "multipart/form-data; boundary=b"),
    ("POST", "/v1/proxy/chat/completions", "application/json"),
    ("GET", "/v1/models", "application/json"),
    ("DELETE", "/v1/threads/t", "application/json"),
];

/// Hosts that nobody may call through the gateway. PORT is where a server waits to be reached by mistake.
const NEVER: &[&str] = &[
    "http://0.0.0.0:PORT",
    "http://[::]:PORT",
    "http://[::ffff:0.0.0.0]:PORT",
    "http://0:PORT",
    "http://2130706433:PORT",
    "http://0x7f000001:PORT",
    "http://0x7f.0.0.1:PORT",
    "http://0177.0.0.1:PORT",
    "http://127.1:PORT",
    "http://127.0.0.1.:PORT",
    "http://localhost.:PORT",
    "http://user@127.0.0.1:PORT",
    "http://example.com@127.0.0.1:PORT",
    "http://127.0.0.1:PORT\\@example.com",
    "http://127.0.0.1%2f@example.com",
    "http://169.254.169.254/latest/meta-data",
    "http://[fd00:ec2::254]",
    "http://[fe80::1]",
    "http://metadata.google.internal",
    "http://metadata",
    "http://instance-data",
    "http://x.invalid",
    "http://127.0.0.1:0",
    "http://127.0.0.1:99999",
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT",
    "ftp://127.0.0.1:PORT",
    "//127.0.0.1:PORT",
    "127.0.0.1:PORT",
    "http://",
    "http://api.portkey.ai",
];

/// Hosts that are refused as well once others than this machine reach the gateway.
const PRIVATE: &[&str] = &[
    "http://127.0.0.1:PORT",
    "http://127.0.0.2:PORT",
    "http://localhost:PORT",
    "http://x.localhost:PORT",
    "http://LOCALHOST:PORT",
    "http://[::1]:PORT",
    "http://[::ffff:127.0.0.1]:PORT",
    "http://[::ffff:7f00:1]:PORT",
    "http://[64:ff9b::7f00:1]:PORT",
    "http://10.0.0.1",
    "http://172.16.0.1",
    "http://192.168.1.1",
    "http://100.64.0.1",
    "http://[fc00::1]",
    "http://db.internal",
    "http://printer.local",
    "http://host.docker.internal:PORT",
];

/// CVE-2025-66405 and its bypass by `/v1/proxy/*` (Portkey-AI/gateway#1718), New API's CVE-2025-59146, CVE-2025-62155,
/// CVE-2026-42339 (`0.0.0.0`): requests forged through the gateway.
#[tokio::test]
async fn incident_ssrf_by_custom_host_on_loopback() {
    let canary = Server::start(Scripted::default()).await;
    let tidegate = Tidegate::start().await;
    refuses_all(&tidegate, &canary, NEVER.iter().copied()).await;
}

#[tokio::test]
async fn incident_ssrf_by_custom_host_when_open_to_others() {
    let canary = Server::start(Scripted::default()).await;
    let tidegate = Setup::default().argument("--host").argument("0.0.0.0").start().await;
    refuses_all(&tidegate, &canary, NEVER.iter().chain(PRIVATE).copied()).await;
}

#[tokio::test]
async fn the_operator_may_allow_a_private_address_by_name() {
    let upstream = Server::start(Scripted::default()).await;
    let allowed = Setup::default()
        .argument("--host")
        .argument("0.0.0.0")
        .settings("[egress]\nallow_private = ['127.0.0.1']")
        .start()
        .await;
    let answer = allowed.ask(&target("openai", &upstream.url()), &chat("txt:a")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    refuses_all(&allowed, &upstream, ["http://127.0.0.2:PORT", "http://10.0.0.1"].into_iter()).await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    struct Elsewhere(String);
    impl Handler for Elsewhere {
        fn answer(&self, _: &Seen) -> Reply {
            Reply::text(307, "text/plain", "go on").with_header("location", self.0.clone())
        }
    }
    let canary = Server::start(Scripted::default()).await;
    let upstream = Server::start(Elsewhere(format!("{}/v1/chat/completions", canary.url()))).await;
    let tidegate = Tidegate::start().await;
    let config = target("openai", &upstream.url()).to_string();
    for (method, path, kind) in ROUTES {
        let headers = [("x-portkey-config", config.as_str()), ("content-type", kind)];
        let answer = client::send(method, &tidegate.url(path), &headers, body_of(kind)).await;
        // An estimate needs no provider.
        let estimated = answer.header("x-tidegate-estimated").is_some();
        assert!(answer.status >= 300 || estimated, "{method} {path}: {}", answer.text());
    }
    assert_eq!(canary.traffic().now().connections, 0);
}

/// Every way of naming each host, on every route.
async fn refuses_all(
    tidegate: &Tidegate,
    canary: &Server<Scripted>,
    hosts: impl Iterator<Item = &'static str>,
) {
    let before = canary.traffic().now().connections;
    let port = canary.address().port().to_string();
    for host in hosts {
        let host = host.replace("PORT", &port);
        let at_root = json!({"provider": "openai", "api_key": "k", "custom_host": host}).to_string();
        let camel = json!({"provider": "openai", "apiKey": "k", "customHost": host}).to_string();
        let inner = json!({"provider": "openai", "api_key": "k", "custom_host": host});
        let below = json!({"strategy": {"mode": "fallback"}, "targets": [inner]}).to_string();
        let named = [("x-portkey-provider", "openai"), ("authorization", "Bearer k")];
        for given in [
            ("x-portkey-custom-host", host.as_str()),
            ("x-tidegate-custom-host", host.as_str()),
            ("x-portkey-config", at_root.as_str()),
            ("x-portkey-config", camel.as_str()),
            ("x-portkey-config", below.as_str()),
        ] {
            for (method, path, kind) in ROUTES {
                let headers = [&named[..], &[given, ("content-type", kind)]].concat();
                let answer = client::send(method, &tidegate.url(path), &headers, body_of(kind)).await;
                assert_eq!(answer.status, 400, "{host} by {} on {method} {path}: {}", given.0, answer.text());
                assert!(!answer.json()["error"]["message"].is_null(), "{host}: {}", answer.text());
            }
        }
    }
    assert_eq!(canary.traffic().now().connections, before, "somebody got through");
}

fn body_of(kind: &str) -> bytes::Bytes {
    if kind == "application/json" { messages("m", false).to_string().into() } else { "--b--\r\n".into() }
}
