//! Which integration stands behind a provider, as its workspace may use it.

use tidegate_store::entity::{Grants, Integration, Stored};
use tidegate_store::id::{EntityId, IntegrationId, WorkspaceId};
use tidegate_store::{Scope, StoreError};

use crate::call::Call;
use crate::principal::found;
use crate::problem::Problem;

/// By id or slug; the workspace's own before one of the organisation's.
///
/// # Errors
/// 400 for one that is not there or not lent to the workspace: the two are told alike.
pub(crate) async fn integration_of(
    call: &Call,
    name: &str,
    workspace: WorkspaceId,
) -> Result<Stored<Integration>, Problem> {
    let known = look_up(call, name, workspace).await?;
    let usable = known.filter(|integration| match integration.home.workspace {
        Some(own) => own == workspace,
        None => Grants::of(&integration.entity.grants, workspace).is_some(),
    });
    usable.filter(|integration| !integration.entity.disabled).ok_or_else(|| {
        let expected = "the id or slug of an integration that the workspace may use";
        Problem::field("integration_id", "is not there", expected)
    })
}

async fn look_up(
    call: &Call,
    name: &str,
    workspace: WorkspaceId,
) -> Result<Option<Stored<Integration>>, StoreError> {
    let (store, whole) = (call.store(), call.whole());
    if let Some(id) = crate::find::id_of(name) {
        return found(store.get::<Integration>(&whole, IntegrationId::from_uuid(id)).await);
    }
    let own = Scope::Workspace(call.organisation, workspace);
    match found(store.by_slug::<Integration>(&own, name).await)? {
        Some(integration) => Ok(Some(integration)),
        None => found(store.by_slug::<Integration>(&whole, name).await),
    }
}
