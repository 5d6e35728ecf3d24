//! Integrations, which hold a provider's credentials for several workspaces, or for one: `/v1/integrations`.

mod change;
mod find;
mod lent;
mod models;
mod prices;
mod row;

pub(crate) use change::{create, update};
pub(crate) use lent::{lend, list as workspaces};
pub(crate) use models::{allow, forget, list as models};

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_store::entity::{Backing, Integration, Provider};
use tidegate_store::id::{EntityId, WorkspaceId};
use tidegate_store::{Expected, Home};

use crate::call::Call;
use crate::find::{InBody, Place};
use crate::listing::{List, Paging, all, page};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use find::{is_lent_to, named};
use row::{Row, Type, Whole};

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    place: Place,
    r#type: Option<Wanted>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Wanted {
    Workspace,
    Organisation,
    All,
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    // All that the caller may list: its workspaces' own, and of the organisation's those that they may use.
    let workspace: Option<WorkspaceId> =
        match filter.place.workspace_id.as_deref().filter(|id| !id.is_empty()) {
            Some(named) => Some(call.home(Some(named)).await?.workspace).flatten(),
            None => None,
        };
    let mut rows = all::<Integration>(call.store(), &call.whole()).await?;
    rows.retain(|integration| {
        let kind = match filter.r#type.unwrap_or(Wanted::All) {
            Wanted::All => true,
            Wanted::Organisation => integration.home.workspace.is_none(),
            Wanted::Workspace => integration.home.workspace.is_some(),
        };
        let place = workspace.is_none_or(|workspace| is_lent_to(integration, workspace));
        kind && place && find::may_see(&call, integration) && call.authorize(integration.home).is_ok()
    });
    let (total, rows) = page(filter.paging, rows)?;
    ok(List::new(total, rows.iter().map(Row::of).collect()))
}

pub(crate) async fn retrieve(call: Call, place: Place, _: Nothing) -> Answer<Whole> {
    let integration = named(&call, place.workspace_id.as_deref()).await?;
    ok(Whole::of(&call, &integration).await?)
}

pub(crate) async fn delete(call: Call, place: Place, body: InBody) -> Answer<Nothing> {
    let integration = named(&call, body.or(&place)).await?;
    let behind = Backing::Integration(integration.id);
    let providers = all::<Provider>(call.store(), &call.whole()).await?;
    if let Some(provider) = providers.iter().find(|provider| provider.entity.backing == behind) {
        let slug = &provider.entity.slug;
        let message = format!("providers are made from this integration, such as {slug}: remove them first");
        return Err(Problem::conflict(message));
    }
    call.store().delete::<Integration>(&call.by, &call.whole(), integration.id, Expected::Latest).await?;
    done()
}

/// Of the organisation, or of a workspace.
fn type_of(home: Home) -> Type {
    if home.workspace.is_some() { Type::Workspace } else { Type::Organisation }
}

fn uuid<I: EntityId>(id: Option<I>) -> Option<uuid::Uuid> {
    id.map(EntityId::uuid)
}
