//! Where objects live and what a caller may see.

use crate::backend::Row;
use crate::entity::Level;
use crate::error::StoreError;
use crate::id::{EntityId, OrganisationId, WorkspaceId};
use crate::kind::Kind;

/// The place of an object. It never moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Home {
    pub organisation: OrganisationId,
    /// `None` for what belongs to the organisation as a whole.
    pub workspace: Option<WorkspaceId>,
}

/// What a caller may see. Every read and every change names one; what lies outside does not exist for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of an organisation, its workspaces included. A slug is looked up at the organisation's own level.
    Organisation(OrganisationId),
    /// One workspace, and nothing of the organisation above it.
    Workspace(OrganisationId, WorkspaceId),
}

/// A part of a list, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows to leave out before the first.
    pub offset: u64,
    /// 1 to [`Page::MAX`]; more is cut to it.
    pub limit: u32,
}

impl Page {
    pub const MAX: u32 = 1_000;

    pub fn first(limit: u32) -> Self {
        Self { offset: 0, limit }
    }
}

impl Home {
    pub fn organisation(organisation: OrganisationId) -> Self {
        Self { organisation, workspace: None }
    }

    pub fn workspace(organisation: OrganisationId, workspace: WorkspaceId) -> Self {
        Self { organisation, workspace: Some(workspace) }
    }

    pub(crate) fn check(&self, kind: Kind, level: Level) -> Result<(), StoreError> {
        let problem = match (level, self.workspace) {
            (Level::Organisation, Some(_)) => "belongs to an organisation, not to a workspace",
            (Level::Workspace, None) => "belongs to a workspace",
            _ => return Ok(()),
        };
        Err(StoreError::invalid("workspace_id", format!("a {kind} {problem}")))
    }
}

impl Scope {
    pub fn organisation(&self) -> OrganisationId {
        match *self {
            Self::Organisation(organisation) | Self::Workspace(organisation, _) => organisation,
        }
    }

    pub fn workspace(&self) -> Option<WorkspaceId> {
        match *self {
            Self::Organisation(_) => None,
            Self::Workspace(_, workspace) => Some(workspace),
        }
    }

    pub(crate) fn sees(&self, row: &Row) -> bool {
        if row.home.organisation != self.organisation() {
            return false;
        }
        match *self {
            Self::Organisation(_) => true,
            // A workspace is an object of the organisation; those inside see their own.
            Self::Workspace(_, workspace) if row.kind == Kind::Workspace => row.id == workspace.uuid(),
            Self::Workspace(_, workspace) => row.home.workspace == Some(workspace),
        }
    }
}
