//! Questions and their answers.

use tidegate_records::Filter;

use crate::cell::{Cell, Sum};
use crate::cube::Dimension;
use crate::metric::{Metric, Value};
use crate::wants::Wants;

/// A question to the records of some time.
#[derive(Debug, Clone)]
pub struct Query {
    /// Requests that began at this time or later, milliseconds since 1970.
    pub from_ms: u64,
    /// Requests that began before this time.
    pub to_ms: u64,
    /// `to_ms` is now or later: what would be counted with the last hour and is not asked for is not there yet.
    pub until_now: bool,
    pub bucket: Bucket,
    pub group: Option<Dimension>,
    /// Its own times are not looked at.
    pub filter: Filter,
    /// The groups that are told one by one; all others are one.
    pub top: usize,
    /// Groups are in the order of this metric, the largest first.
    pub rank: &'static Metric,
    pub wants: Wants,
}

impl Query {
    /// Where a group with this total stands: the larger, the earlier.
    pub(crate) fn ranked(&self, total: &Cell) -> f64 {
        let seconds = self.to_ms.saturating_sub(self.from_ms) as f64 / 1e3;
        self.rank.of(total, seconds).map_or(f64::NEG_INFINITY, Value::real)
    }
}

/// How time is cut. Buckets begin at multiples of their width in UTC, weeks on Mondays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// Not at all.
    None,
    Minute,
    FiveMinutes,
    Hour,
    Day,
    Week,
}

impl Bucket {
    /// Milliseconds; `None` for [`Bucket::None`].
    pub fn width_ms(self) -> Option<u64> {
        const MINUTE: u64 = 60_000;
        Some(match self {
            Self::None => return None,
            Self::Minute => MINUTE,
            Self::FiveMinutes => 5 * MINUTE,
            Self::Hour => 60 * MINUTE,
            Self::Day => 1_440 * MINUTE,
            Self::Week => 7 * 1_440 * MINUTE,
        })
    }

    /// The beginning of the bucket that a time falls into; 0 for [`Bucket::None`].
    pub fn start(self, ms: u64) -> u64 {
        // 1970 began on a Thursday.
        let shift = if self == Self::Week { 4 * 86_400_000 } else { 0 };
        match self.width_ms() {
            None => 0,
            Some(width) => ms.saturating_sub(shift) / width * width + shift,
        }
    }

    /// The beginnings of all buckets of a time.
    pub fn all(self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = u64> {
        let width = self.width_ms().unwrap_or(u64::MAX);
        let first = self.width_ms().map(|_| self.start(from_ms));
        std::iter::successors(first, move |before| before.checked_add(width))
            .take_while(move |start| *start < to_ms)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// False: there were more records, or more groups, than are looked at one by one.
    pub exact: bool,
    /// One with no key when there is no grouping. Else by rank, and if there are more than asked for one with no key for
    /// all the others.
    pub groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Empty for records that have nothing there.
    pub key: Option<String>,
    pub total: Cell,
    /// Buckets in which something is, in their order, with their beginnings.
    pub points: Vec<(u64, Cell)>,
}

impl Group {
    /// What is left of it without those who are a part of it.
    pub(crate) fn without(mut self, parts: &[Self]) -> Self {
        for part in parts {
            self.total.take(&part.total);
            for (start, cell) in &part.points {
                if let Ok(at) = self.points.binary_search_by_key(start, |(own, _)| *own) {
                    self.points[at].1.take(cell);
                }
            }
        }
        self.points.retain(|(_, cell)| cell.sum(Sum::Requests) > 0);
        self
    }
}
