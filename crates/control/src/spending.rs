//! What the admin API asks whoever counts: budgets are kept elsewhere, and a row says when one is used up.

use std::fmt;

use tidegate_store::Kind;
use uuid::Uuid;

/// Whoever counts what is spent. Asked for every row of a list, so the answer comes from memory.
pub trait Spending: fmt::Debug + Send + Sync {
    /// Whether a budget of this object (an API key, a provider, a workspace) is used up now.
    fn is_exhausted(&self, kind: Kind, id: Uuid) -> bool;
}
