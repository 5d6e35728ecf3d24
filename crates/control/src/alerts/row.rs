//! A rule as it is shown, with how it stands.

use schemars::JsonSchema;
use serde::Serialize;
use tidegate_alerts::{Phase, RuleText, Standing};
use tidegate_store::entity::{AlertRule, Stored};
use tidegate_store::id::EntityId;
use tidegate_store::store::AlertState;
use uuid::Uuid;

use super::channels::ChannelRow;
use super::{channels_of, rule_of};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    name: String,
    description: Option<String>,
    enabled: bool,
    rule: RuleText,
    channels: Vec<ChannelRow>,
    state: State,
    /// The groups (or providers) that fire, or wait until they do.
    groups: Vec<GroupRow>,
    workspace_id: Option<Uuid>,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    created_by: String,
    object: Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// Out of bounds, and not for long enough.
    Pending,
    Firing,
    /// Not enabled.
    Paused,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GroupRow {
    /// Null for a rule without groups.
    key: Option<String>,
    state: State,
    since: Timestamp,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    Alert,
}

impl Row {
    pub(super) fn of(stored: &Stored<AlertRule>, state: Option<&AlertState>) -> Result<Self, Problem> {
        let entity = &stored.entity;
        let rule = rule_of(stored)?;
        // What a newer program wrote is no reason to show no rule.
        let standing: Standing =
            state.and_then(|state| serde_json::from_str(&state.body).ok()).unwrap_or_default();
        let word = |phase: Phase| match phase {
            Phase::Pending => State::Pending,
            Phase::Firing => State::Firing,
        };
        let groups: Vec<GroupRow> = standing
            .groups
            .iter()
            .map(|(key, group)| GroupRow {
                key: super::question::has_groups(&rule).then(|| key.clone()),
                state: word(group.phase),
                since: Timestamp(group.since),
            })
            .collect();
        let overall = match groups.iter().any(|group| group.state == State::Firing) {
            _ if !entity.enabled => State::Paused,
            true => State::Firing,
            false if groups.is_empty() => State::Ok,
            false => State::Pending,
        };
        Ok(Self {
            id: stored.id.uuid(),
            name: entity.name.clone(),
            description: entity.description.clone(),
            enabled: entity.enabled,
            rule,
            channels: channels_of(stored)?.iter().map(ChannelRow::of).collect(),
            state: overall,
            groups,
            workspace_id: stored.home.workspace.map(EntityId::uuid),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            created_by: entity.made_by.clone(),
            object: Object::Alert,
        })
    }
}
