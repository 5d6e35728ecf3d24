//! A store of records that tells who watches.

use std::fmt;

use tidegate_records::{Batch, Sink, SinkError, Written};

use super::Tails;

/// Tells of what the store took: whoever sees a record in a tail finds it.
pub struct Tee {
    store: Box<dyn Sink>,
    tails: Tails,
}

impl Tails {
    /// Puts itself before a store.
    pub fn tee(&self, store: Box<dyn Sink>) -> Tee {
        Tee { store, tails: self.clone() }
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
        self.tails.tell(batch);
        Ok(written)
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.store.sync()
    }

    fn tend(&mut self, unix_ms: u64) -> Result<(), SinkError> {
        self.store.tend(unix_ms)
    }
}
