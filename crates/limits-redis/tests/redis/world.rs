//! What the tests share: a clock that is moved, chance that can be repeated, rules in a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tidegate_core::{Clock, Moment, Secret};
use tidegate_limits::store::Store;
use tidegate_limits::{Algorithm, Demand, Denial, Layer, Limits, Period, Permit, Rule, Scope, Span, Window};
use tidegate_limits_redis::{Options, Redis, Time};

use tidegate_testkit::Redis as Server;

pub(crate) const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::FixedOnTheClock,
    Algorithm::FixedFromFirstUse,
    Algorithm::FixedFromLastUse,
    Algorithm::Moving,
    Algorithm::TokenBucket,
];

#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }

    fn unix_ms(&self) -> u64 {
        self.now().0
    }
}

pub(crate) fn clock() -> Arc<TestClock> {
    Arc::default()
}

/// SplitMix64.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

pub(crate) fn per(count: u32, period: Period, algorithm: Algorithm) -> Window {
    Window { span: Span::new(count, period).unwrap(), algorithm }
}

pub(crate) fn rpm(amount: u64, algorithm: Algorithm) -> Rule {
    Rule::requests(amount, per(1, Period::Minute, algorithm))
}

/// Of this server, with a timeout that a busy machine keeps.
pub(crate) fn options(server: &Server, time: Time) -> Options {
    let timeout = Duration::from_secs(20);
    Options { time, timeout, probe: Duration::from_millis(10), ..Options::new(Secret::from(server.url())) }
}

pub(crate) async fn replica(options: Options) -> Limits<Redis> {
    Limits::new(Redis::open(options, clock()).await.unwrap())
}

/// One layer, for the key `id`.
pub(crate) async fn ask<S: Store>(
    limits: &Limits<S>,
    id: &str,
    rules: &[Rule],
    tokens: u64,
    now: u64,
) -> Result<Permit<S>, Denial> {
    let layers = [Layer { scope: Scope::ApiKey, id, rules }];
    limits.admit(&Demand { layers: &layers, tokens }, Moment(now)).await
}

/// Waits until something is so, which it must be soon.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waiting)
        .await
        .unwrap_or_else(|_| panic!("not so: {what}"));
}
