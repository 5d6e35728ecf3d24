//! What waits for one who watches.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_records::{Filter, RequestRecord};
use tidegate_store::id::WorkspaceId;
use tokio::sync::{mpsc, watch};

use super::Tails;

/// Records that wait for one tail.
pub(super) const ROOM: usize = 256;

/// The writer's end.
pub(super) struct Watcher {
    pub(super) number: u64,
    pub(super) workspace: WorkspaceId,
    pub(super) filter: Filter,
    queue: mpsc::Sender<Arc<RequestRecord>>,
    skipped: Arc<AtomicU64>,
}

/// The reader's end.
pub(crate) struct Tail {
    number: u64,
    tails: Tails,
    queue: mpsc::Receiver<Arc<RequestRecord>>,
    skipped: Arc<AtomicU64>,
    closing: watch::Receiver<bool>,
}

/// What a tail has to say, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) records: Vec<Arc<RequestRecord>>,
    /// So many had no room after those.
    pub(crate) skipped: u64,
}

pub(super) fn new(
    tails: Tails,
    workspace: WorkspaceId,
    filter: Filter,
    closing: watch::Receiver<bool>,
) -> (Watcher, Tail) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let (sender, queue) = mpsc::channel(ROOM);
    let skipped = Arc::new(AtomicU64::new(0));
    let watcher = Watcher { number, workspace, filter, queue: sender, skipped: skipped.clone() };
    (watcher, Tail { number, tails, queue, skipped, closing })
}

impl Watcher {
    /// False: there was no room.
    pub(super) fn push(&self, record: Arc<RequestRecord>) -> bool {
        let pushed = self.queue.try_send(record).is_ok();
        if !pushed {
            self.skipped.fetch_add(1, Ordering::Relaxed);
        }
        pushed
    }
}

impl Tail {
    /// Waits for records, and takes up to `most` of them. `None`: the process stops.
    pub(crate) async fn next(&mut self, most: usize) -> Option<News> {
        let Self { queue, closing, .. } = self;
        let first = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => return None,
            first = queue.recv() => first?,
        };
        let mut news = News { records: vec![first], skipped: 0 };
        while news.records.len() < most {
            let Ok(record) = self.queue.try_recv() else { break };
            news.records.push(record);
        }
        if self.queue.is_empty() {
            // Whatever had no room came after what has been taken now.
            news.skipped = self.skipped.swap(0, Ordering::Relaxed);
        }
        Some(news)
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.tails.forget(self.number);
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watcher({})", self.number)
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tail({})", self.number)
    }
}
