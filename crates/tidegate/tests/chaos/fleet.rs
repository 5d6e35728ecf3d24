//! Three gateways that share PostgreSQL and Redis, and a key that all of them know.

use std::sync::Arc;

use tidegate_core::{Secret, SystemClock};
use tidegate_store::Store;
use tidegate_store::entity::{ApiKey, Config, Limits, Stored};
use tidegate_store::postgres::Postgres as Database;
use tidegate_store::vault::MasterKeys;
use tidegate_testkit::{Postgres, Redis, Server};
use tokio::task::JoinSet;

use crate::node::{MASTER_KEY, Node};
use crate::tenant::Tenant;
use crate::till::Till;

pub const REPLICAS: usize = 3;

pub struct Fleet {
    pub nodes: Vec<Node>,
    pub postgres: Postgres,
    pub redis: Redis,
    pub tenant: Tenant,
    pub stored: Stored<ApiKey>,
    pub key: String,
    pub config: Stored<Config>,
}

impl Fleet {
    /// All of them run, with `settings` as variables.
    pub async fn start(upstream: &Server<Till>, limits: Limits, settings: &[(&str, &str)]) -> Self {
        let (postgres, redis) = (Postgres::start(), Redis::start());
        let tenant = Tenant::of(store(&postgres).await).await;
        let workspace = tenant.workspace("a", Limits::default()).await;
        tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
        let content = serde_json::json!({"provider": "@openai"});
        let config = tenant.config(workspace, "pc-plain", content).await;
        let (stored, key) = tenant.key(workspace, "app", limits).await;
        let mut starting = JoinSet::new();
        for _ in 0..REPLICAS {
            let node = Node::replica(&postgres, &redis);
            let mut node = settings.iter().fold(node, |node, (name, value)| node.env(name, value));
            // At once: of the first start each part is made by one of them.
            starting.spawn(async move {
                node.start().await;
                node
            });
        }
        let nodes = starting.join_all().await;
        Self { nodes, postgres, redis, tenant, stored, key, config }
    }

    pub fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(Node::address).collect()
    }

    pub async fn stop(&mut self) {
        for node in &mut self.nodes {
            node.stop().await;
        }
    }
}

async fn store(postgres: &Postgres) -> Store {
    let database = Database::open(postgres.url().parse().unwrap()).await.unwrap();
    let masters = MasterKeys::parse(&Secret::from(MASTER_KEY), "the test").unwrap();
    Store::open(Arc::new(database), masters, Arc::new(SystemClock::new())).await.unwrap()
}
