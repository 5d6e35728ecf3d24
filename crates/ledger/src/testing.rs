//! What the tests of this crate share: amounts in a word, chance that can be repeated, and a clock that is moved.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use tidegate_core::{Clock, Moment};
use tidegate_pricing::Money;

use crate::amount::Amount;
use crate::budget::{Budget, Limit, Reset, Scope, Unit};
use crate::desk::{BudgetId, Charge, Demand};

pub(crate) const DAY: u64 = 86_400_000;

pub(crate) fn usd(text: &str) -> Money {
    text.parse().unwrap()
}

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// So many hundred-thousandths of a USD.
pub(crate) fn tiny(count: u64) -> Money {
    usd(&format!("{}.{:05}", count / 100_000, count % 100_000))
}

pub(crate) fn budget(id: &str, usd: &str, reset: Reset, alerts: &[&str]) -> Budget {
    let alerts = alerts.iter().map(|alert| amount(alert)).collect();
    Budget::new(Scope::ApiKey, id, Limit::new(Unit::Usd, amount(usd), reset, alerts).unwrap())
}

pub(crate) fn tokens(id: &str, count: u64, reset: Reset) -> Budget {
    let limit = Limit::new(Unit::Tokens, Amount::tokens(count), reset, Vec::new()).unwrap();
    Budget::new(Scope::Workspace, id, limit)
}

pub(crate) fn demand(budgets: &[BudgetId], cost: Money) -> Demand<'_> {
    Demand { budgets, cost: Some(cost), tokens: 0, least: None, request: "req", trace: "trace" }
}

pub(crate) fn cost(cost: Money) -> Charge {
    Charge { cost: Some(cost), tokens: 0, estimated: false }
}

/// Drives a future to its end on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let (waker, mut future) = (Arc::new(Unpark(thread::current())).into(), pin!(future));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
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
}

/// Starts at zero, on 1970-01-01.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeClock(pub(crate) Arc<AtomicU64>);

impl FakeClock {
    pub(crate) fn set(&self, unix_ms: u64) {
        self.0.store(unix_ms, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Moment {
        Moment(self.unix_ms())
    }

    fn unix_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
