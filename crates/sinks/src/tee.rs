//! A store of records that lets somebody read along.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_records::{Batch, Sink, SinkError, Written};
use tokio::sync::mpsc::Sender;

/// What the store took is handed on, as far as there is room.
pub struct Tee {
    store: Box<dyn Sink>,
    queue: Sender<Vec<u8>>,
    unqueued: Arc<AtomicU64>,
}

impl Tee {
    pub(crate) fn new(store: Box<dyn Sink>, queue: Sender<Vec<u8>>, unqueued: Arc<AtomicU64>) -> Self {
        Self { store, queue, unqueued }
    }
}

impl fmt::Debug for Tee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tee")
    }
}

impl Sink for Tee {
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError> {
        let written = self.store.write(batch)?;
        for entry in batch {
            if self.queue.try_send(entry.encoded.to_vec()).is_err() {
                self.unqueued.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(written)
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.store.sync()
    }

    fn tend(&mut self, unix_ms: u64) -> Result<(), SinkError> {
        self.store.tend(unix_ms)
    }
}
