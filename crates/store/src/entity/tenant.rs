//! Organisations and their workspaces.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Entity, Level, check, private::Known};
use crate::entity::Limits;
use crate::error::StoreError;
use crate::id::{OrganisationId, WorkspaceId};
use crate::kind::{Kind, words};

/// The outermost tenant. Its objects share one data key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Organisation {
    pub name: String,
    /// Unique among organisations only by habit: nothing is looked up by it.
    pub slug: String,
    /// Switches that the admin API reads (who may see which logs, and the like).
    #[serde(default)]
    pub settings: Map<String, Value>,
}

words! {
    /// An archived workspace keeps its objects and serves nobody.
    WorkspaceState { Active = "active", Archived = "archived" }
}

/// A team's place: keys, providers, configs live in it, and limits hold for all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workspace {
    pub name: String,
    /// Unique in the organisation, `ws-...` when nobody chose it.
    pub slug: String,
    #[serde(default)]
    pub description: Option<String>,
    /// The one that is made with the organisation and cannot be removed.
    #[serde(default)]
    pub is_default: bool,
    pub state: WorkspaceState,
    /// Metadata, guardrails and a config that requests get where they name none.
    #[serde(default)]
    pub defaults: Map<String, Value>,
    #[serde(default)]
    pub limits: Limits,
    /// Switches of its own, over the organisation's where that lets it.
    #[serde(default)]
    pub settings: Map<String, Value>,
    #[serde(default)]
    pub records: RecordRules,
}

/// What is kept of a workspace's requests, where that is not as the gateway's settings say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRules {
    /// Days that its records are shown.
    #[serde(default)]
    pub keep_days: Option<u32>,
    #[serde(default)]
    pub bodies: Option<BodyRule>,
}

/// Of which requests headers and bodies are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyRule {
    None,
    /// Of those that failed.
    Errors,
    All,
    /// Of so many in a million.
    Sampled(u32),
}

impl Known for Organisation {}
impl Entity for Organisation {
    type Id = OrganisationId;
    const KIND: Kind = Kind::Organisation;
    const LEVEL: Level = Level::Organisation;

    fn slug(&self) -> Option<&str> {
        Some(&self.slug)
    }

    fn label(&self) -> &str {
        &self.slug
    }

    fn check(&self) -> Result<(), StoreError> {
        check::name("name", &self.name)?;
        check::slug(&self.slug)
    }
}

impl Known for Workspace {}
impl Entity for Workspace {
    type Id = WorkspaceId;
    const KIND: Kind = Kind::Workspace;
    const LEVEL: Level = Level::Organisation;

    fn slug(&self) -> Option<&str> {
        Some(&self.slug)
    }

    fn label(&self) -> &str {
        &self.slug
    }

    fn check(&self) -> Result<(), StoreError> {
        check::name("name", &self.name)?;
        check::note("description", self.description.as_deref())?;
        if self.records.keep_days == Some(0) {
            return Err(StoreError::invalid("records.retention_days", "is none at all"));
        }
        if matches!(self.records.bodies, Some(BodyRule::Sampled(share)) if share > 1_000_000) {
            return Err(StoreError::invalid("records.body_share", "is more than all"));
        }
        check::slug(&self.slug)
    }
}
