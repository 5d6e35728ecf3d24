//! Limits for whatever matches their conditions: `/v1/policies`.

mod amount;
mod entities;
mod rate_limits;
pub mod rule;
mod usage_limits;

pub(crate) use entities::{list as list_entities, reset as reset_entity};
pub(crate) use rate_limits::{
    create as create_rate_limit, delete as delete_rate_limit, list as list_rate_limits,
    retrieve as retrieve_rate_limit, update as update_rate_limit,
};
pub(crate) use usage_limits::{
    create as create_usage_limit, delete as delete_usage_limit, list as list_usage_limits,
    retrieve as retrieve_usage_limit, update as update_usage_limit,
};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tidegate_access::Reach;
use tidegate_store::entity::{Policy, PolicyKind, PolicyState, Stored};
use tidegate_store::id::{EntityId, PolicyId};
use tidegate_store::{Expected, Home, Scope};
use uuid::Uuid;

use crate::call::Call;
use crate::find::id_of;
use crate::listing::all;
use crate::patch::Patch;
use crate::principal::found;
use crate::problem::Problem;
use crate::timestamp::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Archived,
}

/// What all policies have in common.
#[derive(Debug, Serialize, JsonSchema)]
struct Core {
    id: Uuid,
    name: String,
    description: Option<String>,
    organisation_id: Uuid,
    /// Null for one that holds in all workspaces.
    workspace_id: Option<Uuid>,
    status: Status,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    object: Object,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    Policy,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Created {
    id: Uuid,
    object: Object,
}

impl Core {
    fn of(stored: &Stored<Policy>) -> Self {
        Self {
            id: stored.id.uuid(),
            name: stored.entity.name.clone(),
            description: stored.entity.description.clone(),
            organisation_id: stored.home.organisation.uuid(),
            workspace_id: stored.home.workspace.map(EntityId::uuid),
            status: Status::of(stored.entity.state),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            object: Object::Policy,
        }
    }
}

impl Status {
    fn of(state: PolicyState) -> Self {
        match state {
            PolicyState::Active => Self::Active,
            PolicyState::Archived => Self::Archived,
        }
    }

    fn state(self) -> PolicyState {
        match self {
            Self::Active => PolicyState::Active,
            Self::Archived => PolicyState::Archived,
        }
    }
}

/// Where a new policy holds: in the workspace that is named, or the caller's; else in all of the organisation.
async fn home(call: &Call, workspace: Option<&str>) -> Result<Home, Problem> {
    match (&call.principal.reach, workspace.filter(|id| !id.is_empty())) {
        (Reach::Organisation(_), None) => {
            let home = Home::organisation(call.organisation);
            call.authorize(home)?;
            Ok(home)
        }
        (_, named) => call.home(named).await,
    }
}

/// Stores a new one.
async fn made<R: Serialize>(
    call: &Call,
    home: Home,
    name: String,
    description: Option<String>,
    kind: PolicyKind,
    rule: &R,
) -> Result<Created, Problem> {
    let policy = Policy { name, description, kind, state: PolicyState::Active, rule: json(rule)? };
    let made = call.store().create(&call.by, home, policy).await?;
    Ok(Created { id: made.id.uuid(), object: Object::Policy })
}

/// What every policy may have changed, beside its rule.
struct Changed<'a> {
    name: Option<&'a String>,
    description: Patch<String>,
    status: Option<Status>,
}

/// Stores another rule, made from this version: another change in between is not to be lost.
async fn changed<R: Serialize>(
    call: &Call,
    policy: &Stored<Policy>,
    rule: &R,
    with: Changed<'_>,
) -> Result<(), Problem> {
    let rule = json(rule)?;
    let change = |stored: &mut Policy| {
        if let Some(name) = with.name {
            stored.name.clone_from(name);
        }
        with.description.clone().apply(&mut stored.description);
        if let Some(status) = with.status {
            stored.state = status.state();
        }
        stored.rule.clone_from(&rule);
        Ok(())
    };
    let expected = Expected::Version(policy.version);
    call.store().update(&call.by, &call.whole(), policy.id, expected, change).await?;
    Ok(())
}

/// The policy of the path, if it is of the kind.
async fn named(call: &Call, kind: PolicyKind) -> Result<Stored<Policy>, Problem> {
    let missing = || Problem::not_found("this policy");
    let id = id_of(call.name(0)).ok_or_else(missing)?;
    let policy = found(call.store().get::<Policy>(&call.whole(), PolicyId::from_uuid(id)).await)?;
    let policy = policy.filter(|policy| policy.entity.kind == kind).ok_or_else(missing)?;
    call.authorize(policy.home)?;
    Ok(policy)
}

/// Those of a workspace, or all that the caller reaches; active ones unless said otherwise.
async fn listed(
    call: &Call,
    workspace: Option<&str>,
    kind: PolicyKind,
    status: Option<Status>,
) -> Result<Vec<Stored<Policy>>, Problem> {
    let scope = match (&call.principal.reach, workspace.filter(|id| !id.is_empty())) {
        (Reach::Organisation(_), None) => {
            call.authorize(Home::organisation(call.organisation))?;
            call.whole()
        }
        (_, named) => {
            let workspace = call.home(named).await?.workspace;
            let workspace = workspace.ok_or_else(|| Problem::internal("a home outside of any workspace"))?;
            Scope::Workspace(call.organisation, workspace)
        }
    };
    let state = status.unwrap_or(Status::Active).state();
    let mut rows = all::<Policy>(call.store(), &scope).await?;
    rows.retain(|policy| policy.entity.kind == kind && policy.entity.state == state);
    Ok(rows)
}

/// A policy that is removed stays in the archive: its past use stays explained.
async fn archive(call: &Call, kind: PolicyKind) -> Result<(), Problem> {
    let policy = named(call, kind).await?;
    let change = |stored: &mut Policy| {
        stored.state = PolicyState::Archived;
        Ok(())
    };
    let action = tidegate_store::Action::Delete;
    call.store().update_as(action, &call.by, &call.whole(), policy.id, Expected::Latest, change).await?;
    Ok(())
}

fn json<R: Serialize>(rule: &R) -> Result<serde_json::Value, Problem> {
    serde_json::to_value(rule)
        .map_err(|error| Problem::internal(format!("a rule cannot be written: {error}")))
}

fn rule_of<R: DeserializeOwned>(stored: &Stored<Policy>) -> Result<R, Problem> {
    serde_json::from_value(stored.entity.rule.clone()).map_err(|error| {
        Problem::internal(format!("the rule of policy {} cannot be read: {error}", stored.id))
    })
}

/// What is part of a policy's identity stays.
fn unchanged<T: PartialEq>(field: &str, sent: Option<&T>, stored: &T) -> Result<(), Problem> {
    match sent {
        Some(sent) if sent != stored => {
            Err(Problem::field(field, "cannot be changed", "the stored value, or a new policy"))
        }
        _ => Ok(()),
    }
}
