//! How long a stream may be silent, and whether it may go on at all.
//!
//! A timer per chunk would cost more than the chunk: the deadline is only looked at when a sleeping timer fires, and then
//! moved to where the last silence puts it. Silence begins when there is nothing to read: time that a slow client takes is
//! not the provider's.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Sleep};

/// Why a stream is not waited for any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Nothing came for the limit.
    Silent,
    /// The gateway stops, and its grace period is over.
    Draining,
}

#[derive(Debug)]
pub struct Patience {
    limit: Option<Duration>,
    /// Since when there has been silence, once that was noticed.
    since: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
    cut: Pin<Box<OwnedNotified>>,
}

impl Patience {
    /// `limit` is the longest silence; `cut` is told when streams have to end.
    pub fn new(limit: Option<Duration>, cut: &Arc<Notify>) -> Self {
        Self { limit, since: None, sleep: None, cut: Box::pin(cut.clone().notified_owned()) }
    }

    /// A chunk came.
    pub fn touch(&mut self) {
        self.since = None;
    }

    /// From here on, silence may last this long.
    pub fn limit(&mut self, limit: Duration) {
        self.limit = Some(limit);
        self.since = None;
        self.sleep = None;
    }

    /// Ready when waiting has no sense any more. Call it when the source is pending.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Lost> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Lost::Draining);
        }
        let Some(limit) = self.limit else { return Poll::Pending };
        let deadline = *self.since.get_or_insert_with(Instant::now) + limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        loop {
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= deadline {
                return Poll::Ready(Lost::Silent);
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_counts_from_the_last_chunk() {
        let mut patience = Patience::new(Some(Duration::from_secs(10)), &Arc::default());
        let start = Instant::now();
        for _ in 0..5 {
            let wait = std::future::poll_fn(|cx| patience.poll(cx));
            let lost = tokio::time::timeout(Duration::from_secs(6), wait).await;
            assert!(lost.is_err(), "silence was shorter than the limit");
            patience.touch();
        }
        assert_eq!(std::future::poll_fn(|cx| patience.poll(cx)).await, Lost::Silent);
        assert_eq!(start.elapsed(), Duration::from_secs(40));
    }

    #[tokio::test]
    async fn a_draining_gateway_ends_what_waits() {
        let cut = Arc::new(Notify::new());
        let mut patience = Patience::new(None, &cut);
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(patience.poll(&mut context).is_pending());
        cut.notify_waiters();
        assert_eq!(patience.poll(&mut context), Poll::Ready(Lost::Draining));
    }
}
