//! Workspaces: `/v1/admin/workspaces`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_store::Home;
use tidegate_store::entity::{Stored, Workspace};
use uuid::Uuid;

use crate::call::Call;
use crate::limits::{self, RateLimit, UsageLimit};
use crate::listing::{List, Paging, all, page};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;
use tidegate_store::id::EntityId;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    /// A part of the name, in any case.
    name: Option<String>,
    exact_name: Option<String>,
}

/// A workspace as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    slug: String,
    name: String,
    description: Option<String>,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    is_default: u8,
    defaults: Map<String, Value>,
    usage_limits: Vec<UsageLimit>,
    rate_limits: Vec<RateLimit>,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    Workspace,
}

impl Row {
    fn of(stored: &Stored<Workspace>) -> Self {
        let workspace = &stored.entity;
        Self {
            id: stored.id.uuid(),
            slug: workspace.slug.clone(),
            name: workspace.name.clone(),
            description: workspace.description.clone(),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            is_default: u8::from(workspace.is_default),
            defaults: workspace.defaults.clone(),
            usage_limits: limits::usage(&workspace.limits),
            rate_limits: limits::rates(&workspace.limits),
            object: Object::Workspace,
        }
    }
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let rows = all::<Workspace>(call.store(), &call.whole()).await?;
    let fits = |stored: &Stored<Workspace>| {
        let name = &stored.entity.name;
        call.reaches(stored.id)
            && filter.exact_name.as_ref().is_none_or(|wanted| name == wanted)
            && filter.name.as_ref().is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
    };
    let rows = rows.into_iter().filter(fits).collect();
    let (total, rows) = page(filter.paging, rows)?;
    ok(List::new(total, rows.iter().map(Row::of).collect()))
}

pub(crate) async fn retrieve(call: Call, _: Nothing, _: Nothing) -> Answer<Row> {
    ok(Row::of(&named(&call).await?))
}

/// The workspace of the path, if the caller may do there what the route is for.
async fn named(call: &Call) -> Result<Stored<Workspace>, Problem> {
    let workspace = call.look_up::<Workspace>(&call.whole(), call.name(0)).await?;
    call.authorize(Home::workspace(call.organisation, workspace.id))?;
    Ok(workspace)
}
