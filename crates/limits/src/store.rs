//! Where counters live. [`Memory`](crate::Memory) keeps them in the process; a shared store can keep them elsewhere.

use std::fmt;

use tidegate_core::Moment;

use crate::decision::{Refusal, Standing};
use crate::demand::Demand;

/// Counters that several requests, or several processes, share.
///
/// What every store promises:
/// * `admit` looks at all rules of all layers and then charges all of them, or none, and nobody sees a state between.
///   For a store over a network that is one script in one round trip.
/// * A charge lies at the time at which the store made it, and a correction goes to the window of that time.
/// * `settle` is called exactly once per receipt and must not wait: it may run while a request is being dropped. A
///   store over a network hands it to a task of its own. Permits of a process that dies are never settled, so such a
///   store must let them run out.
pub trait Store: Send + Sync {
    /// What it needs to know to settle.
    type Receipt: Send;

    fn admit(
        &self,
        demand: &Demand<'_>,
        now: Moment,
    ) -> impl Future<Output = Result<Admission<Self::Receipt>, Denial>> + Send;

    /// Ends a request. Without `now`, the latest time that the store has heard of counts.
    fn settle(&self, receipt: Self::Receipt, end: End, now: Option<Moment>);
}

#[derive(Debug)]
pub struct Admission<R> {
    pub receipt: R,
    pub standing: Standing,
    /// When it was charged. Not before any earlier charge, whatever `now` said.
    pub at: Moment,
}

/// Why a request may not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    Refused(Refusal),
    Away(Away),
}

/// A shared store could not be asked. Nothing was charged, as far as anybody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// For the operator's log, not for clients.
    pub reason: String,
}

/// How a request that was admitted ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It used this many tokens; 0 gives the whole reservation back. The request itself stays counted.
    Used(u64),
    /// It never took place: something after the limits refused it. All charges are given back.
    Cancelled,
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store of rate limits is away: {}", self.reason)
    }
}

impl std::error::Error for Away {}
