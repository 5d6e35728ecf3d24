//! A stream that goes out no faster than its pace: one event at a time, each when it is due, its bytes as they are.
//!
//! Nothing is pulled from below while an event waits here, so a slow pace reaches the provider as back-pressure, and is
//! never taken for the provider's silence.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame};
use tidegate_core::Moment;
use tidegate_limits::{Pace, Pacer};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Duration, Instant, Sleep};

use crate::body::{ClientBody, Cut};
use crate::pass::first_boundary;

/// What one write counts as: OpenAI-Forward takes each for a token, the last ones and those without text, too.
const EVENT: u64 = 1;

pub struct PacedBody {
    inner: ClientBody,
    /// `None` from when the gateway stops: what is left goes out at once.
    pacer: Option<Pacer>,
    start: Instant,
    /// Came from below and has not gone out yet.
    waiting: Bytes,
    sleep: Pin<Box<Sleep>>,
    cut: Pin<Box<OwnedNotified>>,
}

impl PacedBody {
    /// `cut` is told when streams have to end.
    pub fn new(inner: ClientBody, pace: Pace, cut: &Arc<Notify>) -> Self {
        let start = Instant::now();
        Self {
            inner,
            pacer: Some(Pacer::new(pace, Moment(0))),
            start,
            waiting: Bytes::new(),
            sleep: Box::pin(tokio::time::sleep_until(start)),
            cut: Box::pin(cut.clone().notified_owned()),
        }
    }

    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if self.waiting.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => self.waiting = bytes,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                over => return Poll::Ready(over),
            }
        }
        ready!(self.poll_due(cx));
        let event = first_boundary(&self.waiting);
        Poll::Ready(Some(Ok(Frame::data(self.waiting.split_to(event)))))
    }

    /// Ready when the next event may go.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(pacer) = &mut self.pacer else { return Poll::Ready(()) };
        if self.cut.as_mut().poll(cx).is_ready() {
            self.pacer = None;
            return Poll::Ready(());
        }
        let due = pacer.due(EVENT);
        loop {
            let now = Moment(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX));
            if now >= due {
                pacer.wrote(EVENT, now);
                return Poll::Ready(());
            }
            let at = self.start + Duration::from_millis(due.0);
            if self.sleep.deadline() != at {
                self.sleep.as_mut().reset(at);
            }
            ready!(self.sleep.as_mut().poll(cx));
        }
    }
}

impl std::fmt::Debug for PacedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PacedBody").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paced(text: &'static str, pace: &str, cut: &Arc<Notify>) -> PacedBody {
        PacedBody::new(ClientBody::full(text), Pace::parse("", pace).unwrap().unwrap(), cut)
    }

    async fn next(body: &mut PacedBody) -> Option<Bytes> {
        let frame = std::future::poll_fn(|cx| body.poll(cx)).await;
        frame.map(|frame| frame.unwrap().into_data().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn each_event_waits_its_turn_and_stays_as_it_is() {
        let mut body = paced("data: a\n\ndata: b\r\n\r\ndata: c\n\ntail", "4/second", &Arc::default());
        let start = Instant::now();
        for (ms, event) in
            [(250, "data: a\n\n"), (500, "data: b\r\n\r\n"), (750, "data: c\n\n"), (1_000, "tail")]
        {
            assert_eq!(next(&mut body).await.unwrap(), event);
            assert_eq!(start.elapsed(), Duration::from_millis(ms));
        }
        assert_eq!(next(&mut body).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopping_gateway_lets_the_rest_go() {
        let cut = Arc::new(Notify::new());
        let mut body = paced("data: a\n\ndata: b\n\n", "1/hour", &cut);
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(body.poll(&mut context).is_pending());
        cut.notify_waiters();
        assert_eq!(next(&mut body).await.unwrap(), "data: a\n\n");
        assert_eq!(next(&mut body).await.unwrap(), "data: b\n\n");
    }
}
