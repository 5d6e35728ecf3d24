//! Up to which entry the journal is on disk, and who waits for it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::{fmt, mem};

/// The journal could not be written, or the ledger was closed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotWritten;

#[derive(Debug)]
pub(super) struct Gate {
    durable: AtomicU64,
    /// Nobody should wait now.
    failing: AtomicBool,
    waiting: Mutex<Vec<(u64, Waker)>>,
    bell: Condvar,
}

/// Completes when an entry is on disk, or cannot be put there.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct Written<'a> {
    pub(super) gate: &'a Gate,
    pub(super) seq: u64,
    /// What to say when the disk fails.
    pub(super) when_failing: Result<(), NotWritten>,
}

impl Gate {
    pub(super) fn new(durable: u64) -> Self {
        Self {
            durable: AtomicU64::new(durable),
            failing: AtomicBool::new(false),
            waiting: Mutex::default(),
            bell: Condvar::new(),
        }
    }

    pub(super) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// The writer has come so far.
    pub(super) fn set(&self, durable: u64, failing: bool) {
        // Under the lock, so that nobody looks before and waits after.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.durable.store(durable, Ordering::Release);
        self.failing.store(failing, Ordering::Release);
        let all = mem::take(&mut *waiting);
        let (ready, rest): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(seq, _)| failing || *seq <= durable);
        *waiting = rest;
        self.bell.notify_all();
        drop(waiting);
        ready.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn answer(&self, seq: u64, when_failing: Result<(), NotWritten>) -> Option<Result<(), NotWritten>> {
        if self.durable() >= seq {
            return Some(Ok(()));
        }
        self.is_failing().then_some(when_failing)
    }
}

impl Written<'_> {
    /// Blocks the thread: for threads that may.
    ///
    /// # Errors
    /// As the future.
    pub fn wait(self) -> Result<(), NotWritten> {
        let mut waiting = self.gate.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(answer) = self.gate.answer(self.seq, self.when_failing) {
                return answer;
            }
            waiting = self.gate.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Written<'_> {
    type Output = Result<(), NotWritten>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(answer) = self.gate.answer(self.seq, self.when_failing) {
            return Poll::Ready(answer);
        }
        let mut waiting = self.gate.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = self.gate.answer(self.seq, self.when_failing) {
            return Poll::Ready(answer);
        }
        let waker = context.waker();
        if !waiting.iter().any(|(seq, other)| *seq == self.seq && other.will_wake(waker)) {
            waiting.push((self.seq, waker.clone()));
        }
        Poll::Pending
    }
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ledger's journal could not be written")
    }
}

impl std::error::Error for NotWritten {}
