//! What a workspace owns, as its callers use it.

use std::collections::HashMap;
use std::sync::Arc;

use tidegate_access::{OrganisationId, Workspace as Name};

use crate::bounds::Bounds;
use crate::policy::Policy;
use crate::provider::Provider;

/// One workspace at one moment. A change makes a new one.
#[derive(Debug)]
pub struct Workspace {
    pub name: Name,
    pub organisation: OrganisationId,
    /// By slug.
    pub providers: HashMap<Box<str>, Arc<Provider>>,
    /// By slug (`pc-…`) and by id.
    pub configs: HashMap<Box<str>, Arc<SavedConfig>>,
    pub bounds: Bounds,
    /// In force for its requests: its own, and those of the organisation.
    pub policies: Box<[Arc<Policy>]>,
    /// Of which of its requests bodies are kept; `None`: as the gateway's settings say.
    pub bodies: Option<KeepBodies>,
    /// Serves nobody.
    pub archived: bool,
    /// The organisation's default one.
    pub is_default: bool,
}

/// Of which requests headers and bodies are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepBodies {
    None,
    /// Of those that failed.
    Errors,
    All,
    /// Of so many in a million.
    Sampled(u32),
}

/// A saved config.
#[derive(Debug)]
pub struct SavedConfig {
    pub slug: Arc<str>,
    pub version: u64,
    /// Its JSON.
    pub text: Box<str>,
}
