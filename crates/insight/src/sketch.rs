//! A sketch of a distribution: a DDSketch, whose buckets grow by a fixed ratio. Any quantile is off by half a percent at
//! most, sketches merge exactly and in any order, and a small one is a few bytes.

use crate::varint;

/// The relative error of a quantile.
pub const ALPHA: f64 = 0.005;
/// (1 + α) / (1 − α): the upper bound of a bucket over its lower bound.
const RATIO: f64 = (1.0 + ALPHA) / (1.0 - ALPHA);
/// Values from here on (a day in microseconds) fall into one bucket.
const MOST: u64 = 86_400_000_000;
/// Bucket 0 is for the value 0, the next for 1, the last for [`MOST`].
const BUCKETS: usize = 2_521;
/// Above so many buckets there is a counter for every bucket between the first and the last.
const FEW: usize = 64;
/// Counters that are added at once at an end.
const MORE: u16 = 64;

/// Counts of values (microseconds) by bucket.
#[derive(Debug, Clone)]
pub struct Sketch(Counts);

#[derive(Debug, Clone)]
enum Counts {
    /// Sorted by bucket.
    Few(Vec<(u16, u64)>),
    /// From a bucket on.
    Many(u16, Vec<u64>),
}

impl Default for Sketch {
    fn default() -> Self {
        Self(Counts::Few(Vec::new()))
    }
}

/// The same counts, however they are held.
impl PartialEq for Sketch {
    fn eq(&self, other: &Self) -> bool {
        let counts = |sketch: &Self| {
            let mut all = Vec::new();
            sketch.each(|bucket, count| all.push((bucket, count)));
            all
        };
        counts(self) == counts(other)
    }
}

impl Eq for Sketch {}

pub(crate) fn bucket(value: u64) -> u16 {
    if value <= 1 {
        return value as u16;
    }
    // Within the range floats are exact integers, and the logarithm is off by less than a bucket's width.
    ((value.min(MOST) as f64).ln() / RATIO.ln()).ceil() as u16 + 1
}

/// The value in a bucket that is nearest to all of them.
fn middle(bucket: u16) -> f64 {
    match bucket {
        0 => 0.0,
        1 => 1.0,
        // The bucket holds what is above RATIO^(n − 1), up to RATIO^n.
        _ => 2.0 * RATIO.powi(i32::from(bucket) - 1) / (RATIO + 1.0),
    }
}

impl Sketch {
    pub fn add(&mut self, value: u64) {
        self.count(bucket(value), 1);
    }

    fn count(&mut self, bucket: u16, more: u64) {
        let bucket = bucket.min(BUCKETS as u16 - 1);
        match &mut self.0 {
            Counts::Many(first, counts) => {
                if bucket < *first {
                    let missing = (*first - bucket).max(MORE).min(*first);
                    counts.splice(..0, std::iter::repeat_n(0, missing.into()));
                    *first -= missing;
                }
                let at = usize::from(bucket - *first);
                if at >= counts.len() {
                    counts.resize(at + usize::from(MORE), 0);
                }
                counts[at] = counts[at].saturating_add(more);
            }
            Counts::Few(counts) => {
                // Buckets of a sketch that is added come in their order.
                let at = match counts.last() {
                    Some((last, _)) if *last < bucket => Err(counts.len()),
                    _ => counts.binary_search_by_key(&bucket, |(bucket, _)| *bucket),
                };
                match at {
                    Ok(at) => counts[at].1 = counts[at].1.saturating_add(more),
                    Err(at) if counts.len() < FEW => counts.insert(at, (bucket, more)),
                    Err(_) => {
                        let first = counts.first().map_or(bucket, |(first, _)| *first);
                        let length = counts.last().map_or(0, |(last, _)| usize::from(last - first) + 1);
                        let mut many = vec![0; length];
                        counts.iter().for_each(|(bucket, count)| many[usize::from(bucket - first)] = *count);
                        self.0 = Counts::Many(first, many);
                        self.count(bucket, more);
                    }
                }
            }
        }
    }

    pub fn merge(&mut self, other: &Self) {
        other.each(|bucket, count| self.count(bucket, count));
    }

    /// Takes away what was merged before.
    pub(crate) fn take(&mut self, part: &Self) {
        part.each(|bucket, less| match &mut self.0 {
            Counts::Few(counts) => {
                if let Ok(at) = counts.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
                    counts[at].1 = counts[at].1.saturating_sub(less);
                }
            }
            Counts::Many(first, counts) => {
                let own = bucket.checked_sub(*first).and_then(|at| counts.get_mut(usize::from(at)));
                own.into_iter().for_each(|count| *count = count.saturating_sub(less));
            }
        });
        if let Counts::Few(counts) = &mut self.0 {
            counts.retain(|(_, count)| *count > 0);
        }
    }

    fn each(&self, mut then: impl FnMut(u16, u64)) {
        match &self.0 {
            Counts::Few(counts) => counts.iter().for_each(|(bucket, count)| then(*bucket, *count)),
            Counts::Many(first, counts) => {
                (*first..)
                    .zip(counts)
                    .filter(|(_, count)| **count > 0)
                    .for_each(|(at, count)| then(at, *count));
            }
        }
    }

    /// How many values there are.
    pub fn len(&self) -> u64 {
        let mut all = 0u64;
        self.each(|_, count| all = all.saturating_add(count));
        all
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The smallest value that at least this share of all values (0 to 1) does not exceed, within [`ALPHA`]. `None`: there
    /// are no values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let all = self.len();
        if all == 0 {
            return None;
        }
        let rank = ((all as f64 * share).ceil() as u64).clamp(1, all);
        let (mut below, mut found) = (0, None);
        self.each(|bucket, count| {
            below += count;
            if found.is_none() && below >= rank {
                found = Some(middle(bucket));
            }
        });
        found
    }

    /// How many values are at most this, give or take those within [`ALPHA`] of it.
    pub fn at_most(&self, value: u64) -> u64 {
        let (last, mut all) = (bucket(value), 0);
        self.each(|bucket, count| all += if bucket <= last { count } else { 0 });
        all
    }

    /// Pairs of the distance to the bucket before and a count.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut before = 0;
        self.each(|bucket, count| {
            varint::write(u64::from(bucket - before), out);
            varint::write(count, out);
            before = bucket;
        });
    }

    /// As [`Sketch::encode`], from buckets in their order with how many values each got; a bucket may come again.
    pub(crate) fn encode_sorted(buckets: impl Iterator<Item = (u16, u64)>, out: &mut Vec<u8>) {
        let (mut before, mut last, mut all) = (0, 0, 0u64);
        let mut put = |bucket: u16, count: u64| {
            if count > 0 {
                varint::write(u64::from(bucket - before), out);
                varint::write(count, out);
                before = bucket;
            }
        };
        for (bucket, count) in buckets {
            if bucket != last {
                put(last, std::mem::take(&mut all));
                last = bucket;
            }
            all = all.saturating_add(count);
        }
        put(last, all);
    }

    /// Adds a sketch as it was encoded. What cannot be read is left out.
    pub(crate) fn merge_encoded(&mut self, mut bytes: &[u8]) {
        let mut bucket = 0u16;
        loop {
            // Nearly every pair but the first is two bytes, and its counter is there already.
            while let Counts::Many(first, counts) = &mut self.0
                && let [distance @ ..0x80, count @ ..0x80, rest @ ..] = bytes
            {
                bucket = bucket.saturating_add((*distance).into()).min(BUCKETS as u16 - 1);
                bytes = rest;
                let own = bucket.checked_sub(*first).and_then(|at| counts.get_mut(usize::from(at)));
                match own {
                    Some(own) => *own = own.saturating_add((*count).into()),
                    None => self.count(bucket, (*count).into()),
                }
            }
            let Some((next, count)) = read_pair(bucket, &mut bytes) else { return };
            self.count(next, count);
            bucket = next;
        }
    }
}

/// The buckets of a sketch as it was encoded, in their order, and how many values each has.
pub(crate) fn each_encoded(mut bytes: &[u8], mut then: impl FnMut(u16, u64)) {
    let mut before = 0;
    while let Some((bucket, count)) = read_pair(before, &mut bytes) {
        then(bucket, count);
        before = bucket;
    }
}

/// The bucket behind this one, and its count.
fn read_pair(before: u16, bytes: &mut &[u8]) -> Option<(u16, u64)> {
    let (distance, count) = (varint::read(bytes)?, varint::read(bytes)?);
    Some((u64::from(before).saturating_add(distance).min(BUCKETS as u64 - 1) as u16, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Chance;

    fn exact(values: &[u64], share: f64) -> u64 {
        let rank = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len());
        values[rank - 1]
    }

    /// Against sorting, over distributions of every shape: quantiles are off by α at most, split and merged or not.
    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let mut chance = Chance(7);
        for round in 0..120 {
            let count = 1 + chance.below(3_000);
            let mut values: Vec<u64> = (0..count)
                .map(|_| match round % 5 {
                    0 => chance.below(10),
                    1 => chance.below(86_400_000_000),
                    2 => 1 << chance.below(36),
                    3 => 1_000 + chance.below(50),
                    _ => (200_000.0 * (chance.real() * 6.0 - 3.0).exp()) as u64,
                })
                .collect();
            let (mut whole, mut parts) = (Sketch::default(), vec![Sketch::default(); 7]);
            for (at, value) in values.iter().enumerate() {
                whole.add(*value);
                parts[at % 7].add(*value);
            }
            let mut merged = Sketch::default();
            for part in &parts {
                let mut bytes = Vec::new();
                part.encode(&mut bytes);
                merged.merge_encoded(&bytes);
            }
            assert_eq!(merged.len(), count);
            values.sort_unstable();
            for share in [0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0] {
                let (want, got) = (exact(&values, share) as f64, whole.quantile(share).unwrap());
                assert!(
                    (got - want).abs() <= want * ALPHA * 1.000_001,
                    "round {round}, {share}: {got} for {want}"
                );
                assert_eq!(merged.quantile(share), Some(got));
            }
            let middle = exact(&values, 0.5);
            let below = |value: f64| values.iter().filter(|one| **one as f64 <= value).count() as u64;
            let at_most = whole.at_most(middle);
            assert!(below(middle as f64 * (1.0 - 2.1 * ALPHA)) <= at_most);
            assert!(at_most <= below(middle as f64 * (1.0 + 2.1 * ALPHA)));
        }
    }

    #[test]
    fn none_of_nothing_and_any_bytes() {
        assert_eq!(Sketch::default().quantile(0.5), None);
        let mut chance = Chance(3);
        for _ in 0..500 {
            let bytes: Vec<u8> = (0..chance.below(40)).map(|_| chance.below(256) as u8).collect();
            let mut sketch = Sketch::default();
            sketch.merge_encoded(&bytes);
            sketch.quantile(0.99);
        }
        let mut far = Sketch::default();
        far.add(u64::MAX);
        assert!(far.quantile(1.0).unwrap() > 86_000_000_000.0);
        assert_eq!(usize::from(bucket(u64::MAX)), BUCKETS - 1);
    }
}
