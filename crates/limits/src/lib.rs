//! Who may call now: rate limits, waiting in turn, pacing of streams, and addresses.
//!
//! [`rule`] is what an operator writes, checked; a [`Demand`] is what one request asks of all the limits above it; a
//! [`Store`] answers it in one atomic step, and the [`Permit`] it gives settles exactly once. [`queue`] is where a
//! request may wait instead of being refused, [`pace`] spreads one answer over time, [`ip`] says which addresses may
//! come and which address a client has. Nothing here does I/O or reads a clock: time is an argument.

mod counter;
pub mod decision;
pub mod demand;
pub mod ip;
pub mod memory;
pub mod pace;
pub mod permit;
pub mod queue;
pub mod rule;
pub mod store;
#[cfg(test)]
mod testing;

pub use decision::{Cause, Figure, Gauge, HEADERS, Refusal, Standing};
pub use demand::{Demand, Layer, Scope};
pub use ip::{IpRefusal, IpRules, Networks, client_address};
pub use memory::{Memory, MemoryOptions, MemoryStats};
pub use pace::{Pace, Pacer};
pub use permit::{Limits, Permit};
pub use queue::{FairQueue, Offer, QueueRules};
pub use rule::{Algorithm, Period, Rule, RuleError, Span, Unit, Window};
pub use store::{Admission, Away, Denial, End, Store};
