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
    /// Serves nobody.
    pub archived: bool,
    /// The organisation's default one.
    pub is_default: bool,
}

/// A saved config.
#[derive(Debug)]
pub struct SavedConfig {
    pub slug: Arc<str>,
    pub version: u64,
    /// Its JSON.
    pub text: Box<str>,
}
