//! Rate limits that several replicas share: the counters are in Redis.
//!
//! [`Redis`] is a [`Store`](tidegate_limits::Store) that asks in one round trip: a script looks at all rules of all
//! layers and then charges all of them, or none, and nobody sees a state between. It counts as
//! [`Memory`](tidegate_limits::Memory) does, to the last unit. [`Shared`] is what a gateway uses: it goes on by itself
//! when Redis is away, in the way that its operator chose, and comes back. [`Changes`] tells replicas that something
//! was changed.
//!
//! # Time
//!
//! It is the Redis server's: replicas' clocks differ, and a counter that they all charge needs one order of times. It
//! also spares the windows from a replica whose clock is wrong. A server's clock that is set back (or another server's
//! that took over) stands still for every counter that has seen later times.
//!
//! # What is lost, and when
//!
//! * Every key runs out: a counter a minute after its window, a place at [once](tidegate_limits::Unit::Concurrency) when
//!   its replica has not renewed it for a lease. So what a replica that died held comes back by itself.
//! * Redis must not evict: `maxmemory-policy noeviction`, its default. When it is full it then counts as away.
//! * A Redis that loses its data forgets usage, so a window may be used twice. Requests that are being served are told
//!   again before anything is admitted.
//! * Settlements go through a bounded queue and are sent at most once. What did not fit, or was sent to a Redis that did
//!   not answer, is counted; the reservation then stays until its window is over.
//! * An admission whose answer came too late, or whose caller went away, is taken back as soon as it is heard of.
//!
//! All keys of one prefix are in one slot of a cluster, because one script touches several of them.

mod answer;
mod away;
mod changes;
mod counter;
mod dial;
mod held;
mod link;
mod options;
mod script;
mod settle;
mod store;

pub use away::{AwayStats, Shared, SharedReceipt, WhenAway};
pub use changes::Changes;
pub use options::{OpenError, Options, Time};
pub use store::{Redis, RedisReceipt, RedisStats};
