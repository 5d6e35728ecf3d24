//! Counters of the egress client: plain atomics, read by whoever exports metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::SendErrorKind;

/// A reading of the counters. Each number is exact; together they are not one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressStats {
    /// Connections made since the start, TLS included, proxied or not.
    pub connections_opened: u64,
    /// Of those, how many are open now, idle ones included.
    pub connections_open: u64,
    /// Failed sends since the start, by kind, in the order of [`SendErrorKind::ALL`].
    pub failures: [(SendErrorKind, u64); SendErrorKind::ALL.len()],
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    opened: AtomicU64,
    open: AtomicU64,
    failures: [AtomicU64; SendErrorKind::ALL.len()],
}

/// One open connection. Dropping it counts it closed.
#[derive(Debug)]
pub(crate) struct OpenConnection(Arc<Counters>);

impl EgressStats {
    /// Failed sends of one kind since the start.
    pub fn failed(&self, kind: SendErrorKind) -> u64 {
        self.failures[kind as usize].1
    }
}

impl Counters {
    pub(crate) fn open(self: &Arc<Self>) -> OpenConnection {
        self.opened.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        OpenConnection(self.clone())
    }

    pub(crate) fn failed(&self, kind: SendErrorKind) {
        self.failures[kind as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self) -> EgressStats {
        EgressStats {
            connections_opened: self.opened.load(Relaxed),
            connections_open: self.open.load(Relaxed),
            failures: SendErrorKind::ALL.map(|kind| (kind, self.failures[kind as usize].load(Relaxed))),
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed_in_the_order_they_count_in() {
        for (i, kind) in SendErrorKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, i, "{kind:?}");
        }
    }

    #[test]
    fn a_reading_says_what_happened() {
        let counters = Arc::new(Counters::default());
        let first = counters.open();
        let second = counters.open();
        drop(first);
        counters.failed(SendErrorKind::Dns);
        let stats = counters.read();
        assert_eq!((stats.connections_opened, stats.connections_open), (2, 1));
        assert_eq!((stats.failed(SendErrorKind::Dns), stats.failed(SendErrorKind::Tls)), (1, 0));
        drop(second);
        assert_eq!(counters.read().connections_open, 0);
    }
}
