//! Sign-ins: sessions of people, and links that work once.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Entity, Level, private::Known};
use crate::entity::{OrganisationRole, WorkspaceRole};
use crate::error::StoreError;
use crate::id::{EntityId, LinkId, SessionId, UserId, WorkspaceId};
use crate::kind::{Kind, words};
use crate::token::Digest;

/// A signed-in browser. Found by the digest of its cookie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub user: UserId,
    pub expires_at: u64,
    /// What the person will know it by: browser and address.
    #[serde(default)]
    pub seen_as: String,
    pub(crate) digest: Digest,
}

/// A link that works once and not after `expires_at`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub purpose: LinkPurpose,
    pub expires_at: u64,
    /// Set when an invitation was accepted or cancelled: it stays, so that it can be told, and its text works no more.
    /// Links to sign in are removed instead.
    #[serde(default)]
    pub end: Option<LinkEnd>,
    pub(crate) digest: Digest,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkEnd {
    pub how: LinkOutcome,
    /// Milliseconds since 1970.
    pub at: u64,
}

words! {
    LinkOutcome { Accepted = "accepted", Cancelled = "cancelled" }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LinkPurpose {
    /// Signs this user in.
    SignIn { user: UserId },
    /// Makes whoever follows it a user.
    Invite {
        email: String,
        role: OrganisationRole,
        workspaces: Vec<(WorkspaceId, WorkspaceRole)>,
        /// Scopes of the user key that is made on acceptance; empty for none.
        key_scopes: Vec<String>,
        #[serde(default)]
        invited_by: Option<UserId>,
    },
}

impl Known for Session {}
impl Entity for Session {
    type Id = SessionId;
    const KIND: Kind = Kind::Session;
    const LEVEL: Level = Level::Organisation;

    fn label(&self) -> &str {
        "session"
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.seen_as.len() > 1_000 {
            return Err(StoreError::invalid("seen_as", "must not be longer than 1000 bytes"));
        }
        Ok(())
    }

    fn refers(&self) -> Vec<(Kind, Uuid)> {
        vec![(Kind::User, self.user.uuid())]
    }

    fn digests(&self) -> Vec<Digest> {
        vec![self.digest]
    }
}

impl Known for Link {}
impl Entity for Link {
    type Id = LinkId;
    const KIND: Kind = Kind::Link;
    const LEVEL: Level = Level::Organisation;

    fn label(&self) -> &str {
        match &self.purpose {
            LinkPurpose::SignIn { .. } => "sign-in",
            LinkPurpose::Invite { email, .. } => email,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn digests(&self) -> Vec<Digest> {
        if self.end.is_some() { Vec::new() } else { vec![self.digest] }
    }
}
