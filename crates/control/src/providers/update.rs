//! Changing a provider.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_store::Expected;
use tidegate_store::entity::{Backing, Provider, Stored};
use tidegate_store::id::EntityId;
use uuid::Uuid;

use super::create::no_mappings;
use crate::call::Call;
use crate::connection::{self, Entered, Input, Members, Pool};
use crate::find::{Place, named};
use crate::flag::Flag;
use crate::limits::{self, RateLimits, UsageLimits};
use crate::patch::Patch;
use crate::problem::Problem;
use crate::reply::{Answer, ok};
use crate::standing;
use crate::timestamp::Timestamp;
use crate::usage::Subject;

/// Of a virtual key as well.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Changes {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    note: Patch<String>,
    /// In place of all that were there.
    #[serde(default)]
    key: Patch<Entered>,
    /// In place of all that were there; one with the `id` of a stored credential keeps its key.
    #[serde(default)]
    credentials: Patch<Pool>,
    #[serde(default)]
    base_url: Patch<String>,
    #[serde(default)]
    usage_limits: Patch<UsageLimits>,
    #[serde(default)]
    rate_limits: Patch<RateLimits>,
    #[serde(default)]
    expires_at: Patch<Timestamp>,
    #[serde(default)]
    reset_usage: Option<Flag>,
    #[serde(default)]
    workspace_id: Option<String>,
    #[serde(default)]
    secret_mappings: Option<Vec<serde_json::Value>>,
    #[serde(flatten)]
    members: Members,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Changed<O> {
    id: Uuid,
    slug: String,
    /// What the caller should know: that a stored key was dropped, say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<&'static str>,
    object: O,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Object {
    Provider,
}

/// A key is never sent to another place than the one it was entered for.
pub(crate) const DROPPED: &str =
    "the address was changed, so the stored key was dropped: enter it again with `key`";

pub(crate) async fn update(call: Call, place: Place, body: Changes) -> Answer<Changed<Object>> {
    change(&call, &place, body, Object::Provider).await
}

/// # Errors
/// What is wrong with the body, or the provider is not there.
pub(crate) async fn change<O>(call: &Call, place: &Place, body: Changes, object: O) -> Answer<Changed<O>> {
    let wanted = body.workspace_id.as_deref().or(place.workspace_id.as_deref());
    let before: Stored<Provider> = named::<Provider>(call, wanted).await?;
    no_mappings(body.secret_mappings.as_deref())?;
    let limits = limits::Change::read(body.usage_limits, body.rate_limits, before.created_at)?;
    let has_own =
        !matches!((&body.key, &body.credentials, &body.base_url), (Patch::Keep, Patch::Keep, Patch::Keep));
    let own = match &before.entity.backing {
        Backing::Own(connection) => {
            let row = connection::row_of("provider", &connection.destination.provider)?;
            let input = Input {
                key: body.key,
                credentials: body.credentials,
                base_url: body.base_url,
                members: body.members,
                field: "",
            };
            let change = connection::Change::read(call, row, input)?;
            change.check(connection)?;
            Some(change)
        }
        Backing::Integration(_) if has_own => {
            let problem = "belongs to the integration behind this provider";
            return Err(Problem::field("key", problem, "a change of the integration"));
        }
        Backing::Integration(_) => None,
    };
    let is_reset = body.reset_usage.is_some_and(|flag| flag.0);
    if is_reset {
        standing::reset(call, &Subject::Provider(before.id))?;
    }
    let now = call.now();
    let change = |stored: &mut Provider| {
        if let Some(name) = &body.name {
            stored.name.clone_from(name);
        }
        body.note.clone().apply(&mut stored.note);
        body.expires_at.clone().map(|at| at.0).apply(&mut stored.expires_at);
        limits.apply(&mut stored.limits);
        if is_reset {
            stored.limits.usage_reset_at = Some(now);
        }
        match (&own, &mut stored.backing) {
            (Some(own), Backing::Own(connection)) => own.apply(connection, now),
            _ => Ok(()),
        }
    };
    let after = call.store().update(&call.by, &call.whole(), before.id, Expected::Latest, change).await?;
    let pool = |provider: &Provider| provider.connection().map_or(0, |own| own.credentials.len());
    let address = |provider: &Provider| provider.connection().map(|own| own.destination.clone());
    let moved = address(&before.entity) != address(&after.entity);
    let dropped = moved && pool(&before.entity) > 0 && pool(&after.entity) == 0;
    ok(Changed {
        id: after.id.uuid(),
        slug: after.entity.slug,
        warnings: if dropped { vec![DROPPED] } else { Vec::new() },
        object,
    })
}
