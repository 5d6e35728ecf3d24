//! Providers as clients see them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_store::entity::{Backing, Integration, Provider, Stored};
use tidegate_store::id::EntityId;
use uuid::Uuid;

use crate::call::Call;
use crate::connection::{self, CredentialRow, Style};
use crate::flag::Flag;
use crate::limits::{self, RateLimit, UsageLimit};
use crate::principal::found;
use crate::problem::Problem;
use crate::standing::{self, Status, Used};
use crate::timestamp::Timestamp;
use crate::usage::Subject;

/// In a list. `rate_limits` is null there: an official client reads an object, and another one an array.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    #[serde(flatten)]
    core: Core,
    rate_limits: Option<Vec<RateLimit>>,
}

/// By itself.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whole {
    #[serde(flatten)]
    core: Core,
    rate_limits: Vec<RateLimit>,
    /// Of a provider with a key of its own.
    masked_key: Option<String>,
    credentials: Vec<CredentialRow>,
    model_config: Map<String, Value>,
    /// One for each budget.
    current_usage: Vec<Used>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Core {
    id: Uuid,
    name: String,
    slug: String,
    /// Null when it has a key of its own.
    integration_id: Option<Uuid>,
    /// Id in the catalogue.
    ai_provider_name: Option<String>,
    organisation_id: Uuid,
    workspace_id: Option<Uuid>,
    note: Option<String>,
    status: Status,
    usage_limits: Option<UsageLimit>,
    reset_usage: Flag,
    last_reset_at: Option<Timestamp>,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    expires_at: Option<Timestamp>,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    Provider,
}

impl Row {
    /// # Errors
    /// The database's.
    pub(super) async fn of(call: &Call, stored: &Stored<Provider>) -> Result<Self, Problem> {
        Ok(Self { core: Core::of(call, stored).await?.0, rate_limits: None })
    }
}

impl Whole {
    /// # Errors
    /// The database's.
    pub(super) async fn of(call: &Call, stored: &Stored<Provider>) -> Result<Self, Problem> {
        let (core, current_usage) = Core::of(call, stored).await?;
        let own = stored.entity.connection();
        Ok(Self {
            core,
            rate_limits: limits::rates(&stored.entity.limits),
            masked_key: own.and_then(connection::masked_key),
            credentials: own.map(connection::credentials).unwrap_or_default(),
            model_config: own.map(|own| connection::settings(own, Style::VirtualKey)).unwrap_or_default(),
            current_usage,
        })
    }
}

impl Core {
    async fn of(call: &Call, stored: &Stored<Provider>) -> Result<(Self, Vec<Used>), Problem> {
        let provider = &stored.entity;
        let (integration_id, ai_provider_name) = match &provider.backing {
            Backing::Own(own) => (None, Some(own.destination.provider.clone())),
            Backing::Integration(id) => {
                let behind = found(call.store().get::<Integration>(&call.whole(), *id).await)?;
                let name = behind.map(|integration| integration.entity.connection.destination.provider);
                (Some(id.uuid()), name)
            }
        };
        let (status, used) = standing::of(call, &Subject::Provider(stored.id), provider.expires_at);
        let core = Self {
            id: stored.id.uuid(),
            name: provider.name.clone(),
            slug: provider.slug.clone(),
            integration_id,
            ai_provider_name,
            organisation_id: stored.home.organisation.uuid(),
            workspace_id: stored.home.workspace.map(EntityId::uuid),
            note: provider.note.clone(),
            status,
            usage_limits: limits::one_usage(&provider.limits),
            reset_usage: Flag(provider.limits.usage_reset_at.is_some()),
            last_reset_at: provider.limits.usage_reset_at.map(Timestamp),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            expires_at: provider.expires_at.map(Timestamp),
            object: Object::Provider,
        };
        Ok((core, used))
    }
}
