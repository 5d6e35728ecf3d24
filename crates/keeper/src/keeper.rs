//! Reading everything, and then whatever changes.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tidegate_access as access;
use tidegate_access::KeyHash;
use tidegate_control::principal::{self, Surroundings};
use tidegate_core::Clock;
use tidegate_directory::policy::Budgets;
use tidegate_directory::{self as directory, Directory, KeySecret};
use tidegate_ledger::{Budget, BudgetId, Ledger, Scope};
use tidegate_store::backend::Change;
use tidegate_store::entity::{
    ApiKey, Config, Entity, Integration, Member, Organisation, Policy, Provider, Stored, User, Workspace,
};
use tidegate_store::id::{ApiKeyId, EntityId, PolicyId, WorkspaceId};
use tidegate_store::store::Feed;
use tidegate_store::{Kind, Store, StoreError};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::bounds::{self, Books, Owner};
use crate::budgets::Maker;
use crate::model::{KeyRow, Model};
use crate::offer;
use crate::policy;
use crate::pool::Pooled;

/// How often the store is asked although nobody said that something changed: another replica may have.
const POLL: Duration = Duration::from_millis(500);
/// How often uses of keys are told to the store.
const TELL: Duration = Duration::from_secs(5);
const PAGE: u32 = 1_000;

/// Keeps a directory. Cheap to clone; clones are the same keeper.
#[derive(Clone)]
pub struct Keeper(Arc<Inner>);

struct Inner {
    store: Store,
    directory: Arc<Directory>,
    books: Books,
    /// Sets budgets up that nobody knew of before a request came.
    budgets: Arc<dyn Budgets>,
    pool: Option<Arc<dyn Pooled>>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    model: Model,
    feed: Feed,
    /// What was polled could not be applied: everything has to be read again, however often that takes.
    behind: bool,
    /// Uses that the store was told of.
    told: u64,
}

/// What became of one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// As the store has it.
    UpToDate,
    /// The store does not answer; the directory is what it was.
    Away,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("store", &self.0.store).finish_non_exhaustive()
    }
}

impl Keeper {
    /// Fills the directory.
    ///
    /// # Errors
    /// The database's. Without a first reading there is nothing to serve from.
    pub async fn start(
        store: Store,
        directory: Arc<Directory>,
        ledger: Option<Ledger>,
        pool: Option<Arc<dyn Pooled>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let books = Books { ledger, news: pool.as_ref().map(|_| Arc::default()) };
        let feed = store.feed().await?;
        let state = Mutex::new(State { model: Model::default(), feed, behind: false, told: 0 });
        let budgets = Arc::new(Maker { books: books.clone(), pool: pool.clone() });
        let keeper = Self(Arc::new(Inner { store, directory, books, budgets, pool, clock, state }));
        let mut state = keeper.0.state.lock().await;
        keeper.0.load(&mut state).await?;
        drop(state);
        Ok(keeper)
    }

    /// Brings the directory to what the store has now. Whoever changed something and wants to see it used waits for this.
    pub async fn catch_up(&self) -> Report {
        let mut state = self.0.state.lock().await;
        match self.0.round(&mut state).await {
            Ok(()) => Report::UpToDate,
            Err(_) => Report::Away,
        }
    }

    /// The number of the last change that the directory has.
    pub async fn upto(&self) -> u64 {
        self.0.state.lock().await.feed.upto()
    }

    /// Sets budgets up that the store does not hold.
    pub fn budgets(&self) -> Arc<dyn Budgets> {
        self.0.budgets.clone()
    }

    /// Follows the store until it is dropped.
    pub async fn run(self) {
        let mut tell = tokio::time::interval(TELL);
        tell.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut woken = self.0.state.lock().await.feed.waker();
        loop {
            let woken = async {
                // The sender is gone when the database is closed; then only the timer is left.
                if woken.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(POLL) => {}
                _ = tell.tick() => self.tell().await,
            }
            self.catch_up().await;
        }
    }

    /// Tells the store when keys were last used.
    async fn tell(&self) {
        let mut state = self.0.state.lock().await;
        let uses: Vec<(ApiKeyId, u64)> = self
            .0
            .directory
            .uses()
            .into_iter()
            .filter(|(_, at)| *at > state.told)
            .filter_map(|(id, at)| Some((id.parse().ok()?, at)))
            .collect();
        let latest = uses.iter().map(|(_, at)| *at).max();
        if let Some(latest) = latest
            && self.0.store.touch::<ApiKey>(&uses).await.is_ok()
        {
            state.told = latest;
        }
    }
}

impl Inner {
    async fn round(&self, state: &mut State) -> Result<(), StoreError> {
        loop {
            if state.behind {
                state.feed = self.store.feed().await?;
                self.load(state).await?;
                state.behind = false;
            }
            let asked_at = self.clock.unix_ms();
            let changes = match state.feed.poll().await {
                Ok(changes) => changes,
                Err(StoreError::ChangesGone { .. }) => {
                    state.behind = true;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if changes.is_empty() {
                self.tell_pool().await?;
                self.directory.fresh(asked_at);
                return Ok(());
            }
            // Until it is applied: what was polled is not polled again.
            state.behind = true;
            self.apply(&mut state.model, &changes).await?;
            state.behind = false;
        }
    }

    /// Reads everything.
    async fn load(&self, state: &mut State) -> Result<(), StoreError> {
        let asked_at = self.clock.unix_ms();
        let mut model = Model::default();
        for one in self.all::<Organisation>().await? {
            model.organisations.insert(one.id, one);
        }
        for one in self.all::<Workspace>().await? {
            model.workspaces.insert(one.id, one);
        }
        for one in self.all::<User>().await? {
            model.users.insert(one.id, one);
        }
        for one in self.all::<Member>().await? {
            model.members.insert(one.id, one);
        }
        for one in self.all::<Integration>().await? {
            let credentials = self.store.integration_credentials(&one).await?;
            model.integrations.insert(one.id, (one, credentials));
        }
        for one in self.all::<Provider>().await? {
            let credentials = self.store.provider_credentials(&one).await?;
            model.providers.insert(one.id, (one, credentials));
        }
        for one in self.all::<Config>().await? {
            model.configs.insert(one.id, one);
        }
        let mut known = policy::known(&self.books);
        for one in self.all::<Policy>().await? {
            self.put_policy(&mut model, &one, known.remove(&one.id.to_string()).unwrap_or_default());
        }
        // What was known stays in force until it is known better: requests are served all the while, and the store may
        // go away in the middle.
        let before = std::mem::replace(&mut state.model, model);
        state.model.keys = before.keys;
        for id in before.providers.into_keys().filter(|id| !state.model.providers.contains_key(id)) {
            bounds::forget(&self.books, Scope::VirtualKey, &id.to_string());
        }
        let mut workspaces: HashSet<WorkspaceId> = state.model.workspaces.keys().copied().collect();
        workspaces.extend(before.workspaces.into_keys());
        for id in workspaces {
            self.put_workspace(&state.model, id);
        }
        // Budgets of policies that nobody has any more.
        known.into_values().for_each(|budgets| policy::adopt(&self.books, None, budgets));
        let mut gone: HashSet<ApiKeyId> = state.model.keys.keys().copied().collect();
        let mut after = None;
        loop {
            let page = self.store.scan::<ApiKey>(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for key in &page {
                gone.remove(&key.id);
                self.put_key(&mut state.model, key);
            }
        }
        for id in gone {
            self.remove_key(&mut state.model, id);
        }
        self.tell_pool().await?;
        self.directory.fresh(asked_at);
        Ok(())
    }

    /// Tells the pool what it has not heard; what it does not take is told again in the next round.
    async fn tell_pool(&self) -> Result<(), StoreError> {
        let (Some(pool), Some(queue)) = (&self.pool, &self.books.news) else { return Ok(()) };
        loop {
            let one = queue.lock().unwrap_or_else(PoisonError::into_inner).front().cloned();
            let Some(one) = one else { return Ok(()) };
            if one.tell(&**pool).await.is_err() {
                return Err(StoreError::Away { reason: "the pool of budgets".to_owned() });
            }
            // Only now: this may be given up at any time, with the request that waited for it. Whoever tells holds the
            // state's lock, so it is still the first.
            queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        }
    }

    async fn all<E: Entity>(&self) -> Result<Vec<Stored<E>>, StoreError> {
        let mut all: Vec<Stored<E>> = Vec::new();
        loop {
            let page = self.store.scan::<E>(all.last().map(|one| one.id), PAGE).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    async fn apply(&self, model: &mut Model, changes: &[Change]) -> Result<(), StoreError> {
        let mut workspaces = HashSet::new();
        let mut keys = HashSet::new();
        for change in changes {
            self.read(model, change, &mut workspaces, &mut keys).await?;
        }
        for id in workspaces {
            self.put_workspace(model, id);
        }
        for id in keys {
            match self.store.follow::<ApiKey>(id).await? {
                Some(key) => self.put_key(model, &key),
                None => self.remove_key(model, ApiKeyId::from_uuid(id)),
            }
        }
        Ok(())
    }

    /// Reads one object again, and notes whose view of things it changes.
    async fn read(
        &self,
        model: &mut Model,
        change: &Change,
        workspaces: &mut HashSet<WorkspaceId>,
        keys: &mut HashSet<Uuid>,
    ) -> Result<(), StoreError> {
        let id = change.id;
        let mut touch = |found: Vec<ApiKeyId>| keys.extend(found.into_iter().map(EntityId::uuid));
        match change.kind {
            Kind::Organisation => {
                let one = self.store.follow::<Organisation>(id).await?;
                let organisation = EntityId::from_uuid(id);
                put(&mut model.organisations, organisation, one);
                touch(model.keys_where(|key| key.organisation == organisation));
            }
            Kind::Workspace => {
                let one = self.store.follow::<Workspace>(id).await?;
                let workspace = WorkspaceId::from_uuid(id);
                put(&mut model.workspaces, workspace, one);
                workspaces.insert(workspace);
                touch(model.keys_where(|key| key.workspace == Some(workspace)));
            }
            Kind::User => {
                let one = self.store.follow::<User>(id).await?;
                let user = EntityId::from_uuid(id);
                put(&mut model.users, user, one);
                touch(model.keys_where(|key| key.owner == Some(user)));
            }
            Kind::Member => {
                let before = model.members.get(&EntityId::from_uuid(id)).map(|member| member.entity.user);
                let one = self.store.follow::<Member>(id).await?;
                let user = one.as_ref().map(|member| member.entity.user).or(before);
                put(&mut model.members, EntityId::from_uuid(id), one);
                touch(model.keys_where(|key| key.owner.is_some() && key.owner == user));
            }
            Kind::Integration => {
                let one = match self.store.follow::<Integration>(id).await? {
                    Some(one) => {
                        let credentials = self.store.integration_credentials(&one).await?;
                        Some((one, credentials))
                    }
                    None => None,
                };
                let integration = EntityId::from_uuid(id);
                put(&mut model.integrations, integration, one);
                workspaces.extend(model.users_of(integration));
            }
            Kind::Provider => {
                let provider = EntityId::from_uuid(id);
                match self.store.follow::<Provider>(id).await? {
                    Some(one) => {
                        let credentials = self.store.provider_credentials(&one).await?;
                        model.providers.insert(provider, (one, credentials));
                    }
                    None => {
                        model.providers.remove(&provider);
                        bounds::forget(&self.books, Scope::VirtualKey, &id.to_string());
                    }
                }
                workspaces.extend(change.home.workspace);
            }
            Kind::Config => {
                let config = EntityId::from_uuid(id);
                put(&mut model.configs, config, self.store.follow::<Config>(id).await?);
                workspaces.extend(change.home.workspace);
                touch(model.keys_where(|key| key.config == Some(config)));
            }
            Kind::ApiKey => drop(keys.insert(id)),
            Kind::Policy => {
                let known = policy::known(&self.books).remove(&id.to_string()).unwrap_or_default();
                match self.store.follow::<Policy>(id).await? {
                    Some(one) => self.put_policy(model, &one, known),
                    None => {
                        model.policies.remove(&PolicyId::from_uuid(id));
                        policy::adopt(&self.books, None, known);
                    }
                }
                workspaces.extend(model.under(change.home));
            }
            Kind::Session
            | Kind::Link
            | Kind::LogExport
            | Kind::SavedView
            | Kind::AlertRule
            | Kind::Store => {}
        }
        Ok(())
    }

    fn put_workspace(&self, model: &Model, id: WorkspaceId) {
        match offer::of(model, &self.books, id) {
            Some(workspace) => self.directory.put_workspace(Arc::new(workspace)),
            None => {
                bounds::forget(&self.books, Scope::Workspace, &id.to_string());
                self.directory.remove_workspace(&access::WorkspaceId::new(id.to_string()));
            }
        }
    }

    /// `known` are the budgets that it has.
    fn put_policy(&self, model: &mut Model, stored: &Stored<Policy>, known: Vec<(BudgetId, Budget)>) {
        let compiled = policy::of(stored, &self.budgets);
        policy::adopt(&self.books, compiled.as_ref(), known);
        match compiled {
            Some(policy) => drop(model.policies.insert(stored.id, (stored.home, Arc::new(policy)))),
            None => drop(model.policies.remove(&stored.id)),
        }
    }

    fn put_key(&self, model: &mut Model, key: &Stored<ApiKey>) {
        let Some(live) = self.live(model, key) else {
            self.remove_key(model, key.id);
            return;
        };
        let live = Arc::new(live);
        let row = KeyRow {
            live: live.clone(),
            organisation: key.home.organisation,
            workspace: key.home.workspace,
            owner: KeyRow::owner_of(key.entity.owner),
            config: key.entity.defaults.config,
        };
        let before = model.keys.insert(key.id, row);
        self.directory.put_key(live, before.as_ref().map(|row| &*row.live));
    }

    /// The key as the data plane needs it; `None` when nobody may use it whatever its dates: its user is gone.
    fn live(&self, model: &Model, key: &Stored<ApiKey>) -> Option<directory::ApiKey> {
        let workspace = key.home.workspace.and_then(|id| model.workspaces.get(&id));
        let owner = KeyRow::owner_of(key.entity.owner).and_then(|id| model.users.get(&id)).map(|user| {
            let member = key.home.workspace.and_then(|workspace| model.member(workspace, user.id));
            (user, member.map(|member| principal::workspace_role(member.entity.role)))
        });
        let config = key.entity.defaults.config.and_then(|id| model.configs.get(&id));
        let around = Surroundings {
            organisation: &model.organisations.get(&key.home.organisation)?.entity,
            workspace,
            owner,
            config: config.map(|config| config.entity.slug.as_str()),
        };
        let principal = principal::of_key(key, around).ok()?;
        let id: Arc<str> = key.id.to_string().into();
        let name: Arc<str> = key.entity.name.as_str().into();
        let owner = Owner {
            scope: Scope::ApiKey,
            id: id.clone(),
            name: name.clone(),
            created_ms: key.created_at,
            version: key.version,
        };
        let bounds = bounds::read(&self.books, owner, &key.entity.limits);
        let secrets = key.entity.secrets().iter().map(|secret| KeySecret {
            hash: KeyHash::of_bytes(*secret.digest().as_bytes()),
            until: secret.until,
        });
        Some(directory::ApiKey::new(
            (id, name),
            principal,
            key.home.workspace.map(|id| access::WorkspaceId::new(id.to_string())),
            secrets.collect(),
            (key.entity.revoked_at, key.entity.expires_at),
            bounds,
        ))
    }

    fn remove_key(&self, model: &mut Model, id: ApiKeyId) {
        if let Some(row) = model.keys.remove(&id) {
            self.directory.remove_key(&row.live);
            bounds::forget(&self.books, Scope::ApiKey, &row.live.id);
        }
    }
}

/// Puts what was read in its place, or takes it out when it is gone.
fn put<K: std::hash::Hash + Eq, V>(map: &mut std::collections::HashMap<K, V>, id: K, one: Option<V>) {
    match one {
        Some(one) => drop(map.insert(id, one)),
        None => drop(map.remove(&id)),
    }
}
