//! A batch into the rows of its day, within one transaction.

use std::str::FromStr;

use rusqlite::{Connection, params};
use rust_decimal::Decimal;
use tidegate_core::Usage;
use tidegate_insight::{Measure, few_digits};
use tidegate_records::{Entry, Facts, Written};

use crate::columns::{Column, Columns, hash};
use crate::merge::Tiers;
use crate::names::{COLUMNS, Names};
use crate::rollups::Rollups;
use crate::scan::{name_number, picos};
use crate::schema;
use crate::seen::{self, Seen};

/// Bytes after which a chunk ends: to show one record its chunk is read.
const CHUNK: usize = 64 * 1024;

/// What is known of a day beside its file.
#[derive(Debug, Default)]
pub(crate) struct Known {
    names: Names,
    tiers: Tiers,
    rollups: Rollups,
    seen: Seen,
    next_chunk: i64,
    /// Used again for each chunk.
    chunk: Vec<u8>,
    /// Used again for each batch.
    columns: Columns,
}

impl Known {
    /// `roll`: so many records are rolled up together.
    pub(crate) fn of(connection: &Connection, roll: u64) -> rusqlite::Result<Self> {
        let next_chunk =
            connection.query_row("select coalesce(max(id), 0) + 1 from chunk", [], |row| row.get(0))?;
        let (tiers, rollups) = (Tiers::of(connection)?, Rollups::of(connection, roll)?);
        let seen = Seen::of(connection)?;
        Ok(Self { tiers, rollups, seen, next_chunk, ..Self::default() })
    }

    /// Makes the roll-ups whole.
    pub(crate) fn roll(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.rollups.roll(connection, &mut self.tiers)
    }

    /// A newer binary's.
    pub(crate) fn is_frozen(&self) -> bool {
        self.tiers.frozen
    }

    pub(crate) fn is_rolled(&self) -> bool {
        self.rollups.are_whole()
    }
}

/// Two records under one id differ in it.
pub(crate) fn seal(encoded: &[u8]) -> u32 {
    crc32fast::hash(encoded)
}

pub(crate) fn batch(
    connection: &Connection,
    known: &mut Known,
    entries: &[&Entry<'_>],
    has_bodies: impl Fn(&Entry<'_>) -> bool,
) -> rusqlite::Result<Written> {
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(|entry| entry.id());
    let ids: Vec<u64> = sorted.iter().map(|entry| entry.id().bits()).collect();
    let in_doubt: Vec<u64> = ids.iter().copied().filter(|id| known.seen.may_have(*id)).collect();
    let there = seen::seals(connection, &in_doubt)?;
    let mut written = Written::default();
    let mut columns = std::mem::take(&mut known.columns);
    columns.begin(sorted.len());
    let mut ends: Option<(u64, u64)> = None;
    // Of an id that is twice in the batch the first is stored.
    let mut before = None;
    for (entry, id) in sorted.into_iter().zip(ids) {
        let seal = u64::from(seal(entry.encoded));
        let own = before.filter(|(last, _)| *last == id).map(|(_, seal)| seal);
        if let Some(own) = own.or_else(|| there.get(&id).copied()) {
            written.known += u64::from(own == seal);
            written.clashed += u64::from(own != seal);
            continue;
        }
        before = Some((id, seal));
        ends = Some((ends.map_or(id, |(first, _)| first), id));
        written.new += 1;
        known.seen.add(id);
        let names = &mut known.names;
        let measure = Measure::of(&entry.facts);
        columns_of(&mut columns, &entry.facts, &measure, has_bodies(entry), |column, name| {
            names.next(connection, column, name)
        })?;
        columns.push(Column::Seal, seal);
        columns.push(Column::Chunk, known.next_chunk.unsigned_abs());
        columns.push(Column::At, known.chunk.len() as u64);
        let length = u32::try_from(entry.encoded.len()).unwrap_or(u32::MAX);
        known.chunk.extend_from_slice(&length.to_le_bytes());
        known.chunk.extend_from_slice(entry.encoded);
        if known.chunk.len() >= CHUNK {
            finish(connection, known)?;
        }
    }
    if !known.chunk.is_empty() {
        finish(connection, known)?;
    }
    if let Some((first, last)) = ends {
        known.tiers.add(connection, &columns, written.new, first.cast_signed(), last.cast_signed())?;
        known.rollups.came(written.new);
        if known.rollups.are_due() {
            known.roll(connection)?;
        }
    }
    known.columns = columns;
    Ok(written)
}

fn finish(connection: &Connection, known: &mut Known) -> rusqlite::Result<()> {
    connection
        .prepare_cached("insert into chunk(id, records) values (?, ?)")?
        .execute(params![known.next_chunk, known.chunk])?;
    known.next_chunk += 1;
    known.chunk.clear();
    Ok(())
}

/// All but where the record is. `number`: of a column's name, in the day's dictionary.
pub(crate) fn columns_of<E>(
    columns: &mut Columns,
    facts: &Facts<'_>,
    measure: &Measure,
    has_bodies: bool,
    mut number: impl FnMut(usize, &str) -> Result<u64, E>,
) -> Result<(), E> {
    let names: [(Column, &str); COLUMNS] = [
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
    ];
    for (at, (column, name)) in names.into_iter().enumerate() {
        columns.push(column, number(at, name)?);
    }
    let cost = match few_digits(facts.cost) {
        Some(picos) => Some((picos, true)),
        None => Decimal::from_str(facts.cost).ok().and_then(picos),
    };
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
        (Column::Span, name_number(facts.span)),
    ] {
        columns.push(column, value);
    }
    for (name, value) in &facts.metadata {
        columns.push(Column::Pairs, hash([name, value]));
    }
    columns.push(Column::PairsEnd, columns.pairs());
    Ok(())
}
