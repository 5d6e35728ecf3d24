//! Making keys. The reply is the only one that has the text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_access::KeyKind;
use tidegate_store::entity::{ApiKey, KeyOwner, MadeBy, Member, OrganisationRole, User};
use tidegate_store::id::{EntityId, UserId, WorkspaceId};
use tidegate_store::{Home, Scope};
use uuid::Uuid;

use super::power;
use super::row::Object;
use super::update::{Defaults, Rotation, Settings};
use crate::call::Call;
use crate::disclose::Disclosed;
use crate::key_text;
use crate::limits::{RateLimits, UsageLimits};
use crate::patch::Patch;
use crate::principal::found;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: String,
    scopes: Vec<String>,
    /// Id or slug. A caller with one workspace need not say it.
    #[serde(default)]
    workspace_id: Option<String>,
    /// Of a member of the workspace, for a user's key. Whoever is somebody need not say it.
    #[serde(default)]
    user_id: Option<Uuid>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    rate_limits: Patch<RateLimits>,
    #[serde(default)]
    usage_limits: Patch<UsageLimits>,
    #[serde(default)]
    defaults: Patch<Defaults>,
    #[serde(default)]
    alert_emails: Patch<Vec<String>>,
    #[serde(default)]
    expires_at: Patch<Timestamp>,
    #[serde(default)]
    rotation_policy: Patch<Rotation>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Created {
    id: Uuid,
    /// The whole key. It is not shown again.
    key: Disclosed,
    object: Object,
}

pub(crate) async fn create_organisation_service(call: Call, _: Nothing, body: Create) -> Answer<Created> {
    let home = Home::organisation(call.organisation);
    create(call, body, home, KeyKind::OrganisationService, KeyOwner::Service).await
}

pub(crate) async fn create_workspace_service(call: Call, _: Nothing, body: Create) -> Answer<Created> {
    let home = call.home(body.workspace_id.as_deref()).await?;
    create(call, body, home, KeyKind::WorkspaceService, KeyOwner::Service).await
}

pub(crate) async fn create_workspace_user(call: Call, _: Nothing, body: Create) -> Answer<Created> {
    let workspace = call.workspace(body.workspace_id.as_deref()).await?;
    let home = Home::workspace(call.organisation, workspace.id);
    let user = body.user_id.map(UserId::from_uuid).or(call.user());
    let expected = "the id of a member of the workspace";
    let user = user.ok_or_else(|| Problem::field("user_id", "is missing", expected))?;
    call.authorize_key(home, KeyKind::WorkspaceUser, Some(user))?;
    if !is_in(&call, user, workspace.id).await? {
        return Err(Problem::field("user_id", "is not a member of the workspace", expected));
    }
    create(call, body, home, KeyKind::WorkspaceUser, KeyOwner::User { user }).await
}

async fn create(call: Call, body: Create, home: Home, kind: KeyKind, owner: KeyOwner) -> Answer<Created> {
    let user = match owner {
        KeyOwner::User { user } => Some(user),
        KeyOwner::Service => None,
    };
    call.authorize_key(home, kind, user)?;
    power::to_give(&call, home, kind, power::scopes(&body.scopes)?)?;
    let mut key = ApiKey::new(body.name, owner, body.scopes);
    key.made_by = if call.session.is_some() { MadeBy::Console } else { MadeBy::Api };
    let settings = Settings {
        description: body.description,
        rate_limits: body.rate_limits,
        usage_limits: body.usage_limits,
        defaults: body.defaults,
        alert_emails: body.alert_emails,
        expires_at: body.expires_at,
        rotation_policy: body.rotation_policy,
    };
    settings.read(&call, home, call.now()).await?.apply(&mut key);
    let text = key_text::make(kind)?;
    let made = call.store().create_key_as(&call.by, home, key, &text).await?;
    ok(Created { id: made.id.uuid(), key: Disclosed(text), object: Object::ApiKey })
}

/// Whether a user is in a workspace: as its member, or as somebody who is in all.
async fn is_in(call: &Call, user: UserId, workspace: WorkspaceId) -> Result<bool, Problem> {
    let Some(user) = found(call.store().get::<User>(&call.whole(), user).await)? else { return Ok(false) };
    if user.entity.role != OrganisationRole::Member {
        return Ok(true);
    }
    let scope = Scope::Workspace(call.organisation, workspace);
    Ok(found(call.store().by_slug::<Member>(&scope, &user.id.to_string()).await)?.is_some())
}
