//! Traces: `/v1/traces`, over the records of requests and what programs told about them.

mod page;
pub(crate) mod same;
pub(crate) mod sessions;
mod tree;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_core::field::shown;
use tidegate_records::traces::{BookError, Feedback, Place as Told};
use tidegate_records::{Filter, ReadError, Reader, RecordId};
use tidegate_store::Home;
use tidegate_store::entity::{Stored, Workspace};

use crate::call::Call;
use crate::find::Place;
use crate::listing::{Count, ListWord};
use crate::logs::filter::{metadata, names, time};
use crate::logs::view::View;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::retention;
use crate::timestamp::Timestamp;
use page::{Wanted, Whole, page};
use tree::{Node, Summary};

/// Traces of a page.
const USUAL: u32 = 25;
const LARGEST: u32 = 100;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Query {
    /// RFC 3339.
    time_of_generation_min: Option<String>,
    time_of_generation_max: Option<String>,
    /// The users that metadata names, with commas between them.
    user: Option<String>,
    /// The sessions that requests or spans name, with commas between them.
    session: Option<String>,
    /// A JSON object of texts.
    metadata: Option<String>,
    /// 25 unless said otherwise; 100 at most.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    page_size: Count,
    /// `next` of the page before.
    before: Option<String>,
    #[serde(flatten)]
    place: Place,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    object: ListWord,
    /// The one with the latest call or span first. A page may be short where traces are rare among many records.
    data: Vec<Row>,
    /// For `before`; null: there are no more.
    next: Option<String>,
}

/// A trace in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    #[serde(flatten)]
    summary: Summary,
    /// Nodes of its tree.
    spans: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TraceObject {
    object: TraceWord,
    #[serde(flatten)]
    summary: Summary,
    /// In the order of time, at most 10,000 of them. Never with bodies: `log_id` leads to those.
    #[serde(rename = "spans")]
    nodes: Vec<Node>,
    /// There are more spans than these.
    is_cut: bool,
    feedback: Vec<Mark>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TraceWord {
    Trace,
}

/// A mark that was given to the trace.
#[derive(Debug, Serialize, JsonSchema)]
struct Mark {
    id: String,
    value: i8,
    weight: f64,
    metadata: Map<String, Value>,
    created_at: Timestamp,
    last_updated_at: Timestamp,
}

pub(crate) async fn list(call: Call, query: Query, _: Nothing) -> Answer<Listed> {
    let (mut wanted, _) = within(&call, query.place.workspace_id.as_deref()).await?;
    wanted.size = query.page_size.read("page_size", USUAL, 1..=LARGEST)?;
    let filter = &mut wanted.records;
    let from_ms = time("time_of_generation_min", query.time_of_generation_min.as_deref())?;
    filter.from_ms = filter.from_ms.max(from_ms);
    // Of the last second, all.
    filter.to_ms = time("time_of_generation_max", query.time_of_generation_max.as_deref())?
        .map(|ms| ms.saturating_add(1_000));
    filter.user = names("user", query.user.as_deref())?;
    filter.metadata = metadata(query.metadata.as_deref())?;
    filter.session = names("session", query.session.as_deref())?;
    wanted.before = match query.before.as_deref() {
        None => None,
        Some(text) => Some(text.parse::<RecordId>().map_err(|_| {
            Problem::field("before", format!("{} is none", shown(text)), "next of the page before")
        })?),
    };
    let (data, next) =
        read(&call, move |reader, book| page(reader, book, &wanted)).await?.unwrap_or_default();
    ok(Listed { object: ListWord::List, data, next: next.map(|id| id.to_string()) })
}

pub(crate) async fn retrieve(call: Call, named: Place, _: Nothing) -> Answer<TraceObject> {
    let missing = || Problem::not_found("this trace");
    let trace = call.name(0).to_owned();
    let (wanted, view) = within(&call, named.workspace_id.as_deref()).await?;
    let filter = Filter { trace: vec![trace.clone()], ..wanted.records };
    let place = wanted.place.clone();
    let found = read(&call, move |reader, book| {
        let whole = Whole::of_traces(reader, book, place.as_ref(), &filter)?;
        let told = |error: BookError| ReadError(error.to_string());
        let feedback = match &place {
            Some(place) => book.feedback_on(place, &filter.trace).map_err(told)?,
            None => Vec::new(),
        };
        let (records, told) = whole.of(&trace);
        Ok((tree::of(&trace, records, told, view.bodies), feedback))
    });
    let (tree, feedback) = found.await?.ok_or_else(missing)?;
    if tree.nodes.is_empty() {
        return Err(missing());
    }
    ok(TraceObject {
        object: TraceWord::Trace,
        summary: tree.summary,
        nodes: tree.nodes,
        is_cut: tree.is_cut,
        feedback: feedback.iter().map(Mark::of).collect(),
    })
}

/// What the caller may see of the workspace that is named.
async fn within(call: &Call, named: Option<&str>) -> Result<(Wanted, View), Problem> {
    let workspace: Stored<Workspace> = call.workspace(named).await?;
    call.authorize(Home::workspace(call.organisation, workspace.id))?;
    let view = View::of(call, &workspace).await?;
    let since = retention::since(&workspace.entity, call.now());
    let (organisation, workspace) = (call.organisation.to_string(), workspace.id.to_string());
    let records = Filter {
        from_ms: (since > 0).then_some(since),
        organisation: vec![organisation.clone()],
        workspace: vec![workspace.clone()],
        key_owner: view.only_of.iter().cloned().collect(),
        ..Filter::default()
    };
    let place = Some(Told { organisation, workspace });
    Ok((Wanted { records, place, ..Wanted::default() }, view))
}

/// `None`: this gateway keeps neither records nor books.
async fn read<T: Send + 'static>(
    call: &Call,
    question: impl FnOnce(&mut dyn Reader, &mut dyn tidegate_records::traces::Book) -> Result<T, ReadError>
    + Send
    + 'static,
) -> Result<Option<T>, Problem> {
    let options = &call.api.options;
    let (Some(records), Some(books)) = (&options.records, options.books.clone()) else { return Ok(None) };
    let answer = records.ask(move |reader| {
        let answered = books.here(|book| question(reader, book).map_err(|error| BookError(error.0)));
        answered.map_err(|error| ReadError(error.0))
    });
    answer.await.map(Some)
}

impl Mark {
    fn of(feedback: &Feedback) -> Self {
        Self {
            id: feedback.id.uuid(),
            value: feedback.value.get(),
            weight: feedback.weight.get(),
            metadata: feedback.metadata.clone(),
            created_at: Timestamp(feedback.id.unix_ms()),
            last_updated_at: Timestamp(feedback.changed_ms),
        }
    }
}
