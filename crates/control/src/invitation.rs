//! What happens when somebody follows an invitation.

use schemars::JsonSchema;
use serde::Serialize;
use tidegate_access::KeyKind;
use tidegate_store::audit::By;
use tidegate_store::entity::{
    ApiKey, KeyOwner, MadeBy, Member, OrganisationRole, Stored, User, WorkspaceRole,
};
use tidegate_store::id::{EntityId, OrganisationId, WorkspaceId};
use tidegate_store::{Home, Store, StoreError};
use uuid::Uuid;

use crate::disclose::Disclosed;
use crate::key_text;
use crate::problem::Problem;

/// A key that came with an invitation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NewKey {
    id: Uuid,
    workspace_id: Uuid,
    key: Disclosed,
}

/// Makes the user, the places in workspaces that are still there, and a key in each if that was said.
///
/// # Errors
/// 409 when there is a user of this address by now.
pub(crate) async fn accept(
    store: &Store,
    by: &By,
    organisation: OrganisationId,
    email: String,
    role: OrganisationRole,
    workspaces: Vec<(WorkspaceId, WorkspaceRole)>,
    key_scopes: Vec<String>,
) -> Result<(Stored<User>, Vec<NewKey>), Problem> {
    let user = User {
        email: email.clone(),
        first_name: String::new(),
        last_name: String::new(),
        role,
        identity: None,
        disabled: false,
    };
    let user = store.create(by, Home::organisation(organisation), user).await?;
    let mut keys = Vec::new();
    for (workspace, role) in workspaces {
        let home = Home::workspace(organisation, workspace);
        match store.create(by, home, Member::new(user.id, role)).await {
            // The workspace was removed since.
            Err(StoreError::NotFound { .. }) => continue,
            outcome => drop(outcome?),
        }
        if !key_scopes.is_empty() {
            let mut key = ApiKey::new(email.clone(), KeyOwner::User { user: user.id }, key_scopes.clone());
            key.made_by = MadeBy::Gateway;
            let text = key_text::make(KeyKind::WorkspaceUser)?;
            let made = store.create_key_as(by, home, key, &text).await?;
            keys.push(NewKey { id: made.id.uuid(), workspace_id: workspace.uuid(), key: Disclosed(text) });
        }
    }
    Ok((user, keys))
}
