//! Many threads at one limit: never one too many, and none too few.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tidegate_core::{Clock, Moment};

use crate::demand::{Demand, Layer, Scope};
use crate::permit::Limits;
use crate::rule::{Algorithm, Rule};
use crate::testing::{ALGORITHMS, FakeClock, rpm, tpm};

use super::{Memory, MemoryOptions};

const THREADS: usize = 64;
const MINUTE: u64 = 60_000;

fn limits(clock: &FakeClock) -> Limits {
    Limits::new(Memory::new(MemoryOptions::new(clock)))
}

/// Runs `work` on all threads and gives what they return.
fn together<T: Send>(work: impl Fn(usize) -> Vec<T> + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|i| scope.spawn(move || work(i))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// When requests were charged in five minutes under 100 a minute, while each thread moves the clock now and then.
fn five_minutes(algorithm: Algorithm) -> Vec<u64> {
    let clock = FakeClock::default();
    let limits = limits(&clock);
    let (narrow, wide) = ([rpm(100, algorithm)], [rpm(10_000, algorithm)]);
    let mut times = together(|i| {
        let key = format!("key-{i}");
        let layers = [
            Layer { scope: Scope::ApiKey, id: &key, rules: &wide },
            Layer { scope: Scope::Workspace, id: "w", rules: &narrow },
        ];
        let demand = Demand { layers: &layers, tokens: 0 };
        let mut times = Vec::new();
        for turn in 0.. {
            let now = clock.now();
            if now.0 >= 5 * MINUTE {
                break;
            }
            times.extend(limits.admit_now(&demand, now).map(|permit| permit.at().0));
            if turn % 10 == i % 10 {
                clock.0.fetch_add(29, Ordering::SeqCst);
            }
        }
        times
    });
    times.retain(|at| *at < 5 * MINUTE);
    times.sort_unstable();
    times
}

#[test]
fn a_hundred_a_minute_through_five_windows() {
    let times = five_minutes(Algorithm::FixedOnTheClock);
    for window in 0..5 {
        let count = times.iter().filter(|at| **at / MINUTE == window).count();
        assert_eq!(count, 100, "window {window}");
    }
}

#[test]
fn a_hundred_in_any_sixty_seconds() {
    let times = five_minutes(Algorithm::Moving);
    let most = times.iter().map(|from| {
        let until = times.partition_point(|at| *at < from + MINUTE);
        until - times.partition_point(|at| at < from)
    });
    assert_eq!(most.max(), Some(100));
    assert!(times.len() > 400, "{}", times.len());
}

#[test]
fn exactly_the_amount_and_no_partial_charge() {
    for algorithm in ALGORITHMS {
        let clock = FakeClock::default();
        let limits = limits(&clock);
        // Each thread has a key that can take more than its share of the workspace.
        let (own, shared) = ([rpm(50, algorithm)], [rpm(1_000, algorithm), tpm(30_000, algorithm)]);
        let ask = |i: usize, rounds: usize| {
            let key = format!("key-{i}");
            let layers = [
                Layer { scope: Scope::ApiKey, id: &key, rules: &own },
                Layer { scope: Scope::Workspace, id: "w", rules: &shared },
            ];
            let demand = Demand { layers: &layers, tokens: 10 };
            (0..rounds)
                .filter(|_| limits.admit_now(&demand, Moment(0)).map(|p| p.settle(30, Moment(0))).is_ok())
                .count()
        };
        let admitted: usize = together(|i| vec![ask(i, 100)]).into_iter().sum();
        assert_eq!(admitted, 1_000, "{algorithm:?}");
        // What the workspace refused was not charged to the keys.
        let left: usize = (0..THREADS)
            .map(|i| {
                let key = format!("key-{i}");
                let layers = [Layer { scope: Scope::ApiKey, id: &key, rules: &own }];
                let demand = Demand { layers: &layers, tokens: 0 };
                (0..100).filter(|_| limits.admit_now(&demand, Moment(0)).is_ok()).count()
            })
            .sum();
        assert_eq!(admitted + left, THREADS * 50, "{algorithm:?}");
    }
}

#[test]
fn never_more_at_once_than_allowed() {
    let clock = FakeClock::default();
    let limits = limits(&clock);
    let rules = [Rule::concurrency(8)];
    let (running, most) = (AtomicU64::new(0), AtomicU64::new(0));
    let admitted: usize = together(|_| {
        let layers = [Layer { scope: Scope::ApiKey, id: "k", rules: &rules }];
        let demand = Demand { layers: &layers, tokens: 0 };
        let admitted = (0..400).filter(|_| {
            let Ok(_permit) = limits.admit_now(&demand, Moment(0)) else { return false };
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            true
        });
        vec![admitted.count()]
    })
    .into_iter()
    .sum();
    assert!(admitted > 0);
    assert!((2..=8).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    let layers = [Layer { scope: Scope::ApiKey, id: "k", rules: &rules }];
    let demand = Demand { layers: &layers, tokens: 0 };
    let all: Vec<_> = std::iter::from_fn(|| limits.admit_now(&demand, Moment(0)).ok()).take(100).collect();
    assert_eq!(all.len(), 8, "every place came back");
}
