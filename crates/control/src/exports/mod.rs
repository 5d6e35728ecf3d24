//! Export jobs: `/v1/logs/exports`.
//!
//! A job says which logs and what of them; when it starts, it is fixed up to that moment and to what its starter may see,
//! and is counted in the background. Its file is made from the records while it is downloaded, a part at a time: there is
//! no copy that outlives what retention or a person's right deletes, every replica can give it, and its size is nobody's
//! memory or disk. A job of more logs than an export may have fails and says how many: nothing is cut.

mod download;
mod fields;
mod file;

use aws_lc_rs::{constant_time, digest, rand};
use http::HeaderValue;
use http::header::CONTENT_DISPOSITION;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_records::Filter;
use tidegate_store::audit::By;
use tidegate_store::entity::{
    DownloadLink, ExportFormat, ExportState, LogExport, Organisation, Stored, Workspace,
};
use tidegate_store::id::{EntityId, LogExportId, OrganisationId};
use tidegate_store::{Action, Expected, Home, Scope};
use uuid::Uuid;

use self::file::Wants;
use crate::api::ApiOptions;
use crate::call::{Call, Visit};
use crate::find::{Place, id_of};
use crate::listing::{List, Paging, all, page};
use crate::logs::filter::of_members;
use crate::logs::view::View;
use crate::principal::found;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, Reply, ok};
use crate::retention;
use crate::timestamp::Timestamp;

/// How long a link to a download works, in milliseconds.
const LINK_MS: u64 = 3_600_000;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Wanted {
    workspace_id: Option<String>,
    /// As the query of `GET /v1/logs`; lists also as arrays, times also as `created_at: {gte, lte}`.
    #[serde(default)]
    filters: Option<Map<String, Value>>,
    /// Names of fields.
    #[serde(default)]
    requested_data: Option<Vec<String>>,
    /// Of the file.
    #[serde(default)]
    format: Option<Format>,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// A JSON object a line, newest first.
    Jsonl,
    /// The same as a table.
    Parquet,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Query {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    place: Place,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Saved {
    id: Uuid,
    /// Logs that fit; one more than an export may have stands for that and more.
    total: u64,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Object {
    Export,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    organisation_id: Uuid,
    workspace_id: Option<Uuid>,
    filters: Map<String, Value>,
    requested_data: Vec<String>,
    format: Format,
    status: Status,
    description: Option<String>,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    created_by: String,
    /// Zero until it has run.
    total_records: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    Draft,
    InProgress,
    Success,
    Failed,
    Stopped,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Done {
    message: &'static str,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Link {
    /// Works without a key, for an hour. Gives the file in the format of the job.
    signed_url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Restrictions {
    allowed_fields: Vec<&'static str>,
    /// By the organisation's `export_settings`.
    denied_fields: Vec<&'static str>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Ticket {
    organisation: Option<String>,
    token: Option<String>,
}

/// Lines of JSON, or a Parquet file.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct File {}

pub(crate) async fn create(call: Call, named: Place, wanted: Wanted) -> Answer<Saved> {
    let named = wanted.workspace_id.as_deref().or(named.workspace_id.as_deref());
    let workspace = call.workspace(named).await?;
    let home = Home::workspace(call.organisation, workspace.id);
    call.authorize(home)?;
    let filters = wanted.filters.ok_or_else(|| Problem::field("filters", "is missing", "an object"))?;
    let fields = wanted
        .requested_data
        .ok_or_else(|| Problem::field("requested_data", "is missing", "names of fields"))?;
    let job = LogExport {
        description: wanted.description,
        filters,
        fields,
        format: wanted.format.map_or(ExportFormat::Jsonl, Format::stored),
        state: ExportState::Draft,
        total: None,
        until: None,
        only_of: None,
        error: None,
        made_by: call.maker(),
        link: None,
    };
    let total = check(&call, &workspace, &job).await?;
    let made = call.store().create(&call.by, home, job).await?;
    ok(Saved { id: made.id.uuid(), total, object: Object::Export })
}

pub(crate) async fn list(call: Call, query: Query, _: Nothing) -> Answer<List<Row>> {
    let home = call.home(query.place.workspace_id.as_deref()).await?;
    let workspace = home.workspace.ok_or_else(|| Problem::internal("a home outside of any workspace"))?;
    let jobs = all::<LogExport>(call.store(), &Scope::Workspace(call.organisation, workspace)).await?;
    let (total, jobs) = page(query.paging, jobs)?;
    ok(List::new(total, jobs.iter().map(Row::of).collect()))
}

pub(crate) async fn retrieve(call: Call, _: Place, _: Nothing) -> Answer<Row> {
    let (job, _) = job(&call).await?;
    ok(Row::of(&job))
}

pub(crate) async fn update(call: Call, _: Place, wanted: Wanted) -> Answer<Saved> {
    let (job, workspace) = job(&call).await?;
    if job.entity.state == ExportState::InProgress {
        return Err(Problem::conflict("the export runs; cancel it before it is changed"));
    }
    let mut next = job.entity.clone();
    next.filters = wanted.filters.unwrap_or(next.filters);
    next.fields = wanted.requested_data.unwrap_or(next.fields);
    next.format = wanted.format.map_or(next.format, Format::stored);
    next.description = wanted.description.or(next.description);
    (next.state, next.total, next.until, next.only_of, next.error, next.link) =
        (ExportState::Draft, None, None, None, None, None);
    let total = check(&call, &workspace, &next).await?;
    let change = |stored: &mut LogExport| {
        stored.clone_from(&next);
        Ok(())
    };
    let expected = Expected::Version(job.version);
    call.store().update(&call.by, &call.whole(), job.id, expected, change).await?;
    ok(Saved { id: job.id.uuid(), total, object: Object::Export })
}

pub(crate) async fn start(call: Call, _: Place, _: Nothing) -> Answer<Done> {
    let (job, workspace) = job(&call).await?;
    if job.entity.state == ExportState::InProgress {
        return Err(Problem::conflict("the export runs already"));
    }
    check(&call, &workspace, &job.entity).await?;
    let view = View::of(&call, &workspace).await?;
    let (until, only_of) = (call.now(), view.only_of);
    let change = |stored: &mut LogExport| {
        stored.state = ExportState::InProgress;
        (stored.total, stored.error, stored.link) = (None, None, None);
        (stored.until, stored.only_of) = (Some(until), only_of.clone());
        Ok(())
    };
    let expected = Expected::Version(job.version);
    let job =
        call.store().update_as(Action::Export, &call.by, &call.whole(), job.id, expected, change).await?;
    tokio::spawn(run(call, job, workspace));
    ok(Done { message: "Export started", object: Object::Export })
}

/// Counts what there is to download.
async fn run(call: Call, job: Stored<LogExport>, workspace: Stored<Workspace>) {
    let most = call.api.options.export_logs;
    let counted = async {
        let filter = filter(&call.api.options, &job, Some(&workspace.entity), call.now()).await?;
        let Some(records) = &call.api.options.records else { return Ok(0) };
        records.ask(move |reader| reader.count(&filter, most.saturating_add(1))).await
    };
    let counted = counted.await;
    let change = |stored: &mut LogExport| {
        // Somebody cancelled it meanwhile.
        if stored.state == ExportState::InProgress {
            match &counted {
                Ok(total) if *total > most => {
                    (stored.state, stored.total) = (ExportState::Failed, Some(*total));
                    stored.error = Some(format!(
                        "more than {most} logs fit, and an export has no more; narrow its filters, or raise records.export_logs"
                    ));
                }
                Ok(total) => (stored.state, stored.total) = (ExportState::Success, Some(*total)),
                Err(problem) => {
                    (stored.state, stored.error) = (ExportState::Failed, Some(problem.to_string()))
                }
            }
        }
        Ok(())
    };
    let scope = Scope::Organisation(call.organisation);
    // Should the database be away, it stays in progress: cancelled and started again it runs anew.
    let _ = call.store().update(&By::system(), &scope, job.id, Expected::Latest, change).await;
}

pub(crate) async fn cancel(call: Call, _: Place, _: Nothing) -> Answer<Done> {
    let (job, _) = job(&call).await?;
    if !matches!(job.entity.state, ExportState::Draft | ExportState::InProgress) {
        return Err(Problem::conflict("the export has ended"));
    }
    let change = |stored: &mut LogExport| {
        stored.state = ExportState::Stopped;
        Ok(())
    };
    call.store().update(&call.by, &call.whole(), job.id, Expected::Latest, change).await?;
    ok(Done { message: "Export cancelled", object: Object::Export })
}

pub(crate) async fn download(call: Call, _: Place, _: Nothing) -> Answer<Link> {
    let (job, workspace) = job(&call).await?;
    if job.entity.state != ExportState::Success {
        let problem = "says that the export has not run to its end";
        return Err(Problem::field("status", problem, "success: start the export, and wait for that"));
    }
    // What its starter saw may be more than this caller sees.
    check(&call, &workspace, &job.entity).await?;
    let view = View::of(&call, &workspace).await?;
    if view.only_of.is_some() && view.only_of != job.entity.only_of {
        return Err(Problem::forbidden("the export has logs of others, which are not open to your role"));
    }
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Problem::internal("the system has no random bytes"))?;
    let token = hex(&bytes);
    let link = DownloadLink { hash: hash(&token), ends_at: call.now() + LINK_MS };
    let change = |stored: &mut LogExport| {
        stored.link = Some(link.clone());
        Ok(())
    };
    call.store().update_as(Action::Export, &call.by, &call.whole(), job.id, Expected::Latest, change).await?;
    let base = call.api.options.public_url.trim_end_matches('/');
    let (id, organisation) = (job.id, call.organisation);
    ok(Link {
        signed_url: format!("{base}/v1/logs/exports/{id}/file?organisation={organisation}&token={token}"),
    })
}

/// For whoever has the link.
pub(crate) async fn file(visit: Visit, ticket: Ticket, _: Nothing) -> Answer<File> {
    let missing = || Problem::not_found("this download, or its link has ended,");
    let id = id_of(visit.name(0)).ok_or_else(missing)?;
    let organisation = ticket.organisation.as_deref().and_then(id_of).ok_or_else(missing)?;
    let scope = Scope::Organisation(OrganisationId::from_uuid(organisation));
    let job = found(visit.store().get::<LogExport>(&scope, LogExportId::from_uuid(id)).await)?
        .ok_or_else(missing)?;
    let link = job.entity.link.as_ref().filter(|link| link.ends_at > visit.now()).ok_or_else(missing)?;
    let sent = hash(ticket.token.as_deref().unwrap_or_default());
    constant_time::verify_slices_are_equal(sent.as_bytes(), link.hash.as_bytes()).map_err(|_| missing())?;
    let workspace = match job.home.workspace {
        Some(id) => found(visit.store().get::<Workspace>(&scope, id).await)?,
        None => None,
    };
    let slug = workspace.as_ref().map(|workspace| workspace.entity.slug.clone()).unwrap_or_default();
    let wanted = Wants {
        filter: filter(&visit.api.options, &job, workspace.as_ref().map(|one| &one.entity), visit.now())
            .await?,
        fields: job.entity.fields.clone(),
        format: job.entity.format,
        workspace: slug,
    };
    let (media, ending) = match wanted.format {
        ExportFormat::Jsonl => ("application/x-ndjson", "jsonl"),
        ExportFormat::Parquet => ("application/vnd.apache.parquet", "parquet"),
    };
    let name = format!("attachment; filename=\"logs-{id}.{ending}\"");
    let name = HeaderValue::try_from(name).map_err(|error| Problem::internal(error.to_string()))?;
    let flow = download::start(visit.api.options.records.clone(), wanted)?;
    Ok(Reply::flow(media, flow).with_header(CONTENT_DISPOSITION, name))
}

pub(crate) async fn restrictions(call: Call, named: Place, _: Nothing) -> Answer<Restrictions> {
    call.home(named.workspace_id.as_deref()).await?;
    let organisation = call.store().get::<Organisation>(&call.whole(), call.organisation).await?;
    let denied_fields = fields::denied(&organisation.entity);
    let allowed_fields = fields::FIELDS.into_iter().filter(|field| !denied_fields.contains(field)).collect();
    ok(Restrictions { allowed_fields, denied_fields })
}

/// The job of the path and its workspace.
async fn job(call: &Call) -> Result<(Stored<LogExport>, Stored<Workspace>), Problem> {
    let missing = || Problem::not_found("this export");
    let id = id_of(call.name(0)).ok_or_else(missing)?;
    let job = found(call.store().get::<LogExport>(&call.whole(), LogExportId::from_uuid(id)).await)?;
    let job = job.ok_or_else(missing)?;
    call.authorize(job.home)?;
    let workspace = job.home.workspace.ok_or_else(missing)?;
    let workspace = call.store().get::<Workspace>(&call.whole(), workspace).await?;
    Ok((job, workspace))
}

/// Whether the caller may export this; how many logs there are of it now.
async fn check(call: &Call, workspace: &Stored<Workspace>, job: &LogExport) -> Result<u64, Problem> {
    let organisation = call.store().get::<Organisation>(&call.whole(), call.organisation).await?;
    fields::check(&job.fields, &organisation.entity)?;
    if job.format == ExportFormat::Parquet {
        fields::check_columns(&job.fields)?;
    }
    let view = View::of(call, workspace).await?;
    if fields::has_bodies(&job.fields) && !view.bodies {
        return Err(Problem::forbidden("requests and responses are not open to your role in this workspace"));
    }
    let (mut filter, marks) = of_members("filters", &job.filters)?;
    view.allows(&filter)?;
    filter.organisation = vec![call.organisation.to_string()];
    filter.workspace = vec![workspace.id.to_string()];
    filter.key_owner = view.only_of.into_iter().collect();
    retention::hide(&mut filter, &workspace.entity, call.now());
    if let Some(marks) = marks {
        marks.narrow(call, filter.from_ms, &mut filter).await?;
    }
    match &call.api.options.records {
        None => Ok(0),
        Some(records) => {
            let most = call.api.options.export_logs.saturating_add(1);
            records.ask(move |reader| reader.count(&filter, most)).await
        }
    }
}

/// Of a job that was started.
async fn filter(
    options: &ApiOptions,
    job: &Stored<LogExport>,
    workspace: Option<&Workspace>,
    now_ms: u64,
) -> Result<Filter, Problem> {
    let (mut filter, marks) = of_members("filters", &job.entity.filters)?;
    filter.organisation = vec![job.home.organisation.to_string()];
    filter.workspace = vec![job.home.workspace.map(|id| id.to_string()).unwrap_or_default()];
    filter.key_owner = job.entity.only_of.iter().cloned().collect();
    let ends = [filter.to_ms, job.entity.until];
    filter.to_ms = ends.into_iter().flatten().min();
    if let Some(workspace) = workspace {
        retention::hide(&mut filter, workspace, now_ms);
    }
    if let Some(marks) = marks {
        let (workspaces, from_ms) = (filter.workspace.clone(), filter.from_ms);
        marks.within(options, job.home.organisation, workspaces, from_ms, &mut filter).await?;
    }
    Ok(filter)
}

fn hash(token: &str) -> String {
    hex(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    tidegate_otlp::json::hex_text(bytes)
}

impl Format {
    fn stored(self) -> ExportFormat {
        match self {
            Self::Jsonl => ExportFormat::Jsonl,
            Self::Parquet => ExportFormat::Parquet,
        }
    }
}

impl Row {
    fn of(stored: &Stored<LogExport>) -> Self {
        let job = &stored.entity;
        Self {
            id: stored.id.uuid(),
            organisation_id: stored.home.organisation.uuid(),
            workspace_id: stored.home.workspace.map(EntityId::uuid),
            filters: job.filters.clone(),
            requested_data: job.fields.clone(),
            format: match job.format {
                ExportFormat::Jsonl => Format::Jsonl,
                ExportFormat::Parquet => Format::Parquet,
            },
            status: match job.state {
                ExportState::Draft => Status::Draft,
                ExportState::InProgress => Status::InProgress,
                ExportState::Success => Status::Success,
                ExportState::Failed => Status::Failed,
                ExportState::Stopped => Status::Stopped,
            },
            description: job.description.clone(),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            created_by: job.made_by.clone(),
            total_records: job.total.unwrap_or(0),
            error: job.error.clone(),
            object: Object::Export,
        }
    }
}
