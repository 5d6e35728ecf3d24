//! What changed: how data planes keep what they hold in memory up to date.

use tokio::sync::watch;

use super::Store;
pub use crate::backend::Change;
use crate::error::StoreError;

/// Changes after a number, oldest first.
#[derive(Debug, Clone)]
pub struct Changes {
    pub changes: Vec<Change>,
    /// Where to go on: the number of the last change here.
    pub upto: u64,
    /// The number of the latest change of all. More are there when it is greater than `upto`.
    pub head: u64,
}

/// Follows the changes from a number on.
///
/// A data plane takes [`Store::feed`] first, then reads everything with [`Store::scan`], then applies the feed by
/// reading each object again with [`Store::follow`]: what changed during the scan is read twice and never missed.
#[derive(Debug)]
pub struct Feed {
    store: Store,
    upto: u64,
    woken: watch::Receiver<u64>,
}

impl Store {
    /// Changes after `since`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::ChangesGone`] when some after `since` have been forgotten.
    pub async fn changes(&self, since: u64, limit: u32) -> Result<Changes, StoreError> {
        let rows = self.0.backend.changes(since, limit.clamp(1, 10_000)).await?;
        if since < rows.forgotten {
            return Err(StoreError::ChangesGone { since, oldest: rows.forgotten + 1 });
        }
        let upto = rows.changes.last().map_or(since, |change| change.seq);
        Ok(Changes { upto, head: rows.head, changes: rows.changes })
    }

    /// A feed that begins now.
    ///
    /// # Errors
    /// The database's.
    pub async fn feed(&self) -> Result<Feed, StoreError> {
        let woken = self.0.backend.watch();
        let upto = self.0.backend.changes(i64::MAX as u64, 1).await?.head;
        Ok(Feed { store: self.clone(), upto, woken })
    }

    /// Forgets all changes but the latest `keep`. Those who are further behind read everything again.
    ///
    /// # Errors
    /// The database's.
    pub async fn trim_changes(&self, keep: u64) -> Result<(), StoreError> {
        let head = self.0.backend.changes(i64::MAX as u64, 1).await?.head;
        self.0.backend.trim_changes(head.saturating_sub(keep)).await
    }
}

impl Feed {
    /// What changed since the last call; empty when nothing did. Does not wait.
    ///
    /// # Errors
    /// [`StoreError::ChangesGone`]: read everything again, with a new feed.
    pub async fn poll(&mut self) -> Result<Vec<Change>, StoreError> {
        self.woken.borrow_and_update();
        let changes = self.store.changes(self.upto, 1_000).await?;
        self.upto = changes.upto;
        Ok(changes.changes)
    }

    /// Waits until this process knows of a change it has not polled. PostgreSQL tells of those of other
    /// replicas too, but for the time in which its connection is broken: poll on a timer as well.
    pub async fn woken(&mut self) {
        // The sender is gone when the database is closed; then only the timer is left.
        if self.woken.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Sees a new number whenever this process hears of a change: for whoever waits elsewhere.
    pub fn waker(&self) -> watch::Receiver<u64> {
        self.woken.clone()
    }

    /// The number of the last change that was polled.
    pub fn upto(&self) -> u64 {
        self.upto
    }
}
