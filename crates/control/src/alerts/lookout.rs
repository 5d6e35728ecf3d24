//! Looks at the rules, again and again: reads the records, notes what changed, and tells. One replica at a time does; should
//! two look at once all the same, what the second one found is thrown away, for the first one noted it before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tidegate_alerts::{About, Channel, Event, Notice, Rule, Standing, Watch};
use tidegate_store::entity::{AlertRule, Stored, Workspace};
use tidegate_store::id::{AlertEventId, AlertRuleId, EntityId};
use tidegate_store::store::AlertState;
use tidegate_store::{Page, Scope, Store, StoreError};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::messenger::Messenger;
use super::trial::waiting;
use super::{channels_of, question, rule_of};
use crate::api::Inner;
use crate::problem::Problem;

/// Events of one look at one rule that are told; the others are in its history only.
const MOST_TOLD: usize = 20;
/// Notices that wait for their channels.
const MOST_WAITING: usize = 256;

/// Sums since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rules that were looked at, and whose records could be read.
    pub looked: u64,
    /// Rules that could not be looked at.
    pub failed: u64,
    /// Rules that there was no time for.
    pub late: u64,
    /// Notices that arrived, channel by channel.
    pub delivered: u64,
    pub undelivered: u64,
}

#[derive(Debug, Default)]
struct Tally {
    looked: AtomicU64,
    failed: AtomicU64,
    late: AtomicU64,
    delivered: AtomicU64,
    undelivered: AtomicU64,
}

/// Who looks.
#[derive(Debug)]
pub struct Lookout {
    api: Arc<Inner>,
    /// Where the next look begins: those that there was no time for are the first then.
    next: AtomicUsize,
    tally: Arc<Tally>,
    /// Notices under way.
    telling: Mutex<JoinSet<()>>,
}

impl Lookout {
    pub(crate) fn new(api: Arc<Inner>) -> Self {
        Self { api, next: AtomicUsize::new(0), tally: Arc::default(), telling: Mutex::default() }
    }

    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let tally = &self.tally;
        Counts {
            looked: read(&tally.looked),
            failed: read(&tally.failed),
            late: read(&tally.late),
            delivered: read(&tally.delivered),
            undelivered: read(&tally.undelivered),
        }
    }

    /// Looks at all rules, if it is this replica's turn; looks are `every` milliseconds apart, and take no longer. Rules that
    /// cannot be looked at are counted, and looked at the next time.
    pub async fn look(&self, every: u64) {
        let Some(records) = &self.api.options.records else { return };
        // Somebody else's turn, or nobody's: the database is away.
        if !self.api.store.take_alert_turn(every.saturating_sub(every / 20)).await.unwrap_or(false) {
            return;
        }
        let Ok(rules) = self.rules().await else {
            self.tally.failed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let began = self.api.clock.unix_ms();
        let first = self.next.load(Ordering::Relaxed);
        for at in 0..rules.len() {
            let place = (first + at) % rules.len();
            let now = self.api.clock.unix_ms();
            if now.saturating_sub(began) >= every {
                self.tally.late.fetch_add((rules.len() - at) as u64, Ordering::Relaxed);
                self.next.store(place, Ordering::Relaxed);
                return;
            }
            let (rule, state) = &rules[place];
            let count = match self.one(records, rule, state.as_ref(), now).await {
                Ok(()) => &self.tally.looked,
                Err(_) => &self.tally.failed,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits for all notices that are under way.
    pub async fn told(&self) {
        let mut telling = self.telling.lock().await;
        while telling.join_next().await.is_some() {}
    }

    /// Those that are enabled, of all workspaces, with how they stand.
    async fn rules(&self) -> Result<Vec<(Stored<AlertRule>, Option<AlertState>)>, StoreError> {
        let store = &self.api.store;
        let (mut rules, mut after) = (Vec::new(), None);
        loop {
            let part = store.scan::<AlertRule>(after, Page::MAX).await?;
            after = part.last().map(|rule| rule.id);
            let is_last = part.len() < Page::MAX as usize;
            rules.extend(part.into_iter().filter(|rule| rule.entity.enabled));
            if is_last {
                break;
            }
        }
        let ids: Vec<AlertRuleId> = rules.iter().map(|rule| rule.id).collect();
        let mut states: std::collections::HashMap<_, _> =
            store.alert_states(&ids).await?.into_iter().collect();
        Ok(rules
            .into_iter()
            .map(|rule| {
                let state = states.remove(&rule.id);
                (rule, state)
            })
            .collect())
    }

    async fn one(
        &self,
        records: &crate::records::Records,
        stored: &Stored<AlertRule>,
        state: Option<&AlertState>,
        now: u64,
    ) -> Result<(), Problem> {
        let text = rule_of(stored)?;
        let rule = question::check(&text)?;
        let before: Standing = match state {
            None => Standing::default(),
            Some(state) => serde_json::from_str(&state.body).map_err(|error| {
                Problem::internal(format!("how alert rule {} stands cannot be read: {error}", stored.id))
            })?,
        };
        let findings = question::look(records, stored.home, &text, &rule, now).await?;
        let (next, mut events) = before.step(&rule, &findings, now);
        if next == before && events.is_empty() {
            return Ok(());
        }
        let channels = channels_of(stored)?;
        for event in events.iter_mut().take(MOST_TOLD) {
            event.told = channels.iter().map(waiting).collect();
        }
        let unwritten = |error: serde_json::Error| Problem::internal(error.to_string());
        let body = serde_json::to_string(&next).map_err(unwritten)?;
        let texts = events.iter().map(serde_json::to_string).collect::<Result<_, _>>().map_err(unwritten)?;
        let expected = state.map_or(0, |state| state.version);
        // Noted before it is told: what somebody else noted is told by him.
        let noted = self.api.store.note_alert(stored.id, expected, body, texts).await?;
        let Some(ids) = noted else { return Ok(()) };
        for (id, event) in ids.into_iter().zip(events).take(MOST_TOLD) {
            self.tell(stored, &rule, id, event, &channels).await;
        }
        Ok(())
    }

    /// Begins to tell; nobody waits for it.
    async fn tell(
        &self,
        stored: &Stored<AlertRule>,
        rule: &Rule,
        id: AlertEventId,
        event: Event,
        channels: &[Channel],
    ) {
        if channels.is_empty() {
            return;
        }
        let (store, base) = (&self.api.store, &self.api.options.public_url);
        let told = Notice {
            id: format!("ntc_{}", id.uuid().simple()),
            ..notice(store, base, stored, rule, Some(&event), event.at).await
        };
        let mut telling = self.telling.lock().await;
        while telling.try_join_next().is_some() {}
        let messenger = self.api.options.messenger.clone().filter(|_| telling.len() < MOST_WAITING);
        let work = Telling {
            store: store.clone(),
            tally: Arc::clone(&self.tally),
            messenger,
            rule: stored.id,
            id,
            event,
            channels: channels.to_vec(),
            notice: told,
        };
        telling.spawn(work.run());
    }
}

/// One event on its way to its channels.
struct Telling {
    store: Store,
    tally: Arc<Tally>,
    /// Nobody: too many wait already, or there is none.
    messenger: Option<Arc<dyn Messenger>>,
    rule: AlertRuleId,
    id: AlertEventId,
    event: Event,
    channels: Vec<Channel>,
    notice: Notice,
}

impl Telling {
    async fn run(mut self) {
        let mut tries = JoinSet::new();
        for (at, channel) in self.channels.iter().cloned().enumerate() {
            let (messenger, notice) = (self.messenger.clone(), self.notice.clone());
            tries.spawn(async move {
                let outcome = match messenger {
                    Some(messenger) => messenger.deliver(&channel.way, &notice).await,
                    None => Err("too many notices wait, or nobody brings them".to_owned()),
                };
                (at, outcome)
            });
        }
        while let Some(tried) = tries.join_next().await {
            let Ok((at, outcome)) = tried else { continue };
            let count = if outcome.is_ok() { &self.tally.delivered } else { &self.tally.undelivered };
            count.fetch_add(1, Ordering::Relaxed);
            if let Some(told) = self.event.told.get_mut(at) {
                told.delivered = Some(outcome.is_ok());
                told.problem = outcome.err();
            }
        }
        if let Ok(text) = serde_json::to_string(&self.event) {
            // Should the database be away, the history says that it is under way.
            let _ = self.store.amend_alert(self.rule, self.id, text).await;
        }
    }
}

/// A notice of a rule, without an id. `event`: none for a test.
pub(super) async fn notice(
    store: &Store,
    base: &str,
    stored: &Stored<AlertRule>,
    rule: &Rule,
    event: Option<&Event>,
    at: u64,
) -> Notice {
    let workspace = match stored.home.workspace {
        None => None,
        Some(id) => store.get::<Workspace>(&Scope::Organisation(stored.home.organisation), id).await.ok(),
    };
    let about = match &rule.watch {
        Watch::Metric { metric, condition } => About::Metric {
            id: metric.id,
            name: metric.name,
            unit: metric.unit.text(),
            condition: *condition,
        },
        Watch::Outage { .. } => About::Outage,
    };
    Notice {
        id: String::new(),
        what: event.map(|event| event.what),
        rule_id: stored.id.to_string(),
        rule: stored.entity.name.clone(),
        workspace: workspace.map(|workspace| workspace.entity.slug).unwrap_or_default(),
        about,
        key: event.map(|event| event.key.clone()).unwrap_or_default(),
        value: event.and_then(|event| event.value),
        requests: event.map_or(0, |event| event.requests),
        window_ms: rule.window_ms,
        since: event.map_or(at, |event| event.since),
        at,
        link: format!("{}/console/alerts/{}", base.trim_end_matches('/'), stored.id),
    }
}
