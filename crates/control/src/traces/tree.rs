//! The spans of a trace from the records of its requests and from what programs told about it. Pure.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tidegate_core::Usage;
use tidegate_pricing::Decimal;
use tidegate_records::traces::{MOST_SPANS, ToldSpan, attempt_span};
use tidegate_records::{Attempt, RequestRecord, session};

use super::same::same;
use crate::timestamp::Timestamp;

/// A node of the tree. Members that are not known are null.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Node {
    pub(super) span_id: String,
    /// Null for a root. It may name a span that nobody told of (yet).
    pub(super) parent_span_id: Option<String>,
    pub(super) name: String,
    pub(super) kind: NodeKind,
    pub(super) started_at: Timestamp,
    /// Since the trace began.
    pub(super) offset_ms: f64,
    pub(super) duration_ms: f64,
    pub(super) status: Outcome,
    pub(super) status_code: Option<u16>,
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    /// An exact decimal in the trace's currency.
    pub(super) cost: Option<String>,
    /// For `GET /v1/logs/{id}`.
    pub(super) log_id: Option<String>,
    /// Why it failed, or why another attempt was made.
    pub(super) reason: Option<String>,
    pub(super) attributes: Map<String, Value>,
    #[serde(skip)]
    start_us: u64,
    #[serde(skip)]
    duration_us: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NodeKind {
    /// A request that the gateway served.
    Request,
    /// One request to a provider within it.
    Attempt,
    /// A step that a program told of.
    Span,
    /// A call of a model that a program told of.
    Log,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Ok,
    Error,
}

/// A trace as a whole.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Summary {
    pub(super) trace_id: String,
    /// Of its first root.
    pub(super) name: String,
    pub(super) started_at: Timestamp,
    pub(super) duration_ms: f64,
    /// Calls of models, the gateway's and those that were told.
    pub(super) requests: usize,
    /// Of its nodes; an attempt that another one made good is none.
    pub(super) errors: usize,
    /// An exact decimal in `currency`; null when nothing has a cost.
    pub(super) cost: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
    pub(super) user: Option<String>,
    pub(super) session: Option<String>,
    /// In the order of their first use.
    pub(super) models: Vec<String>,
}

pub(super) struct Tree {
    pub(super) summary: Summary,
    /// How many nodes there are, also those that are cut off.
    pub(super) spans: usize,
    /// In the order of time, parents before their children of the same moment. At most [`MOST_SPANS`].
    pub(super) nodes: Vec<Node>,
    /// There are more.
    pub(super) is_cut: bool,
}

/// `with_content`: whether the caller may see bodies.
pub(super) fn of(trace: &str, records: &[RequestRecord], told: &[ToldSpan], with_content: bool) -> Tree {
    let by_id: HashMap<u64, &RequestRecord> = records.iter().map(|record| (record.id, record)).collect();
    let same = same(records);
    let mut nodes: Vec<Node> = Vec::new();
    let mut shown: HashSet<u64> = same.keys().copied().collect();
    for span in told.iter().filter(|span| !same.contains_key(&span.id)) {
        let record = by_id.get(&span.id).copied().filter(|_| span.has_record);
        if record.is_some() {
            shown.insert(span.id);
        }
        nodes.push(told_node(span, record, with_content));
    }
    for record in records.iter().filter(|record| !shown.contains(&record.id)) {
        let node = request_node(record);
        let attempts: Vec<Node> = (1..)
            .zip(&record.attempts)
            .map(|(number, attempt)| attempt_node(record, &node, number, attempt))
            .collect();
        nodes.push(node);
        nodes.extend(attempts);
    }
    for (told, served) in &same {
        if let (Some(told), Some(served)) = (by_id.get(told), by_id.get(served)) {
            put_in_place(&mut nodes, told, served);
        }
    }
    nodes.sort_by(|a, b| {
        (a.start_us, std::cmp::Reverse(a.duration_us)).cmp(&(b.start_us, std::cmp::Reverse(b.duration_us)))
    });
    let calls: Vec<&RequestRecord> = records.iter().filter(|record| !same.contains_key(&record.id)).collect();
    let summary = summary(trace, &calls, told, &nodes);
    let spans = nodes.len();
    let is_cut = spans > MOST_SPANS;
    nodes.truncate(MOST_SPANS);
    let start = nodes.first().map_or(0, |node| node.start_us);
    for node in &mut nodes {
        node.offset_ms = milliseconds(node.start_us - start);
    }
    Tree { summary, spans, nodes, is_cut }
}

/// The request stands where the call that was told does, and what is below that call is below the request.
fn put_in_place(nodes: &mut [Node], told: &RequestRecord, served: &RequestRecord) {
    let id = span_of(served);
    for node in nodes.iter_mut() {
        if node.log_id.is_some() && node.span_id == id {
            node.parent_span_id = some(&told.span.parent);
            if served.span.name.is_empty() && !told.span.name.is_empty() {
                node.name = told.span.name.to_string();
            }
            node.attributes.insert("told_span_id".to_owned(), (*told.span.span).into());
        } else if !told.span.span.is_empty() && node.parent_span_id.as_deref() == Some(&*told.span.span) {
            node.parent_span_id = Some(id.clone());
        }
    }
}

fn span_of(record: &RequestRecord) -> String {
    some(&record.span.span).unwrap_or_else(|| record.id().to_string())
}

fn summary(trace: &str, records: &[&RequestRecord], told: &[ToldSpan], nodes: &[Node]) -> Summary {
    let ids: HashSet<&str> = nodes.iter().map(|node| node.span_id.as_str()).collect();
    let is_root = |node: &&Node| node.parent_span_id.as_deref().is_none_or(|parent| !ids.contains(parent));
    let start = nodes.iter().map(|node| node.start_us).min().unwrap_or(0);
    let end = nodes.iter().map(|node| node.start_us + node.duration_us).max().unwrap_or(0);
    let costs: Vec<Decimal> =
        records.iter().filter_map(|record| Decimal::from_str(&record.cost.amount).ok()).collect();
    let cost = costs.iter().try_fold(Decimal::ZERO, |sum, cost| sum.checked_add(*cost));
    let usage = |of: fn(&Usage) -> u64| -> u64 {
        records.iter().filter_map(|record| record.usage.as_ref().map(of)).sum()
    };
    let first = |mut texts: Box<dyn Iterator<Item = String> + '_>| texts.find(|text| !text.is_empty());
    let mut models = Vec::new();
    for model in
        nodes.iter().filter(|node| node.kind != NodeKind::Attempt).filter_map(|node| node.model.clone())
    {
        if !models.contains(&model) {
            models.push(model);
        }
    }
    Summary {
        trace_id: trace.to_owned(),
        name: nodes.iter().find(is_root).map(|node| node.name.clone()).unwrap_or_default(),
        started_at: Timestamp(start / 1_000),
        duration_ms: milliseconds(end - start),
        requests: records.len(),
        errors: nodes
            .iter()
            .filter(|node| node.status == Outcome::Error && node.kind != NodeKind::Attempt)
            .count(),
        cost: cost.filter(|_| !costs.is_empty()).map(|cost| cost.normalize().to_string()),
        currency: first(Box::new(records.iter().map(|record| record.cost.currency.to_string()))),
        input_tokens: usage(Usage::prompt),
        output_tokens: usage(|usage| usage.output),
        user: first(Box::new(
            records
                .iter()
                .map(|record| record.who.user.to_string())
                .chain(told.iter().map(|span| span.user.to_string())),
        )),
        session: first(Box::new(
            records
                .iter()
                .map(|record| session::of(record).to_owned())
                .chain(told.iter().map(|span| span.session.to_string())),
        )),
        models,
    }
}

fn request_node(record: &RequestRecord) -> Node {
    let id = record.id();
    let is_told = !record.source.is_empty();
    let mut attributes = Map::new();
    let mut put = |name: &str, text: &str| {
        if !text.is_empty() {
            attributes.insert(name.to_owned(), text.into());
        }
    };
    put("route", &record.route);
    put("path", &record.path);
    put("asked_model", &record.asked_model);
    put("config", &record.config);
    put("virtual_key", &record.virtual_key);
    put("cache", &record.cache);
    put("guardrail", &record.guardrail);
    put("limit", &record.limit);
    put("end", &record.end);
    put("finish", &record.finish);
    put("client", &record.client);
    put("source", &record.source);
    if record.stream {
        attributes.insert("stream".to_owned(), true.into());
    }
    if let Some(ttft) = record.timing.ttft_us {
        attributes.insert("ttft_ms".to_owned(), json!(milliseconds(ttft)));
    }
    if !record.who.metadata.is_empty() {
        let pairs = record.who.metadata.iter().map(|(name, value)| (name.to_string(), Value::from(&**value)));
        attributes.insert("metadata".to_owned(), Value::Object(pairs.collect()));
    }
    let call = format!("{} {}", record.method, record.path);
    let name = [&*record.span.name, &*record.route, call.trim()].into_iter().find(|name| !name.is_empty());
    let is_error = record.is_error();
    let why = [&*record.error, &*record.limit, &*record.end].into_iter().find(|why| !why.is_empty());
    Node {
        span_id: span_of(record),
        parent_span_id: some(&record.span.parent),
        name: name.unwrap_or("request").to_owned(),
        kind: if is_told { NodeKind::Log } else { NodeKind::Request },
        status: if is_error { Outcome::Error } else { Outcome::Ok },
        status_code: (record.status > 0).then_some(record.status),
        provider: some(&record.provider),
        model: some(&record.model).or_else(|| some(&record.asked_model)),
        input_tokens: record.usage.as_ref().map(Usage::prompt),
        output_tokens: record.usage.as_ref().map(|usage| usage.output),
        cost: some(&record.cost.amount),
        log_id: Some(id.uuid()),
        reason: why.filter(|_| is_error).map(str::to_owned),
        attributes,
        ..Node::at(record.began_us(), record.timing.total_us)
    }
}

fn attempt_node(record: &RequestRecord, parent: &Node, number: u32, attempt: &Attempt) -> Node {
    let mut attributes = Map::new();
    for (name, text) in [
        ("target", &attempt.target),
        ("virtual_key", &attempt.virtual_key),
        ("url", &attempt.url),
        ("error", &attempt.error),
        ("circuit", &attempt.circuit),
    ] {
        if !text.is_empty() {
            attributes.insert(name.to_owned(), (**text).into());
        }
    }
    if let Some(cause) = cause(record, number, attempt) {
        attributes.insert("cause".to_owned(), cause.into());
    }
    if let Some(first) = attempt.first_byte_us {
        attributes.insert("first_byte_ms".to_owned(), json!(milliseconds(first)));
    }
    if let Some(after) = attempt.retry_after_ms {
        attributes.insert("retry_after_ms".to_owned(), after.into());
    }
    let is_error = !attempt.error.is_empty() || attempt.status.is_none_or(|status| status >= 400);
    let provider = some(&attempt.provider).or_else(|| some(&record.provider));
    let who = provider.as_deref().unwrap_or("provider");
    Node {
        span_id: attempt_span(record.id, number),
        parent_span_id: Some(parent.span_id.clone()),
        name: format!("attempt {number}: {who}"),
        kind: NodeKind::Attempt,
        status: if is_error { Outcome::Error } else { Outcome::Ok },
        status_code: attempt.status,
        provider,
        model: some(&attempt.model),
        reason: some(&attempt.reason).or_else(|| some(&attempt.error)),
        attributes,
        ..Node::at(record.began_us() + attempt.start_us, attempt.duration_us)
    }
}

/// Why there is an attempt beyond the first one.
fn cause(record: &RequestRecord, number: u32, attempt: &Attempt) -> Option<&'static str> {
    let before = record.attempts.get(usize::try_from(number).ok()?.checked_sub(2)?)?;
    Some(match () {
        () if attempt.hedge => "hedge",
        () if attempt.target != before.target => "fallback",
        () => "retry",
    })
}

fn told_node(span: &ToldSpan, record: Option<&RequestRecord>, with_content: bool) -> Node {
    let members = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let mut attributes = members(&span.attributes);
    if with_content {
        attributes.extend(members(&span.content));
    }
    if !span.kind.is_empty() {
        attributes.insert("kind".to_owned(), (*span.kind).into());
    }
    attributes.insert("source".to_owned(), (*span.source).into());
    if !span.metadata.is_empty() {
        let pairs = span.metadata.iter().map(|(name, value)| (name.to_string(), Value::from(&**value)));
        attributes.insert("metadata".to_owned(), Value::Object(pairs.collect()));
    }
    let usage = record.and_then(|record| record.usage.as_ref());
    Node {
        span_id: span.span.to_string(),
        parent_span_id: some(&span.parent),
        name: some(&span.name).unwrap_or_else(|| "span".to_owned()),
        kind: if span.has_record { NodeKind::Log } else { NodeKind::Span },
        status: if span.is_error { Outcome::Error } else { Outcome::Ok },
        status_code: span.status,
        provider: some(&span.provider),
        model: some(&span.model),
        input_tokens: usage.map(Usage::prompt),
        output_tokens: usage.map(|usage| usage.output),
        cost: record.and_then(|record| some(&record.cost.amount)),
        log_id: record.map(|record| record.id().uuid()),
        reason: some(&span.reason),
        attributes,
        ..Node::at(span.start_us, span.duration_us)
    }
}

impl Node {
    fn at(start_us: u64, duration_us: u64) -> Self {
        Self {
            span_id: String::new(),
            parent_span_id: None,
            name: String::new(),
            kind: NodeKind::Span,
            started_at: Timestamp(start_us / 1_000),
            offset_ms: 0.0,
            duration_ms: milliseconds(duration_us),
            status: Outcome::Ok,
            status_code: None,
            provider: None,
            model: None,
            input_tokens: None,
            output_tokens: None,
            cost: None,
            log_id: None,
            reason: None,
            attributes: Map::new(),
            start_us,
            duration_us,
        }
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Exact to the microsecond as far as clocks go.
fn milliseconds(us: u64) -> f64 {
    us as f64 / 1_000.0
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
