//! The audit log: `/v1/audit-logs`.

use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_access::Refusal;
use tidegate_store::audit::{Actor, AuditEntry, AuditQuery};
use tidegate_store::entity::Organisation;
use tidegate_store::id::EntityId;
use tidegate_store::{Action, Home, Kind, Scope};
use uuid::Uuid;

use crate::call::Call;
use crate::listing::{ListWord, Paging};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, Reply, ok};
use crate::timestamp::Timestamp;

/// The media type of an export.
pub(crate) const LINES: &str = "application/x-ndjson";
/// Where the next part of an export begins. Left out at the end.
static NEXT: HeaderName = HeaderName::from_static("x-tidegate-next-after");
/// Entries that one list is made from.
const MOST: usize = 10_000;
const LARGEST_PAGE: u32 = 100;
const LARGEST_EXPORT: usize = 10_000;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    start_time: Option<Timestamp>,
    /// Entries from before this time.
    end_time: Option<Timestamp>,
    organisation_id: Option<Uuid>,
    /// Id or slug.
    workspace_id: Option<String>,
    method: Option<String>,
    /// A part of the path.
    uri: Option<String>,
    request_id: Option<String>,
    /// Of a user or an API key.
    user_id: Option<Uuid>,
    /// `user` or `api_key`.
    user_type: Option<UserType>,
    response_status_code: Option<String>,
    resource_type: Option<String>,
    action: Option<String>,
    client_ip: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum UserType {
    User,
    ApiKey,
    System,
    Operator,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Records {
    object: ListWord,
    total: usize,
    records: Vec<Record>,
}

/// One change. Only what was done is recorded.
#[derive(Debug, Serialize, JsonSchema)]
struct Record {
    timestamp: Timestamp,
    method: String,
    uri: String,
    request_id: String,
    /// The object after the change as JSON, with secrets masked.
    request_body: String,
    query_params: String,
    request_headers: String,
    user_id: Option<Uuid>,
    user_type: UserType,
    organisation_id: Option<Uuid>,
    workspace_id: Option<Uuid>,
    response_status_code: u16,
    resource_type: &'static str,
    resource_id: Uuid,
    resource_name: String,
    action: &'static str,
    client_ip: String,
    country: Option<String>,
    /// The entry's number and hash in the chain.
    sequence: u64,
    hash: String,
    /// What was said of the change, where that is not in the object; else empty.
    comment: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Export {
    /// Entries after this number.
    #[serde(default)]
    after: u64,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    /// 1 to 10000.
    limit: Option<usize>,
}

/// Newest first.
pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<Records> {
    call.authorize(Home::organisation(call.organisation))?;
    let (skip, size) = filter.paging.clone().bounds(LARGEST_PAGE, LARGEST_PAGE)?;
    if filter.organisation_id.is_some_and(|id| id != call.organisation.uuid()) {
        return Err(Refusal::new(tidegate_access::Reason::OtherWorkspace).about("organisation_id").into());
    }
    let scope = match filter.workspace_id.as_deref() {
        Some(named) => Scope::Workspace(call.organisation, call.workspace(Some(named)).await?.id),
        None => call.whole(),
    };
    let query = AuditQuery {
        from: filter.start_time.map(|time| time.0),
        until: filter.end_time.map(|time| time.0),
        ..AuditQuery::default()
    };
    let (entries, more) = call.store().audit_log(&scope, &query, MOST).await?;
    if more.is_some() {
        let problem = format!("the range holds more than {MOST} entries");
        let expected = "a shorter range, or /v1/audit-logs/export";
        return Err(Problem::field("start_time", problem, expected));
    }
    let fits = |entry: &&AuditEntry| filter.fits(entry);
    let records: Vec<&AuditEntry> = entries.iter().rev().filter(fits).collect();
    let total = records.len();
    let records = records.into_iter().skip(skip).take(size).map(Record::of).collect();
    ok(Records { object: ListWord::List, total, records })
}

/// Oldest first. Exporting is itself recorded.
pub(crate) async fn export(call: Call, query: Export, _: Nothing) -> Answer<Nothing> {
    call.authorize(Home::organisation(call.organisation))?;
    let limit = query.limit.unwrap_or(LARGEST_EXPORT);
    if !(1..=LARGEST_EXPORT).contains(&limit) {
        let expected = format!("a whole number from 1 to {LARGEST_EXPORT}");
        return Err(Problem::field("limit", format!("{limit} is not accepted"), expected));
    }
    let wanted = AuditQuery {
        after: query.after,
        from: query.start_time.map(|time| time.0),
        until: query.end_time.map(|time| time.0),
        ..AuditQuery::default()
    };
    call.store().note::<Organisation>(&call.by, Action::Export, &call.whole(), call.organisation).await?;
    let (lines, next) = call.store().export_audit(&call.whole(), &wanted, limit).await?;
    let reply = Reply::text(LINES, lines);
    Ok(match next {
        Some(next) => reply.with_header(NEXT.clone(), HeaderValue::from(next)),
        None => reply,
    })
}

impl Filter {
    fn fits(&self, entry: &AuditEntry) -> bool {
        let (event, origin) = (&entry.event, &entry.event.origin);
        let (user_id, user_type) = who(&event.actor);
        let is = |wanted: &Option<String>, word: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(word))
        };
        is(&self.method, &origin.method)
            && is(&self.request_id, &origin.request_id)
            && is(&self.client_ip, &origin.client_ip)
            && is(&self.action, action(event.action))
            && (is(&self.resource_type, resource(event.resource_type))
                || is(&self.resource_type, event.resource_type.as_str()))
            && is(&self.response_status_code, "200")
            && self.uri.as_ref().is_none_or(|part| origin.uri.contains(part))
            && self.user_id.is_none_or(|id| user_id == Some(id))
            && self.user_type.is_none_or(|wanted| wanted == user_type)
    }
}

impl Record {
    fn of(entry: &AuditEntry) -> Self {
        let event = &entry.event;
        let (user_id, user_type) = who(&event.actor);
        Self {
            timestamp: Timestamp(event.at),
            method: event.origin.method.clone(),
            uri: event.origin.uri.clone(),
            request_id: event.origin.request_id.clone(),
            request_body: entry.after.to_string(),
            query_params: String::new(),
            request_headers: String::new(),
            user_id,
            user_type,
            organisation_id: event.organisation_id.map(EntityId::uuid),
            workspace_id: event.workspace_id.map(EntityId::uuid),
            response_status_code: 200,
            resource_type: resource(event.resource_type),
            resource_id: event.resource_id,
            resource_name: event.resource_name.clone(),
            action: action(event.action),
            client_ip: event.origin.client_ip.clone(),
            country: None,
            sequence: entry.seq,
            hash: entry.hash.clone(),
            comment: event.comment.clone(),
        }
    }
}

fn who(actor: &Actor) -> (Option<Uuid>, UserType) {
    match actor {
        Actor::User { id } => (Some(id.uuid()), UserType::User),
        Actor::ApiKey { id } => (Some(id.uuid()), UserType::ApiKey),
        Actor::System => (None, UserType::System),
        Actor::Operator => (None, UserType::Operator),
    }
}

/// The reference's word, where it has one.
fn resource(kind: Kind) -> &'static str {
    match kind {
        Kind::Organisation => "organization",
        Kind::Workspace => "workspaces",
        Kind::User => "users",
        Kind::Member => "workspace users",
        Kind::ApiKey => "api keys",
        Kind::Integration => "integrations",
        Kind::Provider => "providers",
        Kind::Config => "configs",
        Kind::Policy => "policies",
        Kind::Session => "sessions",
        Kind::Link => "invites",
        Kind::LogExport => "log_exports",
        Kind::SavedView => "saved views",
        Kind::AlertRule => "alerts",
        Kind::Store => "custom",
    }
}

/// Deleting an API key revokes it: clients know the first word.
fn action(action: Action) -> &'static str {
    match action {
        Action::Revoke => Action::Delete.as_str(),
        other => other.as_str(),
    }
}
