//! People: users of an organisation, and their places in its workspaces.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Entity, Level, check, private::Known};
use crate::error::StoreError;
use crate::id::{EntityId, MemberId, UserId};
use crate::kind::{Kind, words};

words! {
    /// Owners and admins act as admins of every workspace.
    OrganisationRole { Owner = "owner", Admin = "admin", Member = "member" }
}

words! {
    WorkspaceRole { Admin = "admin", Manager = "manager", Member = "member" }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// In lower case; unique in the organisation.
    pub email: String,
    #[serde(default)]
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
    pub role: OrganisationRole,
    /// The identity provider's name for the person: issuer and subject. Signing in goes by it, not by the address.
    #[serde(default)]
    pub identity: Option<String>,
    #[serde(default)]
    pub disabled: bool,
}

/// A user's place in the workspace it lives in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub user: UserId,
    pub role: WorkspaceRole,
    /// The user's id as text, which makes a user a member at most once.
    slug: String,
}

impl Member {
    pub fn new(user: UserId, role: WorkspaceRole) -> Self {
        Self { user, role, slug: user.to_string() }
    }
}

impl Known for User {}
impl Entity for User {
    type Id = UserId;
    const KIND: Kind = Kind::User;
    const LEVEL: Level = Level::Organisation;

    fn slug(&self) -> Option<&str> {
        Some(&self.email)
    }

    fn label(&self) -> &str {
        &self.email
    }

    fn check(&self) -> Result<(), StoreError> {
        check::name("email", &self.email)?;
        if !self.email.contains('@')
            || self.email.chars().any(|c| c.is_whitespace() || c.is_control() || c.is_uppercase())
        {
            return Err(StoreError::invalid("email", "must be an address in lower case"));
        }
        check::note("first_name", Some(&self.first_name))?;
        check::note("last_name", Some(&self.last_name))
    }
}

impl Known for Member {}
impl Entity for Member {
    type Id = MemberId;
    const KIND: Kind = Kind::Member;
    const LEVEL: Level = Level::Workspace;

    fn slug(&self) -> Option<&str> {
        Some(&self.slug)
    }

    fn label(&self) -> &str {
        &self.slug
    }

    fn refers(&self) -> Vec<(Kind, Uuid)> {
        vec![(Kind::User, self.user.uuid())]
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.slug == self.user.to_string() {
            return Ok(());
        }
        Err(StoreError::invalid("user_id", "cannot be changed; add the other user instead"))
    }
}
