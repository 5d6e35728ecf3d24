//! What lines do, and who waits for it.

use tidegate_ledger::{Amount, PoolAway};
use tokio::sync::{mpsc, oneshot};

use crate::key::Place;

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) place: Place,
    pub(crate) action: Action,
}

#[derive(Debug, Clone)]
pub(crate) enum Action {
    Claim { least: Amount, want: Amount },
    GiveBack { rest: Amount },
}

/// A task and who waits for it.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) task: Task,
    pub(crate) answer: Option<oneshot::Sender<Result<Slice, PoolAway>>>,
}

/// What was claimed. Given back when it is dropped before somebody took it: a request may go away at any moment.
#[derive(Debug)]
pub(crate) struct Slice {
    amount: Amount,
    place: Place,
    /// Weak, so that a slice that nobody took does not keep its line.
    line: mpsc::WeakUnboundedSender<Operation>,
}

impl Slice {
    pub(crate) fn new(amount: Amount, place: Place, line: mpsc::WeakUnboundedSender<Operation>) -> Self {
        Self { amount, place, line }
    }

    pub(crate) fn take(mut self) -> Amount {
        std::mem::take(&mut self.amount)
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        if self.amount <= Amount::ZERO {
            return;
        }
        let task = Task { place: self.place.clone(), action: Action::GiveBack { rest: self.amount } };
        if let Some(line) = self.line.upgrade() {
            // A line that is closed leaves it as claimed: it counts as spent.
            let _ = line.send(Operation { task, answer: None });
        }
    }
}

impl Operation {
    /// Nobody waits for it, and leaving it undone loses nothing.
    pub(crate) fn is_idle(&self) -> bool {
        let is_claim = matches!(self.task.action, Action::Claim { .. });
        is_claim && self.answer.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}
