//! OpenAI's realtime API through the gateway: a WebSocket on both sides, with everything that holds for other requests.

mod ends;
mod passes;
mod refusals;

use serde_json::{Value, json};
use tidegate_store::entity::Limits;
use tidegate_testkit::client::{self, Answer};
use tidegate_testkit::{Realtime, Scratch, Socket, connect};

use crate::stage::{PATIENCE, Setup, Tidegate};
use crate::tenant::Tenant;

const PATH: &str = "/v1/realtime?model=gpt-realtime";

/// A gateway with one workspace, one provider and one key, in front of the stand-in.
struct Office {
    gateway: Tidegate,
    upstream: Realtime,
    admin: String,
    key: String,
    key_id: String,
    workspace: String,
}

impl Office {
    async fn new(limits: Limits) -> Self {
        Self::with(limits, Setup::default()).await
    }

    async fn with(limits: Limits, setup: Setup) -> Self {
        Self::before(limits, setup, Scratch::new(), Realtime::start().await).await
    }

    /// In front of this stand-in.
    async fn before(limits: Limits, setup: Setup, directory: Scratch, upstream: Realtime) -> Self {
        let tenant = Tenant::new(&directory).await;
        let workspace = tenant.workspace("a", Limits::default()).await;
        tenant.provider(workspace, "openai", &upstream.base(), Limits::default()).await;
        let (stored, key) = tenant.key(workspace, "app", limits).await;
        let admin = tenant.admin().await;
        let gateway = setup.directory(directory).start().await;
        let (key_id, workspace) = (stored.id.to_string(), workspace.to_string());
        Self { gateway, upstream, admin, key, key_id, workspace }
    }

    async fn connect(&self) -> Result<Socket, Answer> {
        self.connect_as(&[("authorization", &format!("Bearer {}", self.key))]).await
    }

    async fn connect_as(&self, headers: &[(&str, &str)]) -> Result<Socket, Answer> {
        connect(self.gateway.address(), PATH, headers).await
    }

    /// The only log there is, once it is written.
    async fn log(&self) -> Value {
        let headers = [("x-portkey-api-key", self.admin.as_str())];
        let path = self.gateway.url(&format!("/v1/logs?workspace_id={}", self.workspace));
        let started = std::time::Instant::now();
        loop {
            let page = client::get(&path, &headers).await.json();
            if let Some(row) = page["data"].as_array().and_then(|rows| rows.first()) {
                let path = format!("/v1/logs/{}", row["id"].as_str().unwrap_or_default());
                return client::get(&self.gateway.url(&path), &headers).await.json();
            }
            assert!(started.elapsed() < PATIENCE, "{page}");
        }
    }

    /// What the key's budget has paid.
    async fn used(&self) -> f64 {
        let url = self.gateway.url(&format!("/v1/api-keys/{}", self.key_id));
        let key = client::get(&url, &[("x-portkey-api-key", &self.admin)]).await.json();
        key["current_usage"][0]["current_usage"].as_f64().unwrap_or_else(|| panic!("{key}"))
    }

    /// How the only session ended, as the provider saw it.
    async fn upstream_end(&self) -> Option<u16> {
        let started = std::time::Instant::now();
        loop {
            if let Some(end) = self.upstream.ends().first() {
                return *end;
            }
            assert!(started.elapsed() < PATIENCE, "the provider's session goes on");
            tokio::task::yield_now().await;
        }
    }
}

fn answer(metadata: Value) -> Value {
    json!({"type": "response.create", "response": {"metadata": metadata}})
}
