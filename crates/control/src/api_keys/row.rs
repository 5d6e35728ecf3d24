//! A key as clients see it. Its text is masked.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_store::entity::{ApiKey, Config, MadeBy, RotationPolicy, Stored};
use tidegate_store::id::{ApiKeyId, EntityId};
use uuid::Uuid;

use super::owner;
use crate::call::Call;
use crate::flag::Flag;
use crate::limits::{self, RateLimit, UsageLimit};
use crate::metadata::{self, Metadata};
use crate::principal::{found, kind_of};
use crate::problem::Problem;
use crate::standing::{self, Used};
use crate::timestamp::Timestamp;
use crate::usage::Subject;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    /// First and last characters.
    key: String,
    name: String,
    description: Option<String>,
    r#type: &'static str,
    organisation_id: Uuid,
    workspace_id: Option<Uuid>,
    user_id: Option<Uuid>,
    status: Status,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    last_used_at: Option<Timestamp>,
    creation_mode: &'static str,
    rate_limits: Vec<RateLimit>,
    usage_limits: Option<UsageLimit>,
    /// How its budget stands.
    current_usage: Vec<Used>,
    /// 1 when usage was ever set back by hand; `last_reset_at` says when.
    reset_usage: Flag,
    last_reset_at: Option<Timestamp>,
    scopes: Vec<String>,
    defaults: Defaults,
    allow_config_override: Flag,
    alert_emails: Vec<String>,
    expires_at: Option<Timestamp>,
    rotation_policy: Option<Rotation>,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) enum Object {
    #[serde(rename = "api-key")]
    ApiKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Active,
    /// A budget of it is used up.
    Exhausted,
    Expired,
    Revoked,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Defaults {
    metadata: Metadata,
    /// The config's slug.
    config_id: Option<String>,
    allow_config_override: bool,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Rotation {
    rotation_period: Option<Period>,
    next_rotation_at: Option<Timestamp>,
    key_transition_period_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Period {
    Weekly,
    Monthly,
}

impl Period {
    pub(super) fn days(self) -> u32 {
        match self {
            Self::Weekly => 7,
            Self::Monthly => 30,
        }
    }
}

impl Status {
    pub(super) fn of(call: &Call, stored: &Stored<ApiKey>) -> Self {
        let (key, now) = (&stored.entity, call.now());
        if key.revoked_at.is_some() {
            Self::Revoked
        } else if key.expires_at.is_some_and(|at| at <= now) {
            Self::Expired
        } else if call.is_exhausted(&Subject::ApiKey(stored.id)) {
            Self::Exhausted
        } else {
            Self::Active
        }
    }
}

impl Rotation {
    fn of(policy: RotationPolicy) -> Self {
        let period = [Period::Weekly, Period::Monthly].into_iter();
        Self {
            rotation_period: policy.every_days.and_then(|days| period.rev().find(|one| one.days() <= days)),
            next_rotation_at: policy.next_at.map(Timestamp),
            key_transition_period_ms: policy.overlap_ms,
        }
    }
}

impl Row {
    /// # Errors
    /// The database's.
    pub(super) async fn of_all(call: &Call, keys: &[Stored<ApiKey>]) -> Result<Vec<Self>, Problem> {
        let ids: Vec<ApiKeyId> = keys.iter().map(|key| key.id).collect();
        let used: HashMap<_, _> = call.store().last_used::<ApiKey>(&ids).await?.into_iter().collect();
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            let config = match key.entity.defaults.config {
                Some(id) => found(call.store().get::<Config>(&call.whole(), id).await)?,
                None => None,
            };
            let slug = config.map(|config| config.entity.slug);
            let (_, current_usage) = standing::of(call, &Subject::ApiKey(key.id), None);
            let row = Self::of(key, slug, used.get(&key.id).copied(), Status::of(call, key));
            rows.push(Self { current_usage, ..row });
        }
        Ok(rows)
    }

    fn of(stored: &Stored<ApiKey>, config: Option<String>, used: Option<u64>, status: Status) -> Self {
        let key = &stored.entity;
        Self {
            id: stored.id.uuid(),
            key: key.secrets().first().map(|secret| secret.shown.clone()).unwrap_or_default(),
            name: key.name.clone(),
            description: key.description.clone(),
            r#type: kind_of(key, stored.home).word(),
            organisation_id: stored.home.organisation.uuid(),
            workspace_id: stored.home.workspace.map(EntityId::uuid),
            user_id: owner(key).map(EntityId::uuid),
            status,
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            last_used_at: used.map(Timestamp),
            creation_mode: MadeBy::as_str(key.made_by),
            rate_limits: limits::rates(&key.limits),
            usage_limits: limits::one_usage(&key.limits),
            current_usage: Vec::new(),
            reset_usage: Flag(key.limits.usage_reset_at.is_some()),
            last_reset_at: key.limits.usage_reset_at.map(Timestamp),
            scopes: key.scopes.clone(),
            defaults: Defaults {
                metadata: metadata::shown(&key.defaults.metadata),
                config_id: config,
                allow_config_override: key.defaults.allow_config_override,
            },
            allow_config_override: Flag(key.defaults.allow_config_override),
            alert_emails: key.alert_emails.clone(),
            expires_at: key.expires_at.map(Timestamp),
            rotation_policy: key.rotation.map(Rotation::of),
            object: Object::ApiKey,
        }
    }
}
