//! Providers of a workspace, which is what `@slug` names: `/v1/providers`. Virtual keys are the same objects.

mod backing;
mod create;
pub(crate) mod health;
mod row;
mod update;

pub(crate) use backing::integration_of;
pub(crate) use create::{Create, Wanted, create, make, no_mappings, slug_for};
pub(crate) use update::{Changed, Changes, DROPPED, change, update};

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_store::entity::{Provider, Stored};
use tidegate_store::{Expected, Scope};

use crate::call::Call;
use crate::find::{InBody, Place, named};
use crate::listing::{List, Paging, all};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use row::{Row, Whole};

/// Rows of a page unless said otherwise.
const USUAL: u32 = 50;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    place: Place,
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let (total, providers) = listed(&call, filter).await?;
    let mut rows = Vec::with_capacity(providers.len());
    for provider in &providers {
        rows.push(Row::of(&call, provider).await?);
    }
    ok(List::new(total, rows))
}

pub(crate) async fn retrieve(call: Call, place: Place, _: Nothing) -> Answer<Whole> {
    let provider = named::<Provider>(&call, place.workspace_id.as_deref()).await?;
    ok(Whole::of(&call, &provider).await?)
}

pub(crate) async fn delete(call: Call, place: Place, body: InBody) -> Answer<Nothing> {
    let provider = named::<Provider>(&call, body.or(&place)).await?;
    call.store().delete::<Provider>(&call.by, &call.whole(), provider.id, Expected::Latest).await?;
    done()
}

/// A page of a workspace's providers.
///
/// # Errors
/// What [`Call::home`] says, 400 for a page out of bounds, the database's.
pub(crate) async fn listed(call: &Call, filter: Filter) -> Result<(usize, Vec<Stored<Provider>>), Problem> {
    let workspace = call.home(filter.place.workspace_id.as_deref()).await?.workspace;
    let workspace =
        workspace.ok_or_else(|| Problem::internal("a list of providers outside of any workspace"))?;
    let rows = all::<Provider>(call.store(), &Scope::Workspace(call.organisation, workspace)).await?;
    let (skip, size) = filter.paging.bounds(USUAL, Paging::LARGEST)?;
    Ok((rows.len(), rows.into_iter().skip(skip).take(size).collect()))
}
