//! What limits one object: a key, a workspace, a provider, an integration.

use std::sync::Arc;

use tidegate_ledger::BudgetId;
use tidegate_limits::Rule;

/// Rate limits and budgets, read once when the object was stored.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// By which counters and budgets are kept: the object's id.
    pub id: Arc<str>,
    /// What messages call it: its slug or name.
    pub name: Arc<str>,
    pub rules: Box<[Rule]>,
    pub budgets: Box<[BudgetId]>,
}

impl Bounds {
    pub fn is_unlimited(&self) -> bool {
        self.rules.is_empty() && self.budgets.is_empty()
    }
}
