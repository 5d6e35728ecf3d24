//! Notices of alert rules in words and members.

use serde::Serialize;
use tidegate_alerts::{About, Condition, Direction, Notice, What};
use tidegate_core::clock::rfc3339_text;

use crate::text::visible;

/// One line.
pub(crate) fn subject(notice: &Notice) -> String {
    let name = visible(&notice.rule);
    let about = if notice.key.is_empty() { String::new() } else { format!(": {}", visible(&notice.key)) };
    match notice.what {
        None => format!("Tidegate: this is a test of alert '{name}'"),
        Some(What::Fired) => format!("Tidegate: alert '{name}'{about}"),
        Some(What::Repeated) => format!("Tidegate: alert '{name}'{about} (still)"),
        Some(What::Resolved) => format!("Tidegate: alert '{name}'{about} is resolved"),
        Some(What::Faded) => {
            format!("Tidegate: alert '{name}'{about} has ended: too few requests to say more")
        }
    }
}

/// Some lines.
pub(crate) fn body(notice: &Notice) -> String {
    let mut lines = Vec::new();
    if notice.what.is_none() {
        lines.push(
            "Nothing happened. Somebody wanted to see whether notices arrive here: they do.".to_owned(),
        );
    }
    lines.push(format!("alert: {}", visible(&notice.rule)));
    if !notice.key.is_empty() {
        let what = if matches!(notice.about, About::Outage) { "provider" } else { "group" };
        lines.push(format!("{what}: {}", visible(&notice.key)));
    }
    if let Some(value) = notice.value {
        lines.push(format!("{}: {}", figure(notice), shown(value, unit(notice))));
    }
    lines.push(format!("fires when: {}", condition(notice)));
    if notice.what.is_some() {
        lines.push(format!("requests in the window: {}", notice.requests));
        lines.push(format!("since: {}", rfc3339_text(notice.since)));
    }
    lines.push(format!("at: {}", rfc3339_text(notice.at)));
    if !notice.workspace.is_empty() {
        lines.push(format!("workspace: {}", visible(&notice.workspace)));
    }
    lines.push(String::new());
    lines.push(notice.link.clone());
    lines.join("\n") + "\n"
}

fn figure(notice: &Notice) -> &'static str {
    match &notice.about {
        About::Metric { condition: Condition::Change { .. }, .. } => "change",
        About::Metric { name, .. } => name,
        About::Outage => "requests that failed by its fault",
    }
}

fn unit(notice: &Notice) -> &'static str {
    match &notice.about {
        About::Metric { condition: Condition::Change { .. }, .. } | About::Outage => "%",
        About::Metric { unit, .. } => unit,
    }
}

fn condition(notice: &Notice) -> String {
    let minutes = shown(notice.window_ms as f64 / 60_000.0, "minutes");
    match &notice.about {
        About::Outage => format!("half of what is sent to a provider fails by its own fault, in {minutes}"),
        About::Metric { name, unit, condition, .. } => match *condition {
            Condition::Above { threshold, .. } => {
                format!("{name} above {}, in {minutes}", shown(threshold, unit))
            }
            Condition::Below { threshold, .. } => {
                format!("{name} below {}, in {minutes}", shown(threshold, unit))
            }
            Condition::Change { percent, direction, against } => {
                let word = match direction {
                    Direction::Up => "rises",
                    Direction::Down => "falls",
                    Direction::Either => "changes",
                };
                let before = match against {
                    tidegate_alerts::Before::Day => "a day",
                    tidegate_alerts::Before::Week => "a week",
                };
                format!(
                    "{name} {word} by more than {}, in {minutes}, against {before} before",
                    shown(percent, "%")
                )
            }
        },
    }
}

/// Four decimals at most. A count says what is counted by its name.
fn shown(value: f64, unit: &str) -> String {
    let rounded = (value * 10_000.0).round() / 10_000.0;
    match unit {
        "count" | "ratio" => rounded.to_string(),
        "%" => format!("{rounded}%"),
        unit => format!("{rounded} {unit}"),
    }
}

/// The members of a webhook.
#[derive(Serialize)]
pub(crate) struct Members<'a> {
    event: &'static str,
    notice_id: &'a str,
    rule: RuleMembers<'a>,
    workspace_id: &'a str,
    /// Null for a rule about providers.
    metric: Option<&'static str>,
    unit: &'static str,
    /// The group, or the provider.
    group: Option<&'a str>,
    value: Option<f64>,
    bound: Option<f64>,
    requests: u64,
    window_seconds: u64,
    since: String,
    created_at: String,
    link: &'a str,
}

#[derive(Serialize)]
struct RuleMembers<'a> {
    id: &'a str,
    name: &'a str,
}

impl<'a> Members<'a> {
    pub(crate) fn of(notice: &'a Notice) -> Self {
        let (metric, bound) = match &notice.about {
            About::Metric { id, condition, .. } => (Some(*id), Some(condition.bound())),
            About::Outage => (None, None),
        };
        Self {
            event: match notice.what {
                None => "alert.test",
                Some(What::Fired) => "alert.fired",
                Some(What::Repeated) => "alert.repeated",
                Some(What::Resolved) => "alert.resolved",
                Some(What::Faded) => "alert.faded",
            },
            notice_id: &notice.id,
            rule: RuleMembers { id: &notice.rule_id, name: &notice.rule },
            workspace_id: &notice.workspace,
            metric,
            unit: unit(notice),
            group: (!notice.key.is_empty()).then_some(notice.key.as_str()),
            value: notice.value,
            bound,
            requests: notice.requests,
            window_seconds: notice.window_ms / 1_000,
            since: rfc3339_text(notice.since),
            created_at: rfc3339_text(notice.at),
            link: &notice.link,
        }
    }
}
