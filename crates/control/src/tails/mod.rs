//! Live tails: records as they are stored, for those who watch. What watchers do not take is skipped and counted; nobody
//! waits for them. While nobody watches a batch costs one look at a number.

mod queue;
mod tee;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_records::search::words_of;
use tidegate_records::{Batch, Entry, Filter, RequestRecord, codec};
use tidegate_store::id::WorkspaceId;
use tokio::sync::watch;

use queue::Watcher;
pub(crate) use queue::{News, Tail};
pub use tee::Tee;

/// Tails of this process at one time, and of one workspace.
pub(crate) const MOST: usize = 64;
pub(crate) const MOST_OF_ONE: usize = 16;

/// Who watches. Clones are the same.
#[derive(Debug, Clone)]
pub struct Tails(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    watchers: Mutex<Vec<Watcher>>,
    /// How many they are, for a look without the lock.
    open: AtomicU64,
    skipped: AtomicU64,
    closing: watch::Sender<bool>,
}

/// Figures since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TailCounts {
    /// Tails that are open now.
    pub open: u64,
    /// Records that a tail had no room for.
    pub skipped: u64,
}

/// Why there is no tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTail {
    Full,
    WorkspaceFull,
    Closing,
}

impl Default for Tails {
    fn default() -> Self {
        Self(Arc::new(Inner {
            watchers: Mutex::default(),
            open: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            closing: watch::channel(false).0,
        }))
    }
}

impl Tails {
    pub fn counts(&self) -> TailCounts {
        TailCounts {
            open: self.0.open.load(Ordering::Relaxed),
            skipped: self.0.skipped.load(Ordering::Relaxed),
        }
    }

    /// Ends all tails; there are no new ones.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    /// Records that fit from now on, until it is dropped.
    pub(crate) fn open(&self, workspace: WorkspaceId, filter: Filter) -> Result<Tail, NoTail> {
        if *self.0.closing.borrow() {
            return Err(NoTail::Closing);
        }
        let mut watchers = self.0.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        if watchers.len() >= MOST {
            return Err(NoTail::Full);
        }
        if watchers.iter().filter(|watcher| watcher.workspace == workspace).count() >= MOST_OF_ONE {
            return Err(NoTail::WorkspaceFull);
        }
        let (watcher, tail) = queue::new(self.clone(), workspace, filter, self.0.closing.subscribe());
        watchers.push(watcher);
        self.0.open.store(watchers.len() as u64, Ordering::Relaxed);
        Ok(tail)
    }

    /// What was stored a moment ago.
    fn tell(&self, batch: &Batch<'_>) {
        if self.0.open.load(Ordering::Relaxed) == 0 {
            return;
        }
        let watchers = self.0.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in batch {
            let mut told = Told::default();
            for watcher in watchers.iter() {
                let record = if told.fits(entry, &watcher.filter) { told.record(entry) } else { None };
                if record.is_some_and(|record| !watcher.push(record)) {
                    self.0.skipped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    fn forget(&self, gone: u64) {
        let mut watchers = self.0.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| watcher.number != gone);
        self.0.open.store(watchers.len() as u64, Ordering::Relaxed);
    }
}

/// What is made of an entry once, whoever watches.
#[derive(Default)]
struct Told {
    words: Option<HashSet<String>>,
    record: Option<Arc<RequestRecord>>,
}

impl Told {
    fn fits(&mut self, entry: &Entry<'_>, filter: &Filter) -> bool {
        if !filter.fits(&entry.facts) {
            return false;
        }
        if filter.search.is_any() {
            return true;
        }
        let Some(bodies) = entry.bodies else { return false };
        filter.search.is_in(self.words.get_or_insert_with(|| words_of(bodies)))
    }

    /// `None`: it cannot be read, which lists will say.
    fn record(&mut self, entry: &Entry<'_>) -> Option<Arc<RequestRecord>> {
        if self.record.is_none() {
            self.record = codec::decode(entry.encoded).ok().map(Arc::new);
        }
        self.record.clone()
    }
}
