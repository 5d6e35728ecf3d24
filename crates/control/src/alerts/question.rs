//! What a rule asks of the records, and what the answers say.

use tidegate_alerts::outage::{Health, health};
use tidegate_alerts::{Condition, Figure, Finding, Rule, RuleKind, RuleText, Watch};
use tidegate_insight::Sum;
use tidegate_insight::{Answer as Figures, Bucket, Cell, Metric, Query as Question, Value, Wants, answer};
use tidegate_records::Filter;
use tidegate_store::Home;

use crate::analytics::explore::dimension;
use crate::logs::filter;
use crate::problem::Problem;
use crate::providers::health::sent;
use crate::records::Records;

/// Groups of one rule, by the metric, the largest first.
const MOST_GROUPS: usize = 100;
/// Those that they are compared with: who was large yesterday may be small today.
const MOST_COMPARED: usize = 1_000;

/// # Errors
/// 400 naming the member.
pub(crate) fn check(text: &RuleText) -> Result<Rule, Problem> {
    let rule = text.check()?;
    if let Some(group) = &text.group {
        dimension("rule.group", group)?;
    }
    filter_of(text)?;
    Ok(rule)
}

pub(super) fn has_groups(text: &RuleText) -> bool {
    text.kind == RuleKind::ProviderOutage || text.group.is_some()
}

fn filter_of(text: &RuleText) -> Result<Filter, Problem> {
    let (filter, marks) = filter::of_members("rule.filters", &text.filters)?;
    if marks.is_some() {
        let expected = "other filters: marks come long after their requests";
        return Err(Problem::field("rule.filters", "has weighted_feedback", expected));
    }
    if filter.from_ms.is_some() || filter.to_ms.is_some() {
        let expected = "no times: the window of the rule is its time";
        return Err(Problem::field("rule.filters", "has times", expected));
    }
    if !filter.search.is_any() {
        let expected = "other filters: rules are about figures, and look into no bodies";
        return Err(Problem::field("rule.filters.search", "is not accepted", expected));
    }
    Ok(filter)
}

/// What there is to say of a rule's records at `now`.
///
/// # Errors
/// 503: the records cannot be read now.
pub(super) async fn look(
    records: &Records,
    home: Home,
    text: &RuleText,
    rule: &Rule,
    now: u64,
) -> Result<Vec<Finding>, Problem> {
    match &rule.watch {
        Watch::Metric { metric, condition } => {
            figures(records, &asked(home, text, rule, metric)?, rule, condition, now).await
        }
        Watch::Outage { providers, degraded } => {
            let all = of_workspace(records, home, now, rule.window_ms, rule.min_requests).await?;
            let wanted = |one: &&Health| providers.is_empty() || providers.contains(&one.provider);
            Ok(all.iter().filter(wanted).map(|one| one.finding(*degraded)).collect())
        }
    }
}

/// How the providers of a workspace are.
///
/// # Errors
/// 503: the records cannot be read now.
pub(crate) async fn of_workspace(
    records: &Records,
    home: Home,
    now: u64,
    window_ms: u64,
    least: u64,
) -> Result<Vec<Health>, Problem> {
    let sent = sent(records, home, now).await?;
    Ok(health(&sent, now, window_ms, least))
}

/// The question for the window that ends now.
struct Asked {
    question: Question,
    metric: &'static Metric,
}

fn asked(home: Home, text: &RuleText, rule: &Rule, metric: &'static Metric) -> Result<Asked, Problem> {
    let mut filter = filter_of(text)?;
    filter.organisation = vec![home.organisation.to_string()];
    filter.workspace = vec![home.workspace.map(|id| id.to_string()).unwrap_or_default()];
    let group = text.group.as_deref().map(|group| dimension("rule.group", group)).transpose()?;
    let question = Question {
        from_ms: 0,
        to_ms: rule.window_ms,
        until_now: false,
        bucket: Bucket::None,
        group,
        filter,
        top: MOST_GROUPS,
        rank: metric,
        wants: Wants::of([metric]),
    };
    Ok(Asked { question, metric })
}

impl Asked {
    async fn at(&self, records: &Records, end: u64, top: usize, until_now: bool) -> Result<Figures, Problem> {
        let length = self.question.to_ms - self.question.from_ms;
        let (from_ms, to_ms) = (end.saturating_sub(length), end);
        let question = Question { from_ms, to_ms, until_now, top, ..self.question.clone() };
        records.ask(move |shelf| answer(shelf, &question)).await
    }

    fn value(&self, cell: &Cell) -> Option<f64> {
        let seconds = (self.question.to_ms - self.question.from_ms) as f64 / 1e3;
        self.metric.of(cell, seconds).map(Value::real)
    }
}

async fn figures(
    records: &Records,
    asked: &Asked,
    rule: &Rule,
    condition: &Condition,
    now: u64,
) -> Result<Vec<Finding>, Problem> {
    // Of this very millisecond, too.
    let end = now + 1;
    let current = asked.at(records, end, MOST_GROUPS, true).await?;
    let before = match condition.against() {
        None => None,
        Some(before) => Some(asked.at(records, end.saturating_sub(before.ms()), MOST_COMPARED, false).await?),
    };
    let is_grouped = asked.question.group.is_some();
    let figure = |group: &tidegate_insight::Group| {
        // All others together are no group.
        let key = match (&group.key, is_grouped) {
            (Some(key), _) => key.clone(),
            (None, false) => String::new(),
            (None, true) => return None,
        };
        let base = before.as_ref().map(|before| {
            let same = before.groups.iter().find(|other| other.key == group.key);
            same.map_or((None, 0), |same| (asked.value(&same.total), same.total.sum(Sum::Requests)))
        });
        let requests = group.total.sum(Sum::Requests);
        Some(rule.judge(condition, Figure { key, value: asked.value(&group.total), requests, base }))
    };
    Ok(current.groups.iter().filter_map(figure).collect())
}
