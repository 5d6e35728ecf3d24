use tidegate_core::Fault;

use super::*;
use crate::plan::HedgePolicy;

fn target(provider: &str) -> Target {
    Target::new(provider)
}

fn failure() -> Outcome {
    Outcome::of_status(500)
}

fn fail(health: &Health, target: &Target, times: u32, at: Moment) {
    for _ in 0..times {
        health.begin(target, false, at);
        health.record(&target.key, &failure(), at);
    }
}

#[test]
fn only_the_providers_own_failures_open_the_circuit() {
    let callers = [400, 401, 403, 404, 413, 422];
    let health = Health::new();
    let a = target("a");
    for status in callers {
        for _ in 0..20 {
            health.begin(&a, false, Moment(1));
            health.record(&a.key, &Outcome::of_status(status), Moment(1));
        }
    }
    assert_eq!(health.state(&a.key, Moment(1)), CircuitState::Closed);

    let b = target("b");
    fail(&health, &b, 5, Moment(1));
    assert_eq!(health.state(&b.key, Moment(1)), CircuitState::Open);
    assert!(!health.is_available(&b, Moment(1)));
    assert!(health.is_available(&a, Moment(1)));
}

#[test]
fn a_switched_off_breaker_never_opens() {
    let health = Health::new();
    let mut a = target("a");
    a.circuit = None;
    fail(&health, &a, 50, Moment(1));
    assert_eq!(health.state(&a.key, Moment(1)), CircuitState::Closed);
    assert!(health.is_available(&a, Moment(1)));
}

#[test]
fn hedging_at_the_percentile_waits_until_it_is_known_and_affordable() {
    let health = Health::new();
    let mut a = target("a");
    a.hedge = Some(HedgePolicy { after: HedgeAfter::P95, max_share: 0.1 });
    let mut offered = Vec::new();
    for _ in 0..40 {
        offered.push(health.begin(&a, false, Moment(1)));
        health.record(&a.key, &Outcome { first_byte_ms: Some(100), ..Outcome::default() }, Moment(1));
    }
    assert!(offered[..20].iter().all(Option::is_none));
    assert!(offered[20..].iter().all(|ms| ms.is_some_and(|ms| (100..125).contains(&ms))), "{offered:?}");
    let taken = (0..40).filter(|_| health.take_hedge(&a.key, Moment(1))).count();
    assert_eq!(taken, 4, "a tenth of 40 calls");
    assert_eq!(health.begin(&a, false, Moment(1)), None, "the share is used up");
}

#[test]
fn unknown_upstreams_are_healthy() {
    let health = Health::new();
    let a = target("a");
    assert_eq!(health.state(&a.key, Moment(1)), CircuitState::Closed);
    assert_eq!(health.first_byte_ms(&a.key), None);
    assert!(health.take_retry(&a.key, Moment(1)));
    assert!(!health.take_hedge(&a.key, Moment(1)));
    health.record(&a.key, &failure(), Moment(1));
    assert!(health.snapshot(Moment(1)).is_empty());
}

#[test]
fn memory_is_bounded_and_the_longest_unused_goes_first() {
    let health = Health::new();
    let name = |i: usize| format!("p{i}");
    let (first, used) = (target("first"), target("used"));
    health.begin(&first, false, Moment(0));
    let last = Health::MAX_KEYS * 2;
    for i in 1..=last {
        health.begin(&used, false, Moment(i as u64));
        health.begin(&target(&name(i)), false, Moment(i as u64));
    }
    let rows = health.snapshot(Moment(0));
    assert!(rows.len() <= Health::MAX_KEYS);
    let knows = |key: TargetKey| rows.iter().any(|row| row.key == key);
    assert!(!knows(first.key) && !knows(target(&name(1)).key));
    assert!(knows(used.key) && (last - 100..=last).all(|i| knows(target(&name(i)).key)));
}

#[test]
fn calls_that_were_not_made_say_nothing_about_the_upstream() {
    let health = Health::new();
    let a = target("a");
    let exception = Outcome { gateway_exception: true, fault: Fault::Provider, ..Outcome::of_status(500) };
    let denied = Outcome { denied_before_call: true, ..Outcome::of_status(446) };
    for _ in 0..50 {
        health.begin(&a, false, Moment(1));
        health.record(&a.key, &exception, Moment(1));
    }
    assert_eq!(health.state(&a.key, Moment(1)), CircuitState::Closed);

    fail(&health, &a, 50, Moment(1));
    let later = Moment(20_000);
    for outcome in [exception, denied] {
        health.begin(&a, false, later);
        health.record(&a.key, &outcome, later);
        assert_eq!(health.state(&a.key, later), CircuitState::HalfOpen);
    }
}

#[test]
fn failures_are_not_fast_answers() {
    let health = Health::new();
    let a = target("a");
    health.begin(&a, false, Moment(1));
    health.record(&a.key, &Outcome { first_byte_ms: Some(1), ..failure() }, Moment(1));
    assert_eq!(health.first_byte_ms(&a.key), None);
    health.record(&a.key, &Outcome { first_byte_ms: Some(80), ..Outcome::default() }, Moment(1));
    assert_eq!(health.first_byte_ms(&a.key), Some(80.0));
}

#[test]
fn a_snapshot_says_what_metrics_need() {
    let health = Health::new();
    let mut a = target("openai");
    a.custom_host = Some("https://eu.example.com".into());
    fail(&health, &a, 2, Moment(1));
    health.begin(&a, false, Moment(1));
    health.record(&a.key, &Outcome { first_byte_ms: Some(40), ..Outcome::default() }, Moment(1));
    let rows = health.snapshot(Moment(1));
    assert_eq!(rows.len(), 1);
    assert_eq!(&*rows[0].label, "openai https://eu.example.com");
    assert_eq!((rows[0].calls, rows[0].failures, rows[0].first_byte_ms), (3, 2, Some(40.0)));
}
