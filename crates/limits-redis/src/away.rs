//! What happens while Redis is away.

use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_core::{Clock, Moment};
use tidegate_limits::memory::MemoryReceipt;
use tidegate_limits::store::{Admission, Denial, End, Store};
use tidegate_limits::{Cause, Demand, Layer, Memory, MemoryOptions, Refusal, Rule, Unit};

use crate::store::{Redis, RedisReceipt};

/// [`Redis`], and what its operator chose for the time when it is away.
#[derive(Debug)]
pub struct Shared {
    redis: Redis,
    /// `None` when requests are refused.
    local: Option<Memory>,
    admitted: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenAway {
    /// Each replica counts by itself, with its share of each limit: the amount divided by the replicas that Redis heard
    /// of last, rounded down, but at least one. (Of one that has just come the others hear at their next renewal.) It begins with nothing used, so a window in which Redis goes away or
    /// comes back can be used twice.
    #[default]
    Local,
    /// Requests are denied with [`Denial::Away`].
    Refuse,
}

/// For metrics. Counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AwayStats {
    /// Since when Redis is away, in milliseconds since 1970. `None` while it is there.
    pub since: Option<u64>,
    /// Requests that were admitted while it was away.
    pub admitted: u64,
    /// Requests that were refused while it was away, by their share or because all are.
    pub refused: u64,
}

#[derive(Debug)]
pub enum SharedReceipt {
    Redis(RedisReceipt),
    Local(MemoryReceipt),
}

impl Shared {
    pub fn new(redis: Redis, when_away: WhenAway, clock: &dyn Clock) -> Self {
        let local = match when_away {
            WhenAway::Local => Some(Memory::new(MemoryOptions::new(clock))),
            WhenAway::Refuse => None,
        };
        Self { redis, local, admitted: AtomicU64::new(0), refused: AtomicU64::new(0) }
    }

    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// The next request would not be counted in Redis.
    pub fn is_away(&self) -> bool {
        self.redis.is_away()
    }

    pub fn stats(&self) -> AwayStats {
        AwayStats {
            since: self.redis.stats().away.map(|(since, _)| since),
            admitted: self.admitted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    fn admit_alone(
        &self,
        memory: &Memory,
        demand: &Demand<'_>,
        now: Moment,
    ) -> Result<Admission<MemoryReceipt>, Refusal> {
        let replicas = u64::from(self.redis.link().replicas());
        let rules: Vec<Vec<Rule>> = demand
            .layers
            .iter()
            .map(|layer| layer.rules.iter().map(|rule| part(rule, replicas)).collect())
            .collect();
        let layers: Vec<_> =
            demand.layers.iter().zip(&rules).map(|(layer, rules)| Layer { rules, ..*layer }).collect();
        let answer = memory.admit_now(&Demand { layers: &layers, tokens: demand.tokens }, now);
        answer.map_err(|mut refusal| {
            // The client is told of the limit that it knows.
            if let Cause::Rule { layer, rule, .. } = &mut refusal.cause
                && let (Some(whole), Some(parts)) = (demand.layers.get(*layer), rules.get(*layer))
                && let Some(known) =
                    parts.iter().position(|part| part == rule).and_then(|i| whole.rules.get(i))
            {
                *rule = *known;
            }
            refusal
        })
    }
}

impl Store for Shared {
    type Receipt = SharedReceipt;

    async fn admit(&self, demand: &Demand<'_>, now: Moment) -> Result<Admission<SharedReceipt>, Denial> {
        let denial = match self.redis.admit(demand, now).await {
            Ok(Admission { receipt, standing, at }) => {
                return Ok(Admission { receipt: SharedReceipt::Redis(receipt), standing, at });
            }
            Err(Denial::Refused(refusal)) => return Err(Denial::Refused(refusal)),
            Err(away) => away,
        };
        let answer = match &self.local {
            Some(memory) => self.admit_alone(memory, demand, now).map_err(Denial::Refused),
            None => Err(denial),
        };
        let count = if answer.is_ok() { &self.admitted } else { &self.refused };
        count.fetch_add(1, Ordering::Relaxed);
        answer.map(|Admission { receipt, standing, at }| Admission {
            receipt: SharedReceipt::Local(receipt),
            standing,
            at,
        })
    }

    fn settle(&self, receipt: SharedReceipt, end: End, now: Option<Moment>) {
        match (receipt, &self.local) {
            (SharedReceipt::Redis(receipt), _) => self.redis.settle(receipt, end, now),
            (SharedReceipt::Local(receipt), Some(memory)) => memory.settle(receipt, end, now),
            (SharedReceipt::Local(_), None) => {}
        }
    }
}

/// A replica's part of a limit. A limit of nothing stays one.
fn part(rule: &Rule, replicas: u64) -> Rule {
    let amount = (rule.amount() / replicas.max(1)).max(rule.amount().min(1));
    match (rule.unit(), rule.window()) {
        (Unit::Tokens, Some(window)) => Rule::tokens(amount, window),
        (Unit::Requests, Some(window)) => Rule::requests(amount, window),
        _ => Rule::concurrency(amount),
    }
}
