//! `GET /v1/alerts/{id}/events`: what a rule told, and whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_alerts::{Event, Told, What};
use tidegate_store::id::{AlertEventId, EntityId};
use uuid::Uuid;

use super::{named, question, rule_of};
use crate::call::Call;
use crate::find::id_of;
use crate::listing::{Count, ListWord};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Query {
    /// 1 to 500; 50 unless said otherwise.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    limit: Count,
    /// `next` of the page before.
    before: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Events {
    object: ListWord,
    /// The newest first; 500 of each rule are kept.
    data: Vec<Row>,
    /// For `before`, where there may be more.
    next: Option<Uuid>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: Uuid,
    what: What,
    at: Timestamp,
    /// When it began to fire.
    since: Timestamp,
    /// Which group, or which provider; null for a rule without groups.
    group: Option<String>,
    /// The metric; percent for a change; the share of faults in percent for a provider. Null where there was none.
    value: Option<f64>,
    /// In the window.
    requests: u64,
    told: Vec<Told>,
}

pub(crate) async fn list(call: Call, query: Query, _: Nothing) -> Answer<Events> {
    let rule = named(&call).await?;
    let limit = query.limit.read("limit", 50, 1..=500)?;
    let before = match query.before.as_deref() {
        None => None,
        Some(text) => {
            let wrong = || Problem::field("before", "is not accepted", "`next` of the page before");
            Some(AlertEventId::from_uuid(id_of(text).ok_or_else(wrong)?))
        }
    };
    let has_groups = question::has_groups(&rule_of(&rule)?);
    let rows = call.store().alert_events(rule.id, before, u32::try_from(limit).unwrap_or(u32::MAX)).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|(id, _)| id.uuid());
    let row = |(id, text): &(AlertEventId, String)| {
        // What a newer program wrote is left out.
        let event: Event = serde_json::from_str(text).ok()?;
        Some(Row {
            id: id.uuid(),
            what: event.what,
            at: Timestamp(event.at),
            since: Timestamp(event.since),
            group: (has_groups || !event.key.is_empty()).then_some(event.key),
            value: event.value,
            requests: event.requests,
            told: event.told,
        })
    };
    ok(Events { object: ListWord::List, data: rows.iter().filter_map(row).collect(), next })
}
