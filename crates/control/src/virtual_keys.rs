//! Virtual keys: `/v1/virtual-keys`, the older names of a workspace's providers.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_store::Expected;
use tidegate_store::entity::{Backing, Integration, Provider, Stored};
use tidegate_store::id::EntityId;
use uuid::Uuid;

use crate::call::Call;
use crate::connection::{self, CredentialRow, Style};
use crate::find::{InBody, Place, named};
use crate::flag::Flag;
use crate::limits::{self, RateLimit, UsageLimit};
use crate::listing::List;
use crate::principal::found;
use crate::problem::Problem;
use crate::providers::{self, Changed, Changes, Create, Filter};
use crate::reply::{Answer, Nothing, done, ok};
use crate::standing::{self, Status, Used};
use crate::timestamp::Timestamp;
use crate::usage::Subject;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    name: String,
    slug: String,
    /// Id in the catalogue.
    provider: Option<String>,
    note: Option<String>,
    workspace_id: Option<Uuid>,
    status: Status,
    usage_limits: Option<UsageLimit>,
    rate_limits: Vec<RateLimit>,
    reset_usage: Flag,
    last_reset_at: Option<Timestamp>,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    expires_at: Option<Timestamp>,
    /// What else than a key the provider needs: `apiVersion`, `resourceName` and so on.
    model_config: Map<String, Value>,
    masked_key: Option<String>,
    credentials: Vec<CredentialRow>,
    secret_mappings: Vec<Value>,
    /// One for each budget.
    current_usage: Vec<Used>,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Created {
    id: Uuid,
    slug: String,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Object {
    VirtualKey,
}

pub(crate) async fn create(call: Call, place: Place, body: Create) -> Answer<Created> {
    if body.name.is_none() {
        return Err(Problem::field("name", "is missing", "a text"));
    }
    let made = providers::make(&call, &place, body).await?;
    ok(Created { id: made.id.uuid(), slug: made.entity.slug, object: Object::VirtualKey })
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let (total, providers) = providers::listed(&call, filter).await?;
    let mut rows = Vec::with_capacity(providers.len());
    for provider in &providers {
        rows.push(Row::of(&call, provider).await?);
    }
    ok(List::new(total, rows))
}

pub(crate) async fn retrieve(call: Call, place: Place, _: Nothing) -> Answer<Row> {
    let provider = named::<Provider>(&call, place.workspace_id.as_deref()).await?;
    ok(Row::of(&call, &provider).await?)
}

pub(crate) async fn update(call: Call, place: Place, body: Changes) -> Answer<Changed<Object>> {
    providers::change(&call, &place, body, Object::VirtualKey).await
}

pub(crate) async fn delete(call: Call, place: Place, body: InBody) -> Answer<Nothing> {
    let provider = named::<Provider>(&call, body.or(&place)).await?;
    call.store().delete::<Provider>(&call.by, &call.whole(), provider.id, Expected::Latest).await?;
    done()
}

impl Row {
    async fn of(call: &Call, stored: &Stored<Provider>) -> Result<Self, Problem> {
        let key = &stored.entity;
        let behind = match &key.backing {
            Backing::Own(_) => None,
            Backing::Integration(id) => found(call.store().get::<Integration>(&call.whole(), *id).await)?,
        };
        // What an integration holds is shown to those who may see integrations.
        let own = key.connection();
        let reached = own.or(behind.as_ref().map(|integration| &integration.entity.connection));
        let (status, current_usage) = standing::of(call, &Subject::Provider(stored.id), key.expires_at);
        Ok(Self {
            id: stored.id.uuid(),
            name: key.name.clone(),
            slug: key.slug.clone(),
            provider: reached.map(|connection| connection.destination.provider.clone()),
            note: key.note.clone(),
            workspace_id: stored.home.workspace.map(EntityId::uuid),
            status,
            usage_limits: limits::one_usage(&key.limits),
            rate_limits: limits::rates(&key.limits),
            reset_usage: Flag(key.limits.usage_reset_at.is_some()),
            last_reset_at: key.limits.usage_reset_at.map(Timestamp),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            expires_at: key.expires_at.map(Timestamp),
            model_config: own.map(|own| connection::settings(own, Style::VirtualKey)).unwrap_or_default(),
            masked_key: own.and_then(connection::masked_key),
            credentials: own.map(connection::credentials).unwrap_or_default(),
            secret_mappings: Vec::new(),
            current_usage,
            object: Object::VirtualKey,
        })
    }
}
