//! What the data plane knows of its callers: API keys, and what each workspace owns. All of it is in memory, so that a
//! request waits for no database and goes on being served while there is none.
//!
//! Whoever fills a [`Directory`] follows the store's changes; whoever reads it gets an `Arc` of the moment and keeps it
//! for one request. Nothing here does I/O.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bounds;
mod deployment;
mod key;
pub mod policy;
mod pool;
mod provider;
mod table;
mod workspace;

pub use bounds::Bounds;
pub use deployment::{Deployment, Deployments};
pub use key::{ApiKey, KeySecret};
pub use policy::Policy;
pub use pool::{Credential, Pool};
pub use provider::{AllowedModels, Provider};
pub use table::{Directory, Found, Freshness};
pub use workspace::{KeepBodies, SavedConfig, Workspace};
