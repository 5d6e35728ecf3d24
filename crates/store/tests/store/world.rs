//! What tests share: a clock they move, a directory of their own, and two workspaces.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_core::Secret;
use tidegate_core::clock::{Clock, Moment};
use tidegate_store::Store;
use tidegate_store::audit::{Actor, By, Origin};
use tidegate_store::backend::Backend;
use tidegate_store::entity::{
    Backing, Connection, Limits, NewCredential, Organisation, Provider, Workspace, WorkspaceState,
};
use tidegate_store::id::{OrganisationId, WorkspaceId};
use tidegate_store::scope::{Home, Scope};
use tidegate_store::vault::{MasterKeys, Material};

pub const MASTER: &str = "8f3a1c5e7d9b2046f1e3d5c7b9a8070615243342516079881726354453627181";
pub const OTHER_MASTER: &str = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
pub const PROVIDER_KEY: &str = "sk-proj-THIS-IS-A-PROVIDERS-SECRET-0123456789";

#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(1_800_000_000_000)))
    }

    pub fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment(self.unix_ms())
    }

    fn unix_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A directory that goes with the test.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("tidegate-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn masters(text: &str) -> MasterKeys {
    MasterKeys::parse(&Secret::from(text), "test").unwrap()
}

pub fn by() -> By {
    let origin = Origin { client_ip: "192.0.2.7".to_owned(), method: "POST".to_owned(), ..Origin::default() };
    By { actor: Actor::Operator, origin, comment: String::new() }
}

/// A store with one organisation and two workspaces.
#[derive(Debug)]
pub struct World {
    pub store: Store,
    pub clock: Arc<TestClock>,
    pub org: OrganisationId,
    pub a: WorkspaceId,
    pub b: WorkspaceId,
}

impl World {
    pub async fn new(backend: Arc<dyn Backend>) -> Self {
        let clock = TestClock::new();
        let store = Store::open(backend, masters(MASTER), clock.clone()).await.unwrap();
        let org = store.create_organisation(&by(), organisation("acme")).await.unwrap().id;
        let home = Home::organisation(org);
        let a = store.create(&by(), home, workspace("ws-a")).await.unwrap().id;
        let b = store.create(&by(), home, workspace("ws-b")).await.unwrap().id;
        Self { store, clock, org, a, b }
    }

    pub fn in_a(&self) -> Scope {
        Scope::Workspace(self.org, self.a)
    }

    pub fn in_b(&self) -> Scope {
        Scope::Workspace(self.org, self.b)
    }

    pub fn whole(&self) -> Scope {
        Scope::Organisation(self.org)
    }

    pub fn home_a(&self) -> Home {
        Home::workspace(self.org, self.a)
    }
}

pub fn organisation(slug: &str) -> Organisation {
    Organisation { name: slug.to_owned(), slug: slug.to_owned(), settings: serde_json::Map::new() }
}

pub fn workspace(slug: &str) -> Workspace {
    Workspace {
        name: slug.to_owned(),
        slug: slug.to_owned(),
        description: None,
        is_default: false,
        state: WorkspaceState::Active,
        defaults: serde_json::Map::new(),
        limits: Limits::default(),
        settings: Default::default(),
        records: Default::default(),
    }
}

/// A provider with one credential.
pub fn provider(slug: &str) -> Provider {
    let mut connection = Connection::new("openai", Some("https://api.openai.example/v1".to_owned()));
    connection.add_credential(credential(PROVIDER_KEY), 1).unwrap();
    Provider {
        name: slug.to_owned(),
        slug: slug.to_owned(),
        note: None,
        backing: Backing::Own(connection),
        limits: Limits::default(),
        expires_at: None,
        disabled: false,
    }
}

pub fn credential(key: &str) -> NewCredential {
    NewCredential { label: String::new(), weight: 1, material: Material::key(key) }
}

pub fn own(provider: &mut Provider) -> &mut Connection {
    match &mut provider.backing {
        Backing::Own(connection) => connection,
        Backing::Integration(_) => panic!("the provider has no connection of its own"),
    }
}
