//! A record as a row: one table of columns, which ClickHouse, Parquet and lines of JSON are all made from.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use tidegate_core::Usage;
use tidegate_parquet::{Cell, Column, Kind};
use tidegate_records::{RequestRecord, Text};

/// One column.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Its values repeat, as names do, so ClickHouse keeps them once.
    pub(crate) few: bool,
    pub(crate) of: fn(&RequestRecord) -> Cell,
}

const fn member(name: &'static str, kind: Kind, of: fn(&RequestRecord) -> Cell) -> Member {
    Member { name, kind, few: false, of }
}

const fn few(name: &'static str, of: fn(&RequestRecord) -> Cell) -> Member {
    Member { name, kind: Kind::Text, few: true, of }
}

/// The columns, in their order. New ones come at the end, and none changes: tables of others have them.
pub(crate) const MEMBERS: &[Member] = &[
    member("id", Kind::Text, |r| Cell::Text(r.id().uuid())),
    member("time", Kind::Time, |r| Cell::Integer(r.id().unix_ms().cast_signed())),
    few("organisation", |r| text(&r.who.organisation)),
    few("workspace", |r| text(&r.who.workspace)),
    few("api_key", |r| text(&r.who.api_key)),
    few("key_owner", |r| text(&r.who.key_owner)),
    member("user", Kind::Text, |r| text(&r.who.user)),
    member("session", Kind::Text, |r| text(&r.who.session)),
    few("route", |r| text(&r.route)),
    few("method", |r| text(&r.method)),
    few("path", |r| text(&r.path)),
    few("provider", |r| text(&r.provider)),
    few("virtual_key", |r| text(&r.virtual_key)),
    few("config", |r| text(&r.config)),
    member("config_version", Kind::Integer, |r| integer(r.config_version)),
    few("mode", |r| text(&r.mode)),
    few("prompt", |r| text(&r.prompt)),
    few("asked_model", |r| text(&r.asked_model)),
    few("model", |r| text(&r.model)),
    member("stream", Kind::Boolean, |r| Cell::Boolean(r.stream)),
    member("attempts", Kind::Integer, |r| integer(r.attempts.len() as u64)),
    member("status", Kind::Integer, |r| integer(u64::from(r.status))),
    few("end", |r| text(&r.end)),
    few("error", |r| text(&r.error)),
    few("finish", |r| text(&r.finish)),
    member("total_us", Kind::Integer, |r| integer(r.timing.total_us)),
    member("ttft_us", Kind::Integer, |r| r.timing.ttft_us.map_or(Cell::Null, integer)),
    member("waited_us", Kind::Integer, |r| integer(r.timing.waited_us)),
    member("input_tokens", Kind::Integer, |r| usage(r, |usage| Some(usage.prompt()))),
    member("output_tokens", Kind::Integer, |r| usage(r, |usage| Some(usage.output))),
    member("cached_tokens", Kind::Integer, |r| usage(r, |usage| usage.cache_read)),
    member("reasoning_tokens", Kind::Integer, |r| usage(r, |usage| usage.reasoning)),
    member("usage_estimated", Kind::Boolean, |r| Cell::Boolean(r.usage_estimated)),
    member("cost", Kind::Decimal, |r| decimal(&r.cost.amount)),
    few("currency", |r| text(&r.cost.currency)),
    member("cost_estimated", Kind::Boolean, |r| Cell::Boolean(r.cost.estimate)),
    member("unpriced", Kind::Boolean, |r| Cell::Boolean(r.cost.unpriced)),
    member("saved", Kind::Decimal, |r| decimal(&r.cost.saved)),
    few("cache", |r| text(&r.cache)),
    few("guardrail", |r| text(&r.guardrail)),
    few("limit", |r| text(&r.limit)),
    few("limit_outcome", |r| text(&r.limit_outcome)),
    member("trace", Kind::Text, |r| text(&r.span.trace)),
    member("span", Kind::Text, |r| text(&r.span.span)),
    member("parent_span", Kind::Text, |r| text(&r.span.parent)),
    few("span_name", |r| text(&r.span.name)),
    member("request_bytes", Kind::Integer, |r| integer(r.bytes.request)),
    member("response_bytes", Kind::Integer, |r| integer(r.bytes.response)),
    few("client", |r| text(&r.client)),
    few("source", |r| text(&r.source)),
    member("metadata", Kind::Json, metadata),
];

/// The columns of a file or a table, in their order.
pub fn columns() -> Vec<Column> {
    MEMBERS.iter().map(|member| Column { name: member.name.to_owned(), kind: member.kind }).collect()
}

fn text(text: &Text) -> Cell {
    Cell::Text(text.to_string())
}

fn integer(number: u64) -> Cell {
    i64::try_from(number).map_or(Cell::Null, Cell::Integer)
}

fn usage(record: &RequestRecord, of: fn(&Usage) -> Option<u64>) -> Cell {
    record.usage.as_ref().and_then(of).map_or(Cell::Null, integer)
}

fn decimal(amount: &str) -> Cell {
    Decimal::from_str(amount).map_or(Cell::Null, Cell::Decimal)
}

/// An object of texts. Of a name that is there twice the last counts.
fn metadata(record: &RequestRecord) -> Cell {
    let members: Map<String, Value> =
        record.who.metadata.iter().map(|(name, value)| (name.to_string(), Value::from(&**value))).collect();
    Cell::Text(Value::Object(members).to_string())
}
