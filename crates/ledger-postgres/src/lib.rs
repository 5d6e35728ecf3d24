//! Budgets that several replicas share: PostgreSQL knows how much of each was claimed by whom.
//!
//! [`Postgres`] is a [`Pool`](tidegate_ledger::Pool). A claim is one statement, a function in the database that looks and
//! takes in one transaction; all claims of a period together never exceed the budget. Amounts are `NUMERIC`, exact to
//! the last of their twenty decimals.
//!
//! # Why nothing is claimed twice, and nothing is lost while the process lives
//!
//! Operations of a budget go through one of a few *lines*, one after the other, each with a number. The database keeps
//! the number and the outcome of a line's last operation in the transaction that did it. So when a connection breaks and
//! nobody knows what became of an operation, it is simply done again, until there is an answer: if it had been done, it
//! gives the recorded outcome, and a copy of it that arrives later still is not the next one and does nothing.
//!
//! Callers do not wait for that: after [`Options::patience`] they are told that the pool is away, and while it is away
//! they are told at once. A slice that nobody waits for any more is given back.
//!
//! # What stays with whom
//!
//! What a process claimed counts as spent until it gives it back, under its [holder's](Options::holder) name. The name
//! belongs to its journal: who opens those books again goes on with what is left in them. For one that never comes back
//! there are [`Postgres::outstanding`] and [`Postgres::resolve`].
//!
//! The amounts in force are those in the database ([`Postgres::put`]), not those that a replica believes in. A period is
//! over when the server's clock says so.

mod error;
mod holders;
mod key;
mod line;
mod marks;
mod migrate;
mod operation;
mod options;
mod pool;
mod session;

pub use error::PoolError;
pub use holders::Outstanding;
pub use marks::Reached;
pub use options::Options;
pub use pool::{Postgres, Stats};
