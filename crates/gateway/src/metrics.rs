//! What `/metrics` shows. Labels are closed sets (routes, catalogue ids, statuses): nothing a caller writes becomes a
//! series. The handles of one (route, provider) pair are looked up once per request and then only counted on.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tidegate_pricing::Cost;

/// Seconds; from a cached answer to a long reasoning run.
const DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    provider: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PairLabels {
    route: &'static str,
    provider: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    provider: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    provider: &'static str,
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SinkName {
    sink: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SinkLabels {
    sink: &'static str,
    outcome: &'static str,
}

/// The counters of one (route, provider) pair.
#[derive(Debug)]
pub struct Series {
    labels: PairLabels,
    statuses: RwLock<Vec<(u16, Counter)>>,
    requests: Family<RequestLabels, Counter>,
    pub duration: Histogram,
    pub ttft: Histogram,
    pub input_tokens: Counter,
    pub cached_tokens: Counter,
    pub output_tokens: Counter,
}

impl Series {
    pub fn count(&self, status: u16) {
        let known = self.statuses.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, counter)) = known.iter().find(|(code, _)| *code == status) {
            counter.inc();
            return;
        }
        drop(known);
        let PairLabels { route, provider } = self.labels;
        let counter = self.requests.get_or_create_owned(&RequestLabels { route, provider, status });
        counter.inc();
        self.statuses.write().unwrap_or_else(PoisonError::into_inner).push((status, counter));
    }
}

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<PairLabels, Histogram>,
    ttfts: Family<PairLabels, Histogram>,
    tokens: Family<TokenLabels, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    stream_ends: Family<ReasonLabels, Counter>,
    refusals: Family<ReasonLabels, Counter>,
    pub open_requests: Gauge,
    pub open_streams: Gauge,
    pub open_connections: Gauge,
    /// Requests that wait for a rate limit.
    pub queue_waiting: Gauge,
    queue_ends: Family<ReasonLabels, Counter>,
    exports: Family<ReasonLabels, Counter>,
    alert_looks: Family<ReasonLabels, Counter>,
    alert_notices: Family<ReasonLabels, Counter>,
    sink_records: Family<SinkLabels, Counter>,
    sink_failures: Family<SinkName, Counter>,
    sink_spooled: Family<SinkName, Gauge>,
    usage_estimates: Family<ReasonLabels, Counter>,
    pub hedges: Counter,
    cost: Counter<f64, AtomicU64>,
    unpriced: Counter,
    pub reloads: Counter,
    pub reload_failures: Counter,
    series: RwLock<HashMap<(&'static str, &'static str), Arc<Series>, foldhash::fast::RandomState>>,
}

impl Metrics {
    pub fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(DURATION_BUCKETS);
        let mut metrics = Self {
            registry: Registry::with_prefix("tidegate"),
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            ttfts: Family::new_with_constructor(histogram),
            tokens: Family::default(),
            attempts: Family::default(),
            stream_ends: Family::default(),
            refusals: Family::default(),
            open_requests: Gauge::default(),
            open_streams: Gauge::default(),
            open_connections: Gauge::default(),
            queue_waiting: Gauge::default(),
            queue_ends: Family::default(),
            exports: Family::default(),
            alert_looks: Family::default(),
            alert_notices: Family::default(),
            sink_records: Family::default(),
            sink_failures: Family::default(),
            sink_spooled: Family::default(),
            usage_estimates: Family::default(),
            hedges: Counter::default(),
            cost: Counter::default(),
            unpriced: Counter::default(),
            reloads: Counter::default(),
            reload_failures: Counter::default(),
            series: RwLock::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("requests", "Requests answered, by route, provider and status", self.requests.clone());
        r.register_with_unit(
            "request_duration",
            "From the request's head to the last byte of the answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        r.register_with_unit(
            "time_to_first_token",
            "From the request's head to the first byte of a stream's content",
            Unit::Seconds,
            self.ttfts.clone(),
        );
        r.register(
            "tokens",
            "Tokens as the providers reported them, by class (cached is inside input)",
            self.tokens.clone(),
        );
        r.register(
            "attempts",
            "Requests sent to providers, by outcome: a status class, network, timeout, cancelled",
            self.attempts.clone(),
        );
        r.register("stream_ends", "How streams ended", self.stream_ends.clone());
        r.register("refusals", "Requests the gateway refused itself, by reason", self.refusals.clone());
        r.register(
            "otlp_exports",
            "Requests told to a collector, by what became of that",
            self.exports.clone(),
        );
        r.register(
            "alert_looks",
            "Alert rules looked at, by what became of that: looked, failed, late",
            self.alert_looks.clone(),
        );
        r.register(
            "alert_notices",
            "Notices of alert rules, channel by channel: delivered, undelivered",
            self.alert_notices.clone(),
        );
        r.register(
            "sink_records",
            "Records for a warehouse: sent, or why they were lost",
            self.sink_records.clone(),
        );
        r.register("sink_failures", "Tries to reach a warehouse that failed", self.sink_failures.clone());
        r.register_with_unit(
            "sink_spooled",
            "What waits on disk for a warehouse",
            Unit::Bytes,
            self.sink_spooled.clone(),
        );
        r.register("open_requests", "Requests under way", self.open_requests.clone());
        r.register("open_streams", "Streams under way", self.open_streams.clone());
        r.register("open_connections", "Client connections", self.open_connections.clone());
        r.register("queue_waiting", "Requests that wait for a rate limit", self.queue_waiting.clone());
        r.register(
            "queue_ends",
            "How waiting for a rate limit ended: admitted, expired, displaced, full, left, stopped, away",
            self.queue_ends.clone(),
        );
        r.register(
            "usage_estimates",
            "Answers whose provider said no usage, by how it was found: counted, length, busy",
            self.usage_estimates.clone(),
        );
        r.register("hedges", "Second attempts sent because the first was slow", self.hedges.clone());
        r.register(
            "cost_usd",
            "What requests cost in US dollars; rounded here, exact in the ledger",
            self.cost.clone(),
        );
        r.register(
            "unpriced_requests",
            "Requests whose cost is not known, wholly or in part",
            self.unpriced.clone(),
        );
        r.register("config_reloads", "Settings reloaded", self.reloads.clone());
        r.register(
            "config_reload_failures",
            "Reloads refused because the settings were invalid",
            self.reload_failures.clone(),
        );
    }

    pub fn series(&self, route: &'static str, provider: &'static str) -> Arc<Series> {
        let known = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(&(route, provider)) {
            return series.clone();
        }
        drop(known);
        let labels = PairLabels { route, provider };
        let tokens = |class| self.tokens.get_or_create_owned(&TokenLabels { provider, class });
        let series = Arc::new(Series {
            statuses: RwLock::default(),
            requests: self.requests.clone(),
            duration: self.durations.get_or_create_owned(&labels),
            ttft: self.ttfts.get_or_create_owned(&labels),
            input_tokens: tokens("input"),
            cached_tokens: tokens("cached"),
            output_tokens: tokens("output"),
            labels,
        });
        self.series
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry((route, provider))
            .or_insert(series)
            .clone()
    }

    pub fn attempt(&self, provider: &'static str, outcome: &'static str) {
        self.attempts.get_or_create(&AttemptLabels { provider, outcome }).inc();
    }

    pub fn cost(&self, cost: &Cost) {
        match cost {
            Cost::Priced(bill) => {
                self.cost.inc_by(bill.total.approximate());
                if !bill.is_complete() {
                    self.unpriced.inc();
                }
            }
            Cost::Unpriced(_) => drop(self.unpriced.inc()),
        }
    }

    pub fn stream_end(&self, reason: &'static str) {
        self.stream_ends.get_or_create(&ReasonLabels { reason }).inc();
    }

    pub fn usage_estimate(&self, how: &'static str) {
        self.usage_estimates.get_or_create(&ReasonLabels { reason: how }).inc();
    }

    pub fn queued(&self, end: &'static str) {
        self.queue_ends.get_or_create(&ReasonLabels { reason: end }).inc();
    }

    /// Requests that a collector was to be told of: `sent`, `dropped`, `failed`.
    pub fn exported(&self, outcome: &'static str, requests: u64) {
        self.exports.get_or_create(&ReasonLabels { reason: outcome }).inc_by(requests);
    }

    /// Alert rules: `looked`, `failed`, `late`.
    pub fn alert_looks(&self, outcome: &'static str, rules: u64) {
        self.alert_looks.get_or_create(&ReasonLabels { reason: outcome }).inc_by(rules);
    }

    /// Notices of alert rules: `delivered`, `undelivered`.
    pub fn alert_notices(&self, outcome: &'static str, notices: u64) {
        self.alert_notices.get_or_create(&ReasonLabels { reason: outcome }).inc_by(notices);
    }

    /// Records for a warehouse: `sent`, or the reason why they were lost.
    pub fn sunk(&self, sink: &'static str, outcome: &'static str, records: u64) {
        self.sink_records.get_or_create(&SinkLabels { sink, outcome }).inc_by(records);
    }

    /// A try that failed.
    pub fn sink_failure(&self, sink: &'static str) {
        self.sink_failures.get_or_create(&SinkName { sink }).inc();
    }

    /// Bytes that wait on disk for a warehouse.
    pub fn sink_waiting(&self, sink: &'static str, bytes: u64) {
        self.sink_spooled.get_or_create(&SinkName { sink }).set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub fn refusal(&self, reason: &'static str) {
        self.refusals.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// The OpenMetrics text, with `extra` lines (gauges read from elsewhere) before its end.
    pub fn render(&self, extra: &str) -> String {
        let mut text = String::with_capacity(8 * 1024);
        if prometheus_client::encoding::text::encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        let body = text.strip_suffix("# EOF\n").map_or(text.len(), str::len);
        text.truncate(body);
        text.push_str(extra);
        text.push_str("# EOF\n");
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_what_was_counted() {
        let metrics = Metrics::new();
        let series = metrics.series("chat_completions", "openai");
        series.count(200);
        series.count(200);
        series.count(429);
        series.ttft.observe(0.2);
        metrics.attempt("openai", "2xx");
        let text = metrics.render("tidegate_pool_open 1\n");
        for line in [
            r#"tidegate_requests_total{route="chat_completions",provider="openai",status="200"} 2"#,
            r#"tidegate_requests_total{route="chat_completions",provider="openai",status="429"} 1"#,
            r#"tidegate_attempts_total{provider="openai",outcome="2xx"} 1"#,
            "tidegate_time_to_first_token_seconds_bucket",
            "tidegate_pool_open 1",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
