//! API keys: `/v1/api-keys`.

mod create;
mod power;
mod rotate;
mod row;
mod update;

pub(crate) use create::{create_organisation_service, create_workspace_service, create_workspace_user};
pub(crate) use power::scopes as scopes_of_words;
pub(crate) use rotate::rotate;
pub(crate) use row::Row;
pub(crate) use update::update;

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_store::Scope;
use tidegate_store::entity::{ApiKey, KeyOwner, Stored};
use tidegate_store::id::UserId;
use uuid::Uuid;

use crate::call::Call;
use crate::listing::{List, Paging, all, page};
use crate::principal::kind_of;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use row::Status;
use tidegate_store::id::EntityId;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    /// Id or slug: keys of this workspace only.
    workspace_id: Option<String>,
    /// `organisation-service`, `workspace-service` or `workspace-user`.
    r#type: Option<String>,
    /// Keys of this user only.
    user_id: Option<Uuid>,
    /// A part of the name, in any case.
    name: Option<String>,
    /// Revoked keys are listed only when they are asked for.
    status: Option<Status>,
}

/// Keys that the caller may list, newest first.
pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let scope = match filter.workspace_id.as_deref() {
        Some(named) if !named.is_empty() => {
            Scope::Workspace(call.organisation, call.workspace(Some(named)).await?.id)
        }
        _ => call.whole(),
    };
    let fits = |stored: &Stored<ApiKey>| {
        let key = &stored.entity;
        let status = Status::of(&call, stored);
        let name = || key.name.to_lowercase();
        may_touch(&call, stored)
            && filter.status.map_or(status != Status::Revoked, |wanted| status == wanted)
            && filter.r#type.as_ref().is_none_or(|word| kind_of(key, stored.home).word() == word)
            && filter.user_id.is_none_or(|id| owner(key).is_some_and(|user| user.uuid() == id))
            && filter.name.as_ref().is_none_or(|part| name().contains(&part.to_lowercase()))
    };
    let rows = all::<ApiKey>(call.store(), &scope).await?.into_iter().filter(fits).collect();
    let (total, rows) = page(filter.paging, rows)?;
    ok(List::new(total, Row::of_all(&call, &rows).await?))
}

pub(crate) async fn retrieve(call: Call, _: Nothing, _: Nothing) -> Answer<Row> {
    let key = named(&call).await?;
    let row = Row::of_all(&call, std::slice::from_ref(&key)).await?.pop();
    ok(row.ok_or_else(|| Problem::internal("a key without a row"))?)
}

/// Revokes it: it stays for those who read logs, and is not to be found here any more.
pub(crate) async fn delete(call: Call, _: Nothing, _: Nothing) -> Answer<Nothing> {
    let key = named(&call).await?;
    power::to_touch(&call, &key).await?;
    call.store().revoke_key(&call.by, &call.whole(), key.id).await?;
    done()
}

/// The key of the path, if the caller may do with it what the route is for and it was not revoked.
async fn named(call: &Call) -> Result<Stored<ApiKey>, Problem> {
    let missing = || Problem::not_found("this api key");
    // Keys have no slugs: other text names none.
    let id = call.name(0).parse().map_err(|_| missing())?;
    let key = call.store().get::<ApiKey>(&call.whole(), id).await.map_err(|error| match error {
        tidegate_store::StoreError::NotFound { .. } => missing(),
        error => error.into(),
    })?;
    call.authorize_key(key.home, kind_of(&key.entity, key.home), owner(&key.entity))?;
    if key.entity.revoked_at.is_some() { Err(missing()) } else { Ok(key) }
}

fn may_touch(call: &Call, key: &Stored<ApiKey>) -> bool {
    call.authorize_key(key.home, kind_of(&key.entity, key.home), owner(&key.entity)).is_ok()
}

fn owner(key: &ApiKey) -> Option<UserId> {
    match key.owner {
        KeyOwner::User { user } => Some(user),
        KeyOwner::Service => None,
    }
}
