//! How many requests this process is answering: who is alone has nobody to give way to.

use std::sync::atomic::{AtomicUsize, Ordering};

static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// A request that is being answered, until it is dropped.
pub(crate) struct Busy(());

impl Busy {
    pub(crate) fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets others that are ready go first, once: what is ready at the same time goes out at the same time (decision 0017). A
/// hint, so nothing is ordered by it.
pub async fn give_way() {
    if UNDER_WAY.load(Ordering::Relaxed) > 1 {
        tokio::task::yield_now().await;
    }
}
