//! What a rule watches, and when it fires.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_core::FieldError;
use tidegate_core::field::shown;
use tidegate_insight::Metric;

use crate::condition::{Condition, ConditionText};
use crate::standing::{Finding, Verdict};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// A figure of the workspace's requests.
    Metric,
    /// Providers, by faults of their own: answers from 500 on, silence, connections that fail or break.
    ProviderOutage,
}

/// A rule as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleText {
    pub kind: RuleKind,
    /// For `metric`: an id of `GET /v1/analytics/metrics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// For `metric`: which requests, as the query of `GET /v1/logs` without times.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub filters: Map<String, Value>,
    /// For `metric`: each of these by itself, up to 100, as `group` of `GET /v1/analytics/query`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// For `metric`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionText>,
    /// For `provider_outage`: ids in the catalogue; all when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<String>,
    /// For `provider_outage`: fires for providers that are degraded, too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub degraded: bool,
    /// The requests of so many seconds are looked at: 5 to 604,800 (a week), 300 unless said otherwise; up to 900 for
    /// `provider_outage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
    /// Fewer requests in the window say nothing. 0 unless said otherwise; 5 for `provider_outage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_requests: Option<u64>,
    /// Fires when it has been so for this long, up to a day; at once unless said otherwise.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub for_seconds: u64,
    /// While it fires it is told again after so long, 300 at least; never unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_seconds: Option<u64>,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// What it means. Times are milliseconds.
#[derive(Debug, Clone)]
pub struct Rule {
    pub watch: Watch,
    pub window_ms: u64,
    pub min_requests: u64,
    pub for_ms: u64,
    pub repeat_ms: Option<u64>,
}

#[derive(Debug, Clone)]
pub enum Watch {
    Metric { metric: &'static Metric, condition: Condition },
    Outage { providers: Vec<String>, degraded: bool },
}

/// What there is to judge, of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Empty when there are no groups.
    pub key: String,
    pub value: Option<f64>,
    /// Of the window.
    pub requests: u64,
    /// What it is compared with, and the requests there.
    pub base: Option<(Option<f64>, u64)>,
}

const DAY: u64 = 86_400;
const LEAST_WINDOW: u64 = 5;
const USUAL_WINDOW: u64 = 300;
const LEAST_REPEAT: u64 = 300;
const USUAL_REQUESTS_OF_PROVIDERS: u64 = 5;
const MOST_PROVIDERS: usize = 100;

impl RuleText {
    /// Filters and group are checked by whoever asks the records.
    ///
    /// # Errors
    /// The first member that is missing, out of bounds, or of the other kind.
    pub fn check(&self) -> Result<Rule, FieldError> {
        let wrong = |member: &str, problem: String, expected: &str| {
            FieldError::new(&format!("rule.{member}"), problem, expected)
        };
        let is_outage = self.kind == RuleKind::ProviderOutage;
        let longest = if is_outage { 3 * USUAL_WINDOW } else { 7 * DAY };
        let window = self.window_seconds.unwrap_or(USUAL_WINDOW);
        if !(LEAST_WINDOW..=longest).contains(&window) {
            let expected = format!("{LEAST_WINDOW} to {longest} seconds");
            return Err(wrong("window_seconds", format!("{window} is not accepted"), &expected));
        }
        if self.for_seconds > DAY {
            let problem = format!("{} is not accepted", self.for_seconds);
            return Err(wrong("for_seconds", problem, "up to 86400 seconds"));
        }
        if let Some(repeat) = self.repeat_seconds.filter(|repeat| *repeat < LEAST_REPEAT) {
            let problem = format!("{repeat} is not accepted");
            return Err(wrong("repeat_seconds", problem, "300 seconds or more, or nothing"));
        }
        let watch = if is_outage { self.outage()? } else { self.metric()? };
        Ok(Rule {
            watch,
            window_ms: window * 1_000,
            min_requests: self.min_requests.unwrap_or(match is_outage {
                true => USUAL_REQUESTS_OF_PROVIDERS,
                false => 0,
            }),
            for_ms: self.for_seconds * 1_000,
            repeat_ms: self.repeat_seconds.map(|seconds| seconds.saturating_mul(1_000)),
        })
    }

    fn metric(&self) -> Result<Watch, FieldError> {
        self.strangers(&[("providers", !self.providers.is_empty()), ("degraded", self.degraded)])?;
        let name = self.metric.as_deref().unwrap_or_default();
        let metric = Metric::find(name).ok_or_else(|| {
            let problem = match name.is_empty() {
                true => "is missing".to_owned(),
                false => format!("{} is not known", shown(name)),
            };
            FieldError::new("rule.metric", problem, "an id of GET /v1/analytics/metrics")
        })?;
        let condition = self.condition.as_ref().ok_or_else(|| {
            FieldError::new("rule.condition", "is missing", "such as {\"type\": \"above\", \"threshold\": 5}")
        })?;
        Ok(Watch::Metric { metric, condition: condition.check()? })
    }

    fn outage(&self) -> Result<Watch, FieldError> {
        self.strangers(&[
            ("metric", self.metric.is_some()),
            ("filters", !self.filters.is_empty()),
            ("group", self.group.is_some()),
            ("condition", self.condition.is_some()),
        ])?;
        if self.providers.len() > MOST_PROVIDERS {
            let expected = format!("at most {MOST_PROVIDERS}");
            return Err(FieldError::new("rule.providers", "has too many", expected));
        }
        Ok(Watch::Outage { providers: self.providers.clone(), degraded: self.degraded })
    }

    fn strangers(&self, members: &[(&str, bool)]) -> Result<(), FieldError> {
        match members.iter().find(|(_, is_there)| *is_there) {
            None => Ok(()),
            Some((member, _)) => Err(FieldError::new(
                &format!("rule.{member}"),
                "is of the other kind of rule",
                "nothing, or another kind",
            )),
        }
    }
}

impl Rule {
    /// What a figure says under a condition.
    pub fn judge(&self, condition: &Condition, figure: Figure) -> Finding {
        let Figure { key, value, requests, base } = figure;
        let enough = |requests: u64| requests >= self.min_requests;
        let base_value = base.filter(|(_, requests)| enough(*requests)).and_then(|(value, _)| value);
        let (shown, verdict) = match enough(requests) {
            true => condition.judge(value, base_value),
            false => (None, Verdict::Unknown),
        };
        Finding { key, value: shown, requests, verdict }
    }
}
