//! The sink as the writer sees it: asked with patience, and never trusted to behave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::counts::Stats;
use crate::options::Options;
use crate::queue::Queue;
use crate::sink::{Batch, Sink, SinkError, Written};

pub(crate) struct Store {
    sink: Box<dyn Sink>,
    queue: Arc<Queue>,
    /// The sink is not asked before this.
    away_until: Option<Instant>,
    backoff: Duration,
    retry: Duration,
    retry_most: Duration,
}

impl Store {
    pub(crate) fn new(sink: Box<dyn Sink>, queue: Arc<Queue>, options: &Options) -> Self {
        let (retry, retry_most) = (options.retry, options.retry_most);
        Self { sink, queue, away_until: None, backoff: retry, retry, retry_most }
    }

    /// `None`: the store is away.
    pub(crate) fn write(&mut self, entries: &Batch<'_>) -> Option<Outcome> {
        if entries.is_empty() {
            return Some(Outcome::default());
        }
        let mut outcome = Outcome::default();
        match guarded(|| self.sink.write(entries)) {
            Ok(written) => outcome.add(written, entries.len()),
            Err(SinkError::Away(_)) => return self.failed(),
            // One of them is the reason; the others are not to suffer for it.
            Err(SinkError::Refused(_)) => {
                for entry in entries {
                    match guarded(|| self.sink.write(std::slice::from_ref(entry))) {
                        Ok(written) => outcome.add(written, 1),
                        Err(SinkError::Refused(_)) => outcome.refused += 1,
                        // Those before are stored; that they come again is known then.
                        Err(SinkError::Away(_)) => return self.failed(),
                    }
                }
            }
        }
        self.away_until = None;
        self.backoff = self.retry;
        self.queue.with_stats(|stats| stats.sink_up = true);
        Some(outcome)
    }

    /// Not asked again for a while; gives `None`.
    pub(crate) fn failed<T>(&mut self) -> Option<T> {
        self.away_until = Some(Instant::now() + self.backoff);
        self.backoff = (self.backoff * 2).min(self.retry_most);
        self.queue.with_stats(|stats| {
            stats.sink_up = false;
            stats.sink_failures += 1;
        });
        None
    }

    pub(crate) fn is_away(&self) -> bool {
        self.away_until.is_some_and(|until| Instant::now() < until)
    }

    /// How long it will be away still.
    pub(crate) fn away_for(&self) -> Duration {
        self.away_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// False: not durable now.
    pub(crate) fn sync(&mut self) -> bool {
        guarded(|| self.sink.sync()).is_ok()
    }

    pub(crate) fn tend(&mut self, unix_ms: u64) {
        let _ = guarded(|| self.sink.tend(unix_ms));
    }
}

/// A store that panics is away: its records go to the journal like those of any store that fails.
fn guarded<T>(call: impl FnOnce() -> Result<T, SinkError>) -> Result<T, SinkError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(SinkError::Away("it panicked".into())))
}

/// What became of the records of a batch.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    written: Written,
    refused: u64,
}

impl Outcome {
    /// What a store leaves unsaid counts as written: it said that the batch was stored.
    fn add(&mut self, written: Written, length: usize) {
        let said = written.known + written.clashed + written.expired;
        self.written.new += (length as u64).saturating_sub(said);
        self.written.known += written.known;
        self.written.clashed += written.clashed;
        self.written.expired += written.expired;
    }

    pub(crate) fn count(&self, stats: &mut Stats) {
        stats.written += self.written.new;
        stats.known += self.written.known;
        stats.dropped.clashed += self.written.clashed;
        stats.dropped.expired += self.written.expired;
        stats.dropped.refused += self.refused;
    }
}
