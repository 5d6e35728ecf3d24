//! What is left of one rule for one key. Times are milliseconds on the store's clock, which never goes back.

mod bucket;
mod fixed;
mod moving;

use crate::decision::Gauge;
use crate::rule::{Algorithm, Rule, Unit};

use bucket::Bucket;
use fixed::Fixed;
use moving::Moving;

/// Nobody can know when a running request ends; a client that must wait for one asks again after this long.
const CONCURRENCY_WAIT_MS: u64 = 1_000;

/// A rule and its usage.
#[derive(Debug)]
pub(crate) struct Cell {
    rule: Rule,
    /// Number of the admission that made it: earlier ones were not charged here and have nothing to correct.
    born: u64,
    counter: Counter,
}

#[derive(Debug)]
enum Counter {
    Fixed(Fixed),
    Moving(Moving),
    Bucket(Bucket),
    /// Requests that are running.
    Held(u64),
}

/// What was charged, and what it should have been.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Correction {
    /// When it was charged.
    pub(crate) at: u64,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Cell {
    pub(crate) fn new(rule: Rule, born: u64, now: u64) -> Self {
        let counter = match rule.window() {
            None => Counter::Held(0),
            Some(window) => match window.algorithm {
                Algorithm::FixedOnTheClock | Algorithm::FixedFromFirstUse | Algorithm::FixedFromLastUse => {
                    Counter::Fixed(Fixed::new(window))
                }
                Algorithm::Moving => Counter::Moving(Moving::new(window.span.ms())),
                Algorithm::TokenBucket => Counter::Bucket(Bucket::new(rule.amount(), window.span.ms(), now)),
            },
        };
        Self { rule, born, counter }
    }

    /// The same usage under a rule that differs in its amount at most: whoever raises a limit does not reset it.
    pub(crate) fn with_rule(self, rule: Rule) -> Self {
        Self { rule, ..self }
    }

    pub(crate) fn rule(&self) -> &Rule {
        &self.rule
    }

    pub(crate) fn born(&self) -> u64 {
        self.born
    }

    /// What a request with `tokens` takes from this rule.
    pub(crate) fn need(&self, tokens: u64) -> u64 {
        match self.rule.unit() {
            Unit::Tokens => tokens,
            Unit::Requests | Unit::Concurrency => 1,
        }
    }

    /// Forgets what has left the window. Call it before the others.
    pub(crate) fn advance(&mut self, now: u64) {
        match &mut self.counter {
            Counter::Fixed(fixed) => fixed.advance(now),
            Counter::Moving(moving) => moving.advance(now),
            Counter::Bucket(bucket) => bucket.advance(self.rule.amount(), now),
            Counter::Held(_) => {}
        }
    }

    /// Milliseconds until `need` may pass; 0 when it may now. Charges nothing.
    ///
    /// A need above the whole amount passes when nothing is used, and then fills the window: refusing it would be
    /// refusing it for ever.
    pub(crate) fn wait(&self, need: u64, now: u64) -> u64 {
        let amount = self.rule.amount();
        match &self.counter {
            Counter::Fixed(fixed) if !fits(fixed.used(), need, amount) => fixed.wait(now),
            Counter::Moving(moving) if !fits(moving.used(), need, amount) => moving.wait(need, amount, now),
            Counter::Bucket(bucket) => bucket.wait(need, amount),
            Counter::Held(held) if !fits(*held, need, amount) => CONCURRENCY_WAIT_MS,
            _ => 0,
        }
    }

    pub(crate) fn charge(&mut self, need: u64, now: u64) {
        match &mut self.counter {
            Counter::Fixed(fixed) => fixed.charge(need, now),
            Counter::Moving(moving) => moving.charge(need, self.rule.amount(), now),
            Counter::Bucket(bucket) => bucket.charge(need),
            Counter::Held(held) => *held = held.saturating_add(need),
        }
    }

    /// Replaces a charge by what was true. A charge of a window that has passed is left alone.
    pub(crate) fn correct(&mut self, correction: Correction, now: u64) {
        if correction.from == correction.to {
            return;
        }
        match &mut self.counter {
            Counter::Fixed(fixed) => fixed.correct(correction),
            Counter::Moving(moving) => moving.correct(correction, self.rule.amount(), now),
            Counter::Bucket(bucket) => bucket.correct(correction, self.rule.amount(), now),
            Counter::Held(held) => *held = held.saturating_sub(correction.from) + correction.to,
        }
    }

    /// What is left, and when all of it is back.
    pub(crate) fn gauge(&self, now: u64) -> Gauge {
        let limit = self.rule.amount();
        let (used, reset_ms) = match &self.counter {
            Counter::Fixed(fixed) => (fixed.used(), fixed.reset_ms(now)),
            Counter::Moving(moving) => (moving.used(), moving.reset_ms(now)),
            Counter::Bucket(bucket) => {
                return Gauge { limit, remaining: bucket.remaining(), reset_ms: bucket.reset_ms(limit) };
            }
            Counter::Held(held) => (*held, 0),
        };
        Gauge { limit, remaining: limit.saturating_sub(used), reset_ms }
    }

    /// Whether forgetting it changes nothing.
    pub(crate) fn is_idle(&self) -> bool {
        match &self.counter {
            Counter::Fixed(fixed) => fixed.is_idle(),
            Counter::Moving(moving) => moving.used() == 0,
            Counter::Bucket(bucket) => bucket.reset_ms(self.rule.amount()) == 0,
            Counter::Held(held) => *held == 0,
        }
    }
}

/// Whether `need` fits beside `used`. A need of nothing is checked like one: a window that is used up is closed also for
/// those who cannot say how much they will take.
fn fits(used: u64, need: u64, amount: u64) -> bool {
    used.saturating_add(need.max(1)) <= amount || (used == 0 && amount > 0)
}
