//! The desk behind a lock, a journal behind a thread, and the handle on both.

#[cfg(test)]
mod faults;
mod gate;
mod options;
mod pool;
mod recover;
mod reservation;
mod shared;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod threads;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::{fmt, io};

use tidegate_core::Clock;

use crate::books::{Entry, How, Open, Part, Violation};
use crate::budget::{Budget, Scope};
use crate::desk::{BudgetId, Charge, Demand, Desk, Refusal, Standing};
use crate::journal::{Directory, Files, ReadError};

pub use gate::{NotWritten, Written};
pub use options::{AfterCrash, Alert, OnAlert, Options, Unheard, WhenDiskFails};
pub use pool::{Claim, Pool, PoolAway, SharedRefusal};
pub use recover::Opened;
pub use reservation::{Reservation, Settled};
pub use shared::Stats;
use shared::{Settings, Shared};

/// A handle on the books. Clones share them; the last one that goes closes them.
#[derive(Debug, Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
    running: Arc<Running>,
}

#[derive(Debug)]
pub enum OpenError {
    Io(io::Error),
    /// The journal is damaged. Nothing was changed.
    Read(ReadError),
    /// Start-up made an entry that breaks a rule: a mistake of this program.
    Violation(Violation),
}

/// Why a change was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeError {
    /// There are as many budgets as there may be.
    TooMany,
    /// There is no such budget, or nothing of that id is held.
    NotThere,
    /// The ledger is closed, or found a mistake in its books.
    Closed,
}

/// More budgets than anybody has keys.
const MOST_BUDGETS: usize = 4_000_000;

/// Ends the writer with the last handle.
#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    writer: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Ledger {
    /// Opens the books in a directory, which is made if need be, and locked.
    ///
    /// # Errors
    /// The file system's, another process that has them open, and books that do not balance.
    pub fn open(
        directory: &Path,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Opened), OpenError> {
        let files = Directory::open(directory).map_err(OpenError::Io)?;
        Self::open_files(Box::new(files), options, clock)
    }

    /// As [`Ledger::open`], in any place that can hold files. Nobody else may write there.
    ///
    /// # Errors
    /// The same.
    pub fn open_files(
        files: Box<dyn Files>,
        mut options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Opened), OpenError> {
        let recovered = recover::recover(files, &options, clock.unix_ms())?;
        let on_alert = options.on_alert.take();
        let settings = Settings::of(&options);
        let shared = Arc::new(Shared::new(recovered.desk, recovered.held, settings, clock));
        let writer = writer::Writer::new(Arc::clone(&shared), recovered.segments, on_alert);
        let thread = std::thread::Builder::new().name("ledger".to_owned());
        let handle = thread.spawn(move || writer.run()).map_err(OpenError::Io)?;
        let running = Running { shared: Arc::clone(&shared), writer: std::sync::Mutex::new(Some(handle)) };
        Ok((Self { shared, running: Arc::new(running) }, recovered.opened))
    }

    /// Sets up a budget, or changes the amount and the thresholds of the one with the same scope, id, unit and reset.
    /// In force at once; on disk before any request that it admits.
    ///
    /// # Errors
    /// [`ChangeError::TooMany`], [`ChangeError::Closed`].
    pub fn put(&self, budget: Budget) -> Result<BudgetId, ChangeError> {
        let now = self.shared.clock.unix_ms();
        let mut front = self.shared.lock();
        if !front.is_open() {
            return Err(ChangeError::Closed);
        }
        if front.desk.len() >= MOST_BUDGETS {
            return Err(ChangeError::TooMany);
        }
        let id = front.change(|desk, queue| desk.put(budget, now, queue));
        self.shared.wake(front, false);
        Ok(id)
    }

    /// Takes a budget away. Reservations that are open end as usual.
    ///
    /// # Errors
    /// [`ChangeError::NotThere`], [`ChangeError::Closed`].
    pub fn remove(&self, id: BudgetId) -> Result<(), ChangeError> {
        self.change(|front, now| front.change(|desk, queue| desk.remove(id, now, queue)))
    }

    /// Begins the running period anew: usage is zero, and thresholds can be reached again. Reservations that are open
    /// are settled in the period in which they were made.
    ///
    /// # Errors
    /// [`ChangeError::NotThere`], [`ChangeError::Closed`].
    pub fn reset(&self, id: BudgetId) -> Result<(), ChangeError> {
        self.change(|front, now| front.change(|desk, queue| desk.reset(id, now, queue)))
    }

    /// Says what something cost that a crash left open.
    ///
    /// # Errors
    /// [`ChangeError::NotThere`], [`ChangeError::Closed`].
    pub fn resolve(&self, id: u64, charge: &Charge) -> Result<(), ChangeError> {
        self.change(|front, now| {
            let Some(held) = front.held.remove(&id) else { return false };
            front.change(|desk, queue| desk.resolve(id, &held, charge, now, queue)).is_some()
        })
    }

    fn change(&self, change: impl FnOnce(&mut shared::Front, u64) -> bool) -> Result<(), ChangeError> {
        let now = self.shared.clock.unix_ms();
        let mut front = self.shared.lock();
        if !front.is_open() {
            return Err(ChangeError::Closed);
        }
        let is_made = change(&mut front, now);
        self.shared.wake(front, false);
        if is_made { Ok(()) } else { Err(ChangeError::NotThere) }
    }

    fn with_desk<T>(&self, act: impl FnOnce(&mut Desk, &mut Vec<Entry>) -> T) -> T {
        let mut front = self.shared.lock();
        let result = front.change(act);
        self.shared.wake(front, false);
        result
    }

    /// The budgets of somebody, in the order in which they were made.
    pub fn find(&self, scope: Scope, id: &str) -> Vec<BudgetId> {
        self.shared.lock().desk.find(scope, id)
    }

    /// All budgets.
    pub fn budgets(&self) -> Vec<BudgetId> {
        self.shared.lock().desk.budgets()
    }

    /// What a budget is.
    pub fn budget(&self, id: BudgetId) -> Option<Budget> {
        self.shared.lock().desk.budget(id).map(|(budget, _)| budget)
    }

    /// The budget of a part of what is [held](Ledger::held).
    pub fn budget_of(&self, part: &Part) -> Option<Budget> {
        self.shared.lock().desk.budget_by_number(part.budget)
    }

    /// How a budget stands now.
    pub fn standing(&self, id: BudgetId) -> Option<Standing> {
        let now = self.shared.clock.unix_ms();
        let mut front = self.shared.lock();
        let standing = front.change(|desk, queue| desk.standing(id, now, queue));
        self.shared.wake(front, false);
        standing
    }

    /// What crashes left open and nobody has resolved, by id.
    pub fn held(&self) -> Vec<(u64, Open)> {
        self.shared.lock().held.iter().map(|(id, open)| (*id, open.clone())).collect()
    }

    /// Reserves on all budgets, or on none. In force at once; see [`Reservation::ready`] for when the request may go out.
    ///
    /// # Errors
    /// The first budget that has not enough left, or why the journal takes nothing.
    pub fn reserve(&self, demand: &Demand<'_>) -> Result<Reservation, Refusal> {
        reservation::reserve(&self.shared, demand)
    }

    /// Puts on all budgets what took place with nothing set aside for it, however little they have left. Of the demand
    /// only the budgets and the names count. `None` when the ledger is closed.
    pub fn charge(&self, demand: &Demand<'_>, charge: &Charge, how: How) -> Option<Settled> {
        Some(reservation::late(&self.shared, demand)?.settle(charge, how))
    }

    /// Completes when an entry is on disk: for whoever must not say that something is settled before it is.
    pub fn written(&self, settled: Settled) -> Written<'_> {
        self.shared.written(settled.entry)
    }

    /// Completes when everything so far is on disk.
    pub fn flush(&self) -> Written<'_> {
        let seq = self.shared.lock().desk.seq();
        self.shared.written(seq)
    }

    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Writes what is left and ends the writer. Reservations that are still open are found by the next start.
    pub fn close(&self) {
        self.running.end();
    }
}

impl Running {
    fn end(&self) {
        self.shared.stop();
        let writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // It has said why, if it panicked: the ledger takes nothing any more.
            let _ = writer.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the ledger cannot be opened: {error}"),
            Self::Read(error) => write!(f, "the ledger cannot be read: {error}"),
            Self::Violation(violation) => write!(f, "the ledger cannot go on: {violation}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMany => "there are too many budgets",
            Self::NotThere => "there is no such budget or held reservation",
            Self::Closed => "the ledger is closed",
        })
    }
}

impl std::error::Error for ChangeError {}
