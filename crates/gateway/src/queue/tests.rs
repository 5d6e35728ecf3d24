use tidegate_core::Clock;
use tidegate_limits::{Layer, Rule, Scope, Span, Window, rule};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::control::Control;
use crate::log::Log;
use crate::snapshot::Surroundings;
use crate::state::Snapshot;

const WIDE: QueueRules = QueueRules { max_len: 100, max_per_key: 100, max_wait_ms: 600_000 };

/// The runtime's own clock, which tests stop and move.
struct Stopped(Instant);

impl Clock for Stopped {
    fn now(&self) -> Moment {
        Moment(u64::try_from(self.0.elapsed().as_millis()).unwrap())
    }

    fn unix_ms(&self) -> u64 {
        self.now().0
    }
}

fn gateway() -> Arc<Gateway> {
    let clock = Arc::new(Stopped(Instant::now()));
    let snapshot = Snapshot::new(&tidegate_settings::Settings::default(), Surroundings::default(), None);
    Gateway::new(snapshot.unwrap(), Control::none(&*clock), Log::off(), clock)
}

/// So many requests a minute of the clock for all, and as many at once as `at_once` says.
fn ask(gateway: &Arc<Gateway>, key: &'static str, rules: QueueRules, limit: Rule) -> JoinHandle<Entry> {
    let gateway = gateway.clone();
    tokio::spawn(async move {
        let layers = [Layer { scope: Scope::Workspace, id: "w", rules: &[limit] }];
        let demand = Demand { layers: &layers, tokens: 0 };
        Queue::enter(&gateway, rules, || Asker { lane: key.into(), tokens: 100 }, &demand).await
    })
}

/// As `ask`, of 100 tokens a minute for all.
fn ask_tokens(gateway: &Arc<Gateway>, key: &'static str, tokens: u64) -> JoinHandle<Entry> {
    let gateway = gateway.clone();
    tokio::spawn(async move {
        let rules = [Rule::tokens(100, per_minute(1).window().unwrap())];
        let layers = [Layer { scope: Scope::Workspace, id: "w", rules: &rules }];
        let demand = Demand { layers: &layers, tokens };
        Queue::enter(&gateway, WIDE, || Asker { lane: key.into(), tokens }, &demand).await
    })
}

fn per_minute(requests: u64) -> Rule {
    let window =
        Window { span: Span::one(rule::Period::Minute), algorithm: rule::Algorithm::FixedOnTheClock };
    Rule::requests(requests, window)
}

fn ends(gateway: &Gateway, why: &str) -> bool {
    gateway.metrics.render("").contains(&format!("tidegate_queue_ends_total{{reason=\"{why}\"}} 1"))
}

/// Lets every task go as far as it can without time.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_over_a_limit_waits_until_it_opens() {
    let gateway = gateway();
    let start = Instant::now();
    for _ in 0..2 {
        assert!(ask(&gateway, "a", WIDE, per_minute(2)).await.unwrap().waited.is_none());
    }
    let entry = ask(&gateway, "a", WIDE, per_minute(2)).await.unwrap();
    assert!(entry.admitted.is_ok());
    assert_eq!(entry.waited.unwrap().as_secs(), 60);
    assert_eq!(start.elapsed().as_secs(), 60);
    settle().await;
    assert!(!gateway.queue.lock().is_driven, "nobody waits, so nobody asks");
    assert!(ends(&gateway, "admitted"));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_asks_for_much_does_not_keep_others_out() {
    let gateway = gateway();
    drop(ask(&gateway, "greedy", WIDE, per_minute(1)).await.unwrap());
    let mut greedy = Vec::new();
    for _ in 0..3 {
        greedy.push(ask(&gateway, "greedy", WIDE, per_minute(1)));
        settle().await;
    }
    let modest = ask(&gateway, "modest", WIDE, per_minute(1));
    // The first of the greedy ones was there before; then it is the other's turn.
    assert_eq!(modest.await.unwrap().waited.unwrap().as_secs(), 120);
    assert!(greedy[0].is_finished() && !greedy[1].is_finished());
    greedy.iter().for_each(JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn a_small_request_does_not_overtake_a_large_one_at_its_limit() {
    let gateway = gateway();
    let _held = ask_tokens(&gateway, "a", 60).await.unwrap().admitted.unwrap();
    let large = ask_tokens(&gateway, "a", 80);
    settle().await;
    // Forty are left, and the next minute is for the large one.
    let small = ask_tokens(&gateway, "b", 20);
    settle().await;
    assert!(!small.is_finished() && !large.is_finished());
    assert_eq!(large.await.unwrap().waited.unwrap().as_secs(), 60);
    assert_eq!(small.await.unwrap().waited.unwrap().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn what_opens_too_late_is_refused_at_once() {
    let gateway = gateway();
    let short = QueueRules { max_wait_ms: 59_999, ..WIDE };
    drop(ask(&gateway, "a", short, per_minute(1)).await.unwrap());
    let off = QueueRules { max_len: 0, ..WIDE };
    for rules in [short, off] {
        let entry = ask(&gateway, "a", rules, per_minute(1)).await.unwrap();
        assert!(matches!(entry.admitted, Err(Denial::Refused(_))));
        assert!(entry.waited.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_given_back_lets_the_next_one_in_at_once() {
    let gateway = gateway();
    let one = Rule::concurrency(1);
    let held = ask(&gateway, "a", WIDE, one).await.unwrap().admitted.unwrap();
    let next = ask(&gateway, "a", WIDE, one);
    settle().await;
    assert!(!next.is_finished());
    let before = Instant::now();
    held.settle(0, gateway.clock.now());
    gateway.queue.freed();
    assert!(next.await.unwrap().admitted.is_ok());
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_and_a_heavier_key_makes_room() {
    let gateway = gateway();
    let two = QueueRules { max_len: 2, ..WIDE };
    drop(ask(&gateway, "a", two, per_minute(1)).await.unwrap());
    let waiting = [ask(&gateway, "a", two, per_minute(1)), ask(&gateway, "a", two, per_minute(1))];
    settle().await;
    let refused = ask(&gateway, "a", two, per_minute(1)).await.unwrap();
    assert!(refused.admitted.is_err() && ends(&gateway, "full"));
    let other = ask(&gateway, "b", two, per_minute(1));
    settle().await;
    assert!(ends(&gateway, "displaced") && waiting[1].is_finished() && !waiting[0].is_finished());
    assert!(other.await.unwrap().admitted.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_gives_its_place_back() {
    let gateway = gateway();
    drop(ask(&gateway, "a", WIDE, per_minute(1)).await.unwrap());
    let (leaves, stays) = (ask(&gateway, "a", WIDE, per_minute(1)), ask(&gateway, "a", WIDE, per_minute(1)));
    settle().await;
    leaves.abort();
    assert_eq!(stays.await.unwrap().waited.unwrap().as_secs(), 60);
    assert!(ends(&gateway, "left"));
    assert_eq!(gateway.metrics.queue_waiting.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_vain_is_refused_when_the_time_is_up() {
    let gateway = gateway();
    let _held = ask(&gateway, "a", WIDE, Rule::concurrency(1)).await.unwrap().admitted.unwrap();
    let entry = ask(&gateway, "a", WIDE, Rule::concurrency(1)).await.unwrap();
    assert!(matches!(entry.admitted, Err(Denial::Refused(_))));
    assert_eq!(entry.waited.unwrap().as_secs(), 600);
    assert!(ends(&gateway, "expired"));
}

#[tokio::test(start_paused = true)]
async fn a_stopping_gateway_keeps_nobody_waiting() {
    let gateway = gateway();
    drop(ask(&gateway, "a", WIDE, per_minute(1)).await.unwrap());
    let waits = ask(&gateway, "a", WIDE, per_minute(1));
    settle().await;
    gateway.drain();
    let entry = waits.await.unwrap();
    assert!(entry.admitted.is_err());
    assert_eq!(entry.waited.unwrap(), Duration::ZERO);
    assert!(ask(&gateway, "a", WIDE, per_minute(1)).await.unwrap().waited.is_none());
}
