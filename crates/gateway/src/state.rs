//! What all requests share: the gateway's parts, and the settings of the moment.
//!
//! [`Snapshot`] is replaced whole when settings are reloaded; a request keeps the one it began with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tidegate_core::Clock;
use tidegate_limits::QueueRules;
use tidegate_routing::{Health, HostRules};
use tidegate_upstream::Egress;
use tokio::sync::Notify;

use crate::accept::Bounds;
use crate::control::{Control, Doors};
use crate::intake::Intake;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::realm::{Realm, Realms};
use crate::unsaid::Counting;

pub struct Gateway {
    pub snapshot: ArcSwap<Snapshot>,
    /// Keys, limits, budgets, prices, records.
    pub control: Control,
    pub realms: Realms,
    pub(crate) queue: Queue,
    pub(crate) counting: Counting,
    pub(crate) intake: Intake,
    pub health: Health,
    pub metrics: Metrics,
    pub log: Log,
    pub clock: Arc<dyn Clock>,
    draining: AtomicBool,
    /// Told when streams still under way have to end.
    pub cut: Arc<Notify>,
}

/// The settings of the moment, in the form that requests need.
#[derive(Debug)]
pub struct Snapshot {
    pub egress: Egress,
    pub bounds: Bounds,
    pub timeouts: DefaultTimeouts,
    pub max_hops: u32,
    pub hosts: HostRules,
    /// The providers and configs of the settings.
    pub home: Arc<Realm>,
    pub doors: Doors,
    /// How many may wait for a rate limit, and how long.
    pub queue: QueueRules,
    pub default_provider: Option<Box<str>>,
    /// Where configs and headers say nothing.
    pub routing: tidegate_routing::plan::Defaults,
    /// How fast a stream goes out; `None`: as fast as it comes.
    pub pace: Option<tidegate_limits::Pace>,
}

/// Limits where neither config nor header says one, in ms; `None` = no limit.
#[derive(Debug, Clone, Copy)]
pub struct DefaultTimeouts {
    pub connect_ms: Option<u64>,
    pub first_byte_ms: Option<u64>,
    pub between_chunks_ms: Option<u64>,
    pub request_ms: Option<u64>,
    /// How long both sides of a WebSocket may be silent.
    pub idle_ms: Option<u64>,
}

impl Gateway {
    pub fn new(snapshot: Snapshot, control: Control, log: Log, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            control,
            realms: Realms::default(),
            queue: Queue::default(),
            counting: Counting::default(),
            intake: Intake::default(),
            health: Health::new(),
            metrics: Metrics::new(),
            log,
            clock,
            draining: AtomicBool::new(false),
            cut: Arc::default(),
        })
    }

    /// Stops being ready: balancers in front send new requests elsewhere. Who waits for a limit is refused.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.queue.close();
        if let Some(admin) = &self.control.admin {
            admin.drain();
        }
    }

    /// The grace period is over: streams that wait for their provider end in an error event.
    pub fn cut(&self) {
        self.cut.notify_waiters();
    }

    /// Ends the accounts whose tokens are still to be counted. No request is under way any more.
    pub fn close_accounts(&self, most: Duration) {
        self.counting.close(most);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}
