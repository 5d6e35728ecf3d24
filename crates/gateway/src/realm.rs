//! What the requests of one caller can name: providers and saved configs.
//!
//! Those of the settings are there for everybody; a workspace adds its own, which come first where a name is taken
//! twice. Each realm has plans of its own, so that a config's text never meets another workspace's providers.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tidegate_access::WorkspaceId;
use tidegate_catalog::{Provider, catalog};
use tidegate_core::Secret;
use tidegate_directory::Workspace;

use crate::plan::PlanCache;
use crate::state::Snapshot;

pub type Providers = HashMap<Box<str>, Arc<KnownProvider>, foldhash::fast::RandomState>;
pub type Configs = HashMap<Box<str>, Saved>;

#[derive(Debug, Default)]
pub struct Realm {
    /// By slug.
    pub providers: Providers,
    /// By id.
    pub configs: Configs,
    /// Plans made under these names.
    pub plans: PlanCache,
    /// Whose it is; `None` for what the settings hold.
    workspace: Option<Arc<Workspace>>,
}

/// A provider whose credentials are held here.
#[derive(Debug, Clone)]
pub struct KnownProvider {
    pub row: &'static Provider,
    pub api_key: Option<Secret>,
    pub base_url: Option<Box<str>>,
    /// By their names in a config. Some are credentials.
    pub options: HashMap<Box<str>, Secret>,
    /// Models to list, and the only ones to be called; empty: all.
    pub models: Vec<Box<str>>,
    /// A workspace's own, with its credentials and limits.
    pub stored: Option<Arc<tidegate_directory::Provider>>,
}

/// A saved config: a file of the operator's, or one of the workspace.
#[derive(Debug, Clone)]
pub struct Saved {
    pub text: Box<str>,
    /// Its slug, for records.
    pub slug: Arc<str>,
    /// 0 for a file.
    pub version: u64,
}

impl Realm {
    /// Of what the settings hold.
    pub fn of_settings(providers: Providers, configs: HashMap<Box<str>, Box<str>>) -> Self {
        let saved = |(id, text): (Box<str>, Box<str>)| {
            let slug: Arc<str> = (&*id).into();
            (id, Saved { text, slug, version: 0 })
        };
        Self { providers, configs: configs.into_iter().map(saved).collect(), ..Self::default() }
    }

    /// A workspace's own beside those of the settings.
    fn of_workspace(home: &Self, workspace: &Arc<Workspace>) -> Self {
        let mut realm = Self {
            providers: home.providers.clone(),
            configs: home.configs.clone(),
            plans: PlanCache::default(),
            workspace: Some(workspace.clone()),
        };
        for (slug, provider) in &workspace.providers {
            // A row that this binary does not know: its provider cannot be called, and says so by not being there.
            let Some(row) = catalog().get(&provider.provider) else { continue };
            let known = KnownProvider {
                row,
                api_key: None,
                base_url: provider.base_url.clone(),
                options: provider.options.clone(),
                models: provider.models.listed().map(Box::from).collect(),
                stored: Some(provider.clone()),
            };
            realm.providers.insert(slug.clone(), Arc::new(known));
        }
        for (name, config) in &workspace.configs {
            let saved =
                Saved { text: config.text.clone(), slug: config.slug.clone(), version: config.version };
            realm.configs.insert(name.clone(), saved);
        }
        realm
    }

    /// A provider with credentials held here: by slug, else the first that is of this catalogue row, the workspace's own
    /// before those of the settings.
    pub fn known(&self, name: &str) -> Option<&KnownProvider> {
        if let Some(known) = self.providers.get(name) {
            return Some(known);
        }
        let row = catalog().get(name)?;
        let of_row = self.providers.iter().filter(|(_, known)| known.row.id == row.id);
        // A stable choice among several slugs of one provider.
        of_row
            .min_by_key(|(slug, known)| (known.stored.is_none(), &***slug != row.id, *slug))
            .map(|(_, known)| &**known)
    }
}

impl KnownProvider {
    pub fn allows(&self, model: &str) -> bool {
        match &self.stored {
            Some(stored) => stored.models.allows(model),
            None => self.models.is_empty() || self.models.iter().any(|allowed| **allowed == *model),
        }
    }
}

/// Where a plan is made: the settings of the moment, and what its caller can name.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    pub snapshot: &'a Snapshot,
    pub realm: &'a Realm,
}

/// The realms of workspaces, each made when it is first asked for and again when it has changed.
#[derive(Debug, Default)]
pub struct Realms(RwLock<Made>);

/// With the settings that each was made of.
type Made = HashMap<WorkspaceId, (Arc<Snapshot>, Arc<Realm>), foldhash::fast::RandomState>;

impl Realms {
    pub fn of(&self, snapshot: &Arc<Snapshot>, workspace: Option<&Arc<Workspace>>) -> Arc<Realm> {
        let Some(workspace) = workspace else { return snapshot.home.clone() };
        let is_current = |(made_of, realm): &&(Arc<Snapshot>, Arc<Realm>)| {
            Arc::ptr_eq(made_of, snapshot)
                && realm.workspace.as_ref().is_some_and(|of| Arc::ptr_eq(of, workspace))
        };
        let realms = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, realm)) = realms.get(&workspace.name.id).filter(is_current) {
            return realm.clone();
        }
        drop(realms);
        let realm = Arc::new(Realm::of_workspace(&snapshot.home, workspace));
        let mut realms = self.0.write().unwrap_or_else(PoisonError::into_inner);
        realms.insert(workspace.name.id.clone(), (snapshot.clone(), realm.clone()));
        realm
    }
}
