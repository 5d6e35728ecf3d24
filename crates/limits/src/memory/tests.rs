use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::decision::Gauge;
use crate::demand::{Layer, Scope};
use crate::permit::{Limits, Permit};
use crate::rule::{Algorithm, Period, Rule};
use crate::testing::{ALGORITHMS, FakeClock, minute, per, rpm, tpm};

use Algorithm::{FixedFromFirstUse, FixedFromLastUse, FixedOnTheClock, Moving, TokenBucket};

const KEY: &str = "key";

fn limits() -> Limits {
    limits_from(0)
}

fn limits_from(epoch_unix_ms: u64) -> Limits {
    Limits::new(Memory::new(MemoryOptions { max_keys: 1_000, epoch_unix_ms }))
}

fn ask(limits: &Limits, rules: &[Rule], tokens: u64, at: u64) -> Result<Permit, Refusal> {
    let layers = [Layer { scope: Scope::ApiKey, id: KEY, rules }];
    limits.admit_now(&Demand { layers: &layers, tokens }, Moment(at))
}

/// Whether a request that uses `tokens` to the last one may pass.
fn passes(limits: &Limits, rules: &[Rule], tokens: u64, at: u64) -> bool {
    ask(limits, rules, tokens, at).map(|permit| permit.settle(tokens, Moment(at))).is_ok()
}

/// How many requests of one token pass at `at`.
fn burst(limits: &Limits, rules: &[Rule], at: u64) -> usize {
    (0..1_000).filter(|_| passes(limits, rules, 1, at)).count()
}

/// Tokens used, as the standing of a request that asks for nothing more tells.
fn used(limits: &Limits, rule: Rule, at: u64) -> u64 {
    let standing = match ask(limits, &[rule], 0, at) {
        Ok(permit) => {
            let standing = permit.standing();
            permit.cancel(Moment(at));
            standing
        }
        Err(refusal) => refusal.standing,
    };
    let gauge = standing.tokens.unwrap();
    gauge.limit - gauge.remaining
}

#[test]
fn windows_at_their_borders() {
    // The process starts 10 s into a minute of the calendar. Pairs: moment, how many of 5 a minute pass then.
    let cases: [(Algorithm, &[(u64, usize)]); 5] = [
        (FixedOnTheClock, &[(0, 5), (1, 0), (49_999, 0), (50_000, 5), (109_999, 0), (110_000, 5)]),
        (FixedFromFirstUse, &[(7, 5), (50_000, 0), (60_006, 0), (60_007, 5), (500_000, 5), (559_999, 0)]),
        (FixedFromLastUse, &[(7, 5), (60_006, 0), (60_007, 5), (120_006, 0), (120_007, 5)]),
        (Moving, &[(0, 5), (59_999, 0), (60_000, 5), (119_999, 0), (120_000, 5), (120_001, 0)]),
        (TokenBucket, &[(0, 5), (11_999, 0), (12_000, 1), (36_000, 2), (96_000, 5), (900_000, 5)]),
    ];
    for (algorithm, bursts) in cases {
        for rule in [rpm(5, algorithm), tpm(5, algorithm)] {
            let limits = limits_from(1_000_000_000_010_000 - 1_000_000_000_010_000 % 60_000 + 10_000);
            for (at, expected) in bursts {
                assert_eq!(burst(&limits, &[rule], *at), *expected, "{algorithm:?} {rule} at {at}");
            }
        }
    }
}

#[test]
fn single_uses_leave_a_moving_window_one_by_one() {
    let limits = limits();
    let rules = [rpm(3, Moving)];
    for at in [0, 10, 20] {
        assert!(ask(&limits, &rules, 0, at).is_ok());
    }
    for (at, expected) in [(59_999, 0), (60_000, 1), (60_009, 0), (60_010, 1), (60_020, 1), (60_021, 0)] {
        assert_eq!(burst(&limits, &rules, at), expected, "{at}");
    }
}

#[test]
fn use_puts_off_the_end_of_an_elastic_window() {
    let limits = limits();
    let rules = [rpm(2, FixedFromLastUse)];
    assert!(passes(&limits, &rules, 0, 0));
    assert!(passes(&limits, &rules, 0, 59_999));
    assert!(!passes(&limits, &rules, 0, 60_000));
    assert!(!passes(&limits, &rules, 0, 119_998), "being refused is no use");
    assert!(passes(&limits, &rules, 0, 119_999));
}

#[test]
fn weeks_begin_on_monday_and_days_at_midnight() {
    const DAY: u64 = 86_400_000;
    // 1970-01-05 was the first Monday.
    for (period, border) in [(Period::Week, 4 * DAY), (Period::Week, 11 * DAY), (Period::Day, 3 * DAY)] {
        let limits = limits();
        let rules = [Rule::requests(1, per(1, period, FixedOnTheClock))];
        assert!(passes(&limits, &rules, 0, border - 1));
        let refusal = ask(&limits, &rules, 0, border - 1).unwrap_err();
        assert_eq!((refusal.retry_after_ms, refusal.retry_after_s()), (1, 1));
        assert!(passes(&limits, &rules, 0, border), "{period:?}");
        assert!(!passes(&limits, &rules, 0, border + 1));
    }
}

#[test]
fn a_refusal_says_which_and_when() {
    for (algorithm, at, retry_after_ms, reset_ms) in [
        (FixedOnTheClock, 10_000, 50_000, 50_000),
        (FixedFromFirstUse, 10_000, 50_000, 50_000),
        (FixedFromLastUse, 10_000, 55_000, 55_000),
        (Moving, 10_000, 50_000, 55_000),
        (TokenBucket, 10_000, 20_000, 50_000),
    ] {
        let limits = limits();
        let (wide, narrow) = ([rpm(100, algorithm)], [rpm(2, algorithm), tpm(50, algorithm)]);
        let layers = [
            Layer { scope: Scope::Workspace, id: "w", rules: &wide },
            Layer { scope: Scope::ApiKey, id: KEY, rules: &narrow },
        ];
        let demand = Demand { layers: &layers, tokens: 10 };
        let first = limits.admit_now(&demand, Moment(0)).unwrap();
        let second = limits.admit_now(&demand, Moment(5_000)).unwrap();
        assert_eq!(second.standing().tokens.unwrap().limit, 50);
        let refusal = limits.admit_now(&demand, Moment(at)).unwrap_err();
        let gauge = Gauge { limit: 2, remaining: 0, reset_ms };
        let cause = Cause::Rule { layer: 1, scope: Scope::ApiKey, rule: narrow[0], gauge };
        assert_eq!((&refusal.cause, refusal.retry_after_ms), (&cause, retry_after_ms), "{algorithm:?}");
        assert_eq!(refusal.standing.requests, Some(gauge));
        assert!(limits.admit_now(&demand, Moment(at + retry_after_ms - 1)).is_err(), "{algorithm:?}");
        assert!(limits.admit_now(&demand, Moment(at + retry_after_ms)).is_ok(), "{algorithm:?}");
        drop((first, second));
    }
}

#[test]
fn when_several_refuse_the_first_is_named_and_the_longest_waited_for() {
    let limits = limits();
    let hour = [Rule::requests(1, per(1, Period::Hour, FixedOnTheClock))];
    let minute = [rpm(1, FixedOnTheClock)];
    let layers = [
        Layer { scope: Scope::ApiKey, id: KEY, rules: &minute },
        Layer { scope: Scope::Ip, id: "::1", rules: &hour },
    ];
    let demand = Demand { layers: &layers, tokens: 0 };
    let _permit = limits.admit_now(&demand, Moment(0)).unwrap();
    let refusal = limits.admit_now(&demand, Moment(1_000)).unwrap_err();
    assert!(matches!(refusal.cause, Cause::Rule { layer: 0, scope: Scope::ApiKey, .. }));
    assert_eq!(refusal.retry_after_ms, 3_599_000);
    assert_eq!(refusal.standing.requests.unwrap().reset_ms, 3_599_000, "of two with nothing left");
}

#[test]
fn a_refusal_charges_nothing() {
    for algorithm in ALGORITHMS {
        let limits = limits();
        let (open, shut) =
            ([rpm(3, algorithm), tpm(30, algorithm), Rule::concurrency(3)], [rpm(0, algorithm)]);
        let layers = [
            Layer { scope: Scope::ApiKey, id: KEY, rules: &open },
            Layer { scope: Scope::Model, id: "m", rules: &shut },
        ];
        for _ in 0..100 {
            assert!(limits.admit_now(&Demand { layers: &layers, tokens: 10 }, Moment(0)).is_err());
        }
        let permits: Vec<_> = (0..4).map(|_| ask(&limits, &open, 10, 0)).collect();
        assert_eq!(permits.iter().filter(|permit| permit.is_ok()).count(), 3, "{algorithm:?}");
    }
}

#[test]
fn tokens_are_reserved_and_corrected() {
    for algorithm in ALGORITHMS {
        let limits = limits();
        let rule = tpm(1_000, algorithm);
        let less = ask(&limits, &[rule], 600, 0).unwrap();
        assert!(ask(&limits, &[rule], 600, 0).is_err(), "the reservation counts");
        less.settle(100, Moment(0));
        assert_eq!(used(&limits, rule, 0), 100, "{algorithm:?}");
        let more = ask(&limits, &[rule], 600, 0).unwrap();
        more.settle(700, Moment(0));
        assert_eq!(used(&limits, rule, 0), 800);
        let failed = ask(&limits, &[rule], 200, 0).unwrap();
        failed.settle(0, Moment(0));
        assert_eq!(used(&limits, rule, 0), 800);
        let mut lost = ask(&limits, &[rule], 200, 0).unwrap();
        lost.note_tokens(7);
        lost.note_tokens(50);
        drop(lost);
        assert_eq!(used(&limits, rule, 0), 850);
        let over = ask(&limits, &[rule], 150, 0).unwrap();
        over.settle(5_000, Moment(0));
        assert_eq!(used(&limits, rule, 0), 1_000, "remaining is never below zero");
        assert!(ask(&limits, &[rule], 0, 0).is_err(), "unknown needs wait as well");
    }
}

#[test]
fn corrections_of_an_earlier_window_leave_the_current_one_alone() {
    for algorithm in ALGORITHMS {
        let limits = limits();
        let rule = tpm(1_000, algorithm);
        let (low, high) = (ask(&limits, &[rule], 500, 0).unwrap(), ask(&limits, &[rule], 100, 0).unwrap());
        let current = ask(&limits, &[rule], 300, 120_000).unwrap();
        low.settle(0, Moment(120_000));
        assert_eq!(used(&limits, rule, 120_000), 300, "{algorithm:?}: nothing given back");
        high.settle(500, Moment(120_000));
        // A bucket has no windows: what was used beyond the estimate is owed.
        let expected = if algorithm == TokenBucket { 700 } else { 300 };
        assert_eq!(used(&limits, rule, 120_000), expected, "{algorithm:?}: nothing added");
        current.settle(300, Moment(120_000));
        assert_eq!(used(&limits, rule, 120_000), expected);
    }
}

#[test]
fn a_request_above_the_whole_limit_passes_alone() {
    for algorithm in ALGORITHMS {
        let limits = limits();
        let rule = tpm(100, algorithm);
        let large = ask(&limits, &[rule], 1_000, 0).unwrap();
        assert_eq!(large.standing().tokens.unwrap().remaining, 0);
        let refusal = ask(&limits, &[rule], 1, 0).unwrap_err();
        assert!(refusal.retry_after_ms > 0);
        large.settle(40, Moment(0));
        assert!(ask(&limits, &[rule], 1_000, 0).is_err(), "not beside others");
        assert!(ask(&limits, &[rule], 60, 0).is_ok(), "{algorithm:?}");
    }
}

#[test]
fn an_amount_of_zero_refuses_everything() {
    for algorithm in ALGORITHMS {
        for rule in [rpm(0, algorithm), tpm(0, algorithm), Rule::concurrency(0)] {
            let refusal = ask(&limits(), &[rule], 5, 0).unwrap_err();
            assert!((1..=60_000).contains(&refusal.retry_after_ms), "{rule} {refusal:?}");
            assert!(ask(&limits(), &[rule], 0, 0).is_err());
        }
    }
}

#[test]
fn places_come_back_however_a_request_ends() {
    let limits = limits();
    let rules = [Rule::concurrency(2)];
    let one = ask(&limits, &rules, 0, 0).unwrap();
    let two = ask(&limits, &rules, 0, 0).unwrap();
    let refusal = ask(&limits, &rules, 0, 999_999_999).unwrap_err();
    assert_eq!((refusal.retry_after_s(), refusal.headers().len()), (1, 1));
    one.settle(5, Moment(0));
    let three = ask(&limits, &rules, 0, 0).unwrap();
    two.cancel(Moment(0));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _four = ask(&limits, &rules, 0, 0).unwrap();
        panic!("a defect while serving");
    }));
    assert!(panicked.is_err());
    let five = ask(&limits, &rules, 0, 0).unwrap();
    assert!(ask(&limits, &rules, 0, 0).is_err());
    drop((three, five));
    assert!(ask(&limits, &rules, 0, 0).is_ok());
}

#[test]
fn cancelling_gives_the_request_back_too() {
    for algorithm in ALGORITHMS {
        let limits = limits();
        let rules = [rpm(1, algorithm), tpm(10, algorithm)];
        for _ in 0..10 {
            ask(&limits, &rules, 10, 0).unwrap().cancel(Moment(0));
        }
        ask(&limits, &rules, 10, 0).unwrap().settle(0, Moment(0));
        assert!(ask(&limits, &rules, 0, 0).is_err(), "{algorithm:?}: a failed request stays counted");
    }
}

#[test]
fn one_name_twice_has_counters_for_each() {
    let limits = limits();
    let (two, three) = ([rpm(2, Moving)], [rpm(3, Moving)]);
    let layer = |rules| Layer { scope: Scope::Policy, id: "p", rules };
    let both = [layer(&two[..]), layer(&three[..])];
    let demand = Demand { layers: &both, tokens: 0 };
    assert!(limits.admit_now(&demand, Moment(0)).is_ok());
    assert!(limits.admit_now(&demand, Moment(0)).is_ok());
    let refusal = limits.admit_now(&demand, Moment(0)).unwrap_err();
    assert!(matches!(refusal.cause, Cause::Rule { layer: 0, gauge: Gauge { remaining: 0, .. }, .. }));
    assert_eq!(limits.store().stats().keys, 2);
}

#[test]
fn more_layers_than_usual() {
    let limits = limits();
    let rules = [rpm(1, FixedOnTheClock), Rule::concurrency(1)];
    let names: Vec<_> = (0..40).map(|i| format!("policy-{i}")).collect();
    let layers: Vec<_> = names.iter().map(|id| Layer { scope: Scope::Policy, id, rules: &rules }).collect();
    let demand = Demand { layers: &layers, tokens: 0 };
    limits.admit_now(&demand, Moment(0)).unwrap().cancel(Moment(0));
    let permit = limits.admit_now(&demand, Moment(0)).unwrap();
    for i in 0..40 {
        let refusal = limits.admit_now(&Demand { layers: &layers[i..=i], tokens: 0 }, Moment(0));
        assert!(refusal.is_err(), "layer {i} was charged");
    }
    drop(permit);
    assert!(limits.admit_now(&demand, Moment(60_000)).is_ok());
}

#[test]
fn a_changed_rule_keeps_the_usage_that_it_can() {
    let limits = limits();
    let held = ask(&limits, &[rpm(2, Moving), tpm(100, Moving)], 90, 0).unwrap();
    let raised = [tpm(200, Moving), rpm(3, Moving)];
    assert_eq!(used(&limits, raised[0], 0), 90, "also when a rule is taken away");
    assert_eq!(burst(&limits, &[rpm(3, Moving), tpm(200, Moving)], 0), 3, "the count began anew");
    held.settle(10, Moment(0));
    assert_eq!(used(&limits, tpm(200, Moving), 0), 13);
    assert_eq!(used(&limits, tpm(200, FixedOnTheClock), 0), 0, "another way to count");
}

#[test]
fn a_permit_from_before_a_rule_gives_it_nothing() {
    let limits = limits();
    let early = ask(&limits, &[rpm(9, Moving)], 0, 0).unwrap();
    let rules = [rpm(9, Moving), Rule::concurrency(1)];
    let late = ask(&limits, &rules, 0, 0).unwrap();
    early.settle(0, Moment(0));
    assert!(ask(&limits, &rules, 0, 0).is_err(), "the place belongs to the later one");
    drop(late);
    assert!(ask(&limits, &rules, 0, 0).is_ok());
}

#[test]
fn idle_keys_are_forgotten_and_busy_ones_kept() {
    for algorithm in ALGORITHMS {
        let limits = limits();
        let rules = [rpm(5, algorithm), Rule::concurrency(5)];
        let admit = |id: &str, at| {
            let layers = [Layer { scope: Scope::Ip, id, rules: &rules }];
            limits.admit_now(&Demand { layers: &layers, tokens: 0 }, Moment(at)).unwrap()
        };
        let held = admit("held", 0);
        (0..100).for_each(|i| drop(admit(&format!("ip-{i}"), 0)));
        assert_eq!((limits.store().sweep(Moment(11_999)), limits.store().stats().keys), (0, 101));
        assert_eq!(limits.store().sweep(Moment(60_000)), 100, "{algorithm:?}");
        assert_eq!(limits.store().stats(), MemoryStats { keys: 1, evicted: 100, no_room: 0 });
        drop(held);
        assert_eq!(limits.store().sweep(Moment(60_000)), 1);
    }
}

#[test]
fn traffic_alone_keeps_memory_bounded() {
    let limits = Limits::new(Memory::new(MemoryOptions { max_keys: 500, epoch_unix_ms: 0 }));
    let rules = [Rule::requests(5, per(1, Period::Second, FixedOnTheClock))];
    for i in 0..100_000u64 {
        let id = format!("ip-{i}");
        let layers = [Layer { scope: Scope::Ip, id: &id, rules: &rules }];
        let permit = limits.admit_now(&Demand { layers: &layers, tokens: 0 }, Moment(i * 10));
        assert!(permit.is_ok(), "{i}");
    }
    let stats = limits.store().stats();
    assert!(stats.keys < 400 && stats.evicted > 99_000 && stats.no_room == 0, "{stats:?}");
}

#[test]
fn a_full_store_refuses_new_keys_and_keeps_the_old() {
    let limits = Limits::new(Memory::new(MemoryOptions { max_keys: 10, epoch_unix_ms: 0 }));
    let rules = [rpm(1, FixedOnTheClock)];
    let admit = |id: u64, at| {
        let id = id.to_string();
        let layers = [Layer { scope: Scope::Ip, id: &id, rules: &rules }];
        limits.admit_now(&Demand { layers: &layers, tokens: 0 }, Moment(at)).map(drop)
    };
    (0..10).for_each(|id| admit(id, 0).unwrap());
    let refusal = admit(10, 0).unwrap_err();
    assert_eq!((refusal.cause, refusal.retry_after_ms), (Cause::NoRoom, 1_000));
    assert!(matches!(admit(3, 0).unwrap_err().cause, Cause::Rule { .. }), "nobody got a fresh limit");
    assert_eq!(limits.store().stats().no_room, 1);
    assert!((0..20).any(|_| admit(10, 60_000).is_ok()), "idle ones make room");
}

#[test]
fn time_that_goes_back_is_not_believed() {
    for algorithm in ALGORITHMS {
        let limits = limits();
        let rules = [rpm(2, algorithm)];
        assert!(passes(&limits, &rules, 0, 60_000));
        let permit = ask(&limits, &rules, 0, 59_999).unwrap();
        assert_eq!(permit.at(), Moment(60_000));
        assert!(!passes(&limits, &rules, 0, 0), "{algorithm:?}");
    }
    for at in [u64::MAX, 0, u64::MAX] {
        let limits = limits_from(u64::MAX);
        for algorithm in ALGORITHMS {
            let rules = [rpm(u64::MAX, algorithm), tpm(u64::MAX, algorithm)];
            assert!(passes(&limits, &rules, u64::MAX, at));
        }
    }
}

#[test]
fn no_rules_ask_nothing() {
    let limits = limits();
    let permit = ask(&limits, &[], 5, 0).unwrap();
    assert!(permit.standing().headers().is_empty());
    assert_eq!(limits.store().stats().keys, 0);
    assert!(limits.admit_now(&Demand { layers: &[], tokens: 1 }, Moment(0)).is_ok());
}

#[test]
fn memory_answers_a_future_at_once() {
    let clock = FakeClock::default();
    let limits = Limits::new(Memory::new(MemoryOptions::new(&clock)));
    let rules = [Rule::requests(1, minute(Moving))];
    let layers = [Layer { scope: Scope::User, id: "u", rules: &rules }];
    let demand = Demand { layers: &layers, tokens: 0 };
    let poll = |limits: &Limits| match pin!(limits.admit(&demand, clock.now()))
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("pending"),
    };
    assert!(poll(&limits).is_ok());
    assert!(matches!(poll(&limits.clone()), Err(Denial::Refused(_))));
}
