//! What an operator can choose. Every choice has a default that never overspends.

use std::fmt;
use std::time::Duration;

use crate::amount::Amount;
use crate::budget::{Scope, Unit};
use crate::desk::{BudgetId, Share, Stake};

/// Takes events to whoever sends them.
pub type OnAlert = Box<dyn FnMut(&Alert) + Send>;

pub struct Options {
    pub stake: Stake,
    pub share: Share,
    /// What happens to reservations that a crash left open.
    pub after_crash: AfterCrash,
    /// What a reservation costs that is dropped before anything was noted.
    pub unheard: Unheard,
    pub when_disk_fails: WhenDiskFails,
    /// So many entries may wait for the disk; then reservations are refused. Settlements are always taken, at most a
    /// few for each reservation that is open.
    pub most_waiting: usize,
    /// How long the writer may gather what nobody waits for.
    pub gather: Duration,
    /// How long it waits after a failed write.
    pub retry: Duration,
    /// A segment that is longer is followed by a new one, with a snapshot.
    pub segment_bytes: u64,
    /// So many segments stay, for proofs that go further back; a start reads them all. At least one.
    pub keep_segments: usize,
    /// Called from the writer's thread when a threshold is on record. It should not take long: it holds up the disk.
    pub on_alert: Option<OnAlert>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AfterCrash {
    /// Held, as good as spent, until [`Ledger::resolve`](crate::Ledger::resolve) says what it cost.
    #[default]
    Hold,
    /// Settled at the whole reservation.
    Settle,
    /// Given back: for providers that bill nothing for requests that were cut off. What was settled in the last
    /// milliseconds before the crash is given back with them.
    Release,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unheard {
    /// Nothing: only what is known to be billed is billed.
    #[default]
    Free,
    /// The whole reservation, once it was [sent](crate::Reservation::sent).
    Ceiling,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenDiskFails {
    /// No new reservations until the disk takes entries again.
    #[default]
    Refuse,
    /// They are made in memory, up to `most_waiting` entries. A crash before the disk is back forgets them, and they
    /// can then be spent twice.
    Continue,
}

/// Usage reached a threshold. There is one for each threshold in each period; it is handed over again after a crash
/// only if that came before the journal knew that it was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    pub budget: BudgetId,
    pub scope: Scope,
    /// The slug or name.
    pub id: String,
    pub unit: Unit,
    /// What was reached.
    pub mark: Amount,
    /// It is the whole budget.
    pub exhausted: bool,
    pub amount: Amount,
    /// When it is handed over.
    pub used: Amount,
    /// With the budget and the mark this is the event's identity.
    pub period: u32,
    /// Milliseconds since 1970 UTC, as the others.
    pub period_end: u64,
    pub at: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            stake: Stake::default(),
            share: Share::default(),
            after_crash: AfterCrash::default(),
            unheard: Unheard::default(),
            when_disk_fails: WhenDiskFails::default(),
            most_waiting: 65_536,
            gather: Duration::from_millis(25),
            retry: Duration::from_millis(250),
            segment_bytes: 8 << 20,
            keep_segments: 4,
            on_alert: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("stake", &self.stake)
            .field("after_crash", &self.after_crash)
            .field("unheard", &self.unheard)
            .field("when_disk_fails", &self.when_disk_fails)
            .field("most_waiting", &self.most_waiting)
            .finish_non_exhaustive()
    }
}
