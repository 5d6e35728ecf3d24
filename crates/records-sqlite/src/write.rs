//! A batch into the rows of its day, within one transaction.

use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;
use tidegate_core::Usage;
use tidegate_insight::Measure;
use tidegate_records::{Entry, Facts, Written};

use crate::columns::{Column, Columns, hash};
use crate::merge::Tiers;
use crate::names::Names;
use crate::rollups::{Gathered, Rollups};
use crate::scan::{name_number, picos};
use crate::schema;

/// Bytes after which a chunk ends: to show one record its chunk is read.
const CHUNK: usize = 64 * 1024;

/// What is known of a day beside its file.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) names: Names,
    pub(crate) tiers: Tiers,
    pub(crate) rollups: Rollups,
    pub(crate) next_chunk: i64,
}

impl Known {
    pub(crate) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let next_chunk =
            connection.query_row("select coalesce(max(id), 0) + 1 from chunk", [], |row| row.get(0))?;
        let (tiers, rollups) = (Tiers::of(connection)?, Rollups::of(connection)?);
        Ok(Self { names: Names::default(), tiers, rollups, next_chunk })
    }
}

/// Two records under one id differ in it.
pub(crate) fn seal(encoded: &[u8]) -> i64 {
    crc32fast::hash(encoded).into()
}

pub(crate) fn batch(
    connection: &Connection,
    known: &mut Known,
    entries: &[&Entry<'_>],
    has_bodies: impl Fn(&Entry<'_>) -> bool,
) -> rusqlite::Result<Written> {
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(|entry| entry.id());
    let mut written = Written::default();
    let mut columns = Columns::new(sorted.len());
    let mut gathered = Gathered::default();
    let mut ends = None;
    let mut chunk = Vec::with_capacity(CHUNK + 4_096);
    {
        let mut place = connection.prepare_cached(
            "insert into place(id, seal, chunk, at) values (?, ?, ?, ?) on conflict do nothing",
        )?;
        let mut there = connection.prepare_cached("select seal from place where id = ?")?;
        for entry in sorted {
            let (id, seal) = (entry.id().signed(), seal(entry.encoded));
            if place.execute(params![id, seal, known.next_chunk, chunk.len().cast_signed() as i64])? == 0 {
                let same = there.query_row([id], |row| row.get::<_, i64>(0)).optional()? == Some(seal);
                written.known += u64::from(same);
                written.clashed += u64::from(!same);
                continue;
            }
            written.new += 1;
            let length = u32::try_from(entry.encoded.len()).unwrap_or(u32::MAX);
            chunk.extend_from_slice(&length.to_le_bytes());
            chunk.extend_from_slice(entry.encoded);
            if chunk.len() >= CHUNK {
                finish(connection, known, &mut chunk)?;
            }
            let (names, measure) = (&mut known.names, Measure::of(&entry.facts));
            gathered.add(&entry.facts, &measure);
            columns_of(&mut columns, &entry.facts, &measure, has_bodies(entry), |name| {
                names.number(connection, name)
            })?;
            ends = Some(ends.map_or((id, id), |(first, _)| (first, id)));
        }
    }
    if !chunk.is_empty() {
        finish(connection, known, &mut chunk)?;
    }
    if let Some((first, last)) = ends {
        known.tiers.add(connection, &columns, written.new, first, last)?;
        known.rollups.add(connection, &gathered)?;
    }
    Ok(written)
}

fn finish(connection: &Connection, known: &mut Known, chunk: &mut Vec<u8>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("insert into chunk(id, records) values (?, ?)")?
        .execute(params![known.next_chunk, &*chunk])?;
    known.next_chunk += 1;
    chunk.clear();
    Ok(())
}

/// `number`: of a name, in the day's dictionary.
pub(crate) fn columns_of<E>(
    columns: &mut Columns,
    facts: &Facts<'_>,
    measure: &Measure,
    has_bodies: bool,
    mut number: impl FnMut(&str) -> Result<u64, E>,
) -> Result<(), E> {
    for (column, name) in [
        (Column::Organisation, facts.organisation),
        (Column::Workspace, facts.workspace),
        (Column::ApiKey, facts.api_key),
        (Column::KeyOwner, facts.key_owner),
        (Column::User, facts.user),
        (Column::Provider, facts.provider),
        (Column::VirtualKey, facts.virtual_key),
        (Column::Config, facts.config),
        (Column::Model, facts.model),
        (Column::AskedModel, facts.asked_model),
        (Column::Route, facts.route),
        (Column::Cache, facts.cache),
        (Column::Guardrail, facts.guardrail),
        (Column::End, facts.end),
        (Column::Error, facts.error),
        (Column::Currency, facts.currency),
    ] {
        columns.push(column, number(name)?);
    }
    let cost = Decimal::from_str(facts.cost).ok().and_then(picos);
    let mut flags = 0;
    for (set, flag) in [
        (facts.stream, schema::STREAM),
        (facts.estimate, schema::ESTIMATE),
        (facts.unpriced, schema::UNPRICED),
        (has_bodies, schema::HAS_BODIES),
        (cost.is_some_and(|(_, exact)| !exact), schema::INEXACT_COST),
        (measure.fell_back, schema::FELL_BACK),
        (measure.first_failed, schema::FIRST_FAILED),
        (measure.usage_estimated, schema::USAGE_ESTIMATED),
        (measure.limited, schema::LIMITED),
        (measure.client_gone, schema::CLIENT_GONE),
        (measure.broken, schema::BROKEN),
    ] {
        flags |= if set { flag } else { 0 };
    }
    let usage = facts.usage.as_ref();
    let known = |value: Option<u64>| value.map_or(0, |value| value.saturating_add(1));
    for (column, value) in [
        (Column::Id, facts.id.bits()),
        (Column::Status, facts.status.into()),
        (Column::Flags, flags),
        (Column::Attempts, facts.attempts),
        (Column::TotalUs, facts.total_us),
        (Column::Ttft, known(facts.ttft_us)),
        (Column::PromptTokens, known(usage.map(Usage::prompt))),
        (Column::OutputTokens, known(usage.map(|usage| usage.output))),
        (Column::CachedTokens, known(usage.and_then(|usage| usage.cache_read))),
        (Column::ReasoningTokens, known(usage.and_then(|usage| usage.reasoning))),
        (Column::Cost, known(cost.map(|(picos, _)| picos))),
        (Column::Trace, name_number(facts.trace)),
        (Column::WaitedUs, measure.waited_us),
        (Column::UpstreamUs, measure.upstream_us),
        (Column::Retries, measure.retries),
        (Column::CacheWriteTokens, measure.cache_write),
        (Column::AudioTokens, measure.audio),
        (Column::ImageTokens, measure.image),
        (Column::Searches, measure.searches),
        (Column::Saved, measure.saved),
        (Column::RequestBytes, measure.request_bytes),
        (Column::ResponseBytes, measure.response_bytes),
        (Column::Session, name_number(facts.session)),
    ] {
        columns.push(column, value);
    }
    for (name, value) in &facts.metadata {
        columns.push(Column::Pairs, hash([name, value]));
    }
    columns.push(Column::PairsEnd, columns.pairs());
    Ok(())
}
