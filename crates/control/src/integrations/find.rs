//! An integration by the name in the path: a workspace's own before one of the organisation's.

use tidegate_access::Reach;
use tidegate_store::entity::{Grants, Integration, Stored, Workspace};
use tidegate_store::id::{EntityId, IntegrationId, WorkspaceId};
use tidegate_store::{Scope, StoreError};

use crate::call::Call;
use crate::find::id_of;
use crate::listing::all;
use crate::principal::found;
use crate::problem::Problem;

/// # Errors
/// 404 for what is not there or not the caller's, 403 for what the caller may see and not touch.
pub(super) async fn named(call: &Call, workspace: Option<&str>) -> Result<Stored<Integration>, Problem> {
    let named = workspace.filter(|text| !text.is_empty());
    let hit = match id_of(call.name(0)) {
        Some(id) => {
            let id = IntegrationId::from_uuid(id);
            found(call.store().get::<Integration>(&call.whole(), id).await)?
        }
        None => by_slug(call, named).await?,
    };
    let integration = hit.filter(|integration| may_see(call, integration));
    let integration = integration.ok_or_else(|| Problem::not_found("this integration"))?;
    call.authorize(integration.home)?;
    Ok(integration)
}

async fn by_slug(call: &Call, workspace: Option<&str>) -> Result<Option<Stored<Integration>>, Problem> {
    let in_place = match (&call.principal.reach, workspace) {
        (Reach::Organisation(_), None) => None,
        (Reach::Workspaces(places), None) if places.len() != 1 => None,
        (_, named) => Some(call.workspace(named).await?.id),
    };
    if let Some(workspace) = in_place
        && let Some(own) = at(call, &Scope::Workspace(call.organisation, workspace)).await?
    {
        return Ok(Some(own));
    }
    if let Some(shared) = at(call, &call.whole()).await? {
        return Ok(Some(shared));
    }
    if in_place.is_some() {
        return Ok(None);
    }
    let mut hits = Vec::new();
    for workspace in all::<Workspace>(call.store(), &call.whole()).await? {
        let own = at(call, &Scope::Workspace(call.organisation, workspace.id)).await?;
        hits.extend(own.filter(|own| may_see(call, own)));
    }
    let hit = hits.pop();
    if !hits.is_empty() {
        let problem = "is missing, and several workspaces have this slug";
        return Err(Problem::field("workspace_id", problem, "the id or slug of a workspace"));
    }
    Ok(hit)
}

async fn at(call: &Call, scope: &Scope) -> Result<Option<Stored<Integration>>, StoreError> {
    found(call.store().by_slug::<Integration>(scope, call.name(0)).await)
}

/// Whether a workspace may use it.
pub(super) fn is_lent_to(integration: &Stored<Integration>, workspace: WorkspaceId) -> bool {
    match integration.home.workspace {
        Some(own) => own == workspace,
        None => Grants::of(&integration.entity.grants, workspace).is_some(),
    }
}

/// Whether the caller may know that it exists: from a workspace, what the workspace may use.
pub(super) fn may_see(call: &Call, integration: &Stored<Integration>) -> bool {
    match &call.principal.reach {
        Reach::Organisation(_) => true,
        Reach::Workspaces(places) => places.iter().any(|place| {
            let id = place.workspace.id.text().parse::<WorkspaceId>();
            id.is_ok_and(|id| is_lent_to(integration, id))
        }),
    }
}
