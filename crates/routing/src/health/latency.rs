//! How fast an upstream answers: a moving average, and a small histogram for the 95th percentile.

/// Weight of a new sample in the average.
const ALPHA: f64 = 0.2;
/// Fewer samples than this say nothing about a 95th percentile.
const ENOUGH: u32 = 20;
/// When the histogram holds this many samples all counts are halved, so that it forgets.
const FULL: u32 = 1_000;
const BUCKETS: usize = 80;
/// Each bucket is this much wider than the one before: 80 of them reach from 1 ms to 30 min.
const GROWTH: f64 = 1.2;

#[derive(Debug)]
pub(super) struct Latency {
    average_ms: Option<f64>,
    counts: [u16; BUCKETS],
    samples: u32,
}

impl Default for Latency {
    fn default() -> Self {
        Self { average_ms: None, counts: [0; BUCKETS], samples: 0 }
    }
}

impl Latency {
    pub(super) fn record(&mut self, ms: u64) {
        let sample = ms as f64;
        self.average_ms =
            Some(self.average_ms.map_or(sample, |average| average + ALPHA * (sample - average)));
        self.counts[bucket(ms)] += 1;
        self.samples += 1;
        if self.samples >= FULL {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.samples = self.counts.iter().map(|count| u32::from(*count)).sum();
        }
    }

    pub(super) fn average_ms(&self) -> Option<f64> {
        self.average_ms
    }

    /// The upper end of the bucket that holds the 95th percentile.
    pub(super) fn p95_ms(&self) -> Option<u64> {
        if self.samples < ENOUGH {
            return None;
        }
        let mut above = self.samples / 20;
        for (i, count) in self.counts.iter().enumerate().rev() {
            let count = u32::from(*count);
            if count > above {
                return Some(upper_end_ms(i));
            }
            above -= count;
        }
        None
    }
}

fn bucket(ms: u64) -> usize {
    let exact = (ms.max(1) as f64).ln() / GROWTH.ln();
    (exact.ceil() as usize).min(BUCKETS - 1)
}

fn upper_end_ms(bucket: usize) -> u64 {
    GROWTH.powi(bucket as i32).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_needs_samples_and_is_close() {
        let mut latency = Latency::default();
        for ms in 1..=19 {
            latency.record(ms * 10);
        }
        assert_eq!(latency.p95_ms(), None);
        for ms in 20..=100 {
            latency.record(ms * 10);
        }
        let p95 = latency.p95_ms().unwrap();
        assert!((900..=1_140).contains(&p95), "{p95}");
    }

    #[test]
    fn the_average_follows_and_old_samples_fade() {
        let mut latency = Latency::default();
        for _ in 0..2_000 {
            latency.record(1_000);
        }
        for _ in 0..3_000 {
            latency.record(10);
        }
        assert!(latency.average_ms().unwrap() < 11.0);
        assert!(latency.p95_ms().unwrap() < 20);
    }

    #[test]
    fn extremes_stay_inside() {
        let mut latency = Latency::default();
        for ms in [0, 1, u64::MAX] {
            latency.record(ms);
        }
        assert_eq!(latency.samples, 3);
    }
}
