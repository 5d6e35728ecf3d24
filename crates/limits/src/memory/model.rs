//! The store against a naive one that keeps every charge for ever and adds them up each time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, ready};
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use tidegate_core::Moment;

use crate::decision::{Cause, Gauge, Refusal, Standing};
use crate::demand::{Demand, Layer, Scope};
use crate::permit::{Limits, Permit};
use crate::rule::{Algorithm, Period, Rule, Unit};
use crate::store::{Admission, Denial, End, Store};
use crate::testing::{ALGORITHMS, Chance, per};

use super::{Memory, MemoryOptions};

type Name = (Scope, String, Rule);

#[derive(Default)]
struct Naive {
    latest: u64,
    charges: Vec<Charge>,
    buckets: HashMap<Name, Drops>,
    admissions: usize,
}

struct Charge {
    name: Name,
    admission: usize,
    at: u64,
    amount: u64,
    running: bool,
}

/// A bucket that is filled millisecond by millisecond.
struct Drops {
    level: i128,
    time: u64,
}

#[derive(Default)]
struct NaiveStore(Mutex<RefCell<Naive>>);

impl Naive {
    fn uses<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Charge> + 'a {
        self.charges.iter().filter(move |charge| charge.name == *name)
    }

    /// Beginning and end of the window that is open at `now`.
    fn window(&self, name: &Name, now: u64) -> Option<(u64, u64)> {
        let window = name.2.window().unwrap();
        let length = window.span.ms();
        if window.algorithm == Algorithm::FixedOnTheClock {
            return Some((now / length * length, now / length * length + length));
        }
        let mut open: Option<(u64, u64)> = None;
        for charge in self.uses(name) {
            match &mut open {
                Some((_, end)) if charge.at < *end => {
                    if window.algorithm == Algorithm::FixedFromLastUse {
                        *end = charge.at + length;
                    }
                }
                _ => open = Some((charge.at, charge.at + length)),
            }
        }
        open.filter(|(_, end)| now < *end)
    }

    fn bucket(&mut self, name: &Name, now: u64) -> i128 {
        let (amount, length) = (i128::from(name.2.amount()), i128::from(name.2.window().unwrap().span.ms()));
        let new = Drops { level: amount * length, time: now };
        let drops = self.buckets.entry(name.clone()).or_insert(new);
        while drops.time < now {
            drops.level = (drops.level + amount).min(amount * length);
            drops.time += 1;
        }
        drops.level
    }

    /// Usage, and when all of it is gone.
    fn used(&self, name: &Name, now: u64) -> (u64, u64) {
        let Some(window) = name.2.window() else {
            return (self.uses(name).filter(|charge| charge.running).count() as u64, 0);
        };
        if window.algorithm == Algorithm::Moving {
            let in_window = |charge: &&Charge| charge.amount > 0 && charge.at + window.span.ms() > now;
            let last =
                self.uses(name).filter(in_window).map(|charge| charge.at + window.span.ms() - now).max();
            return (self.uses(name).filter(in_window).map(|charge| charge.amount).sum(), last.unwrap_or(0));
        }
        let Some((begin, end)) = self.window(name, now) else { return (0, 0) };
        let inside = self.uses(name).filter(|charge| (begin..end).contains(&charge.at));
        (inside.map(|charge| charge.amount).sum(), end - now)
    }

    fn gauge(&mut self, name: &Name, now: u64) -> Gauge {
        let limit = name.2.amount();
        if is_bucket(&name.2) {
            let level = self.bucket(name, now);
            let length = i128::from(name.2.window().unwrap().span.ms());
            let missing = i128::from(limit) * length - level;
            let reset_ms = (missing + i128::from(limit) - 1) / i128::from(limit);
            return Gauge { limit, remaining: (level.max(0) / length) as u64, reset_ms: reset_ms as u64 };
        }
        let (used, reset_ms) = self.used(name, now);
        Gauge { limit, remaining: limit.saturating_sub(used), reset_ms }
    }

    fn fits(&mut self, name: &Name, need: u64, now: u64) -> bool {
        let (limit, need) = (name.2.amount(), need.max(1));
        if is_bucket(&name.2) {
            let length = i128::from(name.2.window().unwrap().span.ms());
            return self.bucket(name, now) >= i128::from(need.min(limit)) * length;
        }
        let (used, _) = self.used(name, now);
        used + need <= limit || used == 0
    }

    /// The first moment at which it would fit, if nothing else happened, by trying those at which something can change.
    fn wait(&mut self, name: &Name, need: u64, now: u64) -> u64 {
        if self.fits(name, need, now) {
            return 0;
        }
        let Some(window) = name.2.window() else { return 1_000 };
        if is_bucket(&name.2) {
            let (limit, length) = (i128::from(name.2.amount()), i128::from(window.span.ms()));
            let missing = i128::from(need.max(1).min(name.2.amount())) * length - self.bucket(name, now);
            return ((missing + limit - 1) / limit) as u64;
        }
        if window.algorithm != Algorithm::Moving {
            return self.window(name, now).unwrap().1 - now;
        }
        let mut ends: Vec<u64> = self.uses(name).map(|charge| charge.at + window.span.ms()).collect();
        ends.sort_unstable();
        ends.into_iter().find(|end| *end > now && self.fits(name, need, *end)).unwrap() - now
    }

    fn admit(&mut self, demand: &Demand<'_>, now: Moment) -> Result<Admission<usize>, Refusal> {
        self.latest = self.latest.max(now.0);
        let now = self.latest;
        let names: Vec<(usize, Name)> = demand
            .layers
            .iter()
            .enumerate()
            .flat_map(|(i, layer)| layer.rules.iter().map(move |rule| (i, name_of(layer, rule))))
            .collect();
        let waits: Vec<u64> =
            names.iter().map(|(_, name)| self.wait(name, need(&name.2, demand.tokens), now)).collect();
        if let Some(first) = waits.iter().position(|wait| *wait > 0) {
            let (layer, (scope, _, rule)) = names[first].clone();
            let cause = Cause::Rule { layer, scope, rule, gauge: self.gauge(&names[first].1, now) };
            let retry_after_ms = waits.into_iter().max().unwrap();
            return Err(Refusal { cause, retry_after_ms, standing: self.standing(&names, now) });
        }
        self.admissions += 1;
        for (_, name) in &names {
            let amount = need(&name.2, demand.tokens);
            let charge =
                Charge { name: name.clone(), admission: self.admissions, at: now, amount, running: true };
            self.charges.push(charge);
            self.spend(name, i128::from(amount));
        }
        let standing = self.standing(&names, now);
        Ok(Admission { receipt: self.admissions, standing, at: Moment(now) })
    }

    fn spend(&mut self, name: &Name, amount: i128) {
        if is_bucket(&name.2) {
            let length = i128::from(name.2.window().unwrap().span.ms());
            let full = i128::from(name.2.amount()) * length;
            self.bucket(name, self.latest);
            let drops = self.buckets.get_mut(name).unwrap();
            drops.level = (drops.level - amount * length).min(full);
        }
    }

    fn settle(&mut self, admission: usize, end: End, now: Option<Moment>) {
        self.latest = self.latest.max(now.map_or(0, |now| now.0));
        let mut spent = Vec::new();
        for charge in self.charges.iter_mut().filter(|charge| charge.admission == admission) {
            charge.running = false;
            let to = match (end, charge.name.2.unit()) {
                (End::Cancelled, _) => 0,
                (End::Used(tokens), Unit::Tokens) => tokens,
                (End::Used(_), _) => charge.amount,
            };
            let more = i128::from(to) - i128::from(charge.amount);
            let is_stale = charge.name.2.window().is_some_and(|w| charge.at + w.span.ms() <= self.latest);
            if more > 0 || !is_stale {
                spent.push((charge.name.clone(), more));
            }
            charge.amount = to;
        }
        spent.into_iter().for_each(|(name, more)| self.spend(&name, more));
    }

    fn standing(&mut self, names: &[(usize, Name)], now: u64) -> Standing {
        let mut standing = Standing::default();
        names.iter().for_each(|(_, name)| standing.note(name.2.unit(), self.gauge(name, now)));
        standing
    }
}

fn is_bucket(rule: &Rule) -> bool {
    rule.window().is_some_and(|window| window.algorithm == Algorithm::TokenBucket)
}

fn need(rule: &Rule, tokens: u64) -> u64 {
    if rule.unit() == Unit::Tokens { tokens } else { 1 }
}

fn name_of(layer: &Layer<'_>, rule: &Rule) -> Name {
    (layer.scope, layer.id.to_owned(), *rule)
}

impl Store for NaiveStore {
    type Receipt = usize;

    fn admit(
        &self,
        demand: &Demand<'_>,
        now: Moment,
    ) -> impl Future<Output = Result<Admission<usize>, Denial>> + Send {
        let answer = self.0.lock().unwrap().borrow_mut().admit(demand, now);
        ready(answer.map_err(Denial::Refused))
    }

    fn settle(&self, receipt: usize, end: End, now: Option<Moment>) {
        self.0.lock().unwrap().borrow_mut().settle(receipt, end, now);
    }
}

/// One schedule on both stores.
struct Pair {
    memory: Limits,
    naive: Limits<NaiveStore>,
    permits: Vec<(Permit, Permit<NaiveStore>)>,
    now: u64,
}

fn answer<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("both answer at once"),
    }
}

impl Pair {
    fn admit(&mut self, demand: &Demand<'_>, seed: u64) -> bool {
        let now = Moment(self.now);
        let ours = answer(self.memory.admit(demand, now));
        let theirs = answer(self.naive.admit(demand, now));
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                assert_eq!((ours.standing(), ours.at()), (theirs.standing(), theirs.at()), "seed {seed}");
                self.permits.push((ours, theirs));
                true
            }
            (Err(ours), Err(theirs)) => {
                assert_eq!(ours, theirs, "seed {seed}");
                false
            }
            (ours, theirs) => panic!("seed {seed}, {now:?}: {ours:?} is not {theirs:?} for {demand:?}"),
        }
    }

    fn end(&mut self, chance: &mut Chance) {
        if self.permits.is_empty() {
            return;
        }
        let i = chance.below(self.permits.len() as u64) as usize;
        let (mut ours, mut theirs) = self.permits.swap_remove(i);
        let (now, tokens) = (Moment(self.now), chance.below(40));
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
            }
        }
    }

    /// Mostly small steps, often exactly to a border, sometimes back.
    fn step(&mut self, chance: &mut Chance) {
        self.now = match chance.below(10) {
            0..4 => self.now,
            4..7 => self.now + chance.below(200),
            7 => self.now.next_multiple_of(1_000) - chance.below(2).min(self.now.next_multiple_of(1_000)),
            8 => self.now + 999 + chance.below(3),
            _ => self.now.saturating_sub(chance.below(50)),
        };
    }
}

fn some_rules(chance: &mut Chance) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for _ in 0..=chance.below(3) {
        let window = per(1 + chance.below(2) as u32, Period::Second, chance.one_of(&ALGORITHMS));
        let rule = match chance.below(5) {
            0 | 1 => Rule::requests(1 + chance.below(6), window),
            2 | 3 => Rule::tokens(1 + chance.below(60), window),
            _ => Rule::concurrency(1 + chance.below(4)),
        };
        // Two rules that differ in their amount alone are one name to the naive store.
        if !rules.iter().any(|other| other.counts_like(&rule)) {
            rules.push(rule);
        }
    }
    rules
}

#[test]
fn thousands_of_schedules_agree_with_the_naive_store() {
    let (mut admitted, mut refused) = (0, 0);
    for seed in 0..2_000 {
        let chance = &mut Chance(seed);
        let names =
            [(Scope::ApiKey, "a"), (Scope::ApiKey, "b"), (Scope::Workspace, "a"), (Scope::Model, "m")];
        let rules: Vec<_> = names.iter().map(|_| some_rules(chance)).collect();
        let memory = Memory::new(MemoryOptions { max_keys: 100, epoch_unix_ms: 0 });
        let (memory, naive) = (Limits::new(memory), Limits::new(NaiveStore::default()));
        let mut pair = Pair { memory, naive, permits: Vec::new(), now: 0 };
        for _ in 0..60 {
            pair.step(chance);
            match chance.below(8) {
                0..5 => {
                    let chosen = chance.below(16);
                    let layers: Vec<_> = names
                        .iter()
                        .zip(&rules)
                        .enumerate()
                        .filter(|(i, _)| chosen >> i & 1 == 1)
                        .map(|(_, ((scope, id), rules))| Layer { scope: *scope, id, rules })
                        .collect();
                    let demand = Demand { layers: &layers, tokens: chance.below(40) };
                    let count = if pair.admit(&demand, seed) { &mut admitted } else { &mut refused };
                    *count += 1;
                }
                5 | 6 => pair.end(chance),
                _ => {
                    pair.memory.store().sweep(Moment(0));
                }
            }
        }
    }
    assert!(admitted > 20_000 && refused > 20_000, "{admitted} admitted, {refused} refused");
}
