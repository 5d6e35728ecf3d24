//! What a rule told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::standing::Finding;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Fired,
    /// It fires still.
    Repeated,
    Resolved,
    /// It does not fire any more because nothing is known: too few requests for a whole window.
    Faded,
}

impl What {
    pub fn word(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Repeated => "repeated",
            Self::Resolved => "resolved",
            Self::Faded => "faded",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub what: What,
    /// Milliseconds since 1970.
    pub at: u64,
    /// When it began to fire.
    pub since: u64,
    /// Which group, or which provider; empty when there are no groups.
    #[serde(default)]
    pub key: String,
    pub value: Option<f64>,
    pub requests: u64,
    #[serde(default)]
    pub told: Vec<Told>,
}

/// Who was told, and how that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// The channel's id.
    pub channel: String,
    /// `webhook hooks.example.com`, `mail a@example.com`: nothing that is a credential.
    pub name: String,
    /// Null while it is under way.
    pub delivered: Option<bool>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Event {
    pub(crate) fn of(what: What, finding: &Finding, since: u64, at: u64) -> Self {
        Self {
            what,
            at,
            since,
            key: finding.key.clone(),
            value: finding.value,
            requests: finding.requests,
            told: Vec::new(),
        }
    }
}
