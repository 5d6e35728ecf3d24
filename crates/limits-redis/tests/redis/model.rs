//! Random demands on Redis and on the store in memory, which has been compared with a naive one: every answer is equal.

use std::time::Duration;

use tidegate_core::Moment;
use tidegate_limits::store::Denial;
use tidegate_limits::{
    Algorithm, Cause, Demand, Layer, Limits, Memory, MemoryOptions, Period, Permit, Refusal, Rule, Scope,
    Standing, Unit, Window,
};
use tidegate_limits_redis::{Options, Redis, Time};

use crate::world::{ALGORITHMS, Chance, options, per, replica};
use tidegate_testkit::Redis as Server;

const SCHEDULES: u64 = 400;
const STEPS: usize = 60;
const LEASE: Duration = Duration::from_secs(3_600);

struct Pair<'a> {
    redis: &'a Limits<Redis>,
    memory: Limits,
    permits: Vec<(Permit<Redis>, Permit)>,
    now: u64,
}

impl Pair<'_> {
    async fn admit(&mut self, demand: &Demand<'_>, seed: u64) -> bool {
        let now = Moment(self.now);
        let ours = self.redis.admit(demand, now).await;
        match (ours, self.memory.admit_now(demand, now)) {
            (Ok(ours), Ok(theirs)) => {
                let told = ((ours.standing(), ours.at()), (cut(theirs.standing()), theirs.at()));
                assert_eq!(told.0, told.1, "seed {seed}, {demand:?}");
                self.permits.push((ours, theirs));
                true
            }
            (Err(Denial::Refused(ours)), Err(theirs)) => {
                assert_eq!(ours, cut_refusal(theirs), "seed {seed}, {demand:?}");
                false
            }
            (ours, theirs) => panic!("seed {seed}, {now:?}: {ours:?} is not {theirs:?} for {demand:?}"),
        }
    }

    async fn end(&mut self, chance: &mut Chance) {
        if self.permits.is_empty() {
            return;
        }
        let i = chance.below(self.permits.len() as u64) as usize;
        let (mut ours, mut theirs) = self.permits.swap_remove(i);
        let (now, tokens) = (Moment(self.now), some_tokens(chance));
        match chance.below(4) {
            0 | 1 => {
                ours.settle(tokens, now);
                theirs.settle(tokens, now);
            }
            2 => {
                ours.cancel(now);
                theirs.cancel(now);
            }
            _ => {
                ours.note_tokens(tokens);
                theirs.note_tokens(tokens);
                drop((ours, theirs));
            }
        }
        self.redis.store().flush().await;
        let stats = self.redis.store().stats();
        assert_eq!((stats.lost, stats.unsure, stats.late, stats.switches), (0, 0, 0, 0), "{stats:?}");
    }

    /// Mostly small steps, often exactly to a border, sometimes far. What runs is renewed meanwhile.
    async fn step(&mut self, chance: &mut Chance) {
        let before = self.now;
        let far = if self.permits.is_empty() { 4_000_000_000 } else { LEASE.as_millis() as u64 };
        self.now += match chance.below(24) {
            0..9 => 0,
            9..16 => chance.below(200),
            16..18 => 1_000 - self.now % 1_000,
            18..20 => 999 - self.now % 1_000,
            20..22 => 999 + chance.below(3),
            22 => chance.below(200_000),
            _ => chance.below(far),
        };
        if self.now - before > 10_000 {
            self.redis.store().renew().await;
        }
    }
}

/// A bucket in debt for longer than anybody lives: Redis says 2^53 milliseconds at most.
fn cut(mut standing: Standing) -> Standing {
    standing.tokens.iter_mut().for_each(|gauge| gauge.reset_ms = gauge.reset_ms.min(1 << 53));
    standing
}

fn cut_refusal(mut refusal: Refusal) -> Refusal {
    refusal.standing = cut(refusal.standing);
    refusal.retry_after_ms = refusal.retry_after_ms.min(1 << 53);
    if let Cause::Rule { gauge, .. } = &mut refusal.cause {
        gauge.reset_ms = gauge.reset_ms.min(1 << 53);
    }
    refusal
}

fn some_tokens(chance: &mut Chance) -> u64 {
    match chance.below(10) {
        0..8 => chance.below(40),
        8 => chance.below(1_000),
        _ => chance.below(1 << 33),
    }
}

fn some_rules(chance: &mut Chance) -> Vec<Rule> {
    let rule = |chance: &mut Chance| {
        let period = match chance.below(8) {
            0..6 => Period::Second,
            6 => Period::Minute,
            _ => chance.one_of(&[Period::Hour, Period::Day, Period::Week, Period::Month, Period::Year]),
        };
        let window = per(1 + chance.below(2) as u32, period, chance.one_of(&ALGORITHMS));
        let large = [129, 300, 1_000_003, 4_000_000_007, Rule::MAX_AMOUNT - 1];
        match chance.below(12) {
            0 => Rule::requests(chance.one_of(&large), window),
            1..4 => Rule::requests(chance.below(8), window),
            4..6 => Rule::tokens(chance.one_of(&large), window),
            6..10 => Rule::tokens(1 + chance.below(60), window),
            _ => Rule::concurrency(1 + chance.below(4)),
        }
    };
    (0..=chance.below(3)).map(|_| rule(chance)).collect()
}

/// The same rules, as after an operator has given more. Not buckets: whether one that was never used has the new amount at
/// once depends, in memory, on whether it was forgotten before.
fn raised(rules: &[Rule], chance: &mut Chance) -> Vec<Rule> {
    let raised = |rule: &Rule| {
        let amount = rule.amount() + chance.below(5);
        match (rule.window(), rule.unit()) {
            (Some(Window { algorithm: Algorithm::TokenBucket, .. }), _) => *rule,
            (Some(window), Unit::Tokens) => Rule::tokens(amount, window),
            (Some(window), _) => Rule::requests(amount, window),
            (None, _) => Rule::concurrency(amount),
        }
    };
    rules.iter().map(raised).collect()
}

#[tokio::test]
async fn hundreds_of_schedules_agree_with_memory() {
    let server = Server::start();
    let redis = replica(Options { lease: LEASE, ..options(&server, Time::Callers) }).await;
    let (mut admitted, mut refused, mut now) = (0, 0, 0);
    for seed in 0..SCHEDULES {
        let chance = &mut Chance(seed);
        let names =
            [(Scope::ApiKey, "a"), (Scope::ApiKey, "b"), (Scope::Workspace, "a"), (Scope::Model, "m")]
                .map(|(scope, name)| (scope, format!("{name}-{seed}")));
        let mut rules: Vec<_> = names.iter().map(|_| some_rules(chance)).collect();
        let memory = Limits::new(Memory::new(MemoryOptions { max_keys: 100, epoch_unix_ms: 0 }));
        let mut pair = Pair { redis: &redis, memory, permits: Vec::new(), now };
        for _ in 0..STEPS {
            pair.step(chance).await;
            match chance.below(24) {
                0..17 => {
                    let chosen = chance.below(16);
                    let layers: Vec<_> = names
                        .iter()
                        .zip(&rules)
                        .enumerate()
                        .filter(|(i, _)| chosen >> i & 1 == 1)
                        .map(|(_, ((scope, id), rules))| Layer { scope: *scope, id, rules })
                        .collect();
                    let demand = Demand { layers: &layers, tokens: some_tokens(chance) };
                    let count = if pair.admit(&demand, seed).await { &mut admitted } else { &mut refused };
                    *count += 1;
                }
                17 => {
                    let i = chance.below(4) as usize;
                    rules[i] = raised(&rules[i], chance);
                }
                _ => pair.end(chance).await,
            }
        }
        now = pair.now;
        drop(pair);
        redis.store().flush().await;
    }
    assert!(admitted > 5_000 && refused > 5_000, "{admitted} admitted, {refused} refused");
    let stats = redis.store().stats();
    assert_eq!((stats.lost, stats.unsure, stats.late, stats.switches), (0, 0, 0, 0));
}

/// A window that is used more often than it has entries.
#[tokio::test]
async fn long_logs_agree_with_memory() {
    let server = Server::start();
    let redis = replica(options(&server, Time::Callers)).await;
    for (seed, amount) in [(1, 100), (2, 1_000), (3, 5_000_000)] {
        let chance = &mut Chance(seed);
        let memory = Limits::new(Memory::new(MemoryOptions { max_keys: 100, epoch_unix_ms: 0 }));
        let mut pair = Pair { redis: &redis, memory, permits: Vec::new(), now: seed * 1_000_000 };
        let window = per(1, Period::Minute, Algorithm::Moving);
        let (rules, id) = ([Rule::tokens(amount, window)], format!("long-{seed}"));
        for _ in 0..3_000 {
            pair.now += chance.below(80);
            if chance.below(2) == 0 {
                let layers = [Layer { scope: Scope::ApiKey, id: &id, rules: &rules }];
                let demand = Demand { layers: &layers, tokens: 1 + chance.below(amount / 80 + 2) };
                pair.admit(&demand, seed).await;
            } else {
                pair.end(chance).await;
            }
        }
    }
}
