//! Providers as the admin API stores them, in front of real calls: what an operator says of a connection is done.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidegate_testkit::client;
use tidegate_testkit::{Handler, Reply, Seen, Server};

use crate::stage::{CHAT, Tidegate, chat};

struct Echo;

impl Handler for Echo {
    fn answer(&self, request: &Seen) -> Reply {
        let message = json!({"role": "assistant", "content": "Noon."});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        let model = request.json()["model"].clone();
        Reply::json(
            200,
            &json!({"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice],
                "usage": {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24},
                "service_tier": "priority"}),
        )
    }
}

struct Office {
    gateway: Tidegate,
    admin: String,
    key: String,
}

impl Office {
    async fn new() -> Self {
        let gateway = Tidegate::start().await;
        let path = gateway.directory.path().join("admin.key");
        let admin = std::fs::read_to_string(path).unwrap().trim().to_owned();
        let mut office = Self { gateway, admin, key: String::new() };
        let body = json!({"name": "app", "workspace_id": "ws-default", "scopes": ["completions.write"]});
        let made = office.post("/v1/api-keys/workspace/service", &body).await;
        office.key = made["key"].as_str().unwrap().to_owned();
        office
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let headers = [("x-portkey-api-key", self.admin.as_str())];
        let answer = client::post(&self.gateway.url(path), &headers, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    async fn integration(&self, provider: &str, configurations: &Value) -> Value {
        let body = json!({"name": provider, "ai_provider_id": provider, "key": "sk-stored", "workspace_id": "ws-default",
            "create_default_provider": true, "default_provider_slug": "mine", "configurations": configurations});
        self.post("/v1/integrations", &body).await
    }

    async fn ask(&self, model: &str, more: &[(&str, &str)]) {
        let bearer = format!("Bearer {}", self.key);
        let headers = [&[("authorization", bearer.as_str())], more].concat();
        let answer = self.gateway.post(CHAT, &headers, &chat(model)).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_deployment_is_called_by_its_alias_its_name_or_its_model() {
    let (office, upstream) = (Office::new().await, Server::start(Echo).await);
    let deployment = |name: &str, version: &str, model: &str, alias: &str, is_default: bool| {
        json!({"azure_deployment_name": name, "azure_api_version": version, "azure_model_slug": model, "alias": alias,
            "is_default": is_default})
    };
    let deployments = [
        deployment("east-4o", "2024-10-21", "gpt-4o", "large", false),
        deployment("west-mini", "2024-06-01", "gpt-4o-mini", "small", true),
    ];
    let configurations = json!({"azure_auth_mode": "default", "azure_resource_name": "res",
        "custom_host": format!("{}/openai", upstream.url()), "azure_deployment_config": deployments});
    office.integration("azure-openai", &configurations).await;
    for model in ["@mine/large", "@mine/east-4o", "@mine/gpt-4o", "@mine/small", "@mine/gpt-4.1"] {
        office.ask(model, &[]).await;
    }
    let (east, west) = (
        "/openai/deployments/east-4o/chat/completions?api-version=2024-10-21",
        "/openai/deployments/west-mini/chat/completions?api-version=2024-06-01",
    );
    let asked: Vec<_> = upstream.requests().iter().map(|seen| seen.url.clone()).collect();
    assert_eq!(asked, [east, east, east, west, west]);
    // An alias has no price of its own; the model behind it does.
    let logs = || async {
        let headers = [("x-portkey-api-key", office.admin.as_str())];
        let path = office.gateway.url("/v1/logs?workspace_id=ws-default");
        client::get(&path, &headers).await.json()["data"].as_array().cloned().unwrap_or_default()
    };
    let mut rows = logs().await;
    // Records are written behind the answers.
    let late = Instant::now() + Duration::from_secs(120);
    while rows.len() < 5 {
        assert!(Instant::now() < late, "{rows:?}");
        rows = logs().await;
    }
    assert!(rows.iter().all(|row| row["cost"].as_f64().is_some_and(|cost| cost > 0.0)), "{rows:?}");
    let path = format!("/v1/logs/{}", rows[0]["id"].as_str().unwrap());
    let headers = [("x-portkey-api-key", office.admin.as_str())];
    let log = client::get(&office.gateway.url(&path), &headers).await.json();
    assert_eq!(log["tidegate"]["service_tier"], "priority", "how the answer says that it was served");
}

#[tokio::test]
async fn stored_headers_go_with_every_call_and_nowhere_else() {
    let (office, upstream, elsewhere) =
        (Office::new().await, Server::start(Echo).await, Server::start(Echo).await);
    let configurations = json!({"custom_host": format!("{}/v1", upstream.url()),
        "custom_headers": {"X-Team": "search", "x-account": "secret-0123456789"}});
    office.integration("openai", &configurations).await;
    office.ask("@mine/gpt-4o", &[("x-team", "forged"), ("x-portkey-forward-headers", "x-team")]).await;
    let bearer = format!("Bearer {}", office.key);
    let headers = [("authorization", bearer.as_str()), ("x-portkey-provider", "@mine"), ("x-team", "forged")];
    client::get(&office.gateway.url("/v1/responses/r-1"), &headers).await;
    let seen = upstream.requests();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for request in &seen {
        assert_eq!(request.header("x-team"), Some("search"), "{}", request.url);
        assert_eq!(request.header("x-account"), Some("secret-0123456789"), "{}", request.url);
        assert_eq!(request.header("authorization"), Some("Bearer sk-stored"), "{}", request.url);
    }
    // They may be credentials: another address does not get them.
    let host = format!("{}/v1", elsewhere.url());
    let more = [("x-portkey-custom-host", host.as_str()), ("x-portkey-provider", "@mine")];
    office.ask("gpt-4o", &more).await;
    assert!(elsewhere.requests().iter().all(|seen| seen.header("x-account").is_none()));
    assert_eq!(elsewhere.requests().len(), 1);
}

#[tokio::test]
async fn headers_of_the_connection_are_refused() {
    let office = Office::new().await;
    let headers = [("x-portkey-api-key", office.admin.as_str())];
    for name in ["Host", "content-length", "transfer-encoding", "connection"] {
        let body = json!({"name": "a", "ai_provider_id": "openai", "key": "sk-stored", "workspace_id": "ws-default",
            "configurations": {"custom_headers": {name: "x"}}});
        let answer = client::post(&office.gateway.url("/v1/integrations"), &headers, &body).await;
        assert_eq!(answer.status, 400, "{name}");
        assert!(
            answer.text().contains("custom_headers") && answer.text().contains(name),
            "{}",
            answer.text()
        );
    }
}
