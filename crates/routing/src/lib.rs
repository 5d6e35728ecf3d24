//! From a config object to decisions: which target to call, when to call it again, where to go next.
//!
//! Three stages, each a value: [`config`] is what users wrote, checked; [`plan`] is what it means, a tree of
//! targets with everything resolved; [`walk`] is one request going through the tree. [`health`] is what
//! requests remember for each other. Nothing here does I/O, reads a clock or knows a provider: time, chance,
//! prices and the list of providers are arguments.

pub mod config;
pub mod custom_host;
mod dry_run;
pub mod health;
pub mod plan;
mod query;
mod retry;
mod strategy;
#[cfg(test)]
mod testing;
pub mod walk;

pub use config::{Config, ConfigContext, ConfigError};
pub use custom_host::{HostRefusal, HostRules};
pub use dry_run::{Attempt, Way, dry_run};
pub use health::{CircuitState, Health};
pub use plan::{Node, Plan, Target, TargetKey};
pub use walk::{Env, Facts, Outcome, RouteError, Step, Walk};
