//! The thread between queue, store and journal.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_core::Clock;

use crate::body::{RawBodies, StoredBodies, prepare};
use crate::codec::{self, Cursor, Malformed, varint};
use crate::counts::{Drops, Stats};
use crate::journal::{Journal, JournalError};
use crate::options::Options;
use crate::queue::{Chunk, Queue};
use crate::record::RequestRecord;
use crate::sink::{Batch, Entry, Sink, SinkError, Written};

pub(crate) struct Writer {
    queue: Arc<Queue>,
    journal: Journal,
    sink: Box<dyn Sink>,
    clock: Arc<dyn Clock>,
    options: Options,
    /// The store is not asked before this.
    away_until: Option<Instant>,
    backoff: Duration,
    replay: Option<Replay>,
    tended: Instant,
    /// Processor time at the end of the last batch.
    cpu_us: Cell<u64>,
}

/// A segment on its way to the store.
struct Replay {
    payloads: Vec<Vec<u8>>,
    /// Those before are in the store, or dropped.
    at: usize,
}

/// Encoded records and their bodies, ready for either way.
struct Ready {
    records: Vec<Vec<u8>>,
    bodies: Vec<Option<StoredBodies>>,
}

impl Writer {
    pub(crate) fn new(
        queue: Arc<Queue>,
        journal: Journal,
        sink: Box<dyn Sink>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Self {
        let backoff = options.retry;
        let tended = Instant::now();
        Self {
            queue,
            journal,
            sink,
            clock,
            options,
            away_until: None,
            backoff,
            replay: None,
            tended,
            cpu_us: Cell::new(0),
        }
    }

    pub(crate) fn run(mut self) {
        // Niceness is a thread's own on Linux. Without the permission the writer runs as the others do.
        if let Ok(own) = rustix::process::getpriority_process(None) {
            let _ = rustix::process::setpriority_process(None, (own + self.options.nice).min(19));
        }
        let queue = self.queue.clone();
        // Whatever happens in a store's code, pushes are refused and counted from then on, and `close` returns.
        let _end = OnDrop(|| queue.end());
        self.tend();
        loop {
            let backlog = !self.journal.is_empty();
            let patience = match (backlog, self.away_until) {
                (false, _) => self.options.tend,
                (true, Some(until)) => until.saturating_duration_since(Instant::now()),
                (true, None) => Duration::ZERO,
            };
            match self.queue.take(patience) {
                Some(chunk) => self.place(chunk),
                None if self.queue.closing().is_some() => break,
                None => {}
            }
            if self.queue.closing().is_none() {
                self.replay();
                if self.tended.elapsed() >= self.options.tend {
                    self.tend();
                }
            }
        }
        let _ = guarded(|| self.sink.sync());
        self.journal.close();
    }

    /// Brings a chunk to the store or to the journal, however long that takes; at the deadline of a shutdown it is dropped.
    fn place(&mut self, mut chunk: Chunk) {
        let began = Instant::now();
        let ready = self.ready(&mut chunk);
        let mut pause = self.options.retry;
        loop {
            let closing = self.queue.closing();
            let late = closing.is_some_and(|deadline| Instant::now() >= deadline);
            let overfull = self.queue.fill() > self.options.spill_percent;
            let may_spill = !self.is_away() && !late;
            if may_spill && !overfull && self.store(&ready, &mut chunk, began) {
                return;
            }
            let reason: fn(&mut Drops) -> &mut u64 = match self.spill(&ready) {
                Ok(()) => {
                    let (spilled, bytes) = (ready.records.len() as u64, self.journal.bytes());
                    self.done(chunk, began, |stats| {
                        stats.journaled += spilled;
                        stats.spilled += spilled;
                        stats.journal_bytes = bytes;
                    });
                    return;
                }
                Err(JournalError::Full) => |drops| &mut drops.journal_full,
                Err(JournalError::Io(_)) => |drops| &mut drops.journal_failed,
            };
            // The journal takes nothing, so a full queue is no reason to leave the store alone.
            if may_spill && overfull && self.store(&ready, &mut chunk, began) {
                return;
            }
            if late {
                let left = chunk.len() as u64;
                self.done(chunk, began, |stats| stats.dropped.shutdown += left);
                return;
            }
            self.queue.block(reason);
            self.replay();
            self.queue.pause(pause);
            if closing.is_some() {
                // `pause` does not wait then, and a busy loop until the deadline helps nobody.
                std::thread::park_timeout(pause.min(Duration::from_millis(20)));
            }
            pause = (pause * 2).min(self.options.retry_most);
        }
    }

    /// The records of a chunk with what is kept of their bodies: redacted and compressed here, off the hot path.
    fn ready(&self, chunk: &mut Chunk) -> Ready {
        let mut ready = Ready { records: Vec::with_capacity(chunk.len()), bodies: Vec::new() };
        for (record, bodies) in chunk.items() {
            ready.records.push(record.to_vec());
            let bodies: Option<Box<RawBodies>> = bodies;
            let policy = AssertUnwindSafe(&self.options.bodies);
            ready.bodies.push(bodies.map(|bodies| {
                let bodies = AssertUnwindSafe(bodies);
                catch_unwind(move || prepare(&bodies, &policy)).unwrap_or_else(|_| StoredBodies::failed())
            }));
        }
        ready
    }

    fn spill(&mut self, ready: &Ready) -> Result<(), JournalError> {
        let payloads: Vec<_> = ready
            .records
            .iter()
            .zip(&ready.bodies)
            .map(|(record, bodies)| payload(record, bodies.as_ref()))
            .collect();
        self.journal.append(payloads.iter().map(Vec::as_slice)).map(drop)
    }

    /// True: every record of the chunk is a row or a counted drop.
    fn store(&mut self, ready: &Ready, chunk: &mut Chunk, began: Instant) -> bool {
        let mut entries = Vec::with_capacity(ready.records.len());
        let mut unreadable = 0;
        for (encoded, bodies) in ready.records.iter().zip(&ready.bodies) {
            match codec::decode(encoded) {
                Ok(record) => entries.push(Entry { record, encoded, bodies: bodies.as_ref() }),
                // Written by this binary a moment ago: it cannot happen, and would be told if it did.
                Err(_) => unreadable += 1,
            }
        }
        let Some(outcome) = self.write(&entries) else { return false };
        drop(entries);
        self.done(std::mem::take(chunk), began, |stats| {
            outcome.count(stats);
            stats.dropped.unreadable += unreadable;
        });
        true
    }

    /// `None`: the store is away.
    fn write(&mut self, entries: &Batch<'_>) -> Option<Outcome> {
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
        self.backoff = self.options.retry;
        self.queue.with_stats(|stats| stats.sink_up = true);
        Some(outcome)
    }

    fn failed<T>(&mut self) -> Option<T> {
        self.away_until = Some(Instant::now() + self.backoff);
        self.backoff = (self.backoff * 2).min(self.options.retry_most);
        self.queue.with_stats(|stats| {
            stats.sink_up = false;
            stats.sink_failures += 1;
        });
        None
    }

    fn is_away(&self) -> bool {
        self.away_until.is_some_and(|until| Instant::now() < until)
    }

    /// One batch from the journal, if the store is there and the journal has something.
    fn replay(&mut self) {
        if self.is_away() || (self.replay.is_none() && self.journal.is_empty()) {
            return;
        }
        let began = Instant::now();
        let Some(replay) = self.replay.take().or_else(|| self.next_segment()) else { return };
        let end = batch_end(&replay, &self.options);
        let batch = &replay.payloads[replay.at..end];
        let read: Vec<_> = batch.iter().filter_map(|payload| read_payload(payload)).collect();
        let unreadable = (batch.len() - read.len()) as u64;
        let (bodies, records): (Vec<_>, Vec<_>) =
            read.into_iter().map(|(encoded, record, bodies)| (bodies, (encoded, record))).unzip();
        let entry = |((encoded, record), bodies)| Entry { record, encoded, bodies: Option::as_ref(bodies) };
        let entries: Vec<_> = records.into_iter().zip(&bodies).map(entry).collect();
        let Some(outcome) = self.write(&entries) else {
            drop(entries);
            self.replay = Some(replay);
            return;
        };
        drop(entries);
        let moved = (end - replay.at) as u64;
        self.queue.with_stats(|stats| {
            stats.journaled -= moved;
            outcome.count(stats);
            stats.dropped.unreadable += unreadable;
        });
        let finished = end == replay.payloads.len();
        self.replay = Some(Replay { at: end, ..replay });
        if finished {
            // If the store cannot say that they are safe there, the next call asks again: nothing is left to write then.
            self.forget();
        }
        self.burst(began);
    }

    fn next_segment(&mut self) -> Option<Replay> {
        match self.journal.oldest() {
            Ok(oldest) => {
                self.queue.with_stats(|stats| {
                    stats.journaled -= oldest.lost;
                    stats.dropped.damaged += oldest.lost;
                });
                Some(Replay { payloads: oldest.payloads, at: 0 })
            }
            Err(_) => self.failed(),
        }
    }

    fn forget(&mut self) {
        if guarded(|| self.sink.sync()).is_err() {
            self.failed::<()>();
            return;
        }
        self.replay = None;
        let _ = self.journal.forget_oldest();
        let bytes = self.journal.bytes();
        self.queue.with_stats(|stats| stats.journal_bytes = bytes);
    }

    fn tend(&mut self) {
        self.tended = Instant::now();
        let _ = guarded(|| self.sink.tend(self.clock.unix_ms()));
    }

    fn done(&mut self, chunk: Chunk, began: Instant, settle: impl FnOnce(&mut Stats)) {
        self.queue.settle(chunk, settle);
        self.burst(began);
    }

    /// After a batch others get the core: for as long as the batch took, or, when much is waiting, for a moment.
    fn burst(&self, began: Instant) {
        let took = began.elapsed();
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let cpu_us = cpu_us();
        let cpu = cpu_us.saturating_sub(self.cpu_us.replace(cpu_us));
        self.queue.with_stats(|stats| {
            stats.cpu_us = cpu_us;
            stats.longest_cpu_us = stats.longest_cpu_us.max(cpu);
            stats.bursts += 1;
            stats.busy_us += us;
            stats.longest_burst_us = stats.longest_burst_us.max(us);
        });
        if self.queue.fill() < 10 {
            self.queue.pause(took.min(Duration::from_millis(20)));
        } else {
            std::thread::yield_now();
        }
    }
}

/// A store that panics is away: its records go to the journal like those of any store that fails.
fn guarded<T>(call: impl FnOnce() -> Result<T, SinkError>) -> Result<T, SinkError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(SinkError::Away("it panicked".into())))
}

/// Of the calling thread, since it began.
fn cpu_us() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000)).unwrap_or(0)
}

#[derive(Default)]
struct Outcome {
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

    fn count(&self, stats: &mut Stats) {
        stats.written += self.written.new;
        stats.known += self.written.known;
        stats.dropped.clashed += self.written.clashed;
        stats.dropped.expired += self.written.expired;
        stats.dropped.refused += self.refused;
    }
}

fn batch_end(replay: &Replay, options: &Options) -> usize {
    let mut bytes = 0;
    let most = replay.payloads.len().min(replay.at + options.batch_records.max(1));
    (replay.at..most)
        .find(|&at| {
            bytes += replay.payloads[at].len() as u64;
            bytes > options.batch_bytes && at > replay.at
        })
        .unwrap_or(most)
}

/// The record with its length before it, then the bodies.
fn payload(record: &[u8], bodies: Option<&StoredBodies>) -> Vec<u8> {
    let mut out = Vec::with_capacity(record.len() + 8);
    varint(record.len() as u64, &mut out);
    out.extend_from_slice(record);
    if let Some(bodies) = bodies {
        codec::encode_message(bodies, &mut out);
    }
    out
}

fn read_payload(payload: &[u8]) -> Option<(&[u8], RequestRecord, Option<StoredBodies>)> {
    let mut cursor = Cursor(payload);
    let length = cursor.varint().ok()?;
    let encoded = cursor.bytes(length).map_err(|Malformed| ()).ok()?;
    let record = codec::decode(encoded).ok()?;
    let bodies = if cursor.0.is_empty() { None } else { Some(codec::decode_message(cursor.0).ok()?) };
    Some((encoded, record, bodies))
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
