//! The figures of a run.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::Answer;

#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) time: Duration,
    first_chunks: Vec<Duration>,
    wholes: Vec<Duration>,
    marks: usize,
    reads: usize,
    failures: usize,
    /// What went wrong first.
    failure: Option<String>,
}

impl Summary {
    pub(crate) fn answered(&mut self, answer: &Answer) {
        self.first_chunks.push(answer.first_chunk);
        self.wholes.push(answer.whole);
        self.marks += answer.marks;
        self.reads += answer.reads;
    }

    pub(crate) fn failed(&mut self, why: String) {
        self.failures += 1;
        self.failure.get_or_insert(why);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.first_chunks.extend(other.first_chunks);
        self.wholes.extend(other.wholes);
        self.marks += other.marks;
        self.reads += other.reads;
        self.failures += other.failures;
        self.failure = self.failure.take().or(other.failure);
    }

    /// Times in microseconds.
    pub(crate) fn json(mut self) -> Value {
        let requests = self.wholes.len();
        json!({
            "requests": requests,
            "failures": self.failures,
            "failure": self.failure,
            "seconds": self.time.as_secs_f64(),
            "per_second": requests as f64 / self.time.as_secs_f64(),
            "marks": self.marks,
            "reads": self.reads,
            "p50_us": quantile(&mut self.wholes, 0.50),
            "p99_us": quantile(&mut self.wholes, 0.99),
            "first_chunk_p50_us": quantile(&mut self.first_chunks, 0.50),
            "first_chunk_p99_us": quantile(&mut self.first_chunks, 0.99),
        })
    }
}

/// The smallest time that at least `share` of all do not exceed, in microseconds; nothing of nothing.
fn quantile(times: &mut [Duration], share: f64) -> Option<f64> {
    let rank = (times.len() as f64 * share).ceil() as usize;
    let last = times.len().checked_sub(1)?;
    let (_, at, _) = times.select_nth_unstable(rank.saturating_sub(1).min(last));
    Some(at.as_nanos() as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let mut times: Vec<Duration> = (1..=100).rev().map(Duration::from_micros).collect();
        assert_eq!(quantile(&mut times, 0.50), Some(50.0));
        assert_eq!(quantile(&mut times, 0.99), Some(99.0));
        assert!(quantile(&mut times[..1], 0.99).is_some());
        assert_eq!(quantile(&mut [], 0.5), None);
    }
}
