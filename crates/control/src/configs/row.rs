//! Configs as clients see them.

use schemars::JsonSchema;
use serde::Serialize;
use tidegate_store::audit::Actor;
use tidegate_store::entity::{Config, Stored};
use tidegate_store::id::{EntityId, version_id};
use tidegate_store::store::Version;
use uuid::Uuid;

use super::secrets::masked;
use crate::call::Call;
use crate::problem::Problem;
use crate::timestamp::Timestamp;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    name: String,
    slug: String,
    organisation_id: Uuid,
    workspace_id: Option<Uuid>,
    is_default: u8,
    status: Status,
    /// Id of the user or API key that made it.
    owner_id: Option<Uuid>,
    updated_by: Option<Uuid>,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    version_id: Uuid,
    /// From 1.
    version: u64,
    object: Object,
}

/// A config with its content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whole {
    #[serde(flatten)]
    row: Row,
    /// JSON as text; credentials are masked.
    config: String,
    format: Format,
    r#type: Type,
}

/// One version.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct VersionRow {
    id: Uuid,
    version_id: Uuid,
    /// From 1.
    version: u64,
    name: String,
    slug: String,
    status: Status,
    /// JSON as text; credentials are masked.
    config: String,
    created_at: Timestamp,
    /// Id of the user or API key that made it.
    created_by: Option<Uuid>,
    comment: String,
    object: Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Active,
    Archived,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Object {
    Config,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Type {
    OrgConfig,
}

impl Row {
    /// # Errors
    /// The database's.
    pub(super) async fn of(call: &Call, stored: &Stored<Config>) -> Result<Self, Problem> {
        let whole = call.whole();
        let first = call.store().history::<Config>(&whole, stored.id, Some(2), 1).await?;
        let last = call.store().history::<Config>(&whole, stored.id, None, 1).await?;
        let author = |versions: &[Version<Config>]| versions.first().and_then(|one| id_of(&one.author));
        let config = &stored.entity;
        Ok(Self {
            id: stored.id.uuid(),
            name: config.name.clone(),
            slug: config.slug.clone(),
            organisation_id: stored.home.organisation.uuid(),
            workspace_id: stored.home.workspace.map(EntityId::uuid),
            is_default: u8::from(config.is_default),
            status: Status::of(config),
            owner_id: author(&first),
            updated_by: author(&last),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            version_id: version_id(stored.id.uuid(), stored.version),
            version: stored.version,
            object: Object::Config,
        })
    }
}

impl Whole {
    /// # Errors
    /// The database's.
    pub(super) async fn of(call: &Call, stored: &Stored<Config>) -> Result<Self, Problem> {
        Ok(Self {
            row: Row::of(call, stored).await?,
            config: masked(&stored.entity.content).to_string(),
            format: Format::Json,
            r#type: Type::OrgConfig,
        })
    }
}

impl VersionRow {
    pub(super) fn of(stored: &Stored<Config>, version: &Version<Config>) -> Self {
        Self {
            id: stored.id.uuid(),
            version_id: version_id(stored.id.uuid(), version.version),
            version: version.version,
            name: version.entity.name.clone(),
            slug: version.entity.slug.clone(),
            status: Status::of(&version.entity),
            config: masked(&version.entity.content).to_string(),
            created_at: Timestamp(version.at),
            created_by: id_of(&version.author),
            comment: version.comment.clone(),
            object: Object::Config,
        }
    }
}

impl Status {
    fn of(config: &Config) -> Self {
        if config.archived { Self::Archived } else { Self::Active }
    }
}

fn id_of(author: &Actor) -> Option<Uuid> {
    match author {
        Actor::User { id } => Some(id.uuid()),
        Actor::ApiKey { id } => Some(id.uuid()),
        Actor::System | Actor::Operator => None,
    }
}
