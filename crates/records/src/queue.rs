//! The records in memory. Pushing copies bytes under a lock and never waits for anything else; the counts live under the
//! same lock.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::body::RawBodies;
use crate::counts::{Drops, Stats};
use crate::options::Options;

/// Records that go to the store together. Cut while they are pushed, so that taking one is moving it.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    text: Vec<u8>,
    /// Where each record ends in `text`.
    ends: Vec<usize>,
    /// By position; most records have none.
    bodies: VecDeque<(usize, Box<RawBodies>)>,
    /// With bodies.
    bytes: u64,
}

impl Chunk {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.text[std::mem::replace(&mut start, end)..end])
    }

    /// The bodies by position, once.
    pub(crate) fn take_bodies(&mut self) -> VecDeque<(usize, Box<RawBodies>)> {
        std::mem::take(&mut self.bodies)
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.bodies.clear();
        self.bytes = 0;
    }
}

/// Room that a chunk keeps when it is used again.
const KEPT: usize = 512 * 1024;
/// Chunks kept for use again.
const SPARE: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct State {
    chunks: VecDeque<Chunk>,
    spare: Vec<Chunk>,
    pub(crate) stats: Stats,
    /// The reason to give for records that find the queue full.
    blocked: Option<fn(&mut Drops) -> &mut u64>,
    idle: bool,
    /// Somebody waits for so many records to be dealt with: until then nothing is left to gather.
    wanted: u64,
    pub(crate) closing: Option<Instant>,
    pub(crate) ended: bool,
}

#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    /// Told after each chunk that somebody waits for.
    settled: Condvar,
    pub(crate) done: Condvar,
    most_records: u64,
    most_bytes: u64,
    batch_records: usize,
    batch_bytes: u64,
    gather: Duration,
}

impl Queue {
    pub(crate) fn new(options: &Options, stats: Stats) -> Self {
        Self {
            state: Mutex::new(State { stats, ..State::default() }),
            filled: Condvar::new(),
            settled: Condvar::new(),
            done: Condvar::new(),
            most_records: options.queue_records,
            most_bytes: options.queue_bytes,
            batch_records: options.batch_records.max(1),
            batch_bytes: options.batch_bytes,
            gather: options.gather,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has_room(&self, records: u64, bytes: u64) -> bool {
        let stats = &self.lock().stats;
        stats.queued + records <= self.most_records && stats.queued_bytes + bytes <= self.most_bytes
    }

    /// False: dropped, and counted.
    pub(crate) fn push(&self, record: &[u8], bodies: Option<Box<RawBodies>>) -> bool {
        let bytes = record.len() as u64 + bodies.as_ref().map_or(0, |bodies| bodies.bytes());
        let mut guard = self.lock();
        let state = &mut *guard;
        state.stats.accepted += 1;
        if state.ended {
            state.stats.dropped.shutdown += 1;
            return false;
        }
        if state.stats.queued >= self.most_records || state.stats.queued_bytes + bytes > self.most_bytes {
            match state.blocked {
                Some(reason) => *reason(&mut state.stats.dropped) += 1,
                None => state.stats.dropped.queue_full += 1,
            }
            drop(guard);
            return false;
        }
        state.stats.queued += 1;
        state.stats.queued_bytes += bytes;
        let room = state
            .chunks
            .back()
            .is_some_and(|chunk| chunk.len() < self.batch_records && chunk.bytes + bytes <= self.batch_bytes);
        if !room {
            state.chunks.push_back(state.spare.pop().unwrap_or_default());
        }
        if let Some(chunk) = state.chunks.back_mut() {
            chunk.text.extend_from_slice(record);
            if let Some(bodies) = bodies {
                chunk.bodies.push_back((chunk.ends.len(), bodies));
            }
            chunk.ends.push(chunk.text.len());
            chunk.bytes += bytes;
        }
        let wake = std::mem::take(&mut state.idle);
        drop(guard);
        if wake {
            self.filled.notify_one();
        }
        true
    }

    /// The oldest records, if any came within `patience`. A chunk that is not full is given a little time to fill.
    pub(crate) fn take(&self, patience: Duration) -> Option<Chunk> {
        let mut state = self.lock();
        if state.chunks.is_empty() && state.closing.is_none() && !patience.is_zero() {
            state.idle = true;
            let wait = |state: &mut State| state.chunks.is_empty() && state.closing.is_none();
            state = self
                .filled
                .wait_timeout_while(state, patience, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.idle = false;
        }
        let filling = |state: &mut State| {
            state.closing.is_none()
                && state.stats.safe() >= state.wanted
                && state.chunks.len() == 1
                && state.chunks[0].len() < self.batch_records
                && state.chunks[0].bytes < self.batch_bytes
        };
        if filling(&mut state) && !patience.is_zero() {
            state = self
                .filled
                .wait_timeout_while(state, self.gather, filling)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.chunks.pop_front()
    }

    /// The writer waits, unless the shutdown begins or began.
    pub(crate) fn pause(&self, time: Duration) {
        let state = self.lock();
        drop(self.filled.wait_timeout_while(state, time, |state| state.closing.is_none()));
    }

    /// Waits until the writer has dealt with everything that is here now. False: it did not within `patience`, or the store is
    /// away, so that nobody knows when it will.
    pub(crate) fn caught_up(&self, patience: Duration) -> bool {
        let mut state = self.lock();
        let mark = state.stats.accepted;
        let behind = |state: &mut State| {
            let is_away = state.stats.sink_failures > 0 && !state.stats.sink_up;
            state.stats.safe() < mark && !is_away && !state.ended
        };
        if behind(&mut state) {
            state.wanted = state.wanted.max(mark);
            self.filled.notify_all();
            state = self
                .settled
                .wait_timeout_while(state, patience, behind)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.stats.safe() >= mark
    }

    /// Records of a chunk have found their place: `settle` says where.
    pub(crate) fn settle(&self, mut chunk: Chunk, settle: impl FnOnce(&mut Stats)) {
        let mut state = self.lock();
        state.stats.queued -= chunk.len() as u64;
        state.stats.queued_bytes -= chunk.bytes;
        settle(&mut state.stats);
        state.blocked = None;
        if state.wanted > 0 {
            if state.stats.safe() >= state.wanted {
                state.wanted = 0;
            }
            self.settled.notify_all();
        }
        if state.spare.len() < SPARE && chunk.text.capacity() <= KEPT {
            chunk.clear();
            state.spare.push(chunk);
        }
    }

    /// Neither store nor journal takes anything for now.
    pub(crate) fn block(&self, reason: fn(&mut Drops) -> &mut u64) {
        self.lock().blocked = Some(reason);
    }

    pub(crate) fn with_stats<T>(&self, change: impl FnOnce(&mut Stats) -> T) -> T {
        change(&mut self.lock().stats)
    }

    /// How full, in percent of the nearer bound.
    pub(crate) fn fill(&self) -> u64 {
        let stats = &self.lock().stats;
        let records = stats.queued * 100 / self.most_records.max(1);
        records.max(stats.queued_bytes * 100 / self.most_bytes.max(1))
    }

    pub(crate) fn close(&self, deadline: Instant) {
        self.lock().closing = Some(deadline);
        self.filled.notify_all();
    }

    pub(crate) fn closing(&self) -> Option<Instant> {
        self.lock().closing
    }

    /// Nothing is taken any more; what is left is dropped, also what a writer that panicked had in hand. Said in one step,
    /// so that no push falls between.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.chunks.clear();
        state.stats.dropped.shutdown += state.stats.queued;
        (state.stats.queued, state.stats.queued_bytes) = (0, 0);
        drop(state);
        self.done.notify_all();
    }
}
