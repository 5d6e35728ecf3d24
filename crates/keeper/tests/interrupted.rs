//! A store that goes away in the middle of a round, and a round that is given up in the middle: nothing is forgotten
//! meanwhile, and nothing is missed afterwards.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tidegate_access::key::generate;
use tidegate_access::{KeyHasher, KeyKind, ScopeSet};
use tidegate_core::{Clock, Secret, SystemClock};
use tidegate_directory::Directory;
use tidegate_keeper::{Keeper, Report};
use tidegate_store::audit::By;
use tidegate_store::backend::{
    AlertNote, AlertStateRow, Answer, AuditRow, AuditRowQuery, Backend, Batch, ChangeRows, DataKeyRow, Row,
    RowQuery, VersionRow,
};
use tidegate_store::entity::{ApiKey, KeyOwner, Organisation, Stored, Workspace, WorkspaceState};
use tidegate_store::sqlite::Sqlite;
use tidegate_store::token::Digest;
use tidegate_store::vault::master_keys_in;
use tidegate_store::{Home, Kind, Scope, Store, StoreError};
use tidegate_testkit::Scratch;
use tokio::sync::watch;
use uuid::Uuid;

/// Fails, or never answers, where a round reads keys; changes can be polled all the while.
#[derive(Debug)]
struct Fickle {
    inner: Sqlite,
    mood: Arc<AtomicU8>,
}

const WELL: u8 = 0;
/// Keys cannot be read.
const AWAY: u8 = 1;
/// Nobody ever hears of them.
const SILENT: u8 = 2;
/// Somebody waits in vain.
const ASKED: u8 = 3;
/// The changes have been forgotten, and keys cannot be read.
const FORGETFUL: u8 = 4;

impl Fickle {
    fn keys<'a, T: Send + 'a>(&'a self, kind: Kind, answer: Answer<'a, T>) -> Answer<'a, T> {
        match (kind, self.mood.load(Ordering::SeqCst)) {
            (Kind::ApiKey, AWAY | FORGETFUL) => {
                Box::pin(async { Err(StoreError::Away { reason: "now and then".to_owned() }) })
            }
            (Kind::ApiKey, SILENT) => {
                self.mood.store(ASKED, Ordering::SeqCst);
                Box::pin(std::future::pending())
            }
            _ => answer,
        }
    }
}

impl Backend for Fickle {
    fn row(&self, kind: Kind, id: Uuid) -> Answer<'_, Option<Row>> {
        self.keys(kind, self.inner.row(kind, id))
    }
    fn scan(&self, kind: Kind, after: Option<Uuid>, limit: u32) -> Answer<'_, Vec<Row>> {
        self.keys(kind, self.inner.scan(kind, after, limit))
    }
    fn changes(&self, since: u64, limit: u32) -> Answer<'_, ChangeRows> {
        let forgets = self.mood.load(Ordering::SeqCst) == FORGETFUL;
        let answer = self.inner.changes(since, limit);
        Box::pin(async move {
            let mut rows = answer.await?;
            if forgets {
                rows.forgotten = since + 1;
            }
            Ok(rows)
        })
    }
    fn row_by_slug(&self, kind: Kind, home: Home, slug: String) -> Answer<'_, Option<Row>> {
        self.inner.row_by_slug(kind, home, slug)
    }
    fn row_by_digest(&self, kind: Kind, digest: Digest) -> Answer<'_, Option<Row>> {
        self.inner.row_by_digest(kind, digest)
    }
    fn rows(&self, query: RowQuery) -> Answer<'_, (Vec<Row>, u64)> {
        self.inner.rows(query)
    }
    fn versions(&self, kind: Kind, id: Uuid, before: u64, limit: u32) -> Answer<'_, Vec<VersionRow>> {
        self.inner.versions(kind, id, before, limit)
    }
    fn trim_changes(&self, upto: u64) -> Answer<'_, ()> {
        self.inner.trim_changes(upto)
    }
    fn audit(&self, query: AuditRowQuery) -> Answer<'_, Vec<AuditRow>> {
        self.inner.audit(query)
    }
    fn audit_head(&self) -> Answer<'_, (u64, Vec<u8>)> {
        self.inner.audit_head()
    }
    fn data_keys(&self) -> Answer<'_, Vec<DataKeyRow>> {
        self.inner.data_keys()
    }
    fn touch(&self, uses: Vec<(Kind, Uuid, u64)>) -> Answer<'_, ()> {
        self.inner.touch(uses)
    }
    fn last_used(&self, kind: Kind, ids: Vec<Uuid>) -> Answer<'_, Vec<(Uuid, u64)>> {
        self.inner.last_used(kind, ids)
    }
    fn alert_states(&self, rules: Vec<Uuid>) -> Answer<'_, Vec<(Uuid, AlertStateRow)>> {
        self.inner.alert_states(rules)
    }
    fn note_alert(&self, note: AlertNote) -> Answer<'_, bool> {
        self.inner.note_alert(note)
    }
    fn amend_alert(&self, rule: Uuid, event: Uuid, body: String) -> Answer<'_, ()> {
        self.inner.amend_alert(rule, event, body)
    }
    fn alert_events(&self, rule: Uuid, before: Option<Uuid>, limit: u32) -> Answer<'_, Vec<(Uuid, String)>> {
        self.inner.alert_events(rule, before, limit)
    }
    fn take_turn(&self, name: &'static str, now: u64, due: u64) -> Answer<'_, bool> {
        self.inner.take_turn(name, now, due)
    }
    fn commit(&self, batch: Batch) -> Answer<'_, u64> {
        self.inner.commit(batch)
    }
    fn watch(&self) -> watch::Receiver<u64> {
        self.inner.watch()
    }
}

/// A keeper of a store with two keys, and a way to change the store that is always well.
struct World {
    _directory: Scratch,
    mood: Arc<AtomicU8>,
    store: Store,
    table: Arc<Directory>,
    keeper: Keeper,
    keys: Vec<(Stored<ApiKey>, Secret)>,
}

async fn open(directory: &Scratch, mood: &Arc<AtomicU8>, clock: &Arc<dyn Clock>) -> Store {
    let path = directory.path().join("tidegate.db");
    let masters = master_keys_in(&directory.path().join("master.key"), !path.exists()).unwrap();
    let backend = Fickle { inner: Sqlite::open(&path).unwrap(), mood: mood.clone() };
    Store::open(Arc::new(backend), masters, clock.clone()).await.unwrap()
}

impl World {
    async fn new() -> Self {
        let (directory, clock) = (Scratch::new(), Arc::new(SystemClock::new()) as Arc<dyn Clock>);
        let (by, none) = (By::system(), serde_json::Map::new);
        let store = open(&directory, &Arc::default(), &clock).await;
        let organisation = Organisation { name: "A".into(), slug: "a".into(), settings: none() };
        let organisation = store.create_organisation(&by, organisation).await.unwrap().id;
        let workspace = Workspace {
            name: "w".into(),
            slug: "w".into(),
            description: None,
            is_default: false,
            state: WorkspaceState::Active,
            defaults: none(),
            settings: none(),
            records: Default::default(),
            limits: Default::default(),
        };
        let workspace = store.create(&by, Home::organisation(organisation), workspace).await.unwrap().id;
        let mut keys = Vec::new();
        for name in [1, 2] {
            let scopes = ScopeSet::of_kind(KeyKind::WorkspaceService).iter();
            let scopes = scopes.map(|scope| scope.text().to_owned()).collect();
            let key = ApiKey::new(name.to_string(), KeyOwner::Service, scopes);
            let text = generate(KeyKind::WorkspaceService, &[name; 32]);
            let home = Home::workspace(organisation, workspace);
            keys.push((store.create_key_as(&by, home, key, &text).await.unwrap(), text));
        }
        let (mood, table) = (Arc::<AtomicU8>::default(), Arc::new(Directory::new(KeyHasher::plain())));
        let watched = open(&directory, &mood, &clock).await;
        let keeper = Keeper::start(watched, table.clone(), None, None, clock).await.unwrap();
        Self { _directory: directory, mood, store, table, keeper, keys }
    }

    fn feel(&self, mood: u8) {
        self.mood.store(mood, Ordering::SeqCst);
    }

    async fn asked(&self) {
        while self.mood.load(Ordering::SeqCst) != ASKED {
            tokio::task::yield_now().await;
        }
    }

    fn is_good(&self, key: usize) -> bool {
        let found = self.table.find(self.keys[key].1.expose());
        found.is_some_and(|found| found.key.judge(&found.hash, u64::MAX).is_ok())
    }

    async fn revoke(&self, key: usize) {
        let stored = &self.keys[key].0;
        let scope = Scope::Organisation(stored.home.organisation);
        self.store.revoke_key(&By::system(), &scope, stored.id).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_that_was_polled_and_could_not_be_read_is_not_missed() {
    let world = World::new().await;
    assert!(world.is_good(0) && world.is_good(1));
    world.revoke(0).await;
    world.feel(AWAY);
    for _ in 0..3 {
        assert_eq!(world.keeper.catch_up().await, Report::Away);
        assert!(world.is_good(0) && world.is_good(1), "what was known stays in force");
    }
    world.feel(WELL);
    assert_eq!(world.keeper.catch_up().await, Report::UpToDate);
    assert!(!world.is_good(0) && world.is_good(1));
}

#[tokio::test]
async fn a_round_that_is_given_up_is_not_missed() {
    let world = World::new().await;
    world.revoke(0).await;
    world.feel(SILENT);
    tokio::select! {
        _ = world.keeper.catch_up() => unreachable!("nobody answers"),
        () = world.asked() => {}
    }
    world.feel(WELL);
    assert_eq!(world.keeper.catch_up().await, Report::UpToDate);
    assert!(!world.is_good(0) && world.is_good(1));
}

#[tokio::test]
async fn reading_everything_again_forgets_nothing_on_the_way_and_drops_what_is_gone() {
    let world = World::new().await;
    world.feel(FORGETFUL);
    assert_eq!(world.keeper.catch_up().await, Report::Away);
    assert!(world.is_good(0) && world.is_good(1), "what was known stays in force");
    assert!(world.table.has_callers());
    let stored = &world.keys[0].0;
    let scope = Scope::Organisation(stored.home.organisation);
    world
        .store
        .delete::<ApiKey>(&By::system(), &scope, stored.id, tidegate_store::Expected::Latest)
        .await
        .unwrap();
    world.feel(WELL);
    assert_eq!(world.keeper.catch_up().await, Report::UpToDate);
    assert!(!world.is_good(0) && world.is_good(1));
}
