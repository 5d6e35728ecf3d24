//! What of the operator's settings the admin API checks against.

use std::collections::BTreeSet;

use tidegate_routing::custom_host::HostRules;

/// Providers that every workspace can name, and addresses that nobody may.
#[derive(Debug, Clone, Default)]
pub struct SettingsView {
    /// Slugs of the providers that the settings describe, with their keys.
    pub providers: BTreeSet<String>,
    pub hosts: HostRules,
}
