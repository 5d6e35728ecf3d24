//! API keys: who may call, with what, until when.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_core::Secret;
use uuid::Uuid;

use super::{Entity, Level, Limits, check, private::Known};
use crate::error::StoreError;
use crate::id::{ApiKeyId, ConfigId, EntityId, UserId};
use crate::kind::{Kind, words};
use crate::token::{Digest, masked};
use crate::vault::Sealer;

/// A key of the gateway's own. The text that clients send is never in it, only hashes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    /// Set when the key is made; a change is refused.
    pub owner: KeyOwner,
    /// The key that is made at the first start: it has every scope that a key of the organisation can have.
    #[serde(default)]
    pub is_admin: bool,
    #[serde(default)]
    pub made_by: MadeBy,
    /// In the order in which they were given; checked by the admin API against the list of scopes.
    pub scopes: Vec<String>,
    #[serde(default)]
    pub expires_at: Option<u64>,
    /// A revoked key stays, so that logs and errors can name it.
    #[serde(default)]
    pub revoked_at: Option<u64>,
    #[serde(default)]
    pub defaults: Defaults,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub alert_emails: Vec<String>,
    #[serde(default)]
    pub rotation: Option<RotationPolicy>,
    /// Newest first. Only the store writes them.
    pub(crate) secrets: Vec<KeySecret>,
}

words! {
    /// How a key came to be.
    #[derive(Default)]
    MadeBy {
        /// By somebody at the console.
        Console = "ui",
        /// By a program.
        #[default]
        Api = "api",
        /// By the gateway: at the first start, or with an invitation.
        Gateway = "auto",
    }
}

/// Who a key acts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum KeyOwner {
    /// A program. At the organisation's level it administers and may not run completions.
    Service,
    User {
        user: UserId,
    },
}

/// What requests with this key get where they say nothing themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Defaults {
    #[serde(default)]
    pub config: Option<ConfigId>,
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// A request may name another config.
    #[serde(default = "yes")]
    pub allow_config_override: bool,
}

/// When the key's text is to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationPolicy {
    /// Days between rotations; `None` for once, at `next_at`.
    pub every_days: Option<u32>,
    pub next_at: Option<u64>,
    /// How long the old text works beside the new one. At least [`ApiKey::MIN_OVERLAP_MS`].
    pub overlap_ms: u64,
}

/// One text by which a key is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySecret {
    digest: Digest,
    /// First and last characters, to be shown.
    pub shown: String,
    pub made_at: u64,
    /// The text stops working then: it was replaced.
    pub until: Option<u64>,
}

/// Whether a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Valid,
    Expired,
    Revoked,
    /// The key is good, this text of it was replaced and the time of both is over.
    Replaced,
}

fn yes() -> bool {
    true
}

impl Default for Defaults {
    fn default() -> Self {
        Self { config: None, metadata: Map::new(), allow_config_override: true }
    }
}

impl KeySecret {
    pub(crate) fn new(token: &Secret, now: u64) -> Self {
        Self { digest: Digest::of(token), shown: masked(token), made_at: now, until: None }
    }

    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl ApiKey {
    /// Half an hour: shorter than that, clients that reload their settings now and then are cut off.
    pub const MIN_OVERLAP_MS: u64 = 1_800_000;
    /// Texts that are kept; at each rotation the oldest beyond it goes.
    pub(crate) const MAX_SECRETS: usize = 4;

    pub fn new(name: impl Into<String>, owner: KeyOwner, scopes: Vec<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            owner,
            is_admin: false,
            made_by: MadeBy::default(),
            scopes,
            expires_at: None,
            revoked_at: None,
            defaults: Defaults::default(),
            limits: Limits::default(),
            alert_emails: Vec::new(),
            rotation: None,
            secrets: Vec::new(),
        }
    }

    /// The texts by which it is known, newest first.
    pub fn secrets(&self) -> &[KeySecret] {
        &self.secrets
    }

    /// Whether the text with this digest may be used at `now` (milliseconds since 1970).
    pub fn standing(&self, digest: &Digest, now: u64) -> Standing {
        if self.revoked_at.is_some() {
            return Standing::Revoked;
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            return Standing::Expired;
        }
        let live = |secret: &&KeySecret| secret.until.is_none_or(|until| now < until);
        match self.secrets.iter().filter(live).any(|secret| secret.digest == *digest) {
            true => Standing::Valid,
            false => Standing::Replaced,
        }
    }
}

impl Known for ApiKey {}
impl Entity for ApiKey {
    type Id = ApiKeyId;
    const KIND: Kind = Kind::ApiKey;
    const LEVEL: Level = Level::Either;

    fn label(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), StoreError> {
        check::name("name", &self.name)?;
        check::note("description", self.description.as_deref())?;
        if self.scopes.len() > 500 || self.scopes.iter().any(|scope| scope.is_empty() || scope.len() > 100) {
            return Err(StoreError::invalid("scopes", "must be at most 500 words of 1 to 100 characters"));
        }
        if self.rotation.is_some_and(|rotation| rotation.overlap_ms < Self::MIN_OVERLAP_MS) {
            return Err(StoreError::invalid(
                "rotation_policy.key_transition_period_ms",
                format!("must be at least {}", Self::MIN_OVERLAP_MS),
            ));
        }
        self.limits.check()
    }

    fn refers(&self) -> Vec<(Kind, Uuid)> {
        let user = match self.owner {
            KeyOwner::User { user } => Some((Kind::User, user.uuid())),
            KeyOwner::Service => None,
        };
        user.into_iter().chain(self.defaults.config.map(|id| (Kind::Config, id.uuid()))).collect()
    }

    fn digests(&self) -> Vec<Digest> {
        self.secrets.iter().map(|secret| secret.digest).collect()
    }

    fn prepare(&mut self, before: Option<&Self>, _: &Sealer) -> Result<(), StoreError> {
        let Some(before) = before else { return Ok(()) };
        if before.owner != self.owner {
            return Err(StoreError::invalid(
                "type",
                "the owner of a key cannot be changed; make another key",
            ));
        }
        if before.revoked_at.is_some() && self.revoked_at != before.revoked_at {
            return Err(StoreError::invalid("status", "a revoked key stays revoked; make another key"));
        }
        Ok(())
    }
}
