//! What policies say: for whose calls they hold, how those are grouped, and how much each group may use.
//!
//! Public: whoever enforces policies reads the stored rules by these types.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;
use tidegate_core::FieldError;

use crate::timestamp::Timestamp;

/// Conditions of one policy.
const MOST_CONDITIONS: usize = 20;
const MOST_GROUPS: usize = 10;
/// Values of one condition.
const MOST_VALUES: usize = 200;
/// The longest value, and the longest name of metadata, in characters.
const LONGEST: usize = 255;

/// What of a call is looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// By id.
    ApiKey,
    WorkspaceId,
    /// By slug.
    VirtualKey,
    /// By slug, or by id in the catalogue.
    Provider,
    Config,
    Prompt,
    /// As it was asked for: `@slug/model`.
    Model,
    /// `chatComplete`, `embed` and so on.
    EndpointType,
    McpServer,
    McpTool,
    Metadata(String),
}

const WORDS: [(&str, Key); 10] = [
    ("api_key", Key::ApiKey),
    ("workspace_id", Key::WorkspaceId),
    ("virtual_key", Key::VirtualKey),
    ("provider", Key::Provider),
    ("config", Key::Config),
    ("prompt", Key::Prompt),
    ("model", Key::Model),
    ("endpoint_type", Key::EndpointType),
    ("mcp_server", Key::McpServer),
    ("mcp_tool", Key::McpTool),
];

/// All conditions of a policy must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    pub key: Key,
    /// Any of these; `*` is any value, but not none.
    pub value: Values,
    /// And none of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excludes: Option<Values>,
}

/// One text or several, kept as they were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Values {
    One(String),
    Several(Vec<String>),
}

/// Each distinct tuple of these has a counter of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    pub key: Key,
}

/// What is budgeted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UsageType {
    /// US dollars.
    Cost,
    Tokens,
    Requests,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    Daily,
    /// From Monday.
    Weekly,
    Monthly,
}

/// The rule of a usage limit policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsageRule {
    pub conditions: Vec<Condition>,
    pub group_by: Vec<Group>,
    pub r#type: UsageType,
    pub credit_limit: Number,
    #[serde(default)]
    pub alert_threshold: Option<Number>,
    #[serde(default)]
    pub periodic_reset: Option<Period>,
    #[serde(default)]
    pub periodic_reset_days: Option<u32>,
    #[serde(default)]
    pub next_usage_reset_at: Option<Timestamp>,
    /// When all of its usage was last set back by hand, in milliseconds since 1970.
    #[serde(default)]
    pub last_reset_at: Option<u64>,
}

/// What a rate limit policy holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    #[default]
    Llm,
    McpTools,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RateType {
    Requests,
    Tokens,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RateUnit {
    Rpm,
    Rph,
    Rpd,
    Rpw,
}

/// The rule of a rate limit policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateRule {
    #[serde(default)]
    pub target: Target,
    pub conditions: Vec<Condition>,
    pub group_by: Vec<Group>,
    pub r#type: RateType,
    pub unit: RateUnit,
    pub value: u64,
}

/// What may stand in conditions and groups of a kind of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Usage,
    Rate(Target),
}

/// # Errors
/// The first member that is not accepted.
pub(super) fn check(conditions: &[Condition], groups: &[Group], kind: For) -> Result<(), FieldError> {
    count("conditions", conditions.len(), MOST_CONDITIONS)?;
    count("group_by", groups.len(), MOST_GROUPS)?;
    for (at, condition) in conditions.iter().enumerate() {
        let field = format!("conditions[{at}]");
        may(&format!("{field}.key"), &condition.key, kind, false)?;
        values(&format!("{field}.value"), &condition.value)?;
        if let Some(excludes) = &condition.excludes {
            values(&format!("{field}.excludes"), excludes)?;
        }
    }
    let mut seen = BTreeSet::new();
    for (at, group) in groups.iter().enumerate() {
        let field = format!("group_by[{at}].key");
        may(&field, &group.key, kind, true)?;
        if !seen.insert(&group.key) {
            return Err(FieldError::new(&field, "stands there twice", "each key once"));
        }
    }
    Ok(())
}

fn count(field: &str, count: usize, most: usize) -> Result<(), FieldError> {
    if (1..=most).contains(&count) {
        return Ok(());
    }
    Err(FieldError::new(field, format!("has {count} entries"), format!("1 to {most}")))
}

fn may(field: &str, key: &Key, kind: For, is_group: bool) -> Result<(), FieldError> {
    let fits = match (kind, key) {
        (_, Key::ApiKey) => true,
        (_, Key::Metadata(name)) => !name.is_empty() && name.chars().count() <= LONGEST,
        (For::Usage, Key::WorkspaceId) => is_group,
        (For::Rate(_), Key::WorkspaceId) => true,
        (For::Rate(Target::McpTools), key) => matches!(key, Key::McpServer | Key::McpTool),
        (For::Rate(Target::Llm), Key::EndpointType) => true,
        (_, key) => matches!(key, Key::VirtualKey | Key::Provider | Key::Config | Key::Prompt | Key::Model),
    };
    if fits {
        return Ok(());
    }
    let expected = match kind {
        For::Usage => {
            "api_key, virtual_key, provider, config, prompt, model, metadata.<name>, or workspace_id to group by"
        }
        For::Rate(Target::Llm) => {
            "api_key, workspace_id, virtual_key, provider, config, prompt, model, endpoint_type or metadata.<name>"
        }
        For::Rate(Target::McpTools) => "api_key, workspace_id, mcp_server, mcp_tool or metadata.<name>",
    };
    let shown = tidegate_core::field::shown(&key.text());
    Err(FieldError::new(field, format!("{shown} is not accepted here"), expected))
}

fn values(field: &str, values: &Values) -> Result<(), FieldError> {
    let list = values.list();
    count(field, list.len(), MOST_VALUES)?;
    match list.iter().any(|value| value.is_empty() || value.chars().count() > LONGEST) {
        true => {
            Err(FieldError::new(field, "is empty or too long", format!("texts of 1 to {LONGEST} characters")))
        }
        false => Ok(()),
    }
}

impl Values {
    pub fn list(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }
}

impl Key {
    /// `api_key`, `metadata._user`.
    pub fn text(&self) -> Cow<'static, str> {
        if let Self::Metadata(name) = self {
            return format!("metadata.{name}").into();
        }
        WORDS.iter().find(|(_, key)| key == self).map_or("", |(word, _)| *word).into()
    }

    pub fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("metadata.") {
            return Some(Self::Metadata(name.to_owned()));
        }
        WORDS.iter().find(|(word, _)| *word == text).map(|(_, key)| key.clone())
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let words: Vec<_> = WORDS.iter().map(|(word, _)| *word).collect();
        Self::parse(&text).ok_or_else(|| {
            let words = words.join(", ");
            serde::de::Error::custom(format!("{text:?} is no key, expected {words} or metadata.<name>"))
        })
    }
}

impl JsonSchema for Key {
    fn schema_name() -> Cow<'static, str> {
        "PolicyKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> = WORDS.iter().map(|(word, _)| *word).collect();
        json_schema!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": "^metadata\\..+" }] })
    }
}
