//! The operator's own prices, which come before the catalogue's.

use std::collections::HashMap;
use std::sync::Arc;

use crate::table::PriceTable;

/// Prices by scope (the slug of a virtual key, or a provider's id) and model. Both are compared without ASCII case.
///
/// The model `*` holds where nothing else has a price; what it prices is marked as an estimate.
#[derive(Debug, Clone, Default)]
pub struct Overrides(HashMap<(Box<str>, Box<str>), Arc<PriceTable>>);

/// The name under which a scope's fallback price is set.
pub(crate) const ANY: &str = "*";

impl Overrides {
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the price of a model; the earlier one is replaced as a whole.
    pub fn set(&mut self, scope: &str, model: &str, table: PriceTable) {
        self.0.insert(key(scope, model), Arc::new(table));
    }

    pub fn remove(&mut self, scope: &str, model: &str) {
        self.0.remove(&key(scope, model));
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The price of the first scope that has one.
    pub(crate) fn get(&self, scopes: [Option<&str>; 2], model: &str) -> Option<Arc<PriceTable>> {
        if self.0.is_empty() {
            return None;
        }
        scopes.into_iter().flatten().find_map(|scope| self.0.get(&key(scope, model)).cloned())
    }
}

fn key(scope: &str, model: &str) -> (Box<str>, Box<str>) {
    (scope.to_ascii_lowercase().into(), model.to_ascii_lowercase().into())
}
