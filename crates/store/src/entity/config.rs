//! Saved configs: what `x-portkey-config: pc-...` names.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Entity, Level, check, private::Known};
use crate::error::StoreError;
use crate::id::ConfigId;
use crate::kind::Kind;

/// A config object. Its grammar is checked by whoever stores it; every version is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub name: String,
    /// `pc-...`, unique in the workspace.
    pub slug: String,
    #[serde(default)]
    pub is_default: bool,
    #[serde(default)]
    pub archived: bool,
    /// Encrypted: configs may hold provider keys.
    pub content: Value,
}

impl Config {
    pub const SLUG_PREFIX: &'static str = "pc-";
}

impl Known for Config {}
impl Entity for Config {
    type Id = ConfigId;
    const KIND: Kind = Kind::Config;
    const LEVEL: Level = Level::Workspace;
    const HISTORY: bool = true;
    const SEALED: &'static [&'static str] = &["content"];

    fn slug(&self) -> Option<&str> {
        Some(&self.slug)
    }

    fn label(&self) -> &str {
        &self.slug
    }

    fn check(&self) -> Result<(), StoreError> {
        check::name("name", &self.name)?;
        check::slug(&self.slug)?;
        if !self.slug.starts_with(Self::SLUG_PREFIX) {
            return Err(StoreError::invalid("slug", "the slug of a config begins with pc-"));
        }
        check::object("config", &self.content)
    }
}
