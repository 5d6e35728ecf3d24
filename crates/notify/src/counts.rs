//! What became of the notices of a channel.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Sums since the start. `waiting` is what is left: each notice is in one of the others in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// `webhook hooks.example.com`, `mail smtp.example.com`: no path, which may be a credential.
    pub channel: String,
    pub waiting: u64,
    pub sent: u64,
    /// No attempt delivered them.
    pub failed: u64,
    /// They did not fit into the queue, or waited still at the end.
    pub dropped: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Why the last attempt that failed did. No secret.
    pub last_trouble: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    taken: AtomicU64,
    sent: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    retries: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl Tally {
    pub(crate) fn taken(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn trouble(&self, reason: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    pub(crate) fn read(&self, channel: &str) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (sent, failed, dropped) = (read(&self.sent), read(&self.failed), read(&self.dropped));
        Counts {
            channel: channel.to_owned(),
            waiting: read(&self.taken).saturating_sub(sent + failed + dropped),
            sent,
            failed,
            dropped,
            retries: read(&self.retries),
            last_trouble: self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
