//! The tables, and how old they are.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tidegate_access::{KeyHash, KeyHasher, OrganisationId, WorkspaceId};

use crate::key::ApiKey;
use crate::policy::Policy;
use crate::workspace::Workspace;

type Keys = HashMap<KeyHash, Arc<ApiKey>, foldhash::fast::RandomState>;
type Workspaces = HashMap<WorkspaceId, Arc<Workspace>, foldhash::fast::RandomState>;

/// Everything that is known, shared by all requests.
#[derive(Debug)]
pub struct Directory {
    hasher: KeyHasher,
    keys: RwLock<Keys>,
    /// Keys that may call models, whatever their validity.
    callers: AtomicUsize,
    workspaces: RwLock<Workspaces>,
    home: RwLock<Option<Arc<Workspace>>>,
    loaded: AtomicBool,
    fresh_at: AtomicU64,
}

/// What a text turned out to be.
#[derive(Debug, Clone)]
pub struct Found {
    pub key: Arc<ApiKey>,
    pub hash: KeyHash,
}

/// How much the tables can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing was read yet.
    Empty,
    /// As of so many milliseconds ago.
    Aged(u64),
}

impl Directory {
    pub fn new(hasher: KeyHasher) -> Self {
        Self {
            hasher,
            keys: RwLock::default(),
            callers: AtomicUsize::new(0),
            workspaces: RwLock::default(),
            home: RwLock::default(),
            loaded: AtomicBool::new(false),
            fresh_at: AtomicU64::new(0),
        }
    }

    /// The key that a caller sent, good or not.
    pub fn find(&self, text: &str) -> Option<Found> {
        let hash = self.hasher.hash(text);
        let key = read(&self.keys).get(&hash).cloned()?;
        Some(Found { key, hash })
    }

    /// The key with this hash, as it is now: for what goes on after its caller was let in.
    pub fn known(&self, hash: &KeyHash) -> Option<Arc<ApiKey>> {
        read(&self.keys).get(hash).cloned()
    }

    pub fn workspace(&self, id: &WorkspaceId) -> Option<Arc<Workspace>> {
        read(&self.workspaces).get(id).cloned()
    }

    /// A workspace of the organisation, by id or slug. Looks at all of them.
    pub fn workspace_named(&self, organisation: &OrganisationId, name: &str) -> Option<Arc<Workspace>> {
        let workspaces = read(&self.workspaces);
        let own = || workspaces.values().filter(|workspace| workspace.organisation == *organisation);
        let by_id = own().find(|workspace| workspace.name.id.text() == name);
        by_id.or_else(|| own().find(|workspace| *workspace.name.slug == *name)).cloned()
    }

    /// Where requests without a key are told: the default workspace, where one organisation has the gateway to itself.
    pub fn home(&self) -> Option<Arc<Workspace>> {
        read(&self.home).clone()
    }

    /// Whether any key exists that may call models.
    pub fn has_callers(&self) -> bool {
        self.callers.load(Ordering::Relaxed) > 0
    }

    /// Puts a key in place of the one with the same id (`before`), if there was one.
    pub fn put_key(&self, key: Arc<ApiKey>, before: Option<&ApiKey>) {
        let mut keys = write(&self.keys);
        if let Some(before) = before {
            take_out(&mut keys, before, &self.callers);
        }
        for secret in &key.secrets {
            keys.insert(secret.hash, key.clone());
        }
        self.callers.fetch_add(usize::from(key.calls_models()), Ordering::Relaxed);
    }

    pub fn remove_key(&self, key: &ApiKey) {
        take_out(&mut write(&self.keys), key, &self.callers);
    }

    pub fn put_workspace(&self, workspace: Arc<Workspace>) {
        let mut workspaces = write(&self.workspaces);
        workspaces.insert(workspace.name.id.clone(), workspace);
        *write(&self.home) = home_of(&workspaces);
    }

    pub fn remove_workspace(&self, id: &WorkspaceId) {
        let mut workspaces = write(&self.workspaces);
        workspaces.remove(id);
        *write(&self.home) = home_of(&workspaces);
    }

    /// What was read is how things stood at `now_ms`.
    pub fn fresh(&self, now_ms: u64) {
        self.fresh_at.fetch_max(now_ms, Ordering::Relaxed);
        self.loaded.store(true, Ordering::Release);
    }

    pub fn freshness(&self, now_ms: u64) -> Freshness {
        if !self.loaded.load(Ordering::Acquire) {
            return Freshness::Empty;
        }
        Freshness::Aged(now_ms.saturating_sub(self.fresh_at.load(Ordering::Relaxed)))
    }

    /// Forgets everything, before all of it is read again.
    pub fn clear(&self) {
        write(&self.keys).clear();
        write(&self.workspaces).clear();
        *write(&self.home) = None;
        self.callers.store(0, Ordering::Relaxed);
    }

    /// What people call the object with this id, and its workspace's slug: for notices. Looks at everything.
    pub fn describe(&self, id: &str) -> Option<(Arc<str>, Option<Arc<str>>)> {
        let workspaces = read(&self.workspaces);
        let slug = |of: &WorkspaceId| workspaces.get(of).map(|workspace| workspace.name.slug.clone());
        if let Some(key) = read(&self.keys).values().find(|key| &*key.id == id) {
            return Some((key.name.clone(), key.workspace.as_ref().and_then(slug)));
        }
        workspaces.values().find_map(|workspace| {
            let slug = Some(workspace.name.slug.clone());
            let counts = |policy: &&Arc<Policy>| {
                id.strip_prefix(&*policy.id).is_some_and(|rest| rest.starts_with('/'))
            };
            if let Some(policy) = workspace.policies.iter().find(counts) {
                return Some((policy.name.clone(), slug));
            }
            let own = [&workspace.bounds].into_iter();
            let providers = workspace.providers.values();
            let all =
                own.chain(providers.flat_map(|one| [Some(&one.bounds), one.integration.as_ref()]).flatten());
            let found = all.into_iter().find(|bounds| &*bounds.id == id)?;
            Some((found.name.clone(), slug))
        })
    }

    /// Every key, each once, with when it was last used: for whoever tells the store.
    pub fn uses(&self) -> Vec<(Arc<str>, u64)> {
        let keys = read(&self.keys);
        let mut uses: Vec<_> = keys
            .values()
            .filter(|key| key.used_at() > 0)
            .map(|key| (key.id.clone(), key.used_at()))
            .collect();
        uses.sort_unstable();
        uses.dedup();
        uses
    }
}

/// Nobody's requests are told to one of several organisations.
fn home_of(workspaces: &Workspaces) -> Option<Arc<Workspace>> {
    let mut defaults = workspaces.values().filter(|workspace| workspace.is_default && !workspace.archived);
    let home = defaults.next()?;
    let is_alone = workspaces.values().all(|workspace| workspace.organisation == home.organisation);
    is_alone.then(|| home.clone())
}

fn take_out(keys: &mut Keys, key: &ApiKey, callers: &AtomicUsize) {
    let mut was_there = false;
    for secret in &key.secrets {
        was_there |= keys.remove(&secret.hash).is_some();
    }
    if was_there && key.calls_models() {
        callers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is in the tables is whole at any time: a panic elsewhere changes nothing about it.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tidegate_access::{KeyId, OrganisationId, Principal, ScopeSet, Workspace as Name};

    use super::*;
    use crate::bounds::Bounds;
    use crate::key::KeySecret;

    fn key(id: &str, texts: &[&str], in_workspace: bool) -> Arc<ApiKey> {
        let name = Name { id: WorkspaceId::new("w"), slug: "ws".into() };
        let secrets: Vec<_> =
            texts.iter().map(|text| KeySecret { hash: KeyHasher::plain().hash(text), until: None }).collect();
        Arc::new(ApiKey::new(
            (id.into(), id.into()),
            Principal::service_key(OrganisationId::new("o"), KeyId::new(id), name.clone(), ScopeSet::EMPTY),
            in_workspace.then(|| name.id.clone()),
            secrets.into(),
            (None, None),
            Bounds::default(),
        ))
    }

    #[test]
    fn a_rotated_key_is_found_by_its_texts_and_gone_when_it_is_removed() {
        let directory = Directory::new(KeyHasher::plain());
        assert_eq!(directory.freshness(5), Freshness::Empty);
        let first = key("a", &["one"], true);
        directory.put_key(first.clone(), None);
        let second = key("a", &["two", "one"], true);
        directory.put_key(second.clone(), Some(&first));
        assert!(directory.has_callers());
        for text in ["one", "two"] {
            assert!(Arc::ptr_eq(&directory.find(text).unwrap().key, &second));
        }
        directory.remove_key(&second);
        assert!(directory.find("one").is_none() && directory.find("two").is_none());
        assert!(!directory.has_callers());
        directory.remove_key(&second);
        assert!(!directory.has_callers(), "counted once");
    }

    fn workspace(id: &str, organisation: &str, is_default: bool) -> Arc<Workspace> {
        Arc::new(Workspace {
            name: Name { id: WorkspaceId::new(id), slug: id.into() },
            organisation: OrganisationId::new(organisation),
            providers: HashMap::default(),
            configs: HashMap::default(),
            bounds: Bounds::default(),
            policies: Box::default(),
            bodies: None,
            archived: false,
            is_default,
        })
    }

    #[test]
    fn home_is_the_default_workspace_of_the_only_organisation() {
        let directory = Directory::new(KeyHasher::plain());
        let home = || directory.home().map(|workspace| workspace.name.id.text().to_owned());
        directory.put_workspace(workspace("a", "o", false));
        assert_eq!(home(), None);
        directory.put_workspace(workspace("b", "o", true));
        assert_eq!(home().as_deref(), Some("b"));
        directory.put_workspace(workspace("c", "other", true));
        assert_eq!(home(), None);
        directory.remove_workspace(&WorkspaceId::new("c"));
        assert_eq!(home().as_deref(), Some("b"));
        directory.clear();
        assert_eq!(home(), None);
    }

    #[test]
    fn keys_that_only_administer_are_no_callers() {
        let directory = Directory::new(KeyHasher::plain());
        directory.put_key(key("admin", &["x"], false), None);
        assert!(!directory.has_callers());
        let used = directory.find("x").unwrap().key;
        used.used(7_000);
        assert_eq!(directory.uses(), [("admin".into(), 7_000)]);
        directory.fresh(10);
        assert_eq!(directory.freshness(25), Freshness::Aged(15));
        directory.clear();
        assert!(directory.find("x").is_none());
    }
}
