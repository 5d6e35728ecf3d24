//! What a route asks for, in scopes.

use crate::key::KeyKind;
use crate::scope::{Scope, ScopeSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    Needs(Scope),
    All(&'static [Scope]),
    Any(&'static [Scope]),
    /// The same object exists for the organisation and for a workspace: which scope is known when the object is.
    ByLevel {
        organisation: Scope,
        workspace: Scope,
    },
    /// The family of the API key that is touched.
    ByKey(KeyAction),
}

/// What is done to an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAction {
    Create,
    Read,
    Update,
    Delete,
    List,
    Rotate,
}

impl KeyAction {
    pub fn scope(self, kind: KeyKind) -> Scope {
        let [organisation, service, user] = self.scopes();
        match kind {
            KeyKind::Admin | KeyKind::OrganisationService => organisation,
            KeyKind::WorkspaceService => service,
            KeyKind::WorkspaceUser => user,
        }
    }

    fn scopes(self) -> [Scope; 3] {
        use Scope as S;
        match self {
            Self::Create => [
                S::OrganisationServiceApiKeysCreate,
                S::WorkspaceServiceApiKeysCreate,
                S::WorkspaceUserApiKeysCreate,
            ],
            Self::Read => [
                S::OrganisationServiceApiKeysRead,
                S::WorkspaceServiceApiKeysRead,
                S::WorkspaceUserApiKeysRead,
            ],
            Self::Update => [
                S::OrganisationServiceApiKeysUpdate,
                S::WorkspaceServiceApiKeysUpdate,
                S::WorkspaceUserApiKeysUpdate,
            ],
            Self::Delete => [
                S::OrganisationServiceApiKeysDelete,
                S::WorkspaceServiceApiKeysDelete,
                S::WorkspaceUserApiKeysDelete,
            ],
            Self::List => [
                S::OrganisationServiceApiKeysList,
                S::WorkspaceServiceApiKeysList,
                S::WorkspaceUserApiKeysList,
            ],
            Self::Rotate => [
                S::OrganisationServiceApiKeysRotate,
                S::WorkspaceServiceApiKeysRotate,
                S::WorkspaceUserApiKeysRotate,
            ],
        }
    }
}

impl Permission {
    /// What it comes to for an object of the organisation (`false`) or of a workspace, and for a key of a kind.
    pub fn narrowed(self, in_workspace: bool, key: Option<KeyKind>) -> Permission {
        match (self, key) {
            (Self::ByLevel { workspace, .. }, _) if in_workspace => Self::Needs(workspace),
            (Self::ByLevel { organisation, .. }, _) => Self::Needs(organisation),
            (Self::ByKey(action), Some(kind)) => Self::Needs(action.scope(kind)),
            (other, _) => other,
        }
    }

    /// # Errors
    /// The scopes any one of which is missing.
    pub fn check(self, held: ScopeSet) -> Result<(), Vec<Scope>> {
        let any = |scopes: &[Scope]| {
            let found = scopes.iter().any(|scope| held.allows(*scope));
            if found { Ok(()) } else { Err(scopes.to_vec()) }
        };
        match self {
            Self::Needs(scope) => any(&[scope]),
            Self::All(scopes) => scopes.iter().try_for_each(|scope| any(&[*scope])),
            Self::Any(scopes) => any(scopes),
            Self::ByLevel { organisation, workspace } => any(&[workspace, organisation]),
            Self::ByKey(action) => any(&action.scopes()),
        }
    }

    /// Every scope that it may come to.
    pub fn scopes(self) -> Vec<Scope> {
        match self {
            Self::Needs(scope) => vec![scope],
            Self::All(scopes) | Self::Any(scopes) => scopes.to_vec(),
            Self::ByLevel { organisation, workspace } => vec![organisation, workspace],
            Self::ByKey(action) => action.scopes().to_vec(),
        }
    }
}
