//! A data directory with workspaces, providers and keys in it, made before the gateway starts, and changed while it runs.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_access::key::generate;
use tidegate_access::{KeyKind, ScopeSet};
use tidegate_core::{Secret, SystemClock};
use tidegate_store::audit::By;
use tidegate_store::entity::{
    ApiKey, Backing, Config, Connection, KeyOwner, Limits, NewCredential, Organisation, Provider, Stored,
    Workspace, WorkspaceState,
};
use tidegate_store::id::{OrganisationId, WorkspaceId};
use tidegate_store::sqlite::Sqlite;
use tidegate_store::vault::{Material, master_keys_in};
use tidegate_store::{Home, Store};
use tidegate_testkit::Scratch;

/// An organisation and its store.
pub struct Tenant {
    pub store: Store,
    organisation: OrganisationId,
}

impl Tenant {
    /// In a directory that no gateway has used yet.
    pub async fn new(directory: &Scratch) -> Self {
        Self::of(open(directory).await).await
    }

    /// In any store.
    pub async fn of(store: Store) -> Self {
        let organisation =
            Organisation { name: "Acme".into(), slug: "acme".into(), settings: json_map(&json!({})) };
        let organisation = store.create_organisation(&By::system(), organisation).await.unwrap().id;
        Self { store, organisation }
    }

    pub async fn workspace(&self, slug: &str, limits: Limits) -> WorkspaceId {
        let workspace = Workspace {
            name: slug.into(),
            slug: slug.into(),
            description: None,
            is_default: false,
            state: WorkspaceState::Active,
            defaults: json_map(&json!({})),
            settings: json_map(&json!({})),
            records: Default::default(),
            limits,
        };
        let home = Home::organisation(self.organisation);
        self.store.create(&By::system(), home, workspace).await.unwrap().id
    }

    pub fn home(&self, workspace: WorkspaceId) -> Home {
        Home::workspace(self.organisation, workspace)
    }

    /// An OpenAI provider at `base`, whose key is `sk-<slug>`.
    pub async fn provider(
        &self,
        workspace: WorkspaceId,
        slug: &str,
        base: &str,
        limits: Limits,
    ) -> Stored<Provider> {
        self.pool(workspace, slug, base, limits, &[&format!("sk-{slug}")]).await
    }

    pub async fn pool(
        &self,
        workspace: WorkspaceId,
        slug: &str,
        base: &str,
        limits: Limits,
        keys: &[&str],
    ) -> Stored<Provider> {
        let connection = Connection::new("openai", Some(base.to_owned()));
        self.connected(workspace, slug, connection, limits, keys).await
    }

    /// A provider behind a connection that somebody prepared.
    pub async fn connected(
        &self,
        workspace: WorkspaceId,
        slug: &str,
        mut connection: Connection,
        limits: Limits,
        keys: &[&str],
    ) -> Stored<Provider> {
        for key in keys {
            let material = Material::key(*key);
            let credential = NewCredential { label: String::new(), weight: 1, material };
            connection.add_credential(credential, self.store.now()).unwrap();
        }
        let provider = Provider {
            name: slug.into(),
            slug: slug.into(),
            note: None,
            backing: Backing::Own(connection),
            limits,
            expires_at: None,
            disabled: false,
        };
        self.store.create(&By::system(), self.home(workspace), provider).await.unwrap()
    }

    pub async fn config(&self, workspace: WorkspaceId, slug: &str, content: Value) -> Stored<Config> {
        let config =
            Config { name: slug.into(), slug: slug.into(), is_default: false, archived: false, content };
        self.store.create(&By::system(), self.home(workspace), config).await.unwrap()
    }

    /// A program's key that may call models; with its text.
    pub async fn key(&self, workspace: WorkspaceId, name: &str, limits: Limits) -> (Stored<ApiKey>, String) {
        let scopes = ScopeSet::of_kind(KeyKind::WorkspaceService).iter();
        let scopes = scopes.map(|scope| scope.text().to_owned()).collect();
        let mut key = ApiKey::new(name, KeyOwner::Service, scopes);
        key.limits = limits;
        self.made(workspace, key).await
    }

    /// The text of a key that administers the organisation.
    pub async fn admin(&self) -> String {
        let mut key = ApiKey::new("admin", KeyOwner::Service, Vec::new());
        key.is_admin = true;
        self.keep(Home::organisation(self.organisation), key, KeyKind::Admin).await.1
    }

    pub fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    pub async fn made(&self, workspace: WorkspaceId, key: ApiKey) -> (Stored<ApiKey>, String) {
        self.keep(self.home(workspace), key, KeyKind::WorkspaceService).await
    }

    async fn keep(&self, home: Home, key: ApiKey, kind: KeyKind) -> (Stored<ApiKey>, String) {
        let mut random = [0; 32];
        for byte in &mut random {
            *byte = (tidegate_core::id::draw() * 256.0) as u8;
        }
        let text = generate(kind, &random);
        let stored = self.store.create_key_as(&By::system(), home, key, &text).await.unwrap();
        (stored, shown(&text))
    }
}

/// The store of a directory, also beside a gateway that uses it.
async fn open(directory: &Scratch) -> Store {
    let path = directory.path().join("tidegate.db");
    let masters = master_keys_in(&directory.path().join("master.key"), !path.exists()).unwrap();
    let backend = Arc::new(Sqlite::open(&path).unwrap());
    Store::open(backend, masters, Arc::new(SystemClock::new())).await.unwrap()
}

fn shown(text: &Secret) -> String {
    text.expose().to_owned()
}

fn json_map(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// So many requests a minute.
pub fn per_minute(requests: u64) -> Limits {
    Limits { rates: vec![json!({"type": "requests", "unit": "rpm", "value": requests})], ..Limits::default() }
}

/// A budget in USD without a reset.
pub fn usd(amount: &Value) -> Limits {
    Limits { usage: vec![json!({"type": "cost", "credit_limit": amount})], ..Limits::default() }
}
