//! What a metric is. The table of all of them is in `table.rs`; the API, the documentation and the console are made from it.

use crate::cell::{Amount, Cell, Shape, Sum};
use crate::table::TABLE;
use crate::wants::Wants;

/// A figure of some records together.
#[derive(Debug)]
pub struct Metric {
    /// As queries name it.
    pub id: &'static str,
    pub name: &'static str,
    pub name_zh: &'static str,
    pub unit: Unit,
    pub kind: Kind,
    /// Which way is better.
    pub better: Better,
    /// What the gateway's `/metrics` calls the same thing, where it has it.
    pub prometheus: Option<&'static str>,
    pub definition: &'static str,
    pub(crate) formula: Formula,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Count,
    PerSecond,
    /// 0 to 100.
    Percent,
    Usd,
    Milliseconds,
    Bytes,
    TokensPerSecond,
    /// One number over another.
    Ratio,
}

impl Unit {
    pub fn text(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::PerSecond => "1/s",
            Self::Percent => "%",
            Self::Usd => "USD",
            Self::Milliseconds => "ms",
            Self::Bytes => "bytes",
            Self::TokensPerSecond => "tokens/s",
            Self::Ratio => "ratio",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Requests, exactly.
    Count,
    /// A total, exactly.
    Sum,
    /// A mean or a share: unknown where there is nothing to divide by.
    Ratio,
    /// The largest.
    Most,
    /// Within half a percent.
    Percentile,
    Distinct,
}

impl Kind {
    pub fn text(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Ratio => "ratio",
            Self::Most => "max",
            Self::Percentile => "percentile",
            Self::Distinct => "distinct",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Up,
    Down,
    None,
}

impl Better {
    pub fn text(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::None => "none",
        }
    }
}

/// How a metric is made of a cell.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Formula {
    Sum(&'static [Sum]),
    /// In milliseconds, from microseconds; none where nothing was counted.
    Most(Sum, Sum),
    Amount(&'static [Amount]),
    /// Sums over sums, times a factor.
    Ratio(&'static [Sum], &'static [Sum], f64),
    /// Dollars over a count, times a factor.
    Each(Amount, &'static [Sum], f64),
    /// In milliseconds.
    Quantile(Shape, f64),
    Users,
    PerUser(Sum),
    CostPerUser,
    Rate(Sum),
    /// Users are content with a second, and bear with four.
    Apdex,
    Speedup,
}

/// What a metric comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    Count(u64),
    /// 10^-12 USD.
    Picos(u128),
    Real(f64),
}

impl Value {
    /// For order and drawing.
    pub fn real(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Picos(picos) => picos as f64 / 1e12,
            Self::Real(real) => real,
        }
    }
}

impl Metric {
    pub fn all() -> &'static [Metric] {
        TABLE
    }

    pub fn find(id: &str) -> Option<&'static Metric> {
        TABLE.iter().find(|metric| metric.id == id)
    }

    /// What it is made of.
    pub(crate) fn wants(&self) -> Wants {
        let wants = Wants::of([]);
        match self.formula {
            Formula::Sum(sums) => wants.sums(sums),
            Formula::Most(count, most) => wants.sums(&[count, most]),
            Formula::Amount(amounts) => wants.amounts(amounts),
            Formula::Ratio(top, bottom, _) => wants.sums(top).sums(bottom),
            Formula::Each(amount, bottom, _) => wants.amounts(&[amount]).sums(bottom),
            Formula::Quantile(shape, _) => wants.shape(shape),
            Formula::Users => wants.with_users(true),
            Formula::PerUser(sum) => wants.sums(&[sum]).with_users(true),
            Formula::CostPerUser => wants.amounts(&[Amount::Cost]).with_users(true),
            Formula::Rate(sum) => wants.sums(&[sum]),
            Formula::Apdex => wants.shape(Shape::Latency),
            Formula::Speedup => wants.sums(&[
                Sum::CacheHitUs,
                Sum::CacheHits,
                Sum::SemanticHits,
                Sum::CacheMissUs,
                Sum::CacheMisses,
                Sum::Refreshed,
            ]),
        }
    }

    /// `None`: there is nothing that it could be made of. `seconds`: how long the cell's time is.
    pub fn of(&self, cell: &Cell, seconds: f64) -> Option<Value> {
        let all = |sums: &[Sum]| sums.iter().fold(0u64, |all, sum| all.saturating_add(cell.sum(*sum)));
        let over = |top: f64, bottom: f64| (bottom > 0.0).then(|| Value::Real(top / bottom));
        let dollars = |amount| cell.amount(amount) as f64 / 1e12;
        match self.formula {
            Formula::Sum(sums) => Some(Value::Count(all(sums))),
            Formula::Most(count, most) => {
                over(cell.sum(most) as f64 / 1e3, f64::from(u8::from(cell.sum(count) > 0)))
            }
            Formula::Amount(amounts) => {
                Some(Value::Picos(amounts.iter().fold(0, |all, one| cell.amount(*one).saturating_add(all))))
            }
            Formula::Ratio(top, bottom, factor) => over(all(top) as f64 * factor, all(bottom) as f64),
            Formula::Each(amount, bottom, factor) => over(dollars(amount) * factor, all(bottom) as f64),
            Formula::Quantile(shape, share) => {
                cell.shape(shape).quantile(share).map(|us| Value::Real(us / 1e3))
            }
            Formula::Users => Some(Value::Count(cell.users())),
            Formula::PerUser(sum) => over(cell.sum(sum) as f64, cell.users() as f64),
            Formula::CostPerUser => over(dollars(Amount::Cost), cell.users() as f64),
            Formula::Rate(sum) => over(cell.sum(sum) as f64, seconds),
            Formula::Apdex => {
                let shape = cell.shape(Shape::Latency);
                let (content, bearing) = (shape.at_most(1_000_000), shape.at_most(4_000_000));
                over(content as f64 + (bearing - content) as f64 / 2.0, shape.len() as f64)
            }
            Formula::Speedup => {
                let mean =
                    |us, counts: &[Sum]| (all(counts) > 0).then(|| cell.sum(us) as f64 / all(counts) as f64);
                let hits = mean(Sum::CacheHitUs, &[Sum::CacheHits, Sum::SemanticHits])?;
                over(mean(Sum::CacheMissUs, &[Sum::CacheMisses, Sum::Refreshed])?, hits)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::measure::Measure;

    #[test]
    fn the_table_is_whole() {
        let ids: BTreeSet<&str> = TABLE.iter().map(|metric| metric.id).collect();
        assert_eq!(ids.len(), TABLE.len(), "every id once");
        assert!(TABLE.len() >= 42, "{}", TABLE.len());
        for metric in TABLE {
            assert!(
                metric
                    .id
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
            assert!(metric.definition.ends_with('.') && !metric.name.is_empty(), "{}", metric.id);
            assert!(!metric.name_zh.is_ascii() || metric.id == "apdex", "{}", metric.id);
        }
    }

    /// Nothing of nothing is null, never 0, unless it is counted; and every metric moves when its source does.
    #[test]
    fn every_metric_has_a_value_once_there_is_something() {
        let empty = Cell::default();
        let mut full = Cell::default();
        let measure = Measure {
            at_ms: 5,
            status: 200,
            stream: true,
            attempts: 2,
            retries: 1,
            first_failed: true,
            fell_back: true,
            upstream_us: 7,
            total_us: 2_000_000,
            ttft_us: Some(500_000),
            waited_us: 9,
            prompt: Some(10),
            output: Some(20),
            cache_read: 1,
            cache_write: 1,
            reasoning: 1,
            audio: 1,
            image: 1,
            searches: 1,
            usage_estimated: true,
            unpriced: true,
            cost: Some(5),
            saved: 5,
            request_bytes: 1,
            response_bytes: 1,
            cache: crate::measure::Cached::Hit,
            has_user: true,
            ..Measure::default()
        };
        full.add(&measure, true);
        let more = crate::measure::Cached::SemanticHit;
        full.add(&Measure { cache: more, status: 429, limited: true, client_gone: true, ..measure }, true);
        full.add(
            &Measure { cache: crate::measure::Cached::Miss, status: 503, broken: true, ..measure },
            true,
        );
        full.add(&Measure { cache: crate::measure::Cached::Refreshed, ..measure }, true);
        full.users.insert(1);
        for metric in TABLE {
            let (before, after) = (metric.of(&empty, 60.0), metric.of(&full, 60.0).map(Value::real));
            let is_null = matches!(metric.kind, Kind::Ratio | Kind::Most | Kind::Percentile);
            assert!(
                is_null == before.is_none() || metric.unit == Unit::PerSecond,
                "{}: {before:?}",
                metric.id
            );
            assert!(after.is_some_and(|value| value > 0.0), "{}: {after:?}", metric.id);
        }
    }
}
