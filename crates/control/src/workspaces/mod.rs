//! Workspaces: `/v1/admin/workspaces`.

mod change;
mod remove;
mod row;

pub(crate) use change::{create, update};
pub(crate) use remove::delete;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_store::entity::{Stored, Workspace, WorkspaceState};
use tidegate_store::{Home, Scope};

use crate::call::Call;
use crate::listing::{List, Paging, all, page};
use crate::members;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use row::Row;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    /// A part of the name, in any case.
    name: Option<String>,
    exact_name: Option<String>,
    status: Option<Status>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Archived,
}

/// A workspace with the people in it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whole {
    #[serde(flatten)]
    row: Row,
    users: Vec<members::Row>,
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let wanted = filter.status.map(|status| match status {
        Status::Active => WorkspaceState::Active,
        Status::Archived => WorkspaceState::Archived,
    });
    let fits = |stored: &Stored<Workspace>| {
        let name = &stored.entity.name;
        call.reaches(stored.id)
            && wanted.is_none_or(|state| stored.entity.state == state)
            && filter.exact_name.as_ref().is_none_or(|wanted| name == wanted)
            && filter.name.as_ref().is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
    };
    let rows = all::<Workspace>(call.store(), &call.whole()).await?.into_iter().filter(fits).collect();
    let (total, rows) = page(filter.paging.clone(), rows)?;
    ok(List::new(total, rows.iter().map(|row| Row::of(&call, row)).collect()))
}

pub(crate) async fn retrieve(call: Call, _: Nothing, _: Nothing) -> Answer<Whole> {
    let workspace = named(&call).await?;
    let users = members::rows(&call, &workspace).await?;
    ok(Whole { row: Row::of(&call, &workspace), users })
}

/// The workspace of the path, if the caller may do there what the route is for.
pub(crate) async fn named(call: &Call) -> Result<Stored<Workspace>, Problem> {
    let workspace = call.look_up::<Workspace>(&call.whole(), call.name(0)).await?;
    call.authorize(Home::workspace(call.organisation, workspace.id))?;
    Ok(workspace)
}

/// All of a workspace.
pub(crate) fn within(workspace: &Stored<Workspace>) -> Scope {
    Scope::Workspace(workspace.home.organisation, workspace.id)
}
