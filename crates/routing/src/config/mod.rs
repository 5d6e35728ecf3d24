//! What users write: the config object of a header, a saved config or a file, checked and then read.
//!
//! [`parse`] accepts what Portkey's gateway accepts and refuses the rest in the same words (`path: …,
//! message: …`), because clients and tests match them. Members that only this gateway knows are checked
//! strictly: an unknown or useless one is an error. What the parts mean together (inheritance, defaults) is
//! decided in [`crate::plan`].

mod check;
mod cross;
mod entry;
mod error;
mod extension;
mod lint;
mod locate;
mod schema;
mod spelling;

use serde_json::Value;

use crate::custom_host::HostRules;

pub(crate) use entry::{Breaker, Entry, StickyBy, StrategyEntry};
pub use error::{ConfigError, Issue, Note, PathPart};

/// Levels of `targets` inside each other.
pub const MAX_DEPTH: usize = 16;
/// Targets and groups of a config, all levels together.
pub const MAX_TARGETS: usize = 256;

/// A checked config.
#[derive(Debug)]
pub struct Config {
    pub(crate) root: Entry,
    notes: Vec<Note>,
}

/// What a config is checked against.
#[derive(Clone, Copy)]
pub struct ConfigContext<'a> {
    /// Whether a name is a provider: an id, or the `@slug` of one that the gateway's settings describe.
    pub is_provider: &'a dyn Fn(&str) -> bool,
    /// All ids, in the order that error texts enumerate them.
    pub provider_ids: &'a [&'a str],
    /// Whether the gateway's own settings hold a key for a provider, so that a config may leave it out.
    pub has_key: &'a dyn Fn(&str) -> bool,
    pub hosts: &'a HostRules,
    /// The request names a provider outside of the config.
    pub provider_header: bool,
}

impl Config {
    /// Members that have no effect but are no error: for `tidegate check` and logs.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

/// Reads and checks a config.
///
/// # Errors
/// Not JSON, nothing to route to, or members that are wrong; see [`ConfigError`]. Deeper than [`MAX_DEPTH`]
/// or larger than [`MAX_TARGETS`] is an error too.
pub fn parse(text: &str, ctx: &ConfigContext<'_>) -> Result<Config, ConfigError> {
    let value: Value = serde_json::from_str(text).map_err(|error| ConfigError::not_json(&error))?;
    if value.is_null() {
        return Err(ConfigError::not_an_object());
    }
    if !ctx.provider_header && !cross::names_provider(&value) {
        return Err(ConfigError::no_provider());
    }
    let mut check = check::Check::new(ctx);
    check.node(&value);
    let (issues, notes) = check.finish();
    if !issues.is_empty() {
        return Err(ConfigError::invalid(issues, text));
    }
    if cross::is_truthy(value.get("options")) {
        return Err(ConfigError::old_form());
    }
    Ok(Config { root: Entry::read(value), notes })
}

impl std::fmt::Debug for ConfigContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfigContext")
            .field("provider_header", &self.provider_header)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
