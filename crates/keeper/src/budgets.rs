//! Budgets that are set up while requests are served: those of policies, and of tokens that bring limits of their own.

use std::sync::Arc;

use tidegate_directory::policy::{Budgets, Kept};
use tidegate_ledger::Budget;

use crate::bounds::Books;
use crate::pool::{News, Pooled};

/// The books, and the pool of several.
#[derive(Clone)]
pub(crate) struct Maker {
    pub books: Books,
    pub pool: Option<Arc<dyn Pooled>>,
}

impl Budgets for Maker {
    fn keep(&self, budget: Budget, version: u64) -> Kept<'_> {
        Box::pin(async move {
            let id = self.books.ledger.as_ref()?.put(budget.clone()).ok()?;
            if let Some(pool) = &self.pool
                && pool.put(&budget, version).await.is_err()
            {
                // Until it hears of it, nothing can be claimed.
                self.books.tell(News::Put(budget, version));
            }
            Some(id)
        })
    }
}

impl std::fmt::Debug for Maker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maker").field("books", &self.books).finish_non_exhaustive()
    }
}
