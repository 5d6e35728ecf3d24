//! The thread between queue, store and journal.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_core::Clock;

use crate::body::{RawBodies, StoredBodies, prepare};
use crate::counts::{Drops, Stats};
use crate::facts::Facts;
use crate::journal::{Journal, JournalError};
use crate::options::Options;
use crate::payload;
use crate::queue::{Chunk, Queue};
use crate::sink::{Entry, Sink};
use crate::store::Store;

pub(crate) struct Writer {
    queue: Arc<Queue>,
    journal: Journal,
    store: Store,
    clock: Arc<dyn Clock>,
    options: Options,
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

/// A chunk with what is kept of its bodies, ready for either way.
struct Ready {
    chunk: Chunk,
    /// By position, in order; most records have none.
    bodies: Vec<(usize, StoredBodies)>,
}

impl Ready {
    fn items(&self) -> impl Iterator<Item = (&[u8], Option<&StoredBodies>)> {
        let mut bodies = self.bodies.iter().peekable();
        self.chunk.records().enumerate().map(move |(at, record)| {
            (record, bodies.next_if(|(position, _)| *position == at).map(|(_, bodies)| bodies))
        })
    }
}

impl Writer {
    pub(crate) fn new(
        queue: Arc<Queue>,
        journal: Journal,
        sink: Box<dyn Sink>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Self {
        let store = Store::new(sink, queue.clone(), &options);
        let tended = Instant::now();
        Self { queue, journal, store, clock, options, replay: None, tended, cpu_us: Cell::new(0) }
    }

    pub(crate) fn run(mut self) {
        // Niceness is a thread's own on Linux. Without the permission the writer runs as the others do.
        if let Ok(own) = rustix::process::getpriority_process(None) {
            let _ = rustix::process::setpriority_process(None, (own + self.options.nice).min(19));
        }
        let queue = self.queue.clone();
        // Whatever happens on this thread, pushes are refused and counted from then on, and `close` returns.
        let _end = OnDrop(|| queue.end());
        self.tend();
        loop {
            let patience = if self.journal.is_empty() { self.options.tend } else { self.store.away_for() };
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
        self.store.sync();
        self.journal.close();
    }

    /// Brings a chunk to the store or to the journal, however long that takes; at the deadline of a shutdown it is dropped.
    fn place(&mut self, chunk: Chunk) {
        let began = Instant::now();
        let mut ready = self.ready(chunk);
        let mut pause = self.options.retry;
        loop {
            let closing = self.queue.closing();
            let late = closing.is_some_and(|deadline| Instant::now() >= deadline);
            let overfull = self.queue.fill() > self.options.spill_percent;
            let may_store = !self.store.is_away() && !late;
            if may_store && !overfull && self.try_store(&mut ready, began) {
                return;
            }
            let reason: fn(&mut Drops) -> &mut u64 = match self.spill(&ready) {
                Ok(()) => {
                    let (spilled, bytes) = (ready.chunk.len() as u64, self.journal.bytes());
                    self.done(ready.chunk, began, |stats| {
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
            if may_store && overfull && self.try_store(&mut ready, began) {
                return;
            }
            if late {
                let left = ready.chunk.len() as u64;
                self.done(ready.chunk, began, |stats| stats.dropped.shutdown += left);
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

    /// Bodies are redacted and compressed here, off the hot path.
    fn ready(&self, mut chunk: Chunk) -> Ready {
        let keep = |bodies: Box<RawBodies>| {
            let (bodies, policy) = (AssertUnwindSafe(bodies), AssertUnwindSafe(&self.options.bodies));
            catch_unwind(move || prepare(&bodies, &policy)).unwrap_or_else(|_| StoredBodies::failed())
        };
        let bodies = chunk.take_bodies().into_iter().map(|(at, bodies)| (at, keep(bodies))).collect();
        Ready { chunk, bodies }
    }

    fn spill(&mut self, ready: &Ready) -> Result<(), JournalError> {
        let payloads: Vec<_> = ready.items().map(|(record, bodies)| payload::write(record, bodies)).collect();
        self.journal.append(payloads.iter().map(Vec::as_slice)).map(drop)
    }

    /// True: every record of the chunk is a row or a counted drop.
    fn try_store(&mut self, ready: &mut Ready, began: Instant) -> bool {
        let mut entries = Vec::with_capacity(ready.chunk.len());
        let mut unreadable = 0;
        for (encoded, bodies) in ready.items() {
            entries.push(Entry { facts: Facts::default(), encoded, bodies });
            if entries.last_mut().is_some_and(|entry| entry.facts.fill(encoded).is_err()) {
                // Written by this binary a moment ago: it cannot happen, and would be told if it did.
                entries.pop();
                unreadable += 1;
            }
        }
        let Some(outcome) = self.store.write(&entries) else { return false };
        drop(entries);
        self.done(std::mem::take(&mut ready.chunk), began, |stats| {
            outcome.count(stats);
            stats.dropped.unreadable += unreadable;
        });
        true
    }

    /// One batch from the journal, if the store is there and the journal has something.
    fn replay(&mut self) {
        if self.store.is_away() || (self.replay.is_none() && self.journal.is_empty()) {
            return;
        }
        let began = Instant::now();
        let Some(replay) = self.replay.take().or_else(|| self.next_segment()) else { return };
        let end = batch_end(&replay, &self.options);
        let batch = &replay.payloads[replay.at..end];
        let read: Vec<_> = batch.iter().filter_map(|payload| payload::read(payload)).collect();
        let unreadable = (batch.len() - read.len()) as u64;
        let (bodies, records): (Vec<_>, Vec<_>) =
            read.into_iter().map(|(encoded, facts, bodies)| (bodies, (encoded, facts))).unzip();
        let entry = |((encoded, facts), bodies)| Entry { facts, encoded, bodies: Option::as_ref(bodies) };
        let entries: Vec<_> = records.into_iter().zip(&bodies).map(entry).collect();
        let Some(outcome) = self.store.write(&entries) else {
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
            Err(_) => self.store.failed(),
        }
    }

    fn forget(&mut self) {
        if !self.store.sync() {
            self.store.failed::<()>();
            return;
        }
        self.replay = None;
        let _ = self.journal.forget_oldest();
        let bytes = self.journal.bytes();
        self.queue.with_stats(|stats| stats.journal_bytes = bytes);
    }

    fn tend(&mut self) {
        self.tended = Instant::now();
        self.store.tend(self.clock.unix_ms());
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

/// Of the calling thread, since it began.
fn cpu_us() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000)).unwrap_or(0)
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

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
