//! What is known of some records together: exact counts and sums, the largest values, and the shape of their latencies.

use std::collections::HashSet;

use crate::measure::{Cached, Measure};
use crate::sketch::Sketch;

macro_rules! sums {
    ($($(#[$note:meta])* $name:ident $fold:ident;)*) => {
        /// One number of a cell. The order is that of blocks: a new one comes at the end.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Sum { $($(#[$note])* $name,)* }

        impl Sum {
            pub(crate) const COUNT: usize = [$(Sum::$name),*].len();
            const FOLDS: [Fold; Self::COUNT] = [$(Fold::$fold),*];
        }
    };
}

sums! {
    Requests Add; Success Add; Errors Add; ClientErrors Add; ServerErrors Add; RateLimited Add; Limited Add; ClientsGone Add;
    Broken Add; Streams Add; Attempts Add; FirstFailed Add;
    /// Succeeded after so many retries at the last target; the fifth is for five and more.
    Retried1 Add; Retried2 Add; Retried3 Add; Retried4 Add; Retried5 Add;
    /// Succeeded at another target than the first.
    FellBack Add;
    /// Succeeded although the first attempt failed.
    Rescued Add;
    Unpriced Add; UsageEstimated Add;
    /// With a cost that is known.
    Priced Add;
    WithUsage Add; Prompt Add; Output Add; CacheRead Add; CacheWrite Add; Reasoning Add; Audio Add; Image Add; Searches Add;
    LatencyUs Add; Ttfts Add; TtftUs Add; UpstreamUs Add; WithAttempts Add; Waited Add; WaitedUs Add; RequestBytes Add;
    ResponseBytes Add;
    /// Of streams with eight tokens or more: tokens, and the time in which they came.
    PacedTokens Add; PacedUs Add;
    CacheHits Add; SemanticHits Add; CacheMisses Add; Refreshed Add; CacheHitUs Add; CacheMissUs Add;
    WithUser Add;
    LatencyMost Most; TtftMost Most; WaitedMost Most;
    /// One more than the milliseconds since 1970 at which the first request began.
    First Least;
    Last Most;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    Add,
    Most,
    /// Zero is none.
    Least,
}

/// What the sum with this number becomes.
pub(crate) fn fold(at: usize, own: u64, more: u64) -> u64 {
    match Sum::FOLDS[at] {
        Fold::Add => own.saturating_add(more),
        Fold::Most => own.max(more),
        Fold::Least if own == 0 || more == 0 => own.max(more),
        Fold::Least => own.min(more),
    }
}

/// The sums that add up: what a part has can be taken from the whole.
pub(crate) fn adds_up(at: usize) -> bool {
    Sum::FOLDS[at] == Fold::Add
}

/// Amounts in 10^-12 USD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    Cost,
    /// What hits of the cache would have cost: of the simple one, of the semantic one.
    Saved,
    SavedSemantic,
}

impl Amount {
    pub(crate) const ALL: [Amount; 3] = [Self::Cost, Self::Saved, Self::SavedSemantic];
}

/// Which of a cell's shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Latency,
    Ttft,
}

impl Shape {
    pub(crate) const ALL: [Shape; 2] = [Self::Latency, Self::Ttft];
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub(crate) sums: [u64; Sum::COUNT],
    pub(crate) amounts: [u128; Amount::ALL.len()],
    pub(crate) shapes: [Sketch; Shape::ALL.len()],
    /// Hashes of users' names; in cells that a question made which asked for users.
    pub(crate) users: HashSet<u64, foldhash::fast::FixedState>,
}

impl Default for Cell {
    fn default() -> Self {
        let users = HashSet::with_hasher(foldhash::fast::FixedState::default());
        Self { sums: [0; Sum::COUNT], amounts: Default::default(), shapes: Default::default(), users }
    }
}

impl Cell {
    pub fn sum(&self, sum: Sum) -> u64 {
        self.sums[sum as usize]
    }

    pub fn amount(&self, amount: Amount) -> u128 {
        self.amounts[amount as usize]
    }

    pub fn shape(&self, shape: Shape) -> &Sketch {
        &self.shapes[shape as usize]
    }

    /// How many different users; nobody is none.
    pub fn users(&self) -> u64 {
        self.users.len() as u64
    }

    pub(crate) fn fold(&mut self, at: usize, value: u64) {
        self.sums[at] = fold(at, self.sums[at], value);
    }

    fn put(&mut self, sum: Sum, value: u64) {
        self.fold(sum as usize, value);
    }

    fn count(&mut self, sum: Sum, is: bool) {
        self.sums[sum as usize] += u64::from(is);
    }

    pub fn merge(&mut self, other: &Self) {
        other.sums.iter().enumerate().for_each(|(at, value)| self.fold(at, *value));
        for (own, more) in self.amounts.iter_mut().zip(other.amounts) {
            *own = own.saturating_add(more);
        }
        self.shapes.iter_mut().zip(&other.shapes).for_each(|(own, more)| own.merge(more));
        self.users.extend(&other.users);
    }

    /// Takes a part away again. What does not add up is nothing then, and so are users.
    pub(crate) fn take(&mut self, part: &Self) {
        for (at, (own, less)) in self.sums.iter_mut().zip(part.sums).enumerate() {
            *own = if adds_up(at) { own.saturating_sub(less) } else { 0 };
        }
        for (own, less) in self.amounts.iter_mut().zip(part.amounts) {
            *own = own.saturating_sub(less);
        }
        self.shapes.iter_mut().zip(&part.shapes).for_each(|(own, less)| own.take(less));
        self.users.clear();
    }

    /// `with_shapes`: latencies are wanted, too.
    pub fn add(&mut self, measure: &Measure, with_shapes: bool) {
        let Measure { status, .. } = *measure;
        self.count(Sum::Requests, true);
        self.count(Sum::Success, measure.is_success());
        self.count(Sum::Errors, measure.is_error());
        self.count(Sum::ClientErrors, (400..500).contains(&status));
        self.count(Sum::ServerErrors, status >= 500);
        self.count(Sum::RateLimited, status == 429);
        self.count(Sum::Limited, measure.limited);
        self.count(Sum::ClientsGone, measure.client_gone);
        self.count(Sum::Broken, measure.broken);
        self.count(Sum::Streams, measure.stream);
        self.put(Sum::First, measure.at_ms.saturating_add(1));
        self.put(Sum::Last, measure.at_ms.saturating_add(1));
        self.put(Sum::RequestBytes, measure.request_bytes);
        self.put(Sum::ResponseBytes, measure.response_bytes);
        self.count(Sum::WithUser, measure.has_user);
        self.attempts(measure);
        self.times(measure, with_shapes);
        self.tokens(measure);
        self.cache(measure);
        self.count(Sum::Unpriced, measure.unpriced);
        self.count(Sum::UsageEstimated, measure.usage_estimated);
        if let Some(cost) = measure.cost {
            self.count(Sum::Priced, true);
            self.amounts[Amount::Cost as usize] += u128::from(cost);
        }
    }

    fn attempts(&mut self, measure: &Measure) {
        self.put(Sum::Attempts, measure.attempts);
        self.count(Sum::WithAttempts, measure.attempts > 0);
        self.put(Sum::UpstreamUs, measure.upstream_us);
        self.count(Sum::FirstFailed, measure.first_failed);
        if measure.is_success() {
            self.count(Sum::FellBack, measure.fell_back);
            self.count(Sum::Rescued, measure.first_failed);
            if measure.retries > 0 {
                let at = measure.retries.min(5) as usize - 1;
                self.sums[Sum::Retried1 as usize + at] += 1;
            }
        }
    }

    fn times(&mut self, measure: &Measure, with_shapes: bool) {
        self.put(Sum::LatencyUs, measure.total_us);
        self.put(Sum::LatencyMost, measure.total_us);
        if measure.waited_us > 0 {
            self.count(Sum::Waited, true);
            self.put(Sum::WaitedUs, measure.waited_us);
            self.put(Sum::WaitedMost, measure.waited_us);
        }
        if with_shapes {
            for (shape, sketch) in Shape::ALL.into_iter().zip(&mut self.shapes) {
                measure.shape(shape).into_iter().for_each(|value| sketch.add(value));
            }
        }
        let Some(ttft) = measure.shape(Shape::Ttft) else { return };
        self.count(Sum::Ttfts, true);
        self.put(Sum::TtftUs, ttft);
        self.put(Sum::TtftMost, ttft);
        if let Some(output) = measure.output.filter(|output| *output >= 8 && measure.total_us > ttft) {
            self.put(Sum::PacedTokens, output);
            self.put(Sum::PacedUs, measure.total_us - ttft);
        }
    }

    fn tokens(&mut self, measure: &Measure) {
        let Some((prompt, output)) = measure.prompt.zip(measure.output) else { return };
        self.count(Sum::WithUsage, true);
        for (sum, tokens) in [
            (Sum::Prompt, prompt),
            (Sum::Output, output),
            (Sum::CacheRead, measure.cache_read),
            (Sum::CacheWrite, measure.cache_write),
            (Sum::Reasoning, measure.reasoning),
            (Sum::Audio, measure.audio),
            (Sum::Image, measure.image),
            (Sum::Searches, measure.searches),
        ] {
            self.put(sum, tokens);
        }
    }

    fn cache(&mut self, measure: &Measure) {
        let is_hit = match measure.cache {
            Cached::Off => return,
            Cached::Hit => {
                self.count(Sum::CacheHits, true);
                self.amounts[Amount::Saved as usize] += u128::from(measure.saved);
                true
            }
            Cached::SemanticHit => {
                self.count(Sum::SemanticHits, true);
                self.amounts[Amount::SavedSemantic as usize] += u128::from(measure.saved);
                true
            }
            Cached::Miss | Cached::SemanticMiss => {
                self.count(Sum::CacheMisses, true);
                false
            }
            Cached::Refreshed => {
                self.count(Sum::Refreshed, true);
                false
            }
        };
        self.put(if is_hit { Sum::CacheHitUs } else { Sum::CacheMissUs }, measure.total_us);
    }
}
