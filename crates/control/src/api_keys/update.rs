//! What of a key can be written, and changing it.

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_access::Scope;
use tidegate_store::entity::{ApiKey, Config, RotationPolicy};
use tidegate_store::id::ConfigId;
use tidegate_store::{Expected, Home};

use super::row::Period;
use super::{named, power};
use crate::call::Call;
use crate::flag::Flag;
use crate::limits::{self, RateLimits, UsageLimits};
use crate::metadata::{self, Metadata};
use crate::patch::Patch;
use crate::principal::kind_of;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done};
use crate::standing;
use crate::timestamp::Timestamp;
use crate::usage::Subject;

/// Members that are written when a key is made and when it is changed. Behind `#[serde(flatten)]` an error would not name
/// the member, so both bodies list them.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) description: Patch<String>,
    pub(super) rate_limits: Patch<RateLimits>,
    pub(super) usage_limits: Patch<UsageLimits>,
    pub(super) defaults: Patch<Defaults>,
    pub(super) alert_emails: Patch<Vec<String>>,
    pub(super) expires_at: Patch<Timestamp>,
    pub(super) rotation_policy: Patch<Rotation>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub(super) struct Defaults {
    #[serde(default)]
    metadata: Patch<Metadata>,
    /// Id or slug of a config of the key's workspace.
    #[serde(default)]
    config_id: Patch<String>,
    #[serde(default)]
    allow_config_override: Option<Flag>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(super) struct Rotation {
    #[serde(default)]
    rotation_period: Option<Period>,
    #[serde(default)]
    next_rotation_at: Option<Timestamp>,
    /// At least half an hour.
    #[serde(default)]
    key_transition_period_ms: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    scopes: Option<Vec<String>>,
    /// Sets the usage that counts against the budget back to nothing.
    #[serde(default)]
    reset_usage: Option<Flag>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    rate_limits: Patch<RateLimits>,
    #[serde(default)]
    usage_limits: Patch<UsageLimits>,
    #[serde(default)]
    defaults: Patch<Defaults>,
    #[serde(default)]
    alert_emails: Patch<Vec<String>>,
    #[serde(default)]
    expires_at: Patch<Timestamp>,
    #[serde(default)]
    rotation_policy: Patch<Rotation>,
}

/// Members that were read and found good.
#[derive(Debug)]
pub(super) struct Change {
    description: Patch<String>,
    limits: limits::Change,
    metadata: Patch<Metadata>,
    config: Patch<ConfigId>,
    config_may_change: Option<bool>,
    alert_emails: Patch<Vec<String>>,
    expires_at: Patch<Timestamp>,
    rotation: Patch<RotationPolicy>,
}

impl Settings {
    /// # Errors
    /// 400 naming the member, 404 for a config that is not in the key's workspace.
    pub(super) async fn read(self, call: &Call, home: Home, created_ms: u64) -> Result<Change, Problem> {
        let now = call.now();
        if let Patch::Set(at) = &self.expires_at
            && at.0 <= now
        {
            return Err(Problem::field("expires_at", "is in the past", "a time to come, or null for none"));
        }
        if let Patch::Set(addresses) = &self.alert_emails {
            check_addresses(addresses)?;
        }
        let (metadata, config, config_may_change) = match self.defaults {
            Patch::Keep => (Patch::Keep, Patch::Keep, None),
            Patch::Clear => (Patch::Clear, Patch::Clear, Some(true)),
            Patch::Set(defaults) => {
                if let Patch::Set(metadata) = &defaults.metadata {
                    metadata::check("defaults.metadata", metadata)?;
                }
                let config = config(call, home, defaults.config_id).await?;
                (defaults.metadata, config, defaults.allow_config_override.map(|flag| flag.0))
            }
        };
        let rotation = match self.rotation_policy {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(rotation) => Patch::Set(rotation.read(now)?),
        };
        Ok(Change {
            description: self.description,
            limits: limits::Change::read(self.usage_limits, self.rate_limits, created_ms)?
                .with_one_budget()?,
            metadata,
            config,
            config_may_change,
            alert_emails: self.alert_emails,
            expires_at: self.expires_at,
            rotation,
        })
    }
}

impl Rotation {
    fn read(self, now: u64) -> Result<RotationPolicy, Problem> {
        let field = "rotation_policy";
        if self.next_rotation_at.is_some_and(|at| at.0 <= now) {
            let field = format!("{field}.next_rotation_at");
            return Err(Problem::field(&field, "is in the past", "a time to come"));
        }
        if self.rotation_period.is_none() && self.next_rotation_at.is_none() {
            return Err(Problem::field(field, "says no time", "rotation_period, next_rotation_at or both"));
        }
        let overlap_ms = self.key_transition_period_ms.unwrap_or(ApiKey::MIN_OVERLAP_MS);
        if overlap_ms < ApiKey::MIN_OVERLAP_MS {
            let field = format!("{field}.key_transition_period_ms");
            let expected = format!("at least {}", ApiKey::MIN_OVERLAP_MS);
            return Err(Problem::field(&field, format!("{overlap_ms} is too short"), expected));
        }
        let every_days = self.rotation_period.map(Period::days);
        let first = every_days.map(|days| now + u64::from(days) * 86_400_000);
        Ok(RotationPolicy { every_days, next_at: self.next_rotation_at.map(|at| at.0).or(first), overlap_ms })
    }
}

impl Change {
    pub(super) fn apply(&self, key: &mut ApiKey) {
        self.description.clone().apply(&mut key.description);
        self.limits.apply(&mut key.limits);
        match self.metadata.clone() {
            Patch::Keep => {}
            Patch::Clear => key.defaults.metadata.clear(),
            Patch::Set(metadata) => key.defaults.metadata = metadata::kept(metadata),
        }
        self.config.clone().apply(&mut key.defaults.config);
        if let Some(may) = self.config_may_change {
            key.defaults.allow_config_override = may;
        }
        match self.alert_emails.clone() {
            Patch::Keep => {}
            Patch::Clear => key.alert_emails.clear(),
            Patch::Set(addresses) => key.alert_emails = addresses,
        }
        self.expires_at.clone().map(|at| at.0).apply(&mut key.expires_at);
        self.rotation.clone().apply(&mut key.rotation);
    }
}

pub(crate) async fn update(call: Call, _: Nothing, body: Update) -> Answer<Nothing> {
    let key = named(&call).await?;
    power::to_touch(&call, &key).await?;
    if let Some(words) = &body.scopes {
        // What it has already is not given by this caller.
        let had = key.entity.scopes.iter().filter_map(|word| Scope::parse(word).ok()).collect();
        let added = power::scopes(words)?.without(had);
        power::to_give(&call, key.home, kind_of(&key.entity, key.home), added)?;
    }
    let settings = Settings {
        description: body.description,
        rate_limits: body.rate_limits,
        usage_limits: body.usage_limits,
        defaults: body.defaults,
        alert_emails: body.alert_emails,
        expires_at: body.expires_at,
        rotation_policy: body.rotation_policy,
    };
    let change = settings.read(&call, key.home, key.created_at).await?;
    if body.reset_usage == Some(Flag(true)) {
        standing::reset(&call, &Subject::ApiKey(key.id))?;
    }
    let now = call.now();
    let apply = |stored: &mut ApiKey| {
        if let Some(name) = &body.name {
            stored.name.clone_from(name);
        }
        if let Some(scopes) = &body.scopes {
            stored.scopes.clone_from(scopes);
        }
        if body.reset_usage == Some(Flag(true)) {
            stored.limits.usage_reset_at = Some(now);
        }
        change.apply(stored);
        Ok(())
    };
    call.store().update(&call.by, &call.whole(), key.id, Expected::Latest, apply).await?;
    done()
}

async fn config(call: &Call, home: Home, named: Patch<String>) -> Result<Patch<ConfigId>, Problem> {
    let named = match named {
        Patch::Keep => return Ok(Patch::Keep),
        Patch::Clear => return Ok(Patch::Clear),
        Patch::Set(named) => named,
    };
    let field = "defaults.config_id";
    let Some(workspace) = home.workspace else {
        let problem = "does not go with a key of the organisation, which calls no model";
        return Err(Problem::field(field, problem, "no config"));
    };
    let scope = tidegate_store::Scope::Workspace(home.organisation, workspace);
    match call.look_up::<Config>(&scope, &named).await {
        Ok(config) => Ok(Patch::Set(config.id)),
        Err(problem) if problem.status() == http::StatusCode::NOT_FOUND => {
            let problem = format!("{} is not there", tidegate_core::field::shown(&named));
            Err(Problem::field(field, problem, "the id or slug of a config of the key's workspace"))
        }
        Err(problem) => Err(problem),
    }
}

fn check_addresses(addresses: &[String]) -> Result<(), Problem> {
    const MOST: usize = 50;
    if addresses.len() > MOST {
        let problem = format!("{} are too many", addresses.len());
        return Err(Problem::field("alert_emails", problem, format!("at most {MOST}")));
    }
    let wrong = |text: &String| !text.contains('@') || text.len() > 255 || text.contains(char::is_whitespace);
    match addresses.iter().position(wrong) {
        Some(at) => Err(Problem::field(&format!("alert_emails[{at}]"), "is no address", "an e-mail address")),
        None => Ok(()),
    }
}
