//! Integrations as clients see them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_store::entity::{Integration, Limits, Stored, Workspace};
use tidegate_store::id::EntityId;
use uuid::Uuid;

use super::find::is_lent_to;
use super::prices::ADJUSTMENTS;
use super::{type_of, uuid};
use crate::call::Call;
use crate::connection::{self, CredentialRow, Style};
use crate::limits::{self, RateLimit, UsageLimit};
use crate::listing::all;
use crate::problem::Problem;
use crate::timestamp::Timestamp;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    organisation_id: Uuid,
    /// Null for one of the organisation.
    workspace_id: Option<Uuid>,
    /// Id in the catalogue.
    ai_provider_id: String,
    name: String,
    slug: String,
    description: Option<String>,
    status: Status,
    r#type: Type,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whole {
    #[serde(flatten)]
    row: Row,
    masked_key: Option<String>,
    credentials: Vec<CredentialRow>,
    configurations: Map<String, Value>,
    global_workspace_access_settings: Global,
    allow_all_models: bool,
    /// Workspaces that may use it.
    workspace_count: usize,
    secret_mappings: Vec<Value>,
    pricing_adjustments: Option<Value>,
}

/// What holds for workspaces that nothing else is said of.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Global {
    enabled: bool,
    usage_limits: Option<Vec<UsageLimit>>,
    rate_limits: Option<Vec<RateLimit>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Disabled,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Type {
    Organisation,
    Workspace,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    Integration,
}

impl Row {
    pub(super) fn of(stored: &Stored<Integration>) -> Self {
        let integration = &stored.entity;
        Self {
            id: stored.id.uuid(),
            organisation_id: stored.home.organisation.uuid(),
            workspace_id: uuid(stored.home.workspace),
            ai_provider_id: integration.connection.destination.provider.clone(),
            name: integration.name.clone(),
            slug: integration.slug.clone(),
            description: integration.description.clone(),
            status: if integration.disabled { Status::Disabled } else { Status::Active },
            r#type: type_of(stored.home),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            object: Object::Integration,
        }
    }
}

impl Whole {
    /// # Errors
    /// The database's.
    pub(super) async fn of(call: &Call, stored: &Stored<Integration>) -> Result<Self, Problem> {
        let workspaces = all::<Workspace>(call.store(), &call.whole()).await?;
        let connection = &stored.entity.connection;
        Ok(Self {
            row: Row::of(stored),
            masked_key: connection::masked_key(connection),
            credentials: connection::credentials(connection),
            configurations: connection::settings(connection, Style::Integration),
            global_workspace_access_settings: Global::of(stored.entity.grants.everyone.as_ref()),
            allow_all_models: !connection.models.only_listed,
            workspace_count: workspaces.iter().filter(|one| is_lent_to(stored, one.id)).count(),
            secret_mappings: Vec::new(),
            pricing_adjustments: connection.settings.get(ADJUSTMENTS).cloned(),
        })
    }
}

impl Global {
    pub(super) fn of(everyone: Option<&Limits>) -> Self {
        let (usage_limits, rate_limits) = everyone.map(set).unwrap_or_default();
        Self { enabled: everyone.is_some(), usage_limits, rate_limits }
    }
}

/// Null where there is none: official clients read an object there, others an array.
pub(super) fn set(limits: &Limits) -> (Option<Vec<UsageLimit>>, Option<Vec<RateLimit>>) {
    let (usage, rates) = (limits::usage(limits), limits::rates(limits));
    (Some(usage).filter(|list| !list.is_empty()), Some(rates).filter(|list| !list.is_empty()))
}
