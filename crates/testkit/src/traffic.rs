//! What goes on at an upstream right now, as numbers that a test can wait on instead of sleeping.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long [`Traffic::wait_until`] waits before it fails the test. Long, because only a broken test gets there.
const PATIENCE: Duration = Duration::from_secs(120);

/// All but `open_connections` and `in_flight` only grow, until [`Traffic::reset`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Connections accepted.
    pub connections: u64,
    pub open_connections: u64,
    /// Requests whose head has been read.
    pub requests: u64,
    /// Requests that are neither finished nor cancelled.
    pub in_flight: u64,
    /// Answers given to the end that was intended, faults included.
    pub finished: u64,
    /// Requests whose client went away before the answer ended.
    pub cancelled: u64,
    /// Bytes of answers that the socket took (for faults heads included, for the rest bodies only).
    pub bytes_written: u64,
}

/// The counts of one upstream, shared with its tasks.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<watch::Sender<Counts>>);

impl Traffic {
    pub fn now(&self) -> Counts {
        *self.0.borrow()
    }

    /// Returns as soon as `holds` is true of the counts, which it may be already.
    ///
    /// # Panics
    /// After two minutes, naming the counts as they are.
    pub async fn wait_until(&self, mut holds: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.0.subscribe();
        let waited = tokio::time::timeout(PATIENCE, counts.wait_for(|counts| holds(counts))).await;
        match waited {
            Ok(counts) => *counts.expect("self holds the sender"),
            Err(_) => panic!("waited {PATIENCE:?} in vain; the upstream stands at {:?}", self.now()),
        }
    }

    /// Returns once no byte of an answer has been taken for `span`: the way to see that a writer is held back. A slow
    /// machine can make it return early, so assert an upper bound on what was written, never a lower one.
    ///
    /// # Panics
    /// When that has not happened after two minutes, naming the counts as they are.
    pub async fn wait_until_quiet(&self, span: Duration) -> Counts {
        let mut counts = self.0.subscribe();
        let quiet = async {
            let mut written = counts.borrow_and_update().bytes_written;
            loop {
                let more = counts.wait_for(|counts| counts.bytes_written != written);
                match tokio::time::timeout(span, more).await {
                    Ok(changed) => written = changed.expect("self holds the sender").bytes_written,
                    Err(_) => return,
                }
            }
        };
        if tokio::time::timeout(PATIENCE, quiet).await.is_err() {
            panic!("still writing after {PATIENCE:?}; the upstream stands at {:?}", self.now());
        }
        self.now()
    }

    /// Sets everything but `open_connections` and `in_flight` to zero.
    pub fn reset(&self) {
        self.0.send_modify(|counts| {
            *counts = Counts {
                open_connections: counts.open_connections,
                in_flight: counts.in_flight,
                ..Counts::default()
            };
        });
    }

    pub(crate) fn connection(&self) -> OpenConnection {
        self.0.send_modify(|counts| {
            counts.connections += 1;
            counts.open_connections += 1;
        });
        OpenConnection(self.clone())
    }

    pub(crate) fn request(&self) -> InFlight {
        self.0.send_modify(|counts| {
            counts.requests += 1;
            counts.in_flight += 1;
        });
        InFlight { traffic: self.clone(), done: false }
    }

    pub(crate) fn wrote(&self, bytes: usize) {
        self.0.send_modify(|counts| counts.bytes_written += bytes as u64);
    }
}

/// An accepted connection; counted as open until dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection(Traffic);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.0.send_modify(|counts| counts.open_connections -= 1);
    }
}

/// A request being answered. Dropped before [`InFlight::finish`] it counts as cancelled.
#[derive(Debug)]
pub(crate) struct InFlight {
    traffic: Traffic,
    done: bool,
}

impl InFlight {
    pub(crate) fn finish(&mut self) {
        if !std::mem::replace(&mut self.done, true) {
            self.traffic.0.send_modify(|counts| {
                counts.in_flight -= 1;
                counts.finished += 1;
            });
        }
    }

    pub(crate) fn wrote(&self, bytes: usize) {
        self.traffic.wrote(bytes);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if !self.done {
            self.traffic.0.send_modify(|counts| {
                counts.in_flight -= 1;
                counts.cancelled += 1;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_count_themselves_out() {
        let traffic = Traffic::default();
        let connection = traffic.connection();
        let mut first = traffic.request();
        let second = traffic.request();
        first.finish();
        first.finish();
        drop((first, second));
        let counts = traffic.now();
        assert_eq!((counts.requests, counts.in_flight, counts.finished, counts.cancelled), (2, 0, 1, 1));
        traffic.reset();
        assert_eq!(traffic.now(), Counts { open_connections: 1, ..Counts::default() });
        drop(connection);
        assert_eq!(traffic.now().open_connections, 0);
    }

    #[tokio::test]
    async fn waiting_sees_what_is_already_so_and_what_comes() {
        let traffic = Traffic::default();
        let request = traffic.request();
        traffic.wait_until(|counts| counts.in_flight == 1).await;
        let waiting = tokio::spawn({
            let traffic = traffic.clone();
            async move { traffic.wait_until(|counts| counts.cancelled == 1).await }
        });
        drop(request);
        assert_eq!(waiting.await.unwrap().in_flight, 0);
    }
}
