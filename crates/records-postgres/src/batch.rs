//! A batch as arrays, one per column: one statement whatever its length, prepared once.

use std::borrow::Cow;
use std::str::FromStr;

use rust_decimal::Decimal;
use tidegate_core::Usage;
use tidegate_records::{Entry, Facts};
use tokio_postgres::types::ToSql;

use crate::text::{BETWEEN, column, pair};

pub(crate) const INSERT: &str = "INSERT INTO request_record (id, seal, organisation, workspace, api_key, key_owner, user_name, \
     provider, virtual_key, config, model, route, cache, currency, trace, session, span, status, total_us, \
     prompt_tokens, completion_tokens, total_tokens, cost, metadata, has_bodies, record) SELECT id, seal, \
     organisation, workspace, api_key, key_owner, user_name, provider, virtual_key, config, model, route, \
     cache, currency, trace, session, span, status, total_us, prompt_tokens, completion_tokens, total_tokens, \
     cost::NUMERIC, CASE WHEN metadata = '' THEN '{}' ELSE string_to_array(metadata, E'\\x01') END, \
     has_bodies, record FROM unnest($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], \
     $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::TEXT[], $11::TEXT[], $12::TEXT[], $13::TEXT[], \
     $14::TEXT[], $15::TEXT[], $16::TEXT[], $17::TEXT[], $18::INT[], $19::BIGINT[], $20::BIGINT[], \
     $21::BIGINT[], $22::BIGINT[], $23::TEXT[], $24::TEXT[], $25::BOOL[], $26::BYTEA[]) AS t (id, seal, \
     organisation, workspace, api_key, key_owner, user_name, provider, virtual_key, config, model, route, cache, \
     currency, trace, session, span, status, total_us, prompt_tokens, completion_tokens, total_tokens, cost, \
     metadata, has_bodies, record) ON CONFLICT (id) DO NOTHING RETURNING id";

/// Words have no spaces.
pub(crate) const INSERT_BODIES: &str = "INSERT INTO request_body (id, bodies, words) \
     SELECT id, bodies, CASE WHEN words = '' THEN '{}' ELSE string_to_array(words, ' ') END \
     FROM unnest($1::BIGINT[], $2::BYTEA[], $3::TEXT[]) AS t (id, bodies, words) ON CONFLICT (id) DO NOTHING";

/// Of the records that were there: two under one id differ in their seals.
pub(crate) const SEALS: &str = "SELECT id, seal FROM request_record WHERE id = ANY ($1)";

const TEXTS: usize = 15;

#[derive(Default)]
pub(crate) struct Rows<'a> {
    pub(crate) ids: Vec<i64>,
    pub(crate) seals: Vec<i64>,
    texts: [Vec<Cow<'a, str>>; TEXTS],
    status: Vec<i32>,
    total_us: Vec<i64>,
    prompt: Vec<Option<i64>>,
    completion: Vec<Option<i64>>,
    total: Vec<Option<i64>>,
    cost: Vec<Option<&'a str>>,
    metadata: Vec<String>,
    has_bodies: Vec<bool>,
    records: Vec<&'a [u8]>,
}

impl<'a> Rows<'a> {
    pub(crate) fn add(&mut self, entry: &'a Entry<'a>, has_bodies: bool) {
        let facts = &entry.facts;
        self.ids.push(entry.id().signed());
        self.seals.push(crc32fast::hash(entry.encoded).into());
        for (texts, text) in self.texts.iter_mut().zip(names(facts)) {
            texts.push(column(text));
        }
        self.status.push(facts.status.into());
        self.total_us.push(signed(facts.total_us));
        let usage = facts.usage.as_ref();
        self.prompt.push(usage.map(|usage| signed(usage.prompt())));
        self.completion.push(usage.map(|usage| signed(usage.output)));
        self.total.push(usage.map(Usage::total).map(signed));
        self.cost.push(Some(facts.cost).filter(|cost| Decimal::from_str(cost).is_ok()));
        let mut pairs = String::new();
        for (name, value) in &facts.metadata {
            if !pairs.is_empty() {
                pairs.push(BETWEEN);
            }
            pairs.push_str(&pair(name, value));
        }
        self.metadata.push(pairs);
        self.has_bodies.push(has_bodies);
        self.records.push(entry.encoded);
    }

    pub(crate) fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![&self.ids, &self.seals];
        all.extend(self.texts.iter().map(|texts| texts as &(dyn ToSql + Sync)));
        let rest: [&(dyn ToSql + Sync); 9] = [
            &self.status,
            &self.total_us,
            &self.prompt,
            &self.completion,
            &self.total,
            &self.cost,
            &self.metadata,
            &self.has_bodies,
            &self.records,
        ];
        all.extend(rest);
        all
    }
}

fn names<'a>(facts: &Facts<'a>) -> [&'a str; TEXTS] {
    [
        facts.organisation,
        facts.workspace,
        facts.api_key,
        facts.key_owner,
        facts.user,
        facts.provider,
        facts.virtual_key,
        facts.config,
        facts.model,
        facts.route,
        facts.cache,
        facts.currency,
        facts.trace,
        facts.session,
        facts.span,
    ]
}

/// Figures beyond what the store can hold stand at its end.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
