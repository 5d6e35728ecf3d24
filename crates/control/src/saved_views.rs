//! Saved views of the console's pages: `/v1/saved-views`. A view is its owner's; one that is shared is seen by everybody of
//! the workspace, and changed by its owner and by those who may change the workspace's policies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_access::{Permission, Scope as Right};
use tidegate_store::entity::{SavedView, Stored, ViewPage};
use tidegate_store::id::{EntityId, SavedViewId};
use tidegate_store::{Expected, Scope};
use uuid::Uuid;

use crate::call::Call;
use crate::find::{Place, id_of};
use crate::listing::{List, Paging, all, page};
use crate::principal::found;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use crate::timestamp::Timestamp;

/// Of one workspace.
const MOST: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PageWord {
    Logs,
    Analytics,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: String,
    page: PageWord,
    /// Below the page: `errors` for the errors of analytics. The page itself unless said otherwise.
    #[serde(default)]
    tab: String,
    /// The page's query string without `?`, 4,096 bytes at most.
    query: String,
    /// False unless said otherwise.
    #[serde(default)]
    shared: bool,
    #[serde(default)]
    workspace_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    tab: Option<String>,
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    shared: Option<bool>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    place: Place,
    page: Option<PageWord>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    name: String,
    page: PageWord,
    tab: String,
    query: String,
    shared: bool,
    /// The id of the person or the API key that made it.
    owner: String,
    /// The caller may change and delete it.
    editable: bool,
    workspace_id: Option<Uuid>,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    object: Object,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Object {
    SavedView,
}

pub(crate) async fn create(call: Call, place: Place, body: Create) -> Answer<Row> {
    let home = call.home(body.workspace_id.as_deref().or(place.workspace_id.as_deref())).await?;
    let workspace = home.workspace.ok_or_else(|| Problem::internal("a home outside of any workspace"))?;
    let scope = Scope::Workspace(call.organisation, workspace);
    if all::<SavedView>(call.store(), &scope).await?.len() >= MOST {
        return Err(Problem::conflict(format!("the workspace has {MOST} saved views; delete one")));
    }
    let view = SavedView {
        name: body.name,
        page: body.page.stored(),
        tab: body.tab,
        query: body.query,
        shared: body.shared,
        owner: call.maker(),
    };
    let made = call.store().create(&call.by, home, view).await?;
    ok(Row::of(&call, &made))
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let home = call.home(filter.place.workspace_id.as_deref()).await?;
    let workspace = home.workspace.ok_or_else(|| Problem::internal("a home outside of any workspace"))?;
    let scope = Scope::Workspace(call.organisation, workspace);
    let mut views = all::<SavedView>(call.store(), &scope).await?;
    views.retain(|view| {
        is_seen(&call, view) && filter.page.is_none_or(|page| page.stored() == view.entity.page)
    });
    let (total, views) = page(filter.paging, views)?;
    ok(List::new(total, views.iter().map(|view| Row::of(&call, view)).collect()))
}

pub(crate) async fn retrieve(call: Call, _: Nothing, _: Nothing) -> Answer<Row> {
    ok(Row::of(&call, &named(&call).await?))
}

pub(crate) async fn update(call: Call, _: Nothing, body: Update) -> Answer<Row> {
    let view = changeable(&call).await?;
    let change = |stored: &mut SavedView| {
        let texts =
            [(&body.name, &mut stored.name), (&body.tab, &mut stored.tab), (&body.query, &mut stored.query)];
        for (new, member) in texts {
            if let Some(new) = new {
                member.clone_from(new);
            }
        }
        stored.shared = body.shared.unwrap_or(stored.shared);
        Ok(())
    };
    let changed = call.store().update(&call.by, &call.whole(), view.id, Expected::Latest, change).await?;
    ok(Row::of(&call, &changed))
}

pub(crate) async fn delete(call: Call, _: Nothing, _: Nothing) -> Answer<Nothing> {
    let view = changeable(&call).await?;
    call.store().delete::<SavedView>(&call.by, &call.whole(), view.id, Expected::Latest).await?;
    done()
}

/// The view of the path. One that is somebody else's own is not there.
async fn named(call: &Call) -> Result<Stored<SavedView>, Problem> {
    let missing = || Problem::not_found("this saved view");
    let id = id_of(call.name(0)).ok_or_else(missing)?;
    let view = found(call.store().get::<SavedView>(&call.whole(), SavedViewId::from_uuid(id)).await)?;
    let view = view.ok_or_else(missing)?;
    call.authorize(view.home)?;
    if is_seen(call, &view) { Ok(view) } else { Err(missing()) }
}

async fn changeable(call: &Call) -> Result<Stored<SavedView>, Problem> {
    let view = named(call).await?;
    if may_change(call, &view) {
        return Ok(view);
    }
    Err(Problem::forbidden("this view is shared by somebody else: save one of your own"))
}

fn is_seen(call: &Call, view: &Stored<SavedView>) -> bool {
    view.entity.shared || view.entity.owner == call.maker()
}

fn may_change(call: &Call, view: &Stored<SavedView>) -> bool {
    view.entity.owner == call.maker()
        || call.authorize_for(Permission::Needs(Right::PoliciesUpdate), view.home, None).is_ok()
}

impl PageWord {
    fn of(page: ViewPage) -> Self {
        match page {
            ViewPage::Logs => Self::Logs,
            ViewPage::Analytics => Self::Analytics,
        }
    }

    fn stored(self) -> ViewPage {
        match self {
            Self::Logs => ViewPage::Logs,
            Self::Analytics => ViewPage::Analytics,
        }
    }
}

impl Row {
    fn of(call: &Call, stored: &Stored<SavedView>) -> Self {
        let view = &stored.entity;
        Self {
            id: stored.id.uuid(),
            name: view.name.clone(),
            page: PageWord::of(view.page),
            tab: view.tab.clone(),
            query: view.query.clone(),
            shared: view.shared,
            owner: view.owner.clone(),
            editable: may_change(call, stored),
            workspace_id: stored.home.workspace.map(EntityId::uuid),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            object: Object::SavedView,
        }
    }
}
