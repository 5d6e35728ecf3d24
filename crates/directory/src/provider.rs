//! A provider of a workspace: what `@slug` and a virtual key name.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderMap;
use tidegate_core::Secret;
use tidegate_pricing::OwnPrices;

use crate::bounds::Bounds;
use crate::deployment::Deployments;
use crate::pool::Pool;

#[derive(Debug, Default)]
pub struct Provider {
    pub id: Arc<str>,
    pub slug: Arc<str>,
    /// Id of the catalogue's row.
    pub provider: Box<str>,
    pub base_url: Option<Box<str>>,
    /// By their names in a config. Some are credentials.
    pub options: HashMap<Box<str>, Secret>,
    /// The operator's own, which every request to it carries. They may be credentials: marked as such.
    pub headers: HeaderMap,
    pub deployments: Deployments,
    pub pool: Pool,
    pub models: AllowedModels,
    /// What the operator says that its models cost.
    pub prices: Arc<OwnPrices>,
    /// Its own limits.
    pub bounds: Bounds,
    /// Those of the workspace's use of the integration behind it.
    pub integration: Option<Bounds>,
    /// Milliseconds since 1970.
    pub expires_at: Option<u64>,
}

/// Which models may be called.
#[derive(Debug, Default)]
pub struct AllowedModels {
    /// Models without a row are allowed unless this is set.
    pub only_listed: bool,
    pub rows: HashMap<Box<str>, bool>,
}

impl AllowedModels {
    /// The models that are named and on.
    pub fn listed(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter(|(_, on)| **on).map(|(name, _)| &**name)
    }

    pub fn allows(&self, model: &str) -> bool {
        self.rows.get(model).copied().unwrap_or(!self.only_listed)
    }
}

impl Provider {
    pub fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_at.is_some_and(|at| at <= now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models() {
        let mut models = AllowedModels::default();
        assert!(models.allows("any"));
        models.rows.insert("off".into(), false);
        models.rows.insert("on".into(), true);
        assert!(models.allows("any") && models.allows("on") && !models.allows("off"));
        models.only_listed = true;
        assert!(!models.allows("any") && models.allows("on") && !models.allows("off"));
    }
}
