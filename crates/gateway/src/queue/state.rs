//! Who waits, for what, and whose turn it is. Under the queue's lock; asks nobody.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tidegate_core::Moment;
use tidegate_limits::{Cause, Demand, Denial, FairQueue, Layer, Offer, QueueRules, Refusal, Rule, Scope};
use tokio::sync::oneshot;

use super::Asker;
use crate::limiter::Permit;
use crate::state::Gateway;

/// One set of counters.
type Limit = (Scope, Box<str>);

/// What one who waits is told in the end.
#[derive(Debug)]
pub enum Turn {
    Go(Permit),
    No(Denial),
}

/// A demand that outlives its request's step.
#[derive(Debug)]
pub struct Wanted {
    layers: Vec<(Limit, Box<[Rule]>)>,
    pub tokens: u64,
}

#[derive(Debug)]
pub struct State {
    pub queue: FairQueue<Arc<str>, u64>,
    waiters: HashMap<u64, Waiter>,
    /// The limits that somebody waits for: how many do, and what the limit said last.
    limits: HashMap<Limit, (usize, Refusal)>,
    /// Counts what was given back to limits.
    pub epoch: u64,
    /// A task asks for those who wait.
    pub is_driven: bool,
    next: u64,
}

#[derive(Debug)]
pub struct Waiter {
    wanted: Arc<Wanted>,
    turn: oneshot::Sender<Turn>,
    /// The limit it waits for, in front of all that it also needs.
    limit: Limit,
    /// When that limit opens, as far as known.
    ask_at: Moment,
    /// What had been given back when it was asked for last.
    epoch: u64,
}

/// A waiter that is out of the queue, with what its limit said last.
#[derive(Debug)]
pub struct Out {
    waiter: Waiter,
    refusal: Option<Refusal>,
}

/// Names a waiter and where it stands.
#[derive(Debug)]
pub struct Place {
    id: u64,
    place: tidegate_limits::queue::Place<Arc<str>>,
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    Ask {
        id: u64,
        wanted: Arc<Wanted>,
        epoch: u64,
    },
    /// Nothing before then.
    At(Moment),
    Nobody,
}

impl Default for State {
    fn default() -> Self {
        Self {
            queue: FairQueue::new(QueueRules { max_len: 0, max_per_key: 0, max_wait_ms: 0 }),
            waiters: HashMap::new(),
            limits: HashMap::new(),
            epoch: 0,
            is_driven: false,
            next: 0,
        }
    }
}

impl State {
    pub fn rules(&mut self, rules: QueueRules) {
        self.queue.set_rules(rules);
    }

    /// What the limit said for which the demand has to line up.
    pub fn ahead(&self, demand: &Demand<'_>) -> Option<Refusal> {
        demand.layers.iter().enumerate().find_map(|(layer, of)| {
            let (_, refusal) = self.limits.get(&(of.scope, Box::from(of.id)))?;
            Some(about(refusal, layer))
        })
    }

    /// Puts a request in. Who had to make room for it comes back. Fails when there is none.
    pub fn push(
        &mut self,
        asker: Asker,
        wanted: Wanted,
        turn: oneshot::Sender<Turn>,
        refusal: Refusal,
        ask_at: Moment,
        now: Moment,
    ) -> Result<(Place, Option<Out>), ()> {
        let limit = wanted.limit_of(&refusal).ok_or(())?;
        self.next += 1;
        let id = self.next;
        let Asker { lane, tokens } = asker;
        let queued = self.queue.push(lane, tokens, id, u64::MAX, now).map_err(drop)?;
        let displaced = queued.displaced.and_then(|left| self.forget(left.item));
        self.wait_for(limit.clone(), refusal);
        let waiter = Waiter { wanted: Arc::new(wanted), turn, limit, ask_at, epoch: self.epoch };
        self.waiters.insert(id, waiter);
        Ok((Place { id, place: queued.place }, displaced))
    }

    /// Whom to ask for: the first in fair order who has nobody before it at any of its limits.
    pub fn next(&mut self, now: Moment) -> Next {
        let (waiters, epoch) = (&self.waiters, self.epoch);
        let Some(mut at) = self.queue.next_deadline() else { return Next::Nobody };
        let mut taken: HashSet<&Limit> = HashSet::new();
        let mut first = None;
        self.queue.serve(now, |_, id, _| {
            let Some(waiter) = waiters.get(id) else { return Offer::<()>::Skip };
            if waiter.wanted.layers.iter().any(|(limit, _)| taken.contains(limit)) {
                return Offer::Skip;
            }
            if now >= waiter.ask_at || waiter.epoch < epoch {
                first = Some((*id, waiter.wanted.clone()));
                return Offer::Stop;
            }
            at = at.min(waiter.ask_at);
            taken.insert(&waiter.limit);
            Offer::Skip
        });
        match first {
            Some((id, wanted)) => Next::Ask { id, wanted, epoch },
            None => Next::At(at),
        }
    }

    /// Its turn has come. `None` when it is not there any more, or too late.
    pub fn take(&mut self, id: u64, now: Moment) -> Option<Out> {
        let take = |_: &Arc<str>, of: &u64, _| if *of == id { Offer::Take(()) } else { Offer::Skip };
        self.queue.serve(now, take)?;
        self.forget(id)
    }

    /// It was refused again, `epoch` being what had been given back before. Given back when nothing will change that.
    pub fn refused(&mut self, id: u64, refusal: Refusal, epoch: u64, now: Moment) -> Option<Out> {
        let waiter = self.waiters.get_mut(&id)?;
        let Some(limit) = waiter.wanted.limit_of(&refusal) else { return self.remove(id) };
        (waiter.ask_at, waiter.epoch) = (now.plus(refusal.retry_after_ms), epoch);
        let before = std::mem::replace(&mut waiter.limit, limit.clone());
        self.wait_for(limit, refusal);
        self.wait_no_more(&before);
        None
    }

    /// Takes out who has waited long enough.
    pub fn expire(&mut self, now: Moment) -> Vec<Out> {
        let expired = self.queue.expire(now);
        expired.into_iter().filter_map(|left| self.forget(left.item)).collect()
    }

    /// The client has gone.
    pub fn leave(&mut self, place: &Place) -> Option<Out> {
        self.queue.take_back(&place.place)?;
        self.forget(place.id)
    }

    pub fn remove(&mut self, id: u64) -> Option<Out> {
        self.take(id, Moment(0))
    }

    fn forget(&mut self, id: u64) -> Option<Out> {
        let waiter = self.waiters.remove(&id)?;
        let refusal = self.wait_no_more(&waiter.limit);
        Some(Out { waiter, refusal })
    }

    fn wait_for(&mut self, limit: Limit, refusal: Refusal) {
        let entry = self.limits.entry(limit).or_insert_with(|| (0, refusal.clone()));
        *entry = (entry.0 + 1, refusal);
    }

    fn wait_no_more(&mut self, limit: &Limit) -> Option<Refusal> {
        let (count, refusal) = self.limits.get_mut(limit)?;
        *count -= 1;
        let (is_last, refusal) = (*count == 0, refusal.clone());
        if is_last {
            self.limits.remove(limit);
        }
        Some(refusal)
    }
}

impl Wanted {
    pub fn of(demand: &Demand<'_>) -> Self {
        let layer = |layer: &Layer<'_>| ((layer.scope, Box::from(layer.id)), Box::from(layer.rules));
        Self { layers: demand.layers.iter().map(layer).collect(), tokens: demand.tokens }
    }

    pub fn layers(&self) -> Vec<Layer<'_>> {
        self.layers.iter().map(|((scope, id), rules)| Layer { scope: *scope, id, rules }).collect()
    }

    /// Whose counters refused.
    fn limit_of(&self, refusal: &Refusal) -> Option<Limit> {
        let Cause::Rule { layer, .. } = refusal.cause else { return None };
        self.layers.get(layer).map(|(limit, _)| limit.clone())
    }
}

impl Out {
    pub fn go(self, gateway: &Gateway, permit: Permit) {
        gateway.metrics.queued("admitted");
        if let Err(Turn::Go(permit)) = self.waiter.turn.send(Turn::Go(permit)) {
            permit.cancel(gateway.clock.now());
        }
    }

    /// It is refused after all; `why` is counted.
    pub fn end(self, gateway: &Gateway, why: &'static str) {
        let Self { waiter, refusal } = self;
        gateway.metrics.queued(why);
        let layer = waiter.wanted.layers.iter().position(|(limit, _)| *limit == waiter.limit);
        if let (Some(refusal), Some(layer)) = (refusal, layer) {
            let _ = waiter.turn.send(Turn::No(Denial::Refused(about(&refusal, layer))));
        }
    }

    pub fn deny(self, gateway: &Gateway, denial: Denial, why: &'static str) {
        gateway.metrics.queued(why);
        let _ = self.waiter.turn.send(Turn::No(denial));
    }
}

/// What a limit said to another, for one who has it as its layer `at`.
fn about(refusal: &Refusal, at: usize) -> Refusal {
    let mut refusal = refusal.clone();
    if let Cause::Rule { layer, .. } = &mut refusal.cause {
        *layer = at;
    }
    refusal
}
