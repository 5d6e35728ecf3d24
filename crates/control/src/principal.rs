//! From the store's objects to who somebody is. The data plane uses it too, with objects that it holds in memory.

use std::sync::Arc;

use serde_json::{Map, Value};
use tidegate_access::{
    Defaults, KeyId, KeyKind, OrganisationId, OrganisationRole, Person, Place, Principal, Reason, Refusal,
    Scope, ScopeSet, Switch, Switches, UserId, Workspace, WorkspaceId, WorkspaceRole,
};
use tidegate_store::entity::{
    ApiKey, Config, KeyOwner, Member, Organisation, Standing, Stored, User, Workspace as StoredWorkspace,
    WorkspaceState,
};
use tidegate_store::{Home, Scope as Within, Store, StoreError};

/// What is known about the surroundings of a key.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    pub organisation: &'a Organisation,
    /// Of a key that lives in one.
    pub workspace: Option<&'a Stored<StoredWorkspace>>,
    /// Of a user's key: the user, and the place in the key's workspace.
    pub owner: Option<(&'a Stored<User>, Option<WorkspaceRole>)>,
    /// The slug of the config that the key's defaults name.
    pub config: Option<&'a str>,
}

/// The kind of a key, from where it lives and whom it acts for.
pub fn kind_of(key: &ApiKey, home: Home) -> KeyKind {
    match (home.workspace, key.owner) {
        (None, _) if key.is_admin => KeyKind::Admin,
        (None, _) => KeyKind::OrganisationService,
        (Some(_), KeyOwner::Service) => KeyKind::WorkspaceService,
        (Some(_), KeyOwner::User { .. }) => KeyKind::WorkspaceUser,
    }
}

/// Why a text that the store knows is not good now.
///
/// # Errors
/// All with the same words for the caller.
pub fn good(standing: Standing) -> Result<(), Refusal> {
    Err(Refusal::new(match standing {
        Standing::Valid => return Ok(()),
        Standing::Expired => Reason::ExpiredKey,
        Standing::Revoked => Reason::RevokedKey,
        Standing::Replaced => Reason::RotatedKey,
    }))
}

/// Whoever sends a key. That it is good now is asked before, by [`good`].
///
/// # Errors
/// 401 for a user's key whose user is gone, disabled or no longer in the workspace; 403 in an archived workspace.
pub fn of_key(key: &Stored<ApiKey>, around: Surroundings<'_>) -> Result<Principal, Refusal> {
    let organisation = OrganisationId::new(key.home.organisation.to_string());
    let id = KeyId::new(key.id.to_string());
    let scopes = scopes_of(&key.entity);
    let kind = kind_of(&key.entity, key.home);
    let principal = if kind.in_workspace() {
        let gone = || Refusal::new(Reason::RevokedKey);
        let workspace = around.workspace.ok_or_else(gone)?;
        if workspace.entity.state == WorkspaceState::Archived {
            return Err(Refusal::new(Reason::ArchivedWorkspace));
        }
        let place = place_of(workspace);
        match key.entity.owner {
            KeyOwner::Service => Principal::service_key(organisation, id, place, scopes),
            KeyOwner::User { .. } => {
                let (user, role) = around.owner.filter(|(user, _)| !user.entity.disabled).ok_or_else(gone)?;
                let person = Person { organisation: organisation_role(user.entity.role), workspace: role };
                person.workspace_role().ok_or_else(gone)?;
                let denied = switches(around.organisation, Some(&workspace.entity)).denied(person);
                let user = UserId::new(user.id.to_string());
                Principal::user_key(organisation, id, place, scopes, user, denied)
            }
        }
    } else {
        Principal::organisation_key(organisation, id, kind, scopes)
    };
    Ok(principal.with_defaults(defaults(&key.entity, around.config)))
}

/// Somebody who signed in.
///
/// # Errors
/// 401 for a user who was disabled.
pub fn of_person<'a>(
    user: &Stored<User>,
    organisation: &Organisation,
    places: impl IntoIterator<Item = (&'a Stored<StoredWorkspace>, WorkspaceRole)>,
) -> Result<Principal, Refusal> {
    if user.entity.disabled {
        return Err(Refusal::new(Reason::RevokedKey));
    }
    let places = places.into_iter().filter(|(place, _)| place.entity.state == WorkspaceState::Active);
    let places = places.map(|(workspace, role)| Place {
        workspace: place_of(workspace),
        role,
        switches: switches(organisation, Some(&workspace.entity)),
    });
    Ok(Principal::person(
        OrganisationId::new(user.home.organisation.to_string()),
        UserId::new(user.id.to_string()),
        organisation_role(user.entity.role),
        switches(organisation, None),
        places,
    ))
}

/// The switches of an organisation, with those of a workspace over them where the organisation lets it.
pub fn switches(organisation: &Organisation, workspace: Option<&StoredWorkspace>) -> Switches {
    let of = |settings: &Map<String, Value>| -> Vec<(Switch, bool)> {
        let pairs = Switch::all().map(|switch| Some((switch, settings.get(switch.word())?.as_bool()?)));
        pairs.flatten().collect()
    };
    let switches = Switches::default().overridden(of(&organisation.settings));
    let may = organisation.settings.get(OVERRIDES).and_then(Value::as_bool).unwrap_or(false);
    match workspace.filter(|_| may) {
        Some(workspace) => switches.overridden(of(&workspace.settings)),
        None => switches,
    }
}

/// The organisation's setting that lets workspaces have switches of their own.
pub const OVERRIDES: &str = "allowWorkspaceOverrides";

/// [`of_key`] with what the store holds now.
///
/// # Errors
/// As [`of_key`] within `Ok`, and the database's.
pub async fn load_key(store: &Store, key: &Stored<ApiKey>) -> Result<Result<Principal, Refusal>, StoreError> {
    let whole = Within::Organisation(key.home.organisation);
    let organisation = store.get::<Organisation>(&whole, key.home.organisation).await?;
    let workspace = match key.home.workspace {
        Some(id) => found(store.get::<StoredWorkspace>(&whole, id).await)?,
        None => None,
    };
    let owner = match (key.entity.owner, key.home.workspace) {
        (KeyOwner::User { user }, Some(workspace)) => match found(store.get::<User>(&whole, user).await)? {
            Some(user) => {
                let within = Within::Workspace(key.home.organisation, workspace);
                let member = found(store.by_slug::<Member>(&within, &user.id.to_string()).await)?;
                Some((user, member.map(|member| workspace_role(member.entity.role))))
            }
            None => None,
        },
        _ => None,
    };
    let config = match key.entity.defaults.config {
        Some(id) => found(store.get::<Config>(&whole, id).await)?,
        None => None,
    };
    Ok(of_key(
        key,
        Surroundings {
            organisation: &organisation.entity,
            workspace: workspace.as_ref(),
            owner: owner.as_ref().map(|(user, role)| (user, *role)),
            config: config.as_ref().map(|config| config.entity.slug.as_str()),
        },
    ))
}

/// [`of_person`] with what the store holds now.
///
/// # Errors
/// As [`of_person`] within `Ok`, and the database's.
pub async fn load_person(
    store: &Store,
    user: &Stored<User>,
) -> Result<Result<Principal, Refusal>, StoreError> {
    let whole = Within::Organisation(user.home.organisation);
    let organisation = store.get::<Organisation>(&whole, user.home.organisation).await?;
    let mut places = Vec::new();
    if user.entity.role == tidegate_store::entity::OrganisationRole::Member {
        for workspace in crate::listing::all::<StoredWorkspace>(store, &whole).await? {
            let within = Within::Workspace(user.home.organisation, workspace.id);
            if let Some(member) = found(store.by_slug::<Member>(&within, &user.id.to_string()).await)? {
                places.push((workspace, workspace_role(member.entity.role)));
            }
        }
    }
    Ok(of_person(user, &organisation.entity, places.iter().map(|(workspace, role)| (workspace, *role))))
}

/// `None` for what is not there.
pub(crate) fn found<T>(outcome: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub fn organisation_role(role: tidegate_store::entity::OrganisationRole) -> OrganisationRole {
    use tidegate_store::entity::OrganisationRole as Role;
    match role {
        Role::Owner => OrganisationRole::Owner,
        Role::Admin => OrganisationRole::Admin,
        Role::Member => OrganisationRole::Member,
    }
}

pub fn workspace_role(role: tidegate_store::entity::WorkspaceRole) -> WorkspaceRole {
    use tidegate_store::entity::WorkspaceRole as Role;
    match role {
        Role::Admin => WorkspaceRole::Admin,
        Role::Manager => WorkspaceRole::Manager,
        Role::Member => WorkspaceRole::Member,
    }
}

/// Words that this program does not know are left out: a newer one wrote them.
fn scopes_of(key: &ApiKey) -> ScopeSet {
    key.scopes.iter().filter_map(|text| Scope::parse(text).ok()).collect()
}

fn place_of(workspace: &Stored<StoredWorkspace>) -> Workspace {
    Workspace {
        id: WorkspaceId::new(workspace.id.to_string()),
        slug: Arc::from(workspace.entity.slug.as_str()),
    }
}

fn defaults(key: &ApiKey, config: Option<&str>) -> Defaults {
    let metadata = &key.defaults.metadata;
    Defaults {
        config: config.map(Arc::from),
        config_is_fixed: !key.defaults.allow_config_override,
        metadata: (!metadata.is_empty()).then(|| Arc::new(metadata.clone())),
    }
}
