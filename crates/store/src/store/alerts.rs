//! How alert rules stand and what they told. Not objects: a look at a rule is no change that somebody made, so there is no
//! version of the rule and no audit entry.

use uuid::Uuid;

use super::Store;
use crate::backend::AlertNote;
use crate::error::StoreError;
use crate::id::{AlertEventId, AlertRuleId, EntityId};

/// Events of a rule that are kept.
const KEEP: u32 = 500;
/// The turn of those who look at rules.
const TURN: &str = "alerts";

/// How a rule stands: JSON of whoever looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertState {
    pub version: u64,
    pub body: String,
}

impl Store {
    /// Those that were looked at. Whose rules they are is the caller's question.
    ///
    /// # Errors
    /// The database's.
    pub async fn alert_states(
        &self,
        rules: &[AlertRuleId],
    ) -> Result<Vec<(AlertRuleId, AlertState)>, StoreError> {
        let rules = rules.iter().map(|rule| rule.uuid()).collect();
        let states = self.0.backend.alert_states(rules).await?;
        let state = |(rule, row): (Uuid, crate::backend::AlertStateRow)| {
            (AlertRuleId::from_uuid(rule), AlertState { version: row.version, body: row.body })
        };
        Ok(states.into_iter().map(state).collect())
    }

    /// Writes what a look found, if nobody else wrote since version `expected` (0: there was none). The ids of the events,
    /// in their order; `None` when somebody did.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_alert(
        &self,
        rule: AlertRuleId,
        expected: u64,
        state: String,
        events: Vec<String>,
    ) -> Result<Option<Vec<AlertEventId>>, StoreError> {
        let mut ids = Vec::with_capacity(events.len());
        for _ in &events {
            ids.push(AlertEventId::make(self.now())?);
        }
        // Those of one moment sort by chance: their order is that of what happened.
        ids.sort_unstable();
        let events = ids.iter().map(|id| id.uuid()).zip(events).collect();
        let note = AlertNote { rule: rule.uuid(), expected, state, events, keep: KEEP };
        Ok(self.0.backend.note_alert(note).await?.then_some(ids))
    }

    /// Puts another text in an event's place: who was told is known later.
    ///
    /// # Errors
    /// The database's.
    pub async fn amend_alert(
        &self,
        rule: AlertRuleId,
        event: AlertEventId,
        body: String,
    ) -> Result<(), StoreError> {
        self.0.backend.amend_alert(rule.uuid(), event.uuid(), body).await
    }

    /// Events before one (`None`: all), newest first, up to 500 of each rule.
    ///
    /// # Errors
    /// The database's.
    pub async fn alert_events(
        &self,
        rule: AlertRuleId,
        before: Option<AlertEventId>,
        limit: u32,
    ) -> Result<Vec<(AlertEventId, String)>, StoreError> {
        let limit = limit.clamp(1, KEEP);
        let rows = self.0.backend.alert_events(rule.uuid(), before.map(EntityId::uuid), limit).await?;
        Ok(rows.into_iter().map(|(id, body)| (AlertEventId::from_uuid(id), body)).collect())
    }

    /// Whether this replica is the one that looks at the rules now: no other did within `every` milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_alert_turn(&self, every: u64) -> Result<bool, StoreError> {
        let now = self.now();
        self.0.backend.take_turn(TURN, now, now.saturating_sub(every)).await
    }
}
