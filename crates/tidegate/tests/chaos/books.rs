//! What the books of a stopped gateway say.

use std::collections::BTreeMap;

use tidegate_ledger::{Account, Amount, How, Scope, What};

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

/// Request by request, what the books of one gateway came to say. It forgets old segments, so they are read while it is
/// down, between any two lives.
#[derive(Debug, Default)]
pub struct Lines {
    /// Up to this entry.
    seq: u64,
    /// The traces of reservations.
    traces: BTreeMap<u64, String>,
    /// What reservations that ended were settled at, by trace.
    pub settled: BTreeMap<String, Amount>,
    /// Reservations that crashes left open, by id: the trace, and how much is held.
    pub held: BTreeMap<u64, (String, Amount)>,
    /// What may have gone out ahead of the disk, by id.
    pub doubts: BTreeMap<u64, Amount>,
}

impl Lines {
    /// # Panics
    /// When the books do not balance, or a segment went that was never read.
    pub fn read(&mut self, node: &Node) {
        tidegate_ledger::entries(&node.data("ledger"), |entry| {
            if entry.seq <= self.seq {
                return;
            }
            assert_eq!(entry.seq, self.seq + 1, "nothing was missed");
            self.seq = entry.seq;
            let into = |account: Account| -> Amount {
                let steps = entry.moves.iter().filter(|step| step.to == account);
                steps.map(|step| step.amount).sum()
            };
            match &entry.what {
                What::Reserve { id, trace, .. } => drop(self.traces.insert(*id, trace.to_string())),
                What::Settle { id, how, .. } => {
                    let trace = self.traces.remove(id).unwrap();
                    // Of an attempt that never went out there is nothing.
                    if *how == How::Success {
                        assert_eq!(self.settled.insert(trace, into(Account::Settled)), None, "twice");
                    }
                }
                What::Hold { id } => {
                    let trace = self.traces.remove(id).unwrap();
                    self.held.insert(*id, (trace, into(Account::Held)));
                }
                What::Doubt { id } => drop(self.doubts.insert(*id, into(Account::Held))),
                What::Resolve { id } => {
                    self.held.remove(id);
                    self.doubts.remove(id);
                }
                _ => {}
            }
        })
        .unwrap();
    }
}
