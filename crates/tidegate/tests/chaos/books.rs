//! What the books of a stopped gateway say.

use tidegate_ledger::{Amount, Scope};

use crate::node::Node;

/// The sums of a key's budget over the books of several gateways, all proved.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    pub settled: Amount,
    /// What crashes left open.
    pub held: Amount,
    /// Reservations that nobody ended.
    pub open: usize,
}

impl Sums {
    /// # Panics
    /// When the books of one do not balance.
    pub fn of<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Self {
        let mut sums = Self::default();
        for node in nodes {
            let report = tidegate_ledger::verify(&node.data("ledger")).unwrap();
            sums.open += report.books.open.len();
            let of_keys = report.books.budgets.values().filter(|shelf| shelf.budget.scope == Scope::ApiKey);
            for period in of_keys.flat_map(|shelf| shelf.periods.values()) {
                sums.settled += period.balances.settled;
                sums.held += period.balances.held;
            }
        }
        sums
    }
}
