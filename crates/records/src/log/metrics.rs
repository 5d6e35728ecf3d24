//! The figures of a log object, which the analytics API aggregates under the same names.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;
use tidegate_core::Usage;
use tidegate_core::clock::rfc3339_text;

use crate::record::{Attempt, RequestRecord};
use crate::session;

/// Members that are `None` are left out.
#[derive(Debug, Clone, Serialize)]
pub struct Metrics {
    pub id: String,
    pub organisation_id: String,
    /// Not in the record: for the caller to fill in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_name: Option<String>,
    pub workspace_slug: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_slug: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_version_id: Option<String>,
    pub created_at: String,
    /// The status is of the class 2xx.
    pub is_success: bool,
    /// The provider.
    pub ai_org: String,
    pub ai_model: String,
    pub req_units: u64,
    pub res_units: u64,
    pub total_units: u64,
    /// Cents, exact; null when unknown.
    pub cost: Option<Box<RawValue>>,
    pub cost_currency: String,
    pub request_url: String,
    pub request_method: String,
    pub response_status_code: u16,
    pub response_time: u64,
    pub is_proxy_call: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_type: Option<&'static str>,
    pub stream_mode: u8,
    /// Retries before the target that answered did so well.
    pub retry_success_count: u64,
    pub trace_id: String,
    /// Empty where there is none.
    pub session_id: String,
    pub span_id: String,
    pub span_name: String,
    pub parent_span_id: String,
    /// The record's id, as replies to clients and log lines name it.
    pub internal_trace_id: String,
    pub mode: String,
    pub last_used_option_index: u64,
    pub virtual_key: String,
    pub api_key_id: String,
    pub source: String,
    pub sdk_version: String,
    #[serde(rename = "metadata.key")]
    pub metadata_key: Vec<String>,
    #[serde(rename = "metadata.value")]
    pub metadata_value: Vec<String>,
    #[serde(flatten)]
    pub figures: Figures,
}

/// Milliseconds spent in places.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_response_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_processing_time: Option<u64>,
}

impl Metrics {
    pub fn of(record: &RequestRecord) -> Self {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let id = record.id();
        let (who, last) = (&record.who, record.attempts.last());
        let (prompt, version) = record.prompt.split_once('@').unwrap_or((&record.prompt, ""));
        let usage = record.usage.as_ref();
        // 101: a session that was opened.
        let is_success = matches!(record.status, 101 | 200..=299);
        let (cache_status, cache_type) = cache(&record.cache);
        Self {
            id: id.uuid(),
            organisation_id: who.organisation.to_string(),
            organisation_name: None,
            workspace_slug: who.workspace.to_string(),
            prompt_slug: some(prompt),
            prompt_version_id: some(version),
            config: some(&record.config),
            config_id: some(&record.config),
            config_version_id: (record.config_version > 0).then(|| record.config_version.to_string()),
            created_at: rfc3339_text(id.unix_ms()),
            is_success,
            ai_org: record.provider.to_string(),
            ai_model: record.model.to_string(),
            req_units: usage.map_or(0, Usage::prompt),
            res_units: usage.map_or(0, |usage| usage.output),
            total_units: usage.map_or(0, Usage::total),
            cost: cents(&record.cost.amount),
            cost_currency: some(&record.cost.currency).unwrap_or_else(|| "USD".into()),
            request_url: url(record),
            request_method: record.method.to_string(),
            response_status_code: record.status,
            response_time: record.timing.total_us / 1_000,
            is_proxy_call: record.mode == "proxy",
            cache_status,
            cache_type,
            stream_mode: record.stream.into(),
            retry_success_count: if is_success { retries(&record.attempts) } else { 0 },
            trace_id: record.span.trace.to_string(),
            session_id: session::of(record).to_owned(),
            span_id: record.span.span.to_string(),
            span_name: record.span.name.to_string(),
            parent_span_id: record.span.parent.to_string(),
            internal_trace_id: id.to_string(),
            mode: record.mode.to_string(),
            last_used_option_index: last.map_or(0, |attempt| index(&attempt.target)),
            virtual_key: record.virtual_key.to_string(),
            api_key_id: who.api_key.to_string(),
            source: record.source.to_string(),
            sdk_version: record.client.to_string(),
            metadata_key: who.metadata.iter().map(|(name, _)| name.to_string()).collect(),
            metadata_value: who.metadata.iter().map(|(_, value)| value.to_string()).collect(),
            figures: Figures {
                upstream_response_time: last.map(|attempt| attempt.duration_us / 1_000),
                gateway_processing_time: record.timing.own_us.map(|us| us / 1_000),
            },
        }
    }
}

/// Where the last attempt went; the gateway's own path when there was none.
pub(super) fn url(record: &RequestRecord) -> String {
    let asked = record.attempts.last().map(|attempt| &attempt.url).filter(|url| !url.is_empty());
    asked.unwrap_or(&record.path).to_string()
}

/// A number as JSON writes it, with all its digits. `None`: unknown, or no decimal.
fn cents(amount: &str) -> Option<Box<RawValue>> {
    let cents = Decimal::from_str(amount).ok()?.checked_mul(Decimal::ONE_HUNDRED)?.normalize();
    RawValue::from_string(cents.to_string()).ok()
}

fn cache(word: &str) -> (Option<&'static str>, Option<&'static str>) {
    let status = match word {
        "hit" => "HIT",
        "semantic_hit" => "SEMANTIC HIT",
        "miss" => "MISS",
        "semantic_miss" => "SEMANTIC MISS",
        "refreshed" => "REFRESH",
        "" | "disabled" => return (Some("DISABLED"), None),
        _ => return (None, None),
    };
    (Some(status), Some(if status.starts_with("SEMANTIC") { "semantic" } else { "simple" }))
}

/// Attempts at the last target before its last one. A hedge is no retry.
fn retries(attempts: &[Attempt]) -> u64 {
    let Some((last, before)) = attempts.split_last() else { return 0 };
    before.iter().rev().take_while(|attempt| attempt.target == last.target && !attempt.hedge).count() as u64
}

/// `targets[1].targets[0]` is the second.
fn index(target: &str) -> u64 {
    let number = target.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(number, _)| number);
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
