//! Connections that wait for their next request, by origin.
//!
//! The last one used is the first one used again, so that a burst's surplus goes cold and times out. A connection its
//! server closes is dropped when that happens, not when somebody trips over it: its signal wakes the keeper, the one task
//! of a pool, which also ends those that idled too long.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::link::Link;

/// The idle connections of one client.
pub(crate) struct Pool {
    /// Per authority, the longest idle first.
    http: Shelf,
    https: Shelf,
    idle_timeout: Duration,
    /// How often the keeper has gone round: the time by which idling is measured, without asking a clock.
    rounds: AtomicU64,
    max_idle_per_host: usize,
    keeper: Arc<Notify>,
    has_keeper: AtomicBool,
}

/// Rounds of the keeper within the idle timeout: a connection idles for that long, or up to one round less.
const ROUNDS: u32 = 5;

type Shelf = Mutex<HashMap<Box<str>, Vec<Idle>>>;

struct Idle {
    link: Box<Link>,
    /// The keeper's round it was put here in.
    since: u64,
}

impl Pool {
    pub(crate) fn new(idle_timeout: Duration, max_idle_per_host: usize) -> Self {
        Self {
            http: Shelf::default(),
            https: Shelf::default(),
            idle_timeout,
            rounds: AtomicU64::new(0),
            max_idle_per_host,
            keeper: Arc::default(),
            has_keeper: AtomicBool::new(false),
        }
    }

    /// Who has to be told of what happens to an idle connection.
    pub(crate) fn keeper(&self) -> Arc<Notify> {
        self.keeper.clone()
    }

    /// A connection to this origin that was open when last looked at.
    pub(crate) fn take(&self, origin: &Uri) -> Option<Box<Link>> {
        loop {
            let mut link = self.shelf(origin).get_mut(authority(origin))?.pop()?.link;
            if link.is_alive() {
                return Some(link);
            }
        }
    }

    /// Keeps a connection that has served its request, if it can serve another and there is room.
    pub(crate) fn put(self: &Arc<Self>, origin: &Uri, mut link: Box<Link>) {
        if self.max_idle_per_host == 0 || !link.rest() {
            return;
        }
        let idle = Idle { link, since: self.rounds.load(Ordering::Relaxed) };
        {
            let mut shelf = self.shelf(origin);
            match shelf.get_mut(authority(origin)) {
                Some(links) if links.len() >= self.max_idle_per_host => {}
                Some(links) => links.push(idle),
                None => {
                    shelf.insert(authority(origin).into(), vec![idle]);
                }
            }
        }
        if !self.has_keeper.swap(true, Ordering::Relaxed) {
            tokio::spawn(keep(Arc::downgrade(self), self.keeper(), self.idle_timeout / ROUNDS));
        }
    }

    /// Closes what has ended, and at the end of a round what idled too long.
    fn sweep(&self, round_is_over: bool) {
        let round = self.rounds.fetch_add(u64::from(round_is_over), Ordering::Relaxed);
        for shelf in [&self.http, &self.https] {
            let mut shelf = locked(shelf);
            shelf.retain(|_, links| {
                links.retain_mut(|idle| {
                    let ended = idle.link.was_stirred() && !idle.link.is_alive();
                    // One less than all: it was put there some time within its first round.
                    let is_old = round_is_over && round + 1 - idle.since >= u64::from(ROUNDS);
                    !ended && !is_old
                });
                !links.is_empty()
            });
        }
    }

    fn shelf(&self, origin: &Uri) -> MutexGuard<'_, HashMap<Box<str>, Vec<Idle>>> {
        locked(if origin.scheme() == Some(&Scheme::HTTPS) { &self.https } else { &self.http })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.keeper.notify_one();
    }
}

async fn keep(pool: Weak<Pool>, stirred: Arc<Notify>, round: Duration) {
    let mut end = Instant::now() + round;
    loop {
        let round_is_over = timeout_at(end, stirred.notified()).await.is_err();
        let Some(pool) = pool.upgrade() else { return };
        pool.sweep(round_is_over);
        if round_is_over {
            end = Instant::now() + round;
        }
    }
}

fn locked(shelf: &Shelf) -> MutexGuard<'_, HashMap<Box<str>, Vec<Idle>>> {
    // Whatever was being done to a list of connections, it is still one.
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

fn authority(origin: &Uri) -> &str {
    origin.authority().map_or("", |authority| authority.as_str())
}
