//! Before there is a session, what is refused is refused in HTTP.

use serde_json::json;
use tidegate_store::entity::Limits;
use tidegate_testkit::{Realtime, Scripted, Server, client, connect};

use super::{Office, PATH};
use crate::stage::{Setup, Tidegate, target};

#[tokio::test]
async fn a_providers_no_is_told_as_of_any_other_request() {
    let (tidegate, upstream) = (Tidegate::start().await, Realtime::start().await);
    for status in [401_u16, 429, 503] {
        let mut one = target("openai", &upstream.base());
        one["override_params"] = json!({"model": format!("refuse-{status}")});
        let config = one.to_string();
        let refused = connect(tidegate.address(), PATH, &[("x-portkey-config", &config)]).await.unwrap_err();
        assert_eq!(refused.status, status, "{}", refused.text());
        assert_eq!(refused.json()["error"]["code"], "refused", "{}", refused.text());
        assert_eq!(refused.header("x-portkey-provider"), Some("openai"));
    }
}

#[tokio::test]
async fn a_provider_that_answers_but_does_not_agree_has_failed() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let config = target("openai", &upstream.url()).to_string();
    let refused = connect(tidegate.address(), PATH, &[("x-portkey-config", &config)]).await.unwrap_err();
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (502, &json!("no_websocket")));
}

#[tokio::test]
async fn who_may_not_call_opens_nothing() {
    let office = Office::new(Limits::default()).await;
    for headers in [vec![], vec![("authorization", "Bearer sk-of-nobody")]] {
        let refused = office.connect_as(&headers).await.unwrap_err();
        assert_eq!(refused.status, 401, "{headers:?}");
        assert!(refused.json()["error"]["message"].is_string());
    }
    assert!(office.upstream.handshakes().is_empty());
}

#[tokio::test]
async fn an_open_session_counts_as_one_request_at_a_time() {
    let limits = Limits { rates: vec![json!({"type": "concurrency", "value": 1})], ..Limits::default() };
    let office = Office::new(limits).await;
    let mut first = office.connect().await.unwrap();
    first.until("session.created").await.unwrap();
    assert_eq!(office.connect().await.unwrap_err().status, 429);
    first.close(1000).await;
    office.gateway.wait_for_metric("tidegate_open_streams", 0).await;
    assert!(office.connect().await.is_ok());
}

#[tokio::test]
async fn an_address_that_may_not_be_called_is_not() {
    let tidegate = Tidegate::start().await;
    for host in
        ["http://169.254.169.254/v1", "http://[fd00:ec2::254]/v1", "http://metadata.google.internal/v1"]
    {
        let headers = [
            ("authorization", "Bearer sk-x"),
            ("x-portkey-provider", "openai"),
            ("x-portkey-custom-host", host),
        ];
        let refused = connect(tidegate.address(), PATH, &headers).await.unwrap_err();
        assert_eq!(refused.status, 400, "{host}: {}", refused.text());
    }
}

/// A page of anybody's can open WebSockets to this machine, and brings no key: what is open for this machine is not open
/// for it.
#[tokio::test]
async fn pages_of_other_origins_need_a_key_of_their_own() {
    let upstream = Realtime::start().await;
    let settings =
        format!("[providers.openai]\nprovider = 'openai'\napi_key = 'k'\nbase_url = '{}'", upstream.base());
    let tidegate = Setup::default().settings(&settings).start().await;
    let refused = connect(tidegate.address(), PATH, &[("origin", "https://evil.example")]).await.unwrap_err();
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(upstream.handshakes().is_empty());
    let own = format!("http://{}", tidegate.address());
    assert!(connect(tidegate.address(), PATH, &[("origin", &own)]).await.is_ok());
    assert!(connect(tidegate.address(), PATH, &[]).await.is_ok());
}

#[tokio::test]
async fn what_is_no_handshake_is_told_what_one_is() {
    let tidegate = Tidegate::start().await;
    let plain = tidegate.get(PATH).await;
    assert_eq!((plain.status, plain.header("upgrade")), (426, Some("websocket")));
    let right = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (name, value, status) in [
        ("connection", "keep-alive", 400),
        ("sec-websocket-version", "8", 426),
        ("sec-websocket-key", "short", 400),
        ("upgrade", "h2c", 426),
    ] {
        let mut headers = right;
        for header in &mut headers {
            if header.0 == name {
                header.1 = value;
            }
        }
        let answer = client::send("GET", &tidegate.url(PATH), &headers, "".into()).await;
        assert_eq!(answer.status, status, "{name}: {value}: {}", answer.text());
    }
    for (method, path) in [("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("POST", "/v1/realtime")]
    {
        let answer = client::send(method, &tidegate.url(path), &right, "".into()).await;
        assert_eq!(answer.status, 400, "{method} {path}");
    }
}
