//! What a database that nobody has used yet gets: an organisation, its default workspace, a local administrator, and
//! the admin key.
//!
//! Each step makes what exists at most once, under an id or a slug that all replicas know: of several that start at
//! once one makes it, and a start that was cut off is finished by the next.

use tidegate_access::KeyKind;
use tidegate_core::Secret;
use tidegate_store::audit::By;
use tidegate_store::entity::{
    ApiKey, KeyOwner, LinkPurpose, MadeBy, Organisation, OrganisationRole, Stored, User, Workspace,
    WorkspaceState,
};
use tidegate_store::id::{ApiKeyId, EntityId, OrganisationId, UserId, WorkspaceId};
use tidegate_store::token::Digest;
use tidegate_store::{Expected, Home, Scope, Store, StoreError};
use uuid::Uuid;

use crate::disclose;
use crate::key_text;
use crate::principal::found;

/// The same in every installation: one database has one default organisation and one admin key.
const ORGANISATION: Uuid = Uuid::from_u128(0x7469_6465_6761_8000_8000_0000_0000_0001);
const ADMIN_KEY: Uuid = Uuid::from_u128(0x7469_6465_6761_8000_8000_0000_0000_0002);
const WORKSPACE_SLUG: &str = "ws-default";
const ADMIN_EMAIL: &str = "admin@localhost";
/// How long the first link to sign in works, in milliseconds: a day.
const LINK_MS: u64 = 86_400_000;

/// What is there after a start.
#[derive(Debug)]
pub struct FirstStart {
    pub organisation: OrganisationId,
    /// The default workspace.
    pub workspace: WorkspaceId,
    /// The local administrator, an owner of the organisation.
    pub admin: UserId,
    pub key: AdminKey,
    /// The token of a link that signs the administrator in once, when this start made the administrator.
    pub link: Option<Secret>,
}

/// What became of the admin key.
#[derive(Debug)]
pub enum AdminKey {
    /// Made here. To be shown once: it is kept as a hash only.
    Made(Secret),
    /// The text that was given is the key from now on; another one that was there is good no more.
    Taken,
    /// There was one, and nothing else was given.
    AlreadyThere,
}

/// Keeps the text of an admin key where its owner finds it.
pub type KeepKey<'a> = &'a (dyn Fn(&Secret) -> Result<(), String> + Sync);

/// Makes what is missing. A new admin key is given to `keep` before it is good, so that a start which is cut off leaves no
/// key whose text nobody has. (`keep` may be given a text that never becomes good: another replica was faster, which
/// [`AdminKey::AlreadyThere`] tells, or the start was cut off, and the next one gives another.)
///
/// `admin_key` is the operator's text for the admin key, if there is one.
///
/// # Errors
/// [`StoreError::Invalid`] for a text that is no key, [`StoreError::Taken`] for one that is another key's,
/// [`StoreError::Internal`] with what `keep` said, or the database's.
pub async fn first_start(
    store: &Store,
    admin_key: Option<Secret>,
    keep: KeepKey<'_>,
) -> Result<FirstStart, StoreError> {
    if let Some(text) = &admin_key {
        disclose::check_import(text).map_err(|problem| StoreError::Invalid {
            field: "TIDEGATE_ADMIN_KEY".to_owned(),
            problem: problem.to_owned(),
        })?;
    }
    let by = By::system().saying("first start");
    let organisation = organisation(store, &by).await?;
    let workspace = workspace(store, &by, organisation).await?;
    let (admin, is_new) = administrator(store, &by, organisation).await?;
    let key = admin_key_of(store, &by, organisation, admin_key, keep).await?;
    let link = if is_new { Some(sign_in_link(store, organisation, admin, LINK_MS).await?) } else { None };
    Ok(FirstStart { organisation, workspace, admin, key, link })
}

/// The token of a link that signs a user in once, within `works_ms` from now: for somebody with access to the machine.
///
/// # Errors
/// The database's.
pub async fn sign_in_link(
    store: &Store,
    organisation: OrganisationId,
    user: UserId,
    works_ms: u64,
) -> Result<Secret, StoreError> {
    let by = By::new(tidegate_store::audit::Actor::Operator);
    let purpose = LinkPurpose::SignIn { user };
    let (_, text) = store.create_link(&by, organisation, purpose, store.now() + works_ms).await?;
    Ok(text)
}

async fn organisation(store: &Store, by: &By) -> Result<OrganisationId, StoreError> {
    let id = OrganisationId::from_uuid(ORGANISATION);
    let organisation =
        Organisation { name: "Default".to_owned(), slug: "default".to_owned(), settings: Default::default() };
    taken_is_fine(store.create_organisation_once(by, id, organisation).await)?;
    Ok(id)
}

async fn workspace(store: &Store, by: &By, organisation: OrganisationId) -> Result<WorkspaceId, StoreError> {
    let whole = Scope::Organisation(organisation);
    if let Some(workspace) = found(store.by_slug::<Workspace>(&whole, WORKSPACE_SLUG).await)? {
        return Ok(workspace.id);
    }
    let workspace = Workspace {
        name: "Default".to_owned(),
        slug: WORKSPACE_SLUG.to_owned(),
        description: None,
        is_default: true,
        state: WorkspaceState::Active,
        defaults: Default::default(),
        limits: Default::default(),
        settings: Default::default(),
        records: Default::default(),
    };
    taken_is_fine(store.create(by, Home::organisation(organisation), workspace).await)?;
    Ok(store.by_slug::<Workspace>(&whole, WORKSPACE_SLUG).await?.id)
}

/// And whether it was made here.
async fn administrator(
    store: &Store,
    by: &By,
    organisation: OrganisationId,
) -> Result<(UserId, bool), StoreError> {
    let whole = Scope::Organisation(organisation);
    if let Some(user) = found(store.by_slug::<User>(&whole, ADMIN_EMAIL).await)? {
        return Ok((user.id, false));
    }
    let user = User {
        email: ADMIN_EMAIL.to_owned(),
        first_name: "Local".to_owned(),
        last_name: "administrator".to_owned(),
        role: OrganisationRole::Owner,
        identity: None,
        disabled: false,
    };
    let made = taken_is_fine(store.create(by, Home::organisation(organisation), user).await)?;
    Ok((store.by_slug::<User>(&whole, ADMIN_EMAIL).await?.id, made.is_some()))
}

async fn admin_key_of(
    store: &Store,
    by: &By,
    organisation: OrganisationId,
    given: Option<Secret>,
    keep: KeepKey<'_>,
) -> Result<AdminKey, StoreError> {
    let (id, whole) = (ApiKeyId::from_uuid(ADMIN_KEY), Scope::Organisation(organisation));
    let home = Home::organisation(organisation);
    if let Some(known) = found(store.get::<ApiKey>(&whole, id).await)? {
        let Some(text) = given else { return Ok(AdminKey::AlreadyThere) };
        if is_current(&known, &text) {
            return Ok(AdminKey::AlreadyThere);
        }
        if known.entity.revoked_at.is_none() && known.entity.expires_at.is_none() {
            store.rotate_key_as(by, &whole, id, &text, 0).await?;
            return Ok(AdminKey::Taken);
        }
        // A revoked key stays revoked. Whoever has the machine makes another one in its place.
        match store.delete::<ApiKey>(by, &whole, id, Expected::Latest).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        taken_is_fine(store.create_key_once(by, home, id, admin_key(), &text).await)?;
        return Ok(AdminKey::Taken);
    }
    let (text, is_given) = match given {
        Some(text) => (text, true),
        None => {
            let text = key_text::make(KeyKind::Admin)
                .map_err(|problem| StoreError::Internal { reason: problem.to_string() })?;
            keep(&text).map_err(|reason| StoreError::Internal { reason })?;
            (text, false)
        }
    };
    Ok(match store.create_key_once(by, home, id, admin_key(), &text).await {
        Ok(_) if is_given => AdminKey::Taken,
        Ok(_) => AdminKey::Made(text),
        // Another replica was faster, with the same text or one that it tells.
        Err(StoreError::Taken { .. }) if store.get::<ApiKey>(&whole, id).await.is_ok() => {
            AdminKey::AlreadyThere
        }
        Err(error) => return Err(error),
    })
}

fn admin_key() -> ApiKey {
    let mut key = ApiKey::new("admin", KeyOwner::Service, Vec::new());
    key.is_admin = true;
    key.made_by = MadeBy::Gateway;
    key
}

/// Whether a text is the key's newest and the key is good.
fn is_current(key: &Stored<ApiKey>, text: &Secret) -> bool {
    let newest = key.entity.secrets().first().map(|secret| secret.digest());
    key.entity.revoked_at.is_none() && key.entity.expires_at.is_none() && newest == Some(Digest::of(text))
}

/// `None` when another replica made it.
fn taken_is_fine<T>(outcome: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match outcome {
        Ok(made) => Ok(Some(made)),
        Err(StoreError::Taken { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
