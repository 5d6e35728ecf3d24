//! People of the organisation: `/v1/admin/users`.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_store::entity::{ApiKey, Entity, KeyOwner, Member, Session, Stored, User};
use tidegate_store::id::{EntityId, UserId};
use tidegate_store::{Expected, Home, StoreError};
use uuid::Uuid;

use crate::call::Call;
use crate::listing::{List, Paging, all, page};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use crate::roles;
use crate::timestamp::Timestamp;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    /// `admin`, `member` or `owner`.
    role: Option<String>,
    email: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    object: Object,
    id: Uuid,
    first_name: String,
    last_name: String,
    role: &'static str,
    email: String,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    /// Where the person is a member. Owners and admins are in all workspaces anyway.
    workspace_ids: Vec<Uuid>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    User,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    /// `admin`, `member` or, by owners, `owner`.
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    call.authorize(Home::organisation(call.organisation))?;
    let role = filter.role.as_deref().map(|word| roles::organisation_word("role", word)).transpose()?;
    let fits = |stored: &Stored<User>| {
        let user = &stored.entity;
        role.is_none_or(|role| user.role.as_str() == role.word())
            && filter.email.as_ref().is_none_or(|email| user.email.eq_ignore_ascii_case(email))
    };
    let users = all::<User>(call.store(), &call.whole()).await?.into_iter().filter(fits).collect();
    let (total, users) = page(filter.paging.clone(), users)?;
    ok(List::new(total, rows(&call, &users).await?))
}

pub(crate) async fn retrieve(call: Call, _: Nothing, _: Nothing) -> Answer<Row> {
    let user = named(&call).await?;
    let row = rows(&call, std::slice::from_ref(&user)).await?.pop();
    ok(row.ok_or_else(|| Problem::internal("a user without a row"))?)
}

pub(crate) async fn update(call: Call, _: Nothing, body: Update) -> Answer<Nothing> {
    let user = named(&call).await?;
    let role = body.role.as_deref().map(|word| roles::organisation_word("role", word)).transpose()?;
    let role = role.map(|role| (role, roles::stored_organisation_role(role)));
    let mut other = None;
    if let Some((role, new)) = role.filter(|(_, new)| *new != user.entity.role) {
        roles::may_change_user(&call, &user, role).await?;
        if new != tidegate_store::entity::OrganisationRole::Owner {
            other = roles::another_owner(call.store(), &call.whole(), &user).await?;
        }
    }
    let change = |stored: &mut User| {
        if let Some((_, role)) = role {
            stored.role = role;
        }
        if let Some(name) = &body.first_name {
            stored.first_name.clone_from(name);
        }
        if let Some(name) = &body.last_name {
            stored.last_name.clone_from(name);
        }
        Ok(())
    };
    // The role that was judged is the one that is changed.
    let expected = Expected::Version(user.version);
    let (store, whole) = (call.store(), call.whole());
    match other {
        None => store.update(&call.by, &whole, user.id, expected, change).await?,
        // Two owners who take the role from each other at the same moment: one of them does.
        Some(other) => store.update_given(&call.by, &whole, user.id, expected, &other, change).await?,
    };
    done()
}

/// With the person's places, sign-ins and keys.
pub(crate) async fn delete(call: Call, _: Nothing, _: Nothing) -> Answer<Nothing> {
    let user = named(&call).await?;
    roles::may_change_user(&call, &user, tidegate_access::OrganisationRole::Member).await?;
    let (store, whole, id) = (call.store(), call.whole(), user.id);
    let other = roles::another_owner(store, &whole, &user).await?;
    for key in all::<ApiKey>(store, &whole).await? {
        if key.entity.owner == (KeyOwner::User { user: id }) && key.entity.revoked_at.is_none() {
            store.revoke_key(&call.by, &whole, key.id).await?;
        }
    }
    clear::<Session>(&call, |session| session.user == id).await?;
    clear::<Member>(&call, |member| member.user == id).await?;
    let expected = Expected::Version(user.version);
    match other {
        None => store.delete::<User>(&call.by, &whole, id, expected).await?,
        Some(other) => store.delete_given::<User, User>(&call.by, &whole, id, expected, &other).await?,
    }
    done()
}

async fn clear<E: Entity>(call: &Call, is_meant: impl Fn(&E) -> bool) -> Result<(), Problem> {
    for stored in all::<E>(call.store(), &call.whole()).await? {
        if is_meant(&stored.entity) {
            match call.store().delete::<E>(&call.by, &call.whole(), stored.id, Expected::Latest).await {
                // Somebody else was faster.
                Err(StoreError::NotFound { .. }) => {}
                outcome => outcome?,
            }
        }
    }
    Ok(())
}

/// The user of the path, by id or address.
async fn named(call: &Call) -> Result<Stored<User>, Problem> {
    call.find::<User>(call.name(0), None).await
}

async fn rows(call: &Call, users: &[Stored<User>]) -> Result<Vec<Row>, Problem> {
    let mut places: HashMap<UserId, Vec<Uuid>> = HashMap::new();
    for member in all::<Member>(call.store(), &call.whole()).await? {
        let place = member.home.workspace.map(EntityId::uuid);
        places.entry(member.entity.user).or_default().extend(place);
    }
    let row = |stored: &Stored<User>| Row {
        object: Object::User,
        id: stored.id.uuid(),
        first_name: stored.entity.first_name.clone(),
        last_name: stored.entity.last_name.clone(),
        role: stored.entity.role.as_str(),
        email: stored.entity.email.clone(),
        created_at: Timestamp(stored.created_at),
        last_updated_at: Timestamp(stored.updated_at),
        workspace_ids: places.get(&stored.id).cloned().unwrap_or_default(),
    };
    Ok(users.iter().map(row).collect())
}
