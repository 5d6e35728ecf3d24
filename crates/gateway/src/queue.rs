//! Waiting in turn for a rate limit instead of being refused: bounded, fair by tokens between API keys.
//!
//! Whoever is over a limit that opens soon enough waits in a [`FairQueue`]. One task, which lives as long as somebody
//! waits, asks the limits again in fair order: when the refusing limit said it would open, and when something was given
//! back. It never asks for one request while another that is before it waits for the same limit, and whoever comes anew
//! lines up behind those who wait for one of its limits: nobody is overtaken at a limit, however small the others are.

mod state;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_core::Moment;
use tidegate_limits::{Cause, Demand, Denial, QueueRules, Refusal};
use tokio::sync::{Notify, oneshot};

use crate::limiter::Permit;
use crate::state::Gateway;
use state::{Next, Place, State, Turn, Wanted};

/// Where requests wait.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    /// As many as wait, to be read without the lock.
    waiting: AtomicUsize,
    /// Somebody came or left, something was given back, or the gateway stops.
    changed: Notify,
    is_closed: AtomicBool,
}

/// How a request entered, or did not.
#[derive(Debug)]
pub struct Entry {
    pub admitted: Result<Permit, Denial>,
    /// How long it waited for that; `None` for one that did not wait.
    pub waited: Option<Duration>,
}

/// Who asks, for fairness.
#[derive(Debug)]
pub struct Asker {
    /// The API key, or what stands for it.
    pub lane: Arc<str>,
    /// A guess of what the request will use, in tokens.
    pub tokens: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            waiting: AtomicUsize::new(0),
            changed: Notify::new(),
            is_closed: AtomicBool::new(false),
        }
    }
}

impl Queue {
    /// Asks the limits, and waits for them as far as `rules` have it. `asker` is asked for only then.
    pub async fn enter(
        gateway: &Arc<Gateway>,
        rules: QueueRules,
        asker: impl FnOnce() -> Asker,
        demand: &Demand<'_>,
    ) -> Entry {
        let queue = &gateway.queue;
        let now = gateway.clock.now();
        let (refusal, ask_at) = match queue.ahead(demand) {
            Some(refusal) => (refusal, now),
            None => match gateway.control.limits.admit(demand, now).await {
                Err(Denial::Refused(refusal)) => {
                    let ask_at = now.plus(refusal.retry_after_ms);
                    (refusal, ask_at)
                }
                admitted => return Entry { admitted, waited: None },
            },
        };
        let opens_in_time =
            matches!(refusal.cause, Cause::Rule { .. }) && refusal.retry_after_ms <= rules.max_wait_ms;
        if rules.max_len == 0 || !opens_in_time || queue.is_closed.load(Ordering::Relaxed) {
            return Entry { admitted: Err(Denial::Refused(refusal)), waited: None };
        }
        let began = tokio::time::Instant::now();
        let (turn, given) = oneshot::channel();
        let wanted = Wanted::of(demand);
        let pushed = {
            let mut state = queue.lock();
            state.rules(rules);
            let pushed = state.push(asker(), wanted, turn, refusal.clone(), ask_at, now);
            let is_driven = std::mem::replace(&mut state.is_driven, true);
            queue.counted(gateway, &state);
            drop(state);
            if !is_driven {
                tokio::spawn(drive(gateway.clone()));
            }
            pushed
        };
        queue.changed.notify_one();
        let (place, displaced) = match pushed {
            Ok(pushed) => pushed,
            Err(()) => {
                gateway.metrics.queued("full");
                return Entry { admitted: Err(Denial::Refused(refusal)), waited: None };
            }
        };
        if let Some(displaced) = displaced {
            displaced.end(gateway, "displaced");
        }
        let mut waiting = Waiting { gateway, place, given, is_over: false };
        let admitted = match (&mut waiting.given).await {
            Ok(Turn::Go(permit)) => Ok(permit),
            Ok(Turn::No(denial)) => Err(denial),
            // Its end was lost; nothing was charged.
            Err(_) => Err(Denial::Refused(refusal)),
        };
        waiting.is_over = true;
        Entry { admitted, waited: Some(began.elapsed()) }
    }

    /// A limit may have something left again.
    pub fn freed(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.lock().epoch += 1;
            self.changed.notify_one();
        }
    }

    /// What a request that waited did use, in the end.
    pub fn used(&self, asker: &Asker, tokens: u64) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.lock().queue.correct(&asker.lane, asker.tokens, tokens);
        }
    }

    /// Ends all waiting: the gateway stops.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// The limit at which this demand has to line up behind others.
    fn ahead(&self, demand: &Demand<'_>) -> Option<Refusal> {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.lock().ahead(demand)
    }

    fn counted(&self, gateway: &Gateway, state: &State) {
        let waiting = state.queue.len();
        self.waiting.store(waiting, Ordering::Relaxed);
        gateway.metrics.queue_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks for those who wait until nobody does.
async fn drive(gateway: Arc<Gateway>) {
    let queue = &gateway.queue;
    loop {
        let now = gateway.clock.now();
        let is_closed = queue.is_closed.load(Ordering::Relaxed);
        let (ended, next) = {
            let mut state = queue.lock();
            let ended = state.expire(if is_closed { Moment(u64::MAX) } else { now });
            let next = state.next(now);
            state.is_driven = !matches!(next, Next::Nobody);
            queue.counted(&gateway, &state);
            (ended, next)
        };
        let why = if is_closed { "stopped" } else { "expired" };
        ended.into_iter().for_each(|waiter| waiter.end(&gateway, why));
        match next {
            Next::Nobody => return,
            Next::At(at) => {
                let sleep = tokio::time::sleep(Duration::from_millis(at.since(now).max(1)));
                tokio::select! {
                    () = sleep => {}
                    () = queue.changed.notified() => {}
                }
            }
            Next::Ask { id, wanted, epoch } => {
                let layers = wanted.layers();
                let demand = Demand { layers: &layers, tokens: wanted.tokens };
                match gateway.control.limits.admit(&demand, now).await {
                    Ok(permit) => {
                        let gone = queue.lock().take(id, gateway.clock.now());
                        match gone {
                            Some(waiter) => waiter.go(&gateway, permit),
                            // It left, or its time was up, while the limits were asked.
                            None => permit.cancel(gateway.clock.now()),
                        }
                    }
                    Err(Denial::Refused(refusal)) => {
                        let hopeless = queue.lock().refused(id, refusal, epoch, now);
                        if let Some(waiter) = hopeless {
                            waiter.end(&gateway, "expired");
                        }
                    }
                    Err(away @ Denial::Away(_)) => {
                        let gone = queue.lock().remove(id);
                        if let Some(waiter) = gone {
                            waiter.deny(&gateway, away, "away");
                        }
                    }
                }
            }
        }
    }
}

/// A place in the queue. A client that leaves gives it back.
struct Waiting<'a> {
    gateway: &'a Arc<Gateway>,
    place: Place,
    given: oneshot::Receiver<Turn>,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let queue = &self.gateway.queue;
        let left = {
            let mut state = queue.lock();
            let left = state.leave(&self.place);
            queue.counted(self.gateway, &state);
            left
        };
        match left {
            Some(_) => self.gateway.metrics.queued("left"),
            // Its turn had come at the same moment.
            None => {
                if let Ok(Turn::Go(permit)) = self.given.try_recv() {
                    permit.cancel(self.gateway.clock.now());
                }
            }
        }
        queue.changed.notify_one();
    }
}

#[cfg(test)]
mod tests;
