//! Limit and budget policies: JSON that other crates check and enforce.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Entity, Level, check, private::Known};
use crate::error::StoreError;
use crate::id::PolicyId;
use crate::kind::{Kind, words};

words! {
    PolicyKind { UsageLimit = "usage_limit", RateLimit = "rate_limit" }
}

words! {
    /// A policy that is removed is archived: its past use stays explained.
    PolicyState { Active = "active", Archived = "archived" }
}

/// A limit for whatever matches its conditions. Every version is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    pub kind: PolicyKind,
    pub state: PolicyState,
    /// Conditions, groups and amounts.
    pub rule: Value,
}

impl Known for Policy {}
impl Entity for Policy {
    type Id = PolicyId;
    const KIND: Kind = Kind::Policy;
    const LEVEL: Level = Level::Either;
    const HISTORY: bool = true;

    fn label(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), StoreError> {
        check::name("name", &self.name)?;
        check::note("description", self.description.as_deref())?;
        check::object("rule", &self.rule)
    }
}
