//! The longest silence a stream may have. A timer per chunk would cost more than the chunk: the deadline is only looked
//! at when a sleeping timer fires, and then moved to where the last chunk puts it.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

#[derive(Debug)]
pub struct Idle {
    limit: Duration,
    last: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Idle {
    pub fn new(limit: Duration) -> Self {
        Self { limit, last: Instant::now(), sleep: None }
    }

    /// A chunk came.
    pub fn touch(&mut self) {
        self.last = Instant::now();
    }

    /// Ready when nothing came for the limit. Call it when the source is pending.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sleep =
            self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(self.last + self.limit)));
        loop {
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let deadline = self.last + self.limit;
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn fires_only_after_the_limit_of_silence() {
        let mut idle = Idle::new(Duration::from_secs(10));
        let start = Instant::now();
        for _ in 0..5 {
            let wait = tokio::time::timeout(Duration::from_secs(6), std::future::poll_fn(|cx| idle.poll(cx)));
            assert!(wait.await.is_err(), "silence was shorter than the limit");
            idle.touch();
        }
        std::future::poll_fn(|cx| idle.poll(cx)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(40));
    }
}
