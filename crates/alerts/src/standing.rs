//! From one look at a rule to the next.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::{Event, What};
use crate::rule::Rule;

/// What a look says of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Empty when there are no groups.
    pub key: String,
    /// The figure; percent for a change, the share of faults for a provider.
    pub value: Option<f64>,
    pub requests: u64,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Out,
    Well,
    /// Past the threshold's better side, and not yet at where it is well again: things stay as they are.
    Between,
    /// Too few requests, or nothing to compare with.
    Unknown,
}

/// How a rule stands. Groups that are quiet are not in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub groups: BTreeMap<String, Group>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub phase: Phase,
    /// Milliseconds since 1970: since when it is out of bounds; for one that fires, since when it fires.
    pub since: u64,
    /// When it was told last, in milliseconds since 1970; of one that fires.
    #[serde(default)]
    pub told_at: u64,
    /// Since when nothing is known of one that fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_since: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Pending,
    Firing,
}

/// Groups that are held. Others are let go until there is room.
const MOST_GROUPS: usize = 100;

impl Standing {
    pub fn fires(&self) -> bool {
        self.groups.values().any(|group| group.phase == Phase::Firing)
    }

    /// How it stands after a look at `now` (milliseconds since 1970), and what is to be told of it. A group that the look
    /// says nothing of is unknown.
    pub fn step(&self, rule: &Rule, findings: &[Finding], now: u64) -> (Standing, Vec<Event>) {
        let mut next = Self::default();
        let mut events = Vec::new();
        for finding in findings {
            let before = self.groups.get(&finding.key);
            let room = next.groups.len() < MOST_GROUPS;
            if let Some(group) = one(before, rule, finding, now, &mut events).filter(|_| room) {
                next.groups.insert(finding.key.clone(), group);
            }
        }
        for (key, before) in &self.groups {
            if findings.iter().any(|finding| finding.key == *key) {
                continue;
            }
            let nothing = Finding { key: key.clone(), value: None, requests: 0, verdict: Verdict::Unknown };
            if let Some(group) = one(Some(before), rule, &nothing, now, &mut events) {
                next.groups.insert(key.clone(), group);
            }
        }
        (next, events)
    }
}

/// What becomes of a group; nothing when it is quiet.
fn one(
    before: Option<&Group>,
    rule: &Rule,
    finding: &Finding,
    now: u64,
    events: &mut Vec<Event>,
) -> Option<Group> {
    let mut tell = |what: What, since: u64| events.push(Event::of(what, finding, since, now));
    let firing = before.filter(|group| group.phase == Phase::Firing);
    match (finding.verdict, firing) {
        (Verdict::Out, Some(group)) => {
            let is_due = rule.repeat_ms.is_some_and(|repeat| now >= group.told_at.saturating_add(repeat));
            if is_due {
                tell(What::Repeated, group.since);
            }
            let told_at = if is_due { now } else { group.told_at };
            Some(Group { told_at, unknown_since: None, ..group.clone() })
        }
        (Verdict::Out, None) => {
            let since = before.map_or(now, |group| group.since);
            if now < since.saturating_add(rule.for_ms) {
                return Some(Group { phase: Phase::Pending, since, told_at: 0, unknown_since: None });
            }
            tell(What::Fired, now);
            Some(Group { phase: Phase::Firing, since: now, told_at: now, unknown_since: None })
        }
        (Verdict::Between, _) => before.map(|group| Group { unknown_since: None, ..group.clone() }),
        (Verdict::Well, Some(group)) => {
            tell(What::Resolved, group.since);
            None
        }
        (Verdict::Unknown, Some(group)) => {
            // A window without requests is over when another one is.
            let unknown_since = group.unknown_since.unwrap_or(now);
            if now >= unknown_since.saturating_add(rule.window_ms) {
                tell(What::Faded, group.since);
                return None;
            }
            Some(Group { unknown_since: Some(unknown_since), ..group.clone() })
        }
        (Verdict::Well | Verdict::Unknown, None) => None,
    }
}
