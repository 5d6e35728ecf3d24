//! Integrations, which hold credentials for several workspaces, and providers, which are what `@slug` names.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Connection, Entity, Level, Limits, check, private::Known};
use crate::error::StoreError;
use crate::id::{EntityId, IntegrationId, ProviderId, WorkspaceId};
use crate::kind::Kind;
use crate::vault::Sealer;

/// A connection of the organisation, lent to workspaces; or of one workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Integration {
    pub name: String,
    pub slug: String,
    #[serde(default)]
    pub description: Option<String>,
    pub connection: Connection,
    #[serde(default)]
    pub grants: Grants,
    #[serde(default)]
    pub disabled: bool,
}

/// Which workspaces may use an integration, and how much.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Grants {
    /// What holds for workspaces without a row of their own; `None` for nothing.
    #[serde(default)]
    pub everyone: Option<Limits>,
    #[serde(default)]
    pub rows: Vec<Grant>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    pub workspace: WorkspaceId,
    pub enabled: bool,
    #[serde(default)]
    pub limits: Limits,
}

/// What a workspace calls by `@slug` or as a virtual key: the same object under two names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provider {
    pub name: String,
    /// Unique in the workspace.
    pub slug: String,
    #[serde(default)]
    pub note: Option<String>,
    pub backing: Backing,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub expires_at: Option<u64>,
    #[serde(default)]
    pub disabled: bool,
}

/// Where a provider's connection is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backing {
    Own(Connection),
    Integration(IntegrationId),
}

impl Grants {
    /// The limits under which the workspace may use the integration; `None` when it may not.
    pub fn of(&self, workspace: WorkspaceId) -> Option<&Limits> {
        match self.rows.iter().find(|row| row.workspace == workspace) {
            Some(row) => row.enabled.then_some(&row.limits),
            None => self.everyone.as_ref(),
        }
    }
}

impl Provider {
    /// Its own connection; `None` when an integration has it.
    pub fn connection(&self) -> Option<&Connection> {
        match &self.backing {
            Backing::Own(connection) => Some(connection),
            Backing::Integration(_) => None,
        }
    }
}

impl Known for Integration {}
impl Entity for Integration {
    type Id = IntegrationId;
    const KIND: Kind = Kind::Integration;
    const LEVEL: Level = Level::Either;
    const SEALED: &'static [&'static str] = &["connection.settings"];

    fn slug(&self) -> Option<&str> {
        Some(&self.slug)
    }

    fn label(&self) -> &str {
        &self.slug
    }

    fn check(&self) -> Result<(), StoreError> {
        check::name("name", &self.name)?;
        check::slug(&self.slug)?;
        check::note("description", self.description.as_deref())?;
        self.grants.everyone.iter().try_for_each(Limits::check)?;
        self.grants.rows.iter().try_for_each(|row| row.limits.check())?;
        self.connection.check()
    }

    fn prepare(&mut self, before: Option<&Self>, sealer: &Sealer) -> Result<(), StoreError> {
        self.connection.prepare(before.map(|before| &before.connection), sealer)
    }
}

impl Known for Provider {}
impl Entity for Provider {
    type Id = ProviderId;
    const KIND: Kind = Kind::Provider;
    const LEVEL: Level = Level::Workspace;
    const SEALED: &'static [&'static str] = &["backing.own.settings"];

    fn slug(&self) -> Option<&str> {
        Some(&self.slug)
    }

    fn label(&self) -> &str {
        &self.slug
    }

    fn refers(&self) -> Vec<(Kind, Uuid)> {
        match self.backing {
            Backing::Integration(id) => vec![(Kind::Integration, id.uuid())],
            Backing::Own(_) => Vec::new(),
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        check::name("name", &self.name)?;
        check::slug(&self.slug)?;
        check::note("note", self.note.as_deref())?;
        self.limits.check()?;
        self.connection().map_or(Ok(()), Connection::check)
    }

    fn prepare(&mut self, before: Option<&Self>, sealer: &Sealer) -> Result<(), StoreError> {
        match &mut self.backing {
            Backing::Own(connection) => connection.prepare(before.and_then(Provider::connection), sealer),
            Backing::Integration(_) => Ok(()),
        }
    }
}
