//! A workspace as clients see it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_store::entity::{Stored, Workspace, WorkspaceState};
use tidegate_store::id::EntityId;
use uuid::Uuid;

use crate::call::Visit;
use crate::flag::Flag;
use crate::limits::{self, RateLimit, UsageLimit};
use crate::metadata::{self, Metadata};
use crate::retention;
use crate::standing::{self, Used};
use crate::switches::{self, Values};
use crate::timestamp::Timestamp;
use crate::usage::Subject;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    slug: String,
    name: String,
    description: Option<String>,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    status: &'static str,
    is_default: Flag,
    defaults: Defaults,
    usage_limits: Vec<UsageLimit>,
    rate_limits: Vec<RateLimit>,
    /// One for each budget.
    current_usage: Vec<Used>,
    /// Switches of its own, over the organisation's where that lets it.
    settings: Values,
    records: retention::Shown,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Defaults {
    metadata: Metadata,
    is_default: Flag,
    input_guardrails: Vec<String>,
    output_guardrails: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    Workspace,
}

/// Members of the store's map of defaults.
pub(super) const METADATA: &str = "metadata";
pub(super) const INPUT: &str = "input_guardrails";
pub(super) const OUTPUT: &str = "output_guardrails";

impl Row {
    pub(super) fn of(visit: &Visit, stored: &Stored<Workspace>) -> Self {
        let workspace = &stored.entity;
        let kept = workspace.defaults.get(METADATA).and_then(Value::as_object);
        Self {
            id: stored.id.uuid(),
            slug: workspace.slug.clone(),
            name: workspace.name.clone(),
            description: workspace.description.clone(),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            status: WorkspaceState::as_str(workspace.state),
            is_default: Flag(workspace.is_default),
            defaults: Defaults {
                metadata: kept.map(metadata::shown).unwrap_or_default(),
                is_default: Flag(workspace.is_default),
                input_guardrails: words(&workspace.defaults, INPUT),
                output_guardrails: words(&workspace.defaults, OUTPUT),
            },
            usage_limits: limits::usage(&workspace.limits),
            rate_limits: limits::rates(&workspace.limits),
            current_usage: standing::of(visit, &Subject::Workspace(stored.id), None).1,
            settings: switches::own(&workspace.settings),
            records: retention::Shown::of(&workspace.records),
            object: Object::Workspace,
        }
    }
}

fn words(defaults: &Map<String, Value>, name: &str) -> Vec<String> {
    let items = defaults.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
