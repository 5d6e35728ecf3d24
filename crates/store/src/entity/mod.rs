//! The objects of the control plane, and what all of them have in common.

mod alert_rule;
mod api_key;
mod check;
mod config;
mod connection;
mod log_export;
mod people;
mod policy;
mod provider;
mod saved_view;
mod session;
mod tenant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

pub use alert_rule::AlertRule;
pub use api_key::{ApiKey, Defaults, KeyOwner, KeySecret, MadeBy, RotationPolicy, Standing};
pub use config::Config;
pub use connection::{
    AllowedModels, Connection, Credential, CredentialState, Destination, Limits, ModelRow, NewCredential,
};
pub use log_export::{DownloadLink, ExportFormat, ExportState, LogExport};
pub use people::{Member, OrganisationRole, User, WorkspaceRole};
pub use policy::{Policy, PolicyKind, PolicyState};
pub use provider::{Backing, Grant, Grants, Integration, Provider};
pub use saved_view::{SavedView, ViewPage};
pub use session::{Link, LinkEnd, LinkOutcome, LinkPurpose, Session};
pub use tenant::{BodyRule, Organisation, RecordRules, Workspace, WorkspaceState};

use crate::error::StoreError;
use crate::id::EntityId;
use crate::kind::Kind;
use crate::scope::Home;
use crate::token::Digest;
use crate::vault::Sealer;

/// Where objects of a kind may live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Organisation,
    Workspace,
    Either,
}

/// An object of the control plane. Implemented here only: what it says decides how an object is stored.
pub trait Entity: Serialize + DeserializeOwned + Clone + Send + Sync + 'static + private::Known {
    type Id: EntityId;
    const KIND: Kind;
    const LEVEL: Level;
    /// Every version is kept, with its author and time.
    const HISTORY: bool = false;
    /// Members that are encrypted as a whole, because people write secrets into them.
    const SEALED: &'static [&'static str] = &[];

    /// What it is called by in its place; unique there.
    fn slug(&self) -> Option<&str> {
        None
    }

    /// What the audit log calls it.
    fn label(&self) -> &str;

    /// # Errors
    /// [`StoreError::Invalid`] names the first member that is out of bounds.
    fn check(&self) -> Result<(), StoreError>;

    /// The hashes by which it is found.
    fn digests(&self) -> Vec<Digest> {
        Vec::new()
    }

    /// The objects it names. They must be there, in the same organisation, and not in another workspace.
    fn refers(&self) -> Vec<(Kind, Uuid)> {
        Vec::new()
    }

    /// Called before every write: the place for rules between the old and the new, and for encrypting what is new.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a change that is not allowed.
    fn prepare(&mut self, before: Option<&Self>, sealer: &Sealer) -> Result<(), StoreError> {
        let _ = (before, sealer);
        Ok(())
    }
}

pub(crate) mod private {
    /// Keeps `Entity` to this crate.
    pub trait Known {}
}

/// An object with what the store knows about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<E: Entity> {
    pub id: E::Id,
    pub home: Home,
    /// 1 for a new object, one more with each change. A change names the version it was made from.
    pub version: u64,
    /// Milliseconds since 1970.
    pub created_at: u64,
    pub updated_at: u64,
    pub entity: E,
}
