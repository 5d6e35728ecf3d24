//! The way to the limits: ask for a permit, carry it along, settle it.

use std::fmt;
use std::sync::Arc;

use tidegate_core::Moment;

use crate::decision::{Refusal, Standing};
use crate::demand::Demand;
use crate::memory::Memory;
use crate::store::{Admission, Denial, End, Store};

/// A handle on a store. Clones share it.
#[derive(Debug)]
pub struct Limits<S: Store = Memory> {
    store: Arc<S>,
}

/// Leave to go on. Settles exactly once: by [`Permit::settle`] or [`Permit::cancel`], or when it is dropped, with the
/// last figure that [`Permit::note_tokens`] was told. A request that panics or is abandoned thereby pays for what is
/// known of it, and gives its place back.
#[must_use = "dropping it ends the request"]
pub struct Permit<S: Store = Memory> {
    store: Arc<S>,
    /// `None` once settled.
    receipt: Option<S::Receipt>,
    tokens: u64,
    standing: Standing,
    at: Moment,
}

impl<S: Store> Limits<S> {
    pub fn new(store: S) -> Self {
        Self { store: Arc::new(store) }
    }

    pub fn store(&self) -> &S {
        &self.store
    }

    /// Checks all layers, then charges all of them, in one atomic step. A refusal charges nothing.
    pub async fn admit(&self, demand: &Demand<'_>, now: Moment) -> Result<Permit<S>, Denial> {
        let admission = self.store.admit(demand, now).await?;
        Ok(self.permit(admission))
    }

    fn permit(&self, admission: Admission<S::Receipt>) -> Permit<S> {
        Permit {
            store: Arc::clone(&self.store),
            receipt: Some(admission.receipt),
            tokens: 0,
            standing: admission.standing,
            at: admission.at,
        }
    }
}

impl Limits<Memory> {
    /// As [`Limits::admit`]; what is in memory needs no waiting and cannot be away.
    pub fn admit_now(&self, demand: &Demand<'_>, now: Moment) -> Result<Permit, Refusal> {
        self.store.admit_now(demand, now).map(|admission| self.permit(admission))
    }
}

impl<S: Store> Clone for Limits<S> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store) }
    }
}

impl<S: Store> Permit<S> {
    /// How the tightest limits stood right after this request was charged.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// When it was charged.
    pub fn at(&self) -> Moment {
        self.at
    }

    /// The usage so far, for the case that the end is never heard of. The last figure counts.
    pub fn note_tokens(&mut self, tokens: u64) {
        self.tokens = tokens;
    }

    /// The request is over and used `tokens`; 0 when it failed before it cost anything.
    pub fn settle(mut self, tokens: u64, now: Moment) {
        self.end(End::Used(tokens), Some(now));
    }

    /// The request never took place: its request counts are given back as well.
    pub fn cancel(mut self, now: Moment) {
        self.end(End::Cancelled, Some(now));
    }

    fn end(&mut self, end: End, now: Option<Moment>) {
        if let Some(receipt) = self.receipt.take() {
            self.store.settle(receipt, end, now);
        }
    }
}

impl<S: Store> Drop for Permit<S> {
    fn drop(&mut self) {
        self.end(End::Used(self.tokens), None);
    }
}

impl<S: Store> fmt::Debug for Permit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Permit");
        out.field("at", &self.at).field("standing", &self.standing).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryOptions;

    #[test]
    fn admissions_and_permits_travel_between_tasks() {
        fn can_be_spawned<T: Send + 'static>(_: T) {}
        let limits = Limits::new(Memory::new(MemoryOptions { max_keys: 1, epoch_unix_ms: 0 }));
        can_be_spawned(limits.admit_now(&Demand { layers: &[], tokens: 0 }, Moment(0)));
        can_be_spawned(async move {
            let demand = Demand { layers: &[], tokens: 0 };
            limits.admit(&demand, Moment(0)).await.map(|permit| permit.settle(0, Moment(0)))
        });
    }
}
