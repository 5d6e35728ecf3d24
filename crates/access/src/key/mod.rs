//! API keys: what they look like, how they are stored, and when they are good.
//!
//! The gateway's own keys have a form ([`text`]); a key that was brought along from elsewhere may be any text. Both are
//! stored as a [`hash`] and judged by their [`validity`].

mod crc;
pub mod hash;
pub mod text;
pub mod validity;

pub use hash::{KeyHash, KeyHasher};
pub use text::{Form, check_import, form_of, generate, shown};
pub use validity::{KeyFault, Validity, Which};

/// Whose key it is. It decides which scopes the key may hold at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The installation's own key, made at first start: everything that administers, and no data plane.
    Admin,
    /// Administers an organisation. Never calls a model.
    OrganisationService,
    /// A program's key, in one workspace.
    WorkspaceService,
    /// A person's key, in one workspace: what it does is attributed to that person.
    WorkspaceUser,
}

impl KeyKind {
    pub const ALL: [KeyKind; 4] =
        [Self::Admin, Self::OrganisationService, Self::WorkspaceService, Self::WorkspaceUser];

    /// The word of the admin API. An admin key is told as what it is to a client: an organisation's service key.
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin | Self::OrganisationService => "organisation-service",
            Self::WorkspaceService => "workspace-service",
            Self::WorkspaceUser => "workspace-user",
        }
    }

    /// The kind a `type` member of the admin API names. An admin key cannot be asked for by name.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "organisation-service" | "organization-service" => Self::OrganisationService,
            "workspace-service" => Self::WorkspaceService,
            "workspace-user" => Self::WorkspaceUser,
            _ => return None,
        })
    }

    /// Whether the key belongs to a workspace. The others reach all workspaces of their organisation.
    pub fn in_workspace(self) -> bool {
        matches!(self, Self::WorkspaceService | Self::WorkspaceUser)
    }
}
