use serde_json::{Value, json};
use tidegate_core::Moment;

use crate::testing::{Road, Trip, plan};
use crate::walk::Outcome;

/// A single target with this `retry`, no jitter unless it says so; outcomes one after the other, the last one
/// repeated.
fn trip_of(road: &mut Road, mut retry: Value, outcomes: &[Outcome]) -> Trip {
    if let Some(members) = retry.as_object_mut() {
        members.entry("jitter").or_insert(json!(false));
    }
    let plan = plan(&json!({"provider": "openai", "api_key": "k", "retry": retry}));
    let mut outcomes = outcomes.iter();
    let mut last = Outcome::default();
    road.travel(&plan, |_, _| {
        last = outcomes.next().copied().unwrap_or(last);
        last
    })
}

/// Waits before each retry, and the final count.
fn waits(retry: Value, outcomes: &[Outcome]) -> (Vec<u64>, i32) {
    let trip = trip_of(&mut Road::new(), retry, outcomes);
    let wait = |tried: &String| tried.rsplit('+').next().and_then(|ms| ms.parse().ok()).unwrap();
    (trip.tries[1..].iter().map(wait).collect(), trip.end.unwrap())
}

fn status(status: u16) -> Outcome {
    Outcome::of_status(status)
}

fn asking(status: u16, retry_after_ms: u64) -> Outcome {
    Outcome { retry_after_ms: Some(retry_after_ms), ..Outcome::of_status(status) }
}

fn refused() -> Outcome {
    Outcome { network: true, ..Outcome::of_status(500) }
}

fn timed_out() -> Outcome {
    Outcome { timed_out: true, network: true, ..Outcome::of_status(408) }
}

#[test]
fn counts_and_backoff() {
    let ok = status(200);
    let cases: Vec<(Value, Vec<Outcome>, Vec<u64>, i32)> = vec![
        (json!({"attempts": 0}), vec![status(500)], vec![], 0),
        (json!({"attempts": 2}), vec![status(500), ok], vec![1_000], 1),
        (json!({"attempts": 1}), vec![status(503)], vec![1_000], -1),
        (json!({"attempts": 2}), vec![status(400)], vec![], 0),
        (json!({"attempts": 2}), vec![status(500), status(400)], vec![1_000], 1),
        (json!({"attempts": 1, "on_status_codes": [400]}), vec![status(400), ok], vec![1_000], 1),
        (json!({"attempts": 1, "on_status_codes": [400]}), vec![status(500)], vec![], 0),
        (json!({"attempts": 1, "on_status_codes": []}), vec![status(500)], vec![], 0),
        (json!({"attempts": 1, "on_status_codes": [200]}), vec![ok], vec![1_000], -1),
        (json!({"attempts": 5}), vec![status(502)], vec![1_000, 2_000, 4_000, 8_000, 16_000], -1),
        (json!({"attempts": 3, "max_wait_ms": 1_500}), vec![status(504)], vec![1_000, 1_500, 1_500], -1),
        (json!({"count": 1}), vec![status(500)], vec![1_000], -1),
        // No status from the upstream: retried whatever the list says; -1 only if the gateway's own status is
        // listed.
        (json!({"attempts": 1}), vec![refused()], vec![1_000], -1),
        (json!({"attempts": 1, "on_status_codes": [429]}), vec![refused()], vec![1_000], 1),
        (json!({"attempts": 0}), vec![refused()], vec![], 0),
        (json!({"attempts": 1}), vec![timed_out()], vec![], 0),
        (json!({"attempts": 1, "on_status_codes": [408]}), vec![timed_out()], vec![1_000], -1),
    ];
    for (retry, outcomes, expected, count) in cases {
        assert_eq!(waits(retry.clone(), &outcomes), (expected, count), "{retry} {outcomes:?}");
    }
}

#[test]
fn waits_that_the_provider_asks_for() {
    let ok = status(200);
    let honour = |attempts: u32| json!({"attempts": attempts, "use_retry_after_header": true});
    let cases: Vec<(Value, Vec<Outcome>, Vec<u64>, i32)> = vec![
        (honour(1), vec![asking(429, 10), ok], vec![10], 1),
        (json!({"attempts": 1}), vec![asking(429, 10), ok], vec![1_000], 1),
        (honour(1), vec![asking(429, 0), ok], vec![1_000], 1),
        (honour(1), vec![status(429), ok], vec![1_000], 1),
        (honour(1), vec![asking(429, 60_000)], vec![], -1),
        (honour(1), vec![asking(429, 59_999), ok], vec![59_999], 1),
        (honour(3), vec![asking(429, 40_000), asking(429, 20_001)], vec![40_000], -1),
        (honour(3), vec![asking(429, 40_000), asking(429, 20_000), ok], vec![40_000, 20_000], 2),
        // Once waited as asked, other retries come at once.
        (honour(3), vec![asking(429, 10), status(500), status(429), ok], vec![10, 0, 0], 3),
        (honour(1), vec![asking(500, 10), ok], vec![1_000], 1),
        (honour(1), vec![asking(503, 10), ok], vec![10], 1),
        (
            json!({"attempts": 1, "use_retry_after_header": true, "on_status_codes": [529]}),
            vec![asking(529, 10), ok],
            vec![10],
            1,
        ),
        (
            json!({"attempts": 1, "use_retry_after_header": true, "on_status_codes": [500]}),
            vec![asking(429, 10)],
            vec![],
            0,
        ),
        (
            json!({"attempts": 1, "use_retry_after_header": true, "max_wait_ms": 100}),
            vec![asking(429, 101)],
            vec![],
            -1,
        ),
    ];
    for (retry, outcomes, expected, count) in cases {
        assert_eq!(waits(retry.clone(), &outcomes), (expected, count), "{retry} {outcomes:?}");
    }
}

#[test]
fn outcomes_that_no_retry_can_help() {
    let exception = Outcome { gateway_exception: true, ..status(500) };
    let denied = Outcome { denied_before_call: true, ..status(446) };
    let told = Outcome { provider_said_no_retry: true, ..status(500) };
    let retry = || json!({"attempts": 2, "on_status_codes": [446, 500]});
    assert_eq!(waits(retry(), &[exception]), (vec![], 0));
    assert_eq!(waits(retry(), &[denied]), (vec![], 0));
    assert_eq!(waits(retry(), &[told]), (vec![], -1));
    assert_eq!(waits(retry(), &[status(500), exception]), (vec![1_000], 1));
}

#[test]
fn an_answer_refused_by_a_guardrail_is_asked_for_again_at_once() {
    let retry = json!({"attempts": 2, "on_status_codes": [446]});
    assert_eq!(waits(retry, &[status(446)]), (vec![0, 0], -1));
    let retry = json!({"attempts": 2, "on_status_codes": [246]});
    assert_eq!(waits(retry, &[status(246), status(200)]), (vec![0], 1));
}

#[test]
fn jitter_spreads_over_the_upper_half() {
    for (drawn, expected) in [(0.0, [500, 1_000]), (0.5, [750, 1_500]), (0.999_999, [999, 1_999])] {
        let mut road = Road::new();
        road.draw = Box::new(move || drawn);
        let trip = trip_of(&mut road, json!({"attempts": 2, "jitter": true}), &[status(500)]);
        let [first, second] = expected;
        assert_eq!(trip.tries[1..], [format!("config#1+{first}"), format!("config#2+{second}")]);
    }
}

#[test]
fn a_budget_bounds_retries_over_all_requests() {
    let mut road = Road::new();
    let mut retries = 0;
    for _ in 0..1_000 {
        let trip = trip_of(&mut road, json!({"attempts": 1, "budget": 0.1}), &[status(500)]);
        assert_eq!(trip.end, Ok(-1));
        retries += trip.tries.len() - 1;
        // The waits alone would earn new retries: this is about a burst.
        road.now = Moment(1_000);
    }
    assert!((100..=120).contains(&retries), "a reserve of 10, then a tenth: {retries}");
}
