//! What requests and the writer share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_core::Clock;

use super::gate::{Gate, NotWritten, Written};
use super::options::{Options, Unheard, WhenDiskFails};
use crate::books::{Entry, Open};
use crate::desk::Desk;

pub(super) struct Shared {
    front: Mutex<Front>,
    /// Wakes the writer.
    bell: Condvar,
    pub(super) gate: Gate,
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
}

/// Everything under the one lock. Entries are queued in the order in which they were decided, so what is on disk is
/// always a state that was once true.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) desk: Desk,
    pub(super) queue: Vec<Entry>,
    pub(super) held: BTreeMap<u64, Open>,
    pub(super) stats: Stats,
    pub(super) phase: Phase,
    pub(super) writer: Asleep,
    /// Somebody waits for the disk.
    pub(super) urgent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    Closing,
    Closed,
    /// The writer found an entry that breaks a rule, or panicked.
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asleep {
    No,
    /// Until somebody waits, or for a moment.
    Gathering,
    /// Until there is something.
    Idle,
}

/// The options that requests and the writer need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) unheard: Unheard,
    pub(super) when_disk_fails: WhenDiskFails,
    pub(super) most_waiting: u64,
    pub(super) gather: Duration,
    pub(super) retry: Duration,
}

/// Counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub reserved: u64,
    /// Refused by a budget.
    pub refused: u64,
    /// Refused because too many entries waited.
    pub refused_busy: u64,
    /// Refused because the disk failed, or the ledger was closed.
    pub refused_journal: u64,
    /// Reservations that had to wait for the disk before they went out.
    pub waited: u64,
    pub settled: u64,
    /// Of those: dropped without a word.
    pub dropped: u64,
    /// Of those: cost more than was reserved.
    pub over: u64,
    /// Of those: nobody knows the cost.
    pub unpriced: u64,
    /// Figures that were negative, finer than 10⁻²⁰ or greater than a request can cost.
    pub adjusted: u64,
    pub alerts: u64,
    /// Writes or syncs that failed.
    pub write_errors: u64,
    /// Entries that were never written: the ledger was closed, or the disk did not come back before it was.
    pub unwritten: u64,
    /// 1 when an entry broke a rule and everything stopped.
    pub violations: u64,
    /// Entries that wait for the disk now.
    pub waiting: u64,
    /// The disk fails now.
    pub failing: bool,
}

impl Settings {
    pub(super) fn of(options: &Options) -> Self {
        Self {
            unheard: options.unheard,
            when_disk_fails: options.when_disk_fails,
            most_waiting: options.most_waiting as u64,
            gather: options.gather,
            retry: options.retry,
        }
    }
}

impl Front {
    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Desk, &mut Vec<Entry>) -> T) -> T {
        change(&mut self.desk, &mut self.queue)
    }
}

impl Shared {
    pub(super) fn new(
        desk: Desk,
        held: BTreeMap<u64, Open>,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let gate = Gate::new(desk.seq());
        let front = Front {
            desk,
            queue: Vec::new(),
            held,
            stats: Stats::default(),
            phase: Phase::Open,
            writer: Asleep::No,
            urgent: false,
        };
        Self { front: Mutex::new(front), bell: Condvar::new(), gate, settings, clock }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Front> {
        // Nothing under this lock is left half done by a panic that matters more than going on.
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the lock go, and tells the writer if there is something for it that cannot wait.
    pub(super) fn wake(&self, mut front: MutexGuard<'_, Front>, urgent: bool) {
        front.urgent |= urgent;
        let must_wake = match front.writer {
            Asleep::No => false,
            Asleep::Gathering => urgent,
            Asleep::Idle => urgent || !front.queue.is_empty(),
        };
        if must_wake {
            front.writer = Asleep::No;
            drop(front);
            self.bell.notify_one();
        }
    }

    pub(super) fn sleep<'a>(
        &self,
        mut front: MutexGuard<'a, Front>,
        how: Asleep,
        longest: Option<Duration>,
    ) -> MutexGuard<'a, Front> {
        front.writer = how;
        let mut front = match longest {
            None => self.bell.wait(front).unwrap_or_else(PoisonError::into_inner),
            Some(longest) => self.bell.wait_timeout(front, longest).unwrap_or_else(PoisonError::into_inner).0,
        };
        front.writer = Asleep::No;
        front
    }

    /// A future for an entry; tells the writer that somebody waits.
    pub(super) fn written(&self, seq: u64) -> Written<'_> {
        if self.gate.durable() < seq {
            self.wake(self.lock(), true);
        }
        Written { gate: &self.gate, seq, when_failing: Err(NotWritten) }
    }

    pub(super) fn stop(&self) {
        let mut front = self.lock();
        if front.phase == Phase::Open {
            front.phase = Phase::Closing;
        }
        self.wake(front, true);
    }

    pub(super) fn stats(&self) -> Stats {
        let front = self.lock();
        let waiting = front.desk.seq().saturating_sub(self.gate.durable());
        Stats { waiting, failing: self.gate.is_failing(), ..front.stats }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("gate", &self.gate)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
