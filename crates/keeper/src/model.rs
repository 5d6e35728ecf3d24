//! The store's objects as they were last read: what the directory is made of.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tidegate_store::Home;
use tidegate_store::entity::{
    Config, Integration, KeyOwner, Member, Organisation, Provider, Stored, User, Workspace,
};
use tidegate_store::id::{
    ApiKeyId, ConfigId, CredentialId, IntegrationId, MemberId, OrganisationId, PolicyId, ProviderId, UserId,
    WorkspaceId,
};
use tidegate_store::vault::Material;

/// A connection's credentials, in clear.
pub(crate) type Credentials = Vec<(CredentialId, Material)>;

#[derive(Default)]
pub(crate) struct Model {
    pub organisations: HashMap<OrganisationId, Stored<Organisation>>,
    pub workspaces: HashMap<WorkspaceId, Stored<Workspace>>,
    pub users: HashMap<UserId, Stored<User>>,
    pub members: HashMap<MemberId, Stored<Member>>,
    pub integrations: HashMap<IntegrationId, (Stored<Integration>, Credentials)>,
    pub providers: BTreeMap<ProviderId, (Stored<Provider>, Credentials)>,
    pub configs: HashMap<ConfigId, Stored<Config>>,
    /// Those in force, and where.
    pub policies: BTreeMap<PolicyId, (Home, Arc<tidegate_directory::Policy>)>,
    pub keys: HashMap<ApiKeyId, KeyRow>,
}

/// Of a key only what says when it has to be read again: there may be many.
pub(crate) struct KeyRow {
    pub live: Arc<tidegate_directory::ApiKey>,
    pub organisation: OrganisationId,
    pub workspace: Option<WorkspaceId>,
    pub owner: Option<UserId>,
    pub config: Option<ConfigId>,
}

impl Model {
    /// Keys that a change touches.
    pub fn keys_where(&self, touches: impl Fn(&KeyRow) -> bool) -> Vec<ApiKeyId> {
        self.keys.iter().filter(|(_, row)| touches(row)).map(|(id, _)| *id).collect()
    }

    /// Workspaces with a provider that an integration is behind.
    pub fn users_of(&self, integration: IntegrationId) -> HashSet<WorkspaceId> {
        let uses = |(provider, _): &&(Stored<Provider>, Credentials)| matches!(provider.entity.backing, tidegate_store::entity::Backing::Integration(id) if id == integration);
        self.providers.values().filter(uses).filter_map(|(provider, _)| provider.home.workspace).collect()
    }

    /// Workspaces where what belongs to this place holds.
    pub fn under(&self, home: Home) -> Vec<WorkspaceId> {
        match home.workspace {
            Some(workspace) => vec![workspace],
            None => {
                let of = |row: &&Stored<Workspace>| row.home.organisation == home.organisation;
                self.workspaces.values().filter(of).map(|workspace| workspace.id).collect()
            }
        }
    }

    pub fn member(&self, workspace: WorkspaceId, user: UserId) -> Option<&Stored<Member>> {
        self.members
            .values()
            .find(|member| member.home.workspace == Some(workspace) && member.entity.user == user)
    }
}

impl KeyRow {
    pub fn owner_of(owner: KeyOwner) -> Option<UserId> {
        match owner {
            KeyOwner::User { user } => Some(user),
            KeyOwner::Service => None,
        }
    }
}
