//! Keeps the data plane's [`Directory`](tidegate_directory::Directory) as the store has it.
//!
//! A [`Keeper`] reads everything once and then follows the store's changes. While the database is away the directory
//! stays as it was, and says how old it is. Budgets come to the ledger here too, and uses of keys go back to the store.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bounds;
mod budgets;
mod keeper;
mod model;
mod offer;
mod policy;
mod pool;
mod prices;

pub use keeper::{Keeper, Report};
pub use pool::{Answer, PoolAway, Pooled};
