//! Alert rules: what is watched, and who is told. JSON that other crates check and enforce.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Entity, Level, check, private::Known};
use crate::error::StoreError;
use crate::id::AlertRuleId;
use crate::kind::Kind;

/// A rule about the requests of a workspace. How it stands is kept apart: see [`crate::Store::alert_states`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertRule {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    /// Not looked at while it is false.
    pub enabled: bool,
    /// What is watched, and when it fires.
    pub rule: Value,
    /// Who is told. Encrypted: addresses of webhooks are credentials.
    pub channels: Value,
    pub made_by: String,
}

impl Known for AlertRule {}
impl Entity for AlertRule {
    type Id = AlertRuleId;
    const KIND: Kind = Kind::AlertRule;
    const LEVEL: Level = Level::Workspace;
    const SEALED: &'static [&'static str] = &["channels"];

    fn label(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), StoreError> {
        check::name("name", &self.name)?;
        check::note("description", self.description.as_deref())?;
        check::object("rule", &self.rule)
    }
}
