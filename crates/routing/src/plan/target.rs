//! One upstream as a config describes it, with everything inherited already in place.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tidegate_core::Secret;

use super::{CacheMode, CircuitPolicy, HedgePolicy, Hooks, JsonMap, RetryPolicy, TargetKey, Timeouts};

/// A leaf of the plan: whom to call and how. Credentials and option values never show in `Debug`.
#[derive(Clone)]
pub struct Target {
    /// Where it was written: `config`, `config.targets[1].targets[0]`.
    pub path: Box<str>,
    /// The upstream it stands for, in [`crate::Health`].
    pub key: TargetKey,
    /// As written: an id or `@slug`; empty when none was given.
    pub provider: Box<str>,
    pub api_key: Option<Secret>,
    pub virtual_key: Option<Box<str>>,
    /// Every other provider setting (`resource_name`, `aws_region`, …) under its snake_case name, values
    /// untouched.
    pub options: JsonMap,
    /// Base URL of the upstream; passed [`crate::custom_host::check`].
    pub custom_host: Option<Box<str>>,
    /// Laid over the client's body, top-level member by member.
    pub override_params: Option<Arc<JsonMap>>,
    /// Put into the client's body where it has no such member.
    pub default_params: Option<Arc<JsonMap>>,
    pub retry: RetryPolicy,
    pub timeouts: Timeouts,
    /// Client headers to pass on unchanged, as written.
    pub forward_headers: Option<Arc<[Box<str>]>>,
    /// Strict OpenAI compliance of the answer; `None` = not said here.
    pub strict: Option<bool>,
    pub cache: Option<CacheMode>,
    pub hooks: Option<Arc<Hooks>>,
    pub hedge: Option<HedgePolicy>,
    /// `None` = switched off: no circuit ever opens for this target.
    pub circuit: Option<CircuitPolicy>,
    /// What a conditional group calls it.
    pub name: Option<Box<str>>,
    /// Its share in a load-balancing group. Never negative.
    pub weight: f64,
}

impl Target {
    /// A target at the root (`config`) for `provider`, all settings at their defaults. Set `key` with
    /// [`TargetKey::of`] once host and credential are known.
    pub fn new(provider: impl Into<Box<str>>) -> Self {
        let provider = provider.into();
        Self {
            path: "config".into(),
            key: TargetKey::of(&provider, None, None, &JsonMap::new()),
            provider,
            api_key: None,
            virtual_key: None,
            options: JsonMap::new(),
            custom_host: None,
            override_params: None,
            default_params: None,
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
            forward_headers: None,
            strict: None,
            cache: None,
            hooks: None,
            hedge: None,
            circuit: Some(CircuitPolicy::default()),
            name: None,
            weight: 1.0,
        }
    }

    /// A provider option that is text.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).and_then(Value::as_str)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("path", &self.path)
            .field("provider", &self.provider)
            .field("custom_host", &self.custom_host)
            .field("virtual_key", &self.virtual_key)
            .field("options", &self.options.keys().collect::<Vec<_>>())
            .field("retry", &self.retry)
            .field("timeouts", &self.timeouts)
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_of_options_and_no_values() {
        let mut target = Target::new("bedrock");
        target.api_key = Some(Secret::from("sk-1"));
        target.options.insert("aws_secret_access_key".into(), Value::from("hush"));
        let shown = format!("{target:?}");
        assert!(shown.contains("aws_secret_access_key"), "{shown}");
        assert!(!shown.contains("hush") && !shown.contains("sk-1"), "{shown}");
    }
}
