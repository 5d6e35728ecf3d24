//! Logs: `/v1/logs`, over the records of requests.

pub(crate) mod filter;
pub(crate) mod marked;
mod row;
pub(crate) mod tail;
pub(crate) mod view;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_core::field::shown;
use tidegate_records::{Filter, Page, ReadError, Reader, RecordId, RequestRecord, log_object};
use tidegate_store::Home;
use tidegate_store::entity::{Organisation, Stored, Workspace};
use tidegate_store::id::{EntityId, WorkspaceId};

use crate::call::Call;
use crate::find::{Place, id_of};
use crate::listing::{ListWord, Paging};
use crate::principal::found;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::retention;
use filter::Asked;
use row::{Row, Whole};
use view::View;

/// Rows of a page.
const USUAL: u32 = 50;
const LARGEST: u32 = 500;
/// Rows that are read over to come to a page by its number.
const FURTHEST: usize = 10_000;
/// Records are counted up to here.
const COUNTED: u64 = 10_000;
/// Records of one read.
const AT_ONCE: usize = 1_000;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Query {
    #[serde(flatten)]
    asked: Asked,
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    place: Place,
    /// As `workspace_id`.
    workspace_slug: Option<String>,
    /// `next_cursor` of the page before. In place of `current_page`, for lists that grow meanwhile.
    cursor: Option<String>,
    #[expect(dead_code, reason = "there is one order: any other is refused when the query is read")]
    order_by: Option<Order>,
    #[expect(dead_code, reason = "likewise")]
    order_by_type: Option<Direction>,
}

/// Lists come in the order of time.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    CreatedAt,
}

/// The newest first.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Desc,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    object: ListWord,
    /// Up to 10,000: that many means that many or more.
    total: u64,
    has_more: bool,
    next_cursor: Option<String>,
    data: Vec<Row>,
}

/// Which logs are asked for, as far as the caller may see them.
#[derive(Debug)]
struct Chosen {
    workspace: Stored<Workspace>,
    view: View,
    filter: Filter,
}

/// # Errors
/// 400 naming the parameter, 403 and 404 as for any object of a workspace, 403 for a role that may not see them.
async fn chosen(call: &Call, asked: &Asked, named: Option<&str>) -> Result<Chosen, Problem> {
    let workspace = call.workspace(named).await?;
    call.authorize(Home::workspace(call.organisation, workspace.id))?;
    let view = View::of(call, &workspace).await?;
    let mut filter = asked.filter()?;
    view.allows(&filter)?;
    filter.organisation = vec![call.organisation.to_string()];
    filter.workspace = vec![workspace.id.to_string()];
    filter.key_owner = view.only_of.iter().cloned().collect();
    retention::hide(&mut filter, &workspace.entity, call.now());
    if let Some(marks) = asked.marks()? {
        marks.narrow(call, filter.from_ms, &mut filter).await?;
    }
    Ok(Chosen { workspace, view, filter })
}

pub(crate) async fn list(call: Call, query: Query, _: Nothing) -> Answer<Listed> {
    let named = query.place.workspace_id.as_deref().or(query.workspace_slug.as_deref());
    let Chosen { workspace, filter, .. } = chosen(&call, &query.asked, named).await?;
    let (skip, size) = query.paging.bounds(USUAL, LARGEST)?;
    if skip > FURTHEST {
        let expected = format!("rows up to {FURTHEST}; further on with cursor");
        return Err(Problem::field("current_page", "is too far", expected));
    }
    let before = match query.cursor.as_deref() {
        None => None,
        Some(text) => Some(text.parse::<RecordId>().map_err(|_| {
            Problem::field("cursor", format!("{} is none", shown(text)), "next_cursor of the page before")
        })?),
    };
    let Some(records) = &call.api.options.records else { return ok(Listed::nothing()) };
    let (total, page) = records
        .ask(move |reader| {
            let page = page(reader, &filter, before, skip, size)?;
            Ok((reader.count(&filter, COUNTED)?, page))
        })
        .await?;
    ok(Listed {
        object: ListWord::List,
        total,
        has_more: page.next.is_some(),
        next_cursor: page.next.map(|id| id.to_string()),
        data: page.rows.iter().map(|record| Row::of(record, &workspace.entity.slug)).collect(),
    })
}

pub(crate) async fn retrieve(call: Call, _: Place, _: Nothing) -> Answer<Whole> {
    let missing = || Problem::not_found("this log");
    let name = call.name(0);
    let id = RecordId::from_uuid(name).or_else(|_| name.parse::<RecordId>()).map_err(|_| missing())?;
    let records = call.api.options.records.as_ref().ok_or_else(missing)?;
    let found = records.ask(move |reader| reader.get(id)).await?.ok_or_else(missing)?;
    // Whose it is stands in the record, and is asked before anything of it is told.
    let workspace = home_of(&call, &found.record).await?.ok_or_else(missing)?;
    call.authorize(Home::workspace(call.organisation, workspace.id))?;
    let view = View::of(&call, &workspace).await?;
    let is_another = view.only_of.is_some_and(|person| *person != *found.record.who.key_owner);
    if is_another || id.unix_ms() < retention::since(&workspace.entity, call.now()) {
        return Err(missing());
    }
    let organisation = call.store().get::<Organisation>(&call.whole(), call.organisation).await?;
    let bodies = found.bodies.as_ref().filter(|_| view.bodies);
    let mut log = log_object(&found.record, bodies);
    log.metrics.workspace_slug.clone_from(&workspace.entity.slug);
    log.metrics.organisation_name = Some(organisation.entity.name);
    ok(Whole::of(log))
}

/// The workspace of a record of the caller's organisation, if it is there.
async fn home_of(call: &Call, record: &RequestRecord) -> Result<Option<Stored<Workspace>>, Problem> {
    if *record.who.organisation != *call.organisation.to_string() {
        return Ok(None);
    }
    let Some(id) = id_of(&record.who.workspace) else { return Ok(None) };
    Ok(found(call.store().get::<Workspace>(&call.whole(), WorkspaceId::from_uuid(id)).await)?)
}

fn page(
    reader: &mut dyn Reader,
    filter: &Filter,
    mut before: Option<RecordId>,
    mut skip: usize,
    size: usize,
) -> Result<Page<RequestRecord>, ReadError> {
    while skip > 0 {
        let over = reader.list(filter, before, skip.min(AT_ONCE))?;
        skip = skip.saturating_sub(over.rows.len());
        match over.next {
            Some(next) => before = Some(next),
            None => return Ok(Page::default()),
        }
    }
    reader.records(filter, before, size)
}

impl Listed {
    /// No records are kept.
    fn nothing() -> Self {
        Self { object: ListWord::List, total: 0, has_more: false, next_cursor: None, data: Vec::new() }
    }
}
