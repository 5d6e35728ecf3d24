//! A reservation is a value that ends exactly once.

use std::fmt;
use std::sync::Arc;

use super::gate::{NotWritten, Written};
use super::options::{Unheard, WhenDiskFails};
use super::shared::Shared;
use crate::books::How;
use crate::desk::{Admitted, Charge, Demand, Grant, Receipt, Refusal};

/// What a request may cost, set aside on all its budgets.
///
/// Ends by [`Reservation::settle`], [`Reservation::cancel`] or being dropped, once: there is no other way, and all
/// three take the same path. What is dropped costs what was last [noted](Reservation::note), or what
/// [`Unheard`] says.
#[must_use = "dropping it ends the reservation"]
pub struct Reservation {
    shared: Arc<Shared>,
    /// `None` once it has ended.
    receipt: Option<Receipt>,
    id: u64,
    seq: u64,
    covered: bool,
    grant: Grant,
    noted: Option<Charge>,
    sent: bool,
}

/// A reservation that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The number of the entry that says so.
    pub entry: u64,
    /// It cost more than was reserved. The budgets carry it, and may be overspent by it.
    pub over: bool,
}

pub(super) fn reserve(shared: &Arc<Shared>, demand: &Demand<'_>) -> Result<Reservation, Refusal> {
    let now = shared.clock.unix_ms();
    let durable = shared.gate.durable();
    let failing = shared.gate.is_failing() && shared.settings.when_disk_fails == WhenDiskFails::Refuse;
    let mut front = shared.lock();
    if failing || !front.is_open() {
        front.stats.refused_journal += 1;
        return Err(Refusal::Journal);
    }
    if front.desk.seq().saturating_sub(durable) >= shared.settings.most_waiting {
        front.stats.refused_busy += 1;
        return Err(Refusal::Busy);
    }
    let result = front.change(|desk, queue| desk.reserve(demand, now, durable, queue));
    let stats = &mut front.stats;
    let admitted = match result {
        Ok(admitted) => admitted,
        Err(refusal) => {
            stats.refused += 1;
            shared.wake(front, false);
            return Err(refusal);
        }
    };
    stats.reserved += 1;
    stats.waited += u64::from(!admitted.covered);
    stats.adjusted += u64::from(admitted.adjusted);
    shared.wake(front, !admitted.covered);
    Ok(Reservation::of(shared, admitted))
}

/// Of nothing, for what has already taken place.
pub(super) fn late(shared: &Arc<Shared>, demand: &Demand<'_>) -> Option<Reservation> {
    let now = shared.clock.unix_ms();
    let durable = shared.gate.durable();
    let mut front = shared.lock();
    if !front.is_open() {
        return None;
    }
    let admitted = front.change(|desk, queue| desk.reserve_nothing(demand, now, durable, queue));
    front.stats.reserved += 1;
    shared.wake(front, false);
    Some(Reservation::of(shared, admitted))
}

impl Reservation {
    fn of(shared: &Arc<Shared>, admitted: Admitted) -> Self {
        Self {
            shared: Arc::clone(shared),
            id: admitted.receipt.id,
            receipt: Some(admitted.receipt),
            seq: admitted.seq,
            covered: admitted.covered,
            grant: admitted.grant,
            noted: None,
            sent: false,
        }
    }

    /// The id under which the books know it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What was reserved. If it was [lowered](Grant::lowered), the request must be held to it.
    pub fn grant(&self) -> Grant {
        self.grant
    }

    /// Completes when the request may go out: at once as a rule; after the next sync of the journal when so little of a
    /// budget is set aside for being ahead of the disk that a crash could make it forget this request.
    ///
    /// Sending before that risks that a crash lets the same money be spent twice.
    ///
    /// # Errors
    /// The disk fails. The request should be refused, and the reservation cancelled.
    pub fn ready(&self) -> Written<'_> {
        let when_failing = match self.shared.settings.when_disk_fails {
            WhenDiskFails::Refuse => Err(NotWritten),
            WhenDiskFails::Continue => Ok(()),
        };
        let seq = if self.covered { 0 } else { self.seq };
        Written { gate: &self.shared.gate, seq, when_failing }
    }

    /// Whether [`Reservation::ready`] has anything to wait for.
    pub fn is_ready(&self) -> bool {
        self.covered || self.shared.gate.durable() >= self.seq
    }

    /// The request goes out: from here on it may cost something.
    pub fn sent(&mut self) {
        self.sent = true;
    }

    /// What it cost so far, for the case that the end is never heard of. The last figure counts.
    pub fn note(&mut self, charge: Charge) {
        self.noted = Some(charge);
    }

    /// It is over. What was reserved and not used goes back; what was used beyond that is on the budgets all the same.
    pub fn settle(mut self, charge: &Charge, how: How) -> Settled {
        self.end(charge, how)
    }

    /// It never went out, and cost nothing.
    pub fn cancel(mut self) -> Settled {
        self.end(&Charge::NOTHING, How::Cancelled)
    }

    fn end(&mut self, charge: &Charge, how: How) -> Settled {
        let Some(receipt) = self.receipt.take() else { return Settled { entry: self.seq, over: false } };
        let now = self.shared.clock.unix_ms();
        let mut front = self.shared.lock();
        let outcome = front.change(|desk, queue| desk.settle(receipt, charge, how, now, queue));
        let stats = &mut front.stats;
        stats.settled += 1;
        stats.over += u64::from(outcome.over);
        stats.adjusted += u64::from(outcome.adjusted);
        stats.unpriced += u64::from(charge.cost.is_none());
        stats.dropped += u64::from(matches!(how, How::Dropped | How::Panic));
        self.shared.wake(front, false);
        Settled { entry: outcome.seq, over: outcome.over }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.receipt.is_none() {
            return;
        }
        let how = if std::thread::panicking() { How::Panic } else { How::Dropped };
        let whole = || Charge {
            cost: self.grant.usd.money().ok(),
            tokens: self.grant.whole_tokens(),
            estimated: true,
        };
        let charge = match (self.noted, self.shared.settings.unheard) {
            (Some(noted), _) => noted,
            (None, Unheard::Ceiling) if self.sent => whole(),
            (None, _) => Charge::NOTHING,
        };
        self.end(&charge, how);
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("id", &self.id)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}
