//! Where every record is. All figures change under one lock, so any reading of them adds up.

/// Why records were dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    /// The queue in memory was full.
    pub queue_full: u64,
    /// The queue was full because the store was away and the journal had reached its bound.
    pub journal_full: u64,
    /// The queue was full because the store was away and the journal could not be written.
    pub journal_failed: u64,
    /// Came after, or was still waiting at, the deadline of the shutdown.
    pub shutdown: u64,
    /// The store refused this record for good.
    pub refused: u64,
    /// The store has another record under the same id.
    pub clashed: u64,
    /// The time that the record belongs to is beyond retention.
    pub expired: u64,
    /// The journal's bytes were changed on disk.
    pub damaged: u64,
    /// The journal's entry is of a version that this binary does not read.
    pub unreadable: u64,
}

impl Drops {
    pub fn total(&self) -> u64 {
        self.by_reason().iter().map(|(_, count)| count).sum()
    }

    /// Name and count, for metrics.
    pub fn by_reason(&self) -> [(&'static str, u64); 9] {
        [
            ("queue_full", self.queue_full),
            ("journal_full", self.journal_full),
            ("journal_failed", self.journal_failed),
            ("shutdown", self.shutdown),
            ("refused", self.refused),
            ("clashed", self.clashed),
            ("expired", self.expired),
            ("damaged", self.damaged),
            ("unreadable", self.unreadable),
        ]
    }
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Every record that was pushed.
    pub accepted: u64,
    /// Records that an earlier process left in the journal, damaged ones included.
    pub recovered: u64,
    /// New rows in the store.
    pub written: u64,
    /// Records that the store had already: replayed after a stop between storing and forgetting.
    pub known: u64,
    /// In memory, also those that the writer has in hand.
    pub queued: u64,
    pub queued_bytes: u64,
    /// On disk and not yet in the store.
    pub journaled: u64,
    pub journal_bytes: u64,
    /// Times that records went to the journal instead of the store: records, not batches.
    pub spilled: u64,
    pub dropped: Drops,
    /// Told from outside and refused for want of room, so that its sender comes again: not accepted, and not dropped.
    pub turned_away: u64,
    /// Journal segments that ended in an unfinished entry: what was being written when the process was killed, never
    /// acknowledged.
    pub torn: u64,
    /// The process before did not end by [`crate::Pipe::close`]: what it had in memory only is lost, and nobody counted it.
    pub unclean_start: bool,
    /// The store answered its last call.
    pub sink_up: bool,
    pub sink_failures: u64,
    /// Batches that the writer dealt with.
    pub bursts: u64,
    /// The time that took, and the longest of them, in microseconds, waiting for disk and for others on the core included.
    pub busy_us: u64,
    pub longest_burst_us: u64,
    /// Processor time of the writer's thread in microseconds, and the most of one batch: so long others may have waited.
    pub cpu_us: u64,
    pub longest_cpu_us: u64,
}

impl Stats {
    /// Accepted and recovered records are rows, waiting, or counted drops. True at every moment.
    pub fn adds_up(&self) -> bool {
        self.accepted + self.recovered
            == self.written + self.known + self.queued + self.journaled + self.dropped.total()
    }

    /// Records that a `kill -9` cannot take any more, if they came in order and none was dropped.
    pub fn safe(&self) -> u64 {
        self.accepted.saturating_sub(self.queued)
    }
}
