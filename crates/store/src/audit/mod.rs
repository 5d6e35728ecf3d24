//! The audit log: who did what to which object, from where, and what it was before and after.
//!
//! Entries are written in the transaction of the change they tell of, and chained: each entry's hash is an HMAC over
//! its text, its number and the hash before it, under a key that is not in the database. Whoever can write to the
//! database but has no master key cannot alter, remove, add or reorder entries unnoticed. Cutting off the newest entries
//! together with the record of the head is noticed by whoever kept a later [`AuditHead`].

mod chain;
mod mask;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use chain::ChainKey;
pub(crate) use chain::same;
pub(crate) use mask::mask;

use crate::id::{ApiKeyId, OrganisationId, UserId, WorkspaceId};
use crate::kind::{Action, Kind};
use crate::vault::Sealed;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Actor {
    /// The gateway itself: first start, budgets that were reached, rotations that were due.
    System,
    /// Somebody with access to the machine, by the command line.
    Operator,
    User {
        id: UserId,
    },
    ApiKey {
        id: ApiKeyId,
    },
}

/// From where. All parts may be empty; texts are cut to 500 characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Origin {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_ip: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uri: String,
}

/// Who changes something and from where: every change takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    pub origin: Origin,
    /// A word about the change, kept with versions.
    pub comment: String,
}

impl By {
    pub fn system() -> Self {
        Self::new(Actor::System)
    }

    pub fn new(actor: Actor) -> Self {
        Self { actor, origin: Origin::default(), comment: String::new() }
    }

    #[must_use]
    pub fn saying(mut self, comment: impl Into<String>) -> Self {
        self.comment = comment.into();
        self
    }
}

/// An entry, as it is read and exported.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
    /// From 1, without gaps over all organisations.
    pub seq: u64,
    /// Hex.
    pub hash: String,
    #[serde(flatten)]
    pub event: Event,
    /// The object before, with secrets masked; null when it was made.
    pub before: Value,
    /// Null when it was removed.
    pub after: Value,
}

/// What is known of a change beside the object's contents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since 1970.
    pub at: u64,
    pub organisation_id: Option<OrganisationId>,
    pub workspace_id: Option<WorkspaceId>,
    pub actor: Actor,
    pub action: Action,
    pub resource_type: Kind,
    pub resource_id: Uuid,
    /// The object's slug or name at the time.
    pub resource_name: String,
    /// The object's version after it; the last one when it was removed.
    pub version: u64,
    pub origin: Origin,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// An entry's text as it is chained: the event in clear, so that the log can be searched and verified without an
/// organisation's key; what stood in the object encrypted, because masking by name is only as good as the names.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Text {
    #[serde(flatten)]
    pub event: Event,
    pub detail: Sealed,
}

/// What the detail of an entry holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Detail {
    pub before: Value,
    pub after: Value,
}

/// Which entries to read: those of a scope, from `from` until before `until` (milliseconds since 1970).
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Entries after this number.
    pub after: u64,
    pub from: Option<u64>,
    pub until: Option<u64>,
    pub action: Option<Action>,
    pub kind: Option<Kind>,
    pub actor: Option<Actor>,
    pub resource: Option<Uuid>,
}

/// The end of the log at a time. Kept elsewhere, it proves later that nothing before it is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    pub seq: u64,
    /// Hex.
    pub hash: String,
}

impl Origin {
    pub(crate) fn cut(&self) -> Self {
        let cut = |text: &String| text.chars().take(500).collect();
        Self {
            client_ip: cut(&self.client_ip),
            request_id: cut(&self.request_id),
            method: cut(&self.method),
            uri: cut(&self.uri),
        }
    }
}
