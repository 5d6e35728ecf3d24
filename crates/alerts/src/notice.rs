//! What those are told who are told.

use crate::condition::Condition;
use crate::event::What;

/// One notice of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The same for the same event, to every channel.
    pub id: String,
    /// `None`: somebody tries whether notices arrive. Nothing happened.
    pub what: Option<What>,
    pub rule_id: String,
    pub rule: String,
    /// The workspace's slug.
    pub workspace: String,
    pub about: About,
    /// Which group, or which provider; empty when there are no groups.
    pub key: String,
    pub value: Option<f64>,
    pub requests: u64,
    pub window_ms: u64,
    /// Milliseconds since 1970.
    pub since: u64,
    pub at: u64,
    /// The page about the rule.
    pub link: String,
}

/// What is watched.
#[derive(Debug, Clone, PartialEq)]
pub enum About {
    Metric {
        id: &'static str,
        name: &'static str,
        unit: &'static str,
        condition: Condition,
    },
    /// Providers; the value is the share of faults in percent.
    Outage,
}
