//! The control plane's data: organisations, workspaces, people, keys, providers, configs, policies, and the log of who
//! changed them.
//!
//! [`Store`] is what others use: typed objects ([`entity`]), each read within a [`Scope`] and changed with an audit
//! entry in the same transaction. Below it lies a [`backend::Backend`], which knows rows and batches only;
//! [`sqlite`] is the embedded one, [`postgres`] serves several replicas. What a stolen database must not give away is encrypted in [`vault`] before it gets
//! there. Times are milliseconds since 1970, from a clock that is passed in.

pub mod audit;
pub mod backend;
pub mod entity;
pub mod error;
pub mod id;
pub mod kind;
pub mod migration;
pub mod postgres;
mod row;
pub mod scope;
mod sql;
pub mod sqlite;
pub mod store;
pub mod token;
pub mod vault;

pub use error::StoreError;
pub use kind::{Action, Kind, Op};
pub use scope::{Home, Page, Scope};
pub use store::{Expected, Store};
