//! Removing a workspace, and all that is in it.

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_store::entity::{
    AlertRule, ApiKey, Config, Entity, Integration, LogExport, Member, Policy, PolicyState, Provider,
    SavedView, Stored, Workspace,
};
use tidegate_store::{Expected, StoreError};

use super::{named, within};
use crate::call::Call;
use crate::flag::Flag;
use crate::listing::all;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Remove {
    /// The workspace's name, for those who want to be sure.
    #[serde(default)]
    name: Option<String>,
    /// With all that is in it.
    #[serde(default)]
    force_delete: Option<Flag>,
}

pub(crate) async fn delete(call: Call, _: Nothing, body: Remove) -> Answer<Nothing> {
    let workspace = named(&call).await?;
    if workspace.entity.is_default {
        return Err(Problem::conflict("the default workspace cannot be deleted"));
    }
    if body.name.as_ref().is_some_and(|name| *name != workspace.entity.name) {
        let expected = format!("{:?}, the name of this workspace", workspace.entity.name);
        return Err(Problem::field("name", "is another one", expected));
    }
    let is_forced = body.force_delete == Some(Flag(true));
    if !is_forced && let Some(kind) = in_use(&call, &workspace).await? {
        let message = format!(
            "workspace {} still has objects of its own, such as {kind}; delete them, or send force_delete: true",
            workspace.entity.slug
        );
        return Err(Problem::conflict(message));
    }
    // Providers before what they are made from. What is left of revoked keys goes too.
    clear::<ApiKey>(&call, &workspace).await?;
    clear::<Provider>(&call, &workspace).await?;
    clear::<Integration>(&call, &workspace).await?;
    clear::<Config>(&call, &workspace).await?;
    clear::<Policy>(&call, &workspace).await?;
    clear::<AlertRule>(&call, &workspace).await?;
    clear::<SavedView>(&call, &workspace).await?;
    clear::<LogExport>(&call, &workspace).await?;
    clear::<Member>(&call, &workspace).await?;
    // Whatever came in the meantime is noticed by the store: 409.
    call.store().delete::<Workspace>(&call.by, &call.whole(), workspace.id, Expected::Latest).await?;
    done()
}

/// A kind of which something in use is left.
async fn in_use(call: &Call, workspace: &Stored<Workspace>) -> Result<Option<&'static str>, Problem> {
    let (store, scope) = (call.store(), within(workspace));
    let is_live = |key: &Stored<ApiKey>| key.entity.revoked_at.is_none();
    let is_active = |policy: &Stored<Policy>| policy.entity.state == PolicyState::Active;
    Ok(if all::<ApiKey>(store, &scope).await?.iter().any(is_live) {
        Some("api keys")
    } else if !all::<Provider>(store, &scope).await?.is_empty() {
        Some("providers")
    } else if !all::<Integration>(store, &scope).await?.is_empty() {
        Some("integrations")
    } else if !all::<Config>(store, &scope).await?.is_empty() {
        Some("configs")
    } else if all::<Policy>(store, &scope).await?.iter().any(is_active) {
        Some("policies")
    } else {
        None
    })
}

async fn clear<E: Entity>(call: &Call, workspace: &Stored<Workspace>) -> Result<(), Problem> {
    let scope = within(workspace);
    for stored in all::<E>(call.store(), &scope).await? {
        match call.store().delete::<E>(&call.by, &scope, stored.id, Expected::Latest).await {
            // Somebody else was faster.
            Err(StoreError::NotFound { .. }) => {}
            outcome => outcome?,
        }
    }
    Ok(())
}
