//! What the tests share: a directory of their own, a clock that is moved, amounts in a word.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tidegate_core::{Clock, Moment, SystemClock};
use tidegate_ledger::{Amount, Budget, Claim, Limit, Reset, Scope, Unit};
use tidegate_ledger_postgres::{Options, Postgres};
use tidegate_pricing::Money;

use crate::server::Server;

pub(crate) const DAY: u64 = 86_400_000;

/// A directory that goes with the test.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tidegate-ledger-postgres-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Begins now: the server has a clock too.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(SystemClock::new().unix_ms()))
    }

    pub(crate) fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment(self.unix_ms())
    }

    fn unix_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
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

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// So many millionths of a USD.
pub(crate) fn tiny(count: u64) -> Money {
    format!("{}.{:06}", count / 1_000_000, count % 1_000_000).parse().unwrap()
}

pub(crate) fn budget(id: &str, usd: &str, reset: Reset) -> Budget {
    Budget::new(Scope::ApiKey, id, Limit::new(Unit::Usd, amount(usd), reset, Vec::new()).unwrap())
}

pub(crate) fn claim(budget: &Budget, least: &str, want: &str) -> Claim {
    claim_at(budget, 0, least, want)
}

pub(crate) fn claim_at(budget: &Budget, period_start: u64, least: &str, want: &str) -> Claim {
    Claim { budget: budget.clone(), period_start, least: amount(least), want: amount(want) }
}

pub(crate) async fn pool(server: &Server, holder: &str) -> Postgres {
    let options = Options {
        patience: Duration::from_secs(30),
        pause: Duration::from_millis(5),
        ..Options::new(holder)
    };
    Postgres::open(server.config(), options).await.unwrap()
}

pub(crate) async fn claimed(pool: &Postgres, budget: &Budget) -> Amount {
    pool.outstanding(budget).await.unwrap().into_iter().map(|held| held.amount).sum()
}

/// Waits until so much is claimed, which must be soon.
pub(crate) async fn becomes(pool: &Postgres, budget: &Budget, goal: Amount) {
    let waiting = async {
        while claimed(pool, budget).await != goal {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(120), waiting).await.is_err() {
        panic!("{:?} should be {goal}", pool.outstanding(budget).await);
    }
}
