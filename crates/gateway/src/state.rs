//! What all requests share: the gateway's parts, and the settings of the moment.
//!
//! [`Snapshot`] is replaced whole when settings are reloaded; a request keeps the one it began with.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use tidegate_catalog::{Provider, catalog};
use tidegate_core::{Clock, Secret};
use tidegate_routing::{Health, HostRules};
use tidegate_upstream::Egress;
use tokio::sync::Notify;

use crate::accept::Bounds;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::plan::PlanCache;

pub struct Gateway {
    pub snapshot: ArcSwap<Snapshot>,
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
    /// By slug.
    pub providers: HashMap<Box<str>, KnownProvider, foldhash::fast::RandomState>,
    /// Saved configs by id: their JSON text.
    pub configs: HashMap<Box<str>, Box<str>>,
    pub default_provider: Option<Box<str>>,
    /// Where configs and headers say nothing.
    pub routing: tidegate_routing::plan::Defaults,
    /// Plans made of configs under these settings.
    pub plans: PlanCache,
}

/// Limits where neither config nor header says one, in ms; `None` = no limit.
#[derive(Debug, Clone, Copy)]
pub struct DefaultTimeouts {
    pub connect_ms: Option<u64>,
    pub first_byte_ms: Option<u64>,
    pub between_chunks_ms: Option<u64>,
    pub request_ms: Option<u64>,
}

/// A provider whose credentials the operator gave.
#[derive(Debug, Clone)]
pub struct KnownProvider {
    pub row: &'static Provider,
    pub api_key: Option<Secret>,
    pub base_url: Option<Box<str>>,
    /// By their names in a config. Some are credentials.
    pub options: HashMap<Box<str>, Secret>,
    /// Models to list; empty: those of the catalogue.
    pub models: Vec<Box<str>>,
}

impl Gateway {
    pub fn new(snapshot: Snapshot, log: Log, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            health: Health::new(),
            metrics: Metrics::new(),
            log,
            clock,
            draining: AtomicBool::new(false),
            cut: Arc::default(),
        })
    }

    /// Stops being ready: balancers in front send new requests elsewhere.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// The grace period is over: streams that wait for their provider end in an error event.
    pub fn cut(&self) {
        self.cut.notify_waiters();
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

impl Snapshot {
    /// A provider the operator gave credentials for: by slug, else the first that is of this catalogue row.
    pub fn known(&self, name: &str) -> Option<&KnownProvider> {
        self.providers.get(name).or_else(|| {
            let row = catalog().get(name)?;
            self.providers.get(row.id).filter(|known| known.row.id == row.id).or_else(|| {
                // A stable choice among several slugs of one provider.
                let of_row = self.providers.iter().filter(|(_, known)| known.row.id == row.id);
                of_row.min_by_key(|(slug, _)| *slug).map(|(_, known)| known)
            })
        })
    }
}
