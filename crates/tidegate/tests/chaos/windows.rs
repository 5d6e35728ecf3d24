//! A hundred requests a window, asked of three replicas by sixty-four clients.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_core::{Clock, SystemClock};
use tidegate_store::entity::Limits;
use tidegate_testkit::Server;

use crate::crowd::{Answered, Crowd};
use crate::fleet::Fleet;
use crate::is_full;
use crate::tenant::per_minute;
use crate::till::Till;

const LIMIT: u64 = 100;
const WINDOWS: u64 = 5;

/// Milliseconds since 1970 of a moment of this process. Redis runs on the same machine, so its clock is this one.
struct Calendar {
    unix_ms: u64,
    at: Instant,
}

impl Calendar {
    fn now() -> Self {
        Self { unix_ms: SystemClock::new().unix_ms(), at: Instant::now() }
    }

    fn of(&self, moment: Instant) -> u64 {
        self.unix_ms + u64::try_from(moment.duration_since(self.at).as_millis()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_window_lets_one_too_many_through() {
    let short = || vec![json!({"type": "requests", "unit": "2seconds", "value": LIMIT})];
    let (limits, length) = match is_full() {
        true => (per_minute(LIMIT), 60_000),
        false => (Limits { rates: short(), ..Limits::default() }, 2_000),
    };
    let upstream = Server::start(Till::new(Duration::from_millis(20))).await;
    // A Redis that is slow on a busy machine is not taken for one that is away.
    let settings = [("TIDEGATE_REDIS_WHEN_AWAY", "refuse"), ("TIDEGATE_REDIS_TIMEOUT", "5s")];
    let mut fleet = Fleet::start(&upstream, limits, &settings).await;
    let calendar = Calendar::now();
    let first = calendar.unix_ms / length;
    let crowd = Crowd::start(&fleet.addresses(), &fleet.key);
    while calendar.of(Instant::now()) / length < first + WINDOWS + 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let tally = crowd.stop().await;
    let last = calendar.of(Instant::now()) / length;
    fleet.stop().await;

    // A window in which an answer surely was admitted: it was asked and received within.
    let answers = tally.answers.lock().unwrap();
    let window = |answer: &Answered| {
        let (asked, received) = (calendar.of(answer.asked) / length, calendar.of(answer.received) / length);
        (asked == received).then_some(asked)
    };
    let (mut sure, mut by_left) = (BTreeMap::<u64, u64>::new(), BTreeMap::<u64, u64>::new());
    for answer in answers.iter() {
        *by_left.entry(answer.left.unwrap()).or_default() += 1;
        if let Some(window) = window(answer) {
            *sure.entry(window).or_default() += 1;
        }
    }
    let windows = last - first + 1;
    println!(
        "windows: {} of {LIMIT} in {windows} windows of {length} ms; surely within one: {sure:?}; {:?}",
        answers.len(),
        tally.statuses.lock().unwrap(),
    );
    assert!(sure.values().all(|count| *count <= LIMIT), "{sure:?}");
    // Every place of a window is given once.
    assert!(by_left.iter().all(|(left, count)| *left < LIMIT && *count <= windows), "{by_left:?}");
    assert!(answers.len() as u64 <= windows * LIMIT);
    assert_eq!(answers.len() as u64, upstream.handler().served());
    // And all of it can be used: every window between the first and the last is full.
    assert!(answers.len() as u64 >= WINDOWS * LIMIT, "{} answers", answers.len());
    assert_eq!(tally.statuses.lock().unwrap().keys().copied().collect::<Vec<_>>(), [200, 429]);
}
