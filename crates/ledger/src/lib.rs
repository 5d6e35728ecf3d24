//! Budgets that hold, and books that balance.
//!
//! [`budget`] is what an operator writes, checked. [`Ledger::reserve`] sets aside the highest possible cost of a request
//! on all its budgets or on none; the [`Reservation`] it gives ends exactly once, whatever happens to the request. Every
//! movement is an [`Entry`] between two accounts, and [`verify`] proves all of them.
//!
//! Three layers, and arrows only go down:
//!
//! * [`ledger`]: a lock around the desk, a thread around the journal. Requests wait for neither disk nor thread, unless
//!   they must: see [`Reservation::ready`].
//! * `desk`, [`books`]: the decisions, and their slow and plain check. No I/O, no clock.
//! * [`journal`]: segments of checked lines, behind the trait [`Files`].
//!
//! # Why a crash cannot overspend
//!
//! Entries reach the disk in the order in which they were decided, so what a start reads is a state that was once true.
//! A request goes out only when its entry is on disk, or while it fits, with all others whose entries are not, into an
//! amount that the disk already knows as set `ahead`. After a crash everything that was reserved or set ahead is held,
//! as good as spent, until somebody says what it cost. So what was spent is never more than what the books count. (One
//! thing is: a request that costs more than its own ceiling. That is recorded as it is, and counted.)

pub mod amount;
pub mod books;
pub mod budget;
mod desk;
pub mod journal;
pub mod ledger;
#[cfg(test)]
mod testing;

pub use amount::Amount;
pub use books::{Account, Entry, How, Violation, What};
pub use budget::{Budget, BudgetError, FirstDay, Level, Limit, Reset, Scope, Unit, parse_limits};
pub use desk::{BudgetId, Charge, Demand, Exceeded, Grant, Least, Refusal, Share, Stake, Standing};
pub use journal::{Directory, Files, Output, ReadError, Report, entries, verify, verify_files};
pub use ledger::{
    AfterCrash, Alert, ChangeError, Claim, Ledger, NotWritten, OnAlert, OpenError, Opened, Options, Pool,
    PoolAway, Reservation, Settled, SharedRefusal, Stats, Unheard, WhenDiskFails, Written,
};
