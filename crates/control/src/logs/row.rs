//! Logs as clients see them: the figures of a record in a list, and all of it by itself.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_records::log::Metrics;
use tidegate_records::{LogObject, RequestRecord};

/// Never with bodies.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    /// Times are milliseconds, costs cents.
    #[serde(flatten)]
    #[schemars(with = "Map<String, Value>")]
    metrics: Metrics,
    metadata: Map<String, Value>,
    /// Requests to providers.
    attempts: usize,
    /// `ok`, `client_gone` and so on.
    end: String,
    error: Option<String>,
    /// The limit or budget that refused.
    limit: Option<String>,
    cost_is_estimate: bool,
    /// The model has no price.
    unpriced: bool,
}

/// A log object, with bodies for those who may see them.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Whole(Box<LogObject>);

impl Row {
    pub(super) fn of(record: &RequestRecord, workspace: &str) -> Self {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut metrics = Metrics::of(record);
        workspace.clone_into(&mut metrics.workspace_slug);
        let metadata = record.who.metadata.iter();
        Self {
            metrics,
            metadata: metadata.map(|(name, value)| (name.to_string(), Value::from(&**value))).collect(),
            attempts: record.attempts.len(),
            end: record.end.to_string(),
            error: some(&record.error),
            limit: some(&record.limit),
            cost_is_estimate: record.cost.estimate,
            unpriced: record.cost.unpriced,
        }
    }
}

impl Whole {
    pub(super) fn of(log: LogObject) -> Self {
        Self(Box::new(log))
    }
}

impl JsonSchema for Whole {
    fn schema_name() -> Cow<'static, str> {
        "Log".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let object = json_schema!({ "type": "object" });
        json_schema!({
            "type": "object",
            "required": ["_id", "id", "organisation_id", "created_at", "request", "response", "metrics"],
            "properties": {
                "_id": { "type": "string", "format": "uuid" },
                "id": { "type": "string", "format": "uuid" },
                "organisation_id": { "type": "string" },
                "created_at": { "type": "string", "format": "date-time" },
                "request": object,
                "response": object,
                "metrics": object,
                "transformedRequest": object,
                "originalResponse": object,
                "tidegate": object,
            },
        })
    }
}
