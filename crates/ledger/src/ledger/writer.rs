//! The thread that writes the journal. Nobody waits for it but those who have to.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::options::{Alert, OnAlert};
use super::shared::{Asleep, Phase, Shared};
use crate::books::{Books, Due, Entry, What};
use crate::desk::BudgetId;
use crate::journal::{Segments, WriteError};

pub(super) struct Writer {
    shared: Arc<Shared>,
    segments: Segments,
    on_alert: Option<OnAlert>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, segments: Segments, on_alert: Option<OnAlert>) -> Self {
        Self { shared, segments, on_alert }
    }

    pub(super) fn run(mut self) {
        let end = End(Arc::clone(&self.shared));
        // What was reached before the last stop, and not handed over.
        let due = self.segments.books().due.clone();
        self.hand_over(due);
        while let Some(batch) = self.next() {
            if !self.put(batch) {
                break;
            }
        }
        drop(end);
    }

    /// What is queued, after a moment of gathering if nobody waits; `None` at the end.
    fn next(&self) -> Option<Vec<Entry>> {
        let mut front = self.shared.lock();
        loop {
            let closing = front.phase != Phase::Open;
            if front.queue.is_empty() && closing {
                if front.phase == Phase::Broken {
                    return None;
                }
                // The last thing that is written: nothing goes out any more, so nothing is in doubt.
                front.change(|desk, queue| desk.withdraw(queue));
                front.phase = Phase::Closed;
                if front.queue.is_empty() {
                    return None;
                }
            } else if front.queue.is_empty() {
                front = self.shared.sleep(front, Asleep::Idle, None);
                continue;
            } else if !front.urgent && !closing {
                front = self.shared.sleep(front, Asleep::Gathering, Some(self.shared.settings.gather));
            }
            front.urgent = false;
            let room = Vec::with_capacity(front.queue.len().min(4_096));
            return Some(std::mem::replace(&mut front.queue, room));
        }
    }

    /// Writes a batch, however long that takes. `false` when there is no sense in going on.
    fn put(&mut self, batch: Vec<Entry>) -> bool {
        let due: Vec<Due> = batch.iter().filter_map(due).collect();
        let mut batch = batch;
        loop {
            match self.segments.append(std::mem::take(&mut batch)) {
                Ok(()) => {
                    self.shared.gate.set(self.segments.durable(), false);
                    self.hand_over(due);
                    return true;
                }
                Err(WriteError::Violation(_)) => {
                    let mut front = self.shared.lock();
                    front.stats.violations += 1;
                    front.phase = Phase::Broken;
                    return false;
                }
                Err(WriteError::Io(_)) => {
                    self.shared.lock().stats.write_errors += 1;
                    self.shared.gate.set(self.segments.durable(), true);
                    let front = self.shared.lock();
                    if front.phase != Phase::Open {
                        return false;
                    }
                    let front = self.shared.sleep(front, Asleep::No, Some(self.shared.settings.retry));
                    drop(front);
                }
            }
        }
    }

    fn hand_over(&mut self, due: Vec<Due>) {
        for due in due {
            let Some(alert) = alert(self.segments.books(), &due) else { continue };
            if let Some(on_alert) = &mut self.on_alert {
                // A receiver that panics has had its event.
                let _ = catch_unwind(AssertUnwindSafe(|| on_alert(&alert)));
            }
            let mut front = self.shared.lock();
            front.stats.alerts += 1;
            front.change(|desk, queue| desk.alert_handed(due.budget, due.period, due.mark, queue));
        }
    }
}

fn due(entry: &Entry) -> Option<Due> {
    match entry.what {
        What::Alert { budget, period, mark } => Some(Due { budget, period, mark, at: entry.at }),
        _ => None,
    }
}

fn alert(books: &Books, due: &Due) -> Option<Alert> {
    let shelf = books.budgets.get(&due.budget)?;
    let limit = &shelf.budget.limit;
    // A period that was closed meanwhile has had its event all the same.
    let period = books.period(due.budget, due.period);
    Some(Alert {
        budget: BudgetId(due.budget),
        scope: shelf.budget.scope,
        id: shelf.budget.id.clone(),
        unit: limit.unit(),
        mark: due.mark,
        exhausted: due.mark >= limit.amount(),
        amount: limit.amount(),
        used: period.map_or(due.mark, |period| period.balances.used()),
        period: due.period,
        period_end: period.map_or(due.at, |period| period.end),
        at: due.at,
    })
}

/// However the writer ends: nobody waits for it any longer, and no request relies on it.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        let mut front = self.0.lock();
        front.phase = match front.phase {
            Phase::Closing | Phase::Closed => Phase::Closed,
            Phase::Open | Phase::Broken => Phase::Broken,
        };
        let durable = self.0.gate.durable();
        front.stats.unwritten += front.desk.seq().saturating_sub(durable);
        drop(front);
        self.0.gate.set(durable, true);
    }
}
