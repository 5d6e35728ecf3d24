//! Redis is stopped, started again, and made to hang, under load.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tidegate_core::{Moment, SystemClock};
use tidegate_limits::store::Store;
use tidegate_limits::{Algorithm, Cause, Demand, Denial, Layer, Limits, Period, Rule, Scope};
use tidegate_limits_redis::{Options, Redis, Shared, Time, WhenAway};

use crate::world::{ask, options, per, replica, until};
use tidegate_testkit::Redis as Server;

/// A window that does not end while a test runs, as far as the server's time goes.
fn per_year(amount: u64) -> Rule {
    Rule::requests(amount, per(1, Period::Year, Algorithm::FixedFromFirstUse))
}

async fn shared(options: Options, when_away: WhenAway) -> Limits<Shared> {
    let clock = SystemClock::new();
    let redis = Redis::open(options, Arc::new(SystemClock::new())).await.unwrap();
    Limits::new(Shared::new(redis, when_away, &clock))
}

fn quick(server: &Server) -> Options {
    Options { timeout: Duration::from_millis(100), ..options(server, Time::Server) }
}

/// Asks again and again until it is told to stop; counts what was admitted, and how long an answer took at most.
struct Load {
    stop: Arc<AtomicBool>,
    admitted: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<Duration>>,
}

impl Load {
    fn on(limits: &Arc<Limits<Shared>>, rule: Rule) -> Self {
        let (stop, admitted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let asked = Arc::new(AtomicU64::new(0));
        let tasks = (0..16).map(|_| {
            let (limits, stop) = (Arc::clone(limits), Arc::clone(&stop));
            let (admitted, asked) = (Arc::clone(&admitted), Arc::clone(&asked));
            tokio::spawn(async move {
                let mut longest = Duration::ZERO;
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let answer = ask(&limits, "k", &[rule], 0, 0).await;
                    longest = longest.max(began.elapsed());
                    admitted.fetch_add(u64::from(answer.is_ok()), Ordering::Relaxed);
                    asked.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
                longest
            })
        });
        let tasks = tasks.collect();
        Self { stop, admitted, asked, tasks }
    }

    /// So many more requests have been answered.
    async fn goes_on(&self, count: u64) {
        let goal = self.asked.load(Ordering::Relaxed) + count;
        until("requests are answered", || self.asked.load(Ordering::Relaxed) >= goal).await;
    }

    async fn end(self) -> (u64, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let mut longest = Duration::ZERO;
        for task in self.tasks {
            longest = longest.max(task.await.unwrap());
        }
        (self.admitted.load(Ordering::Relaxed), longest)
    }
}

/// Requests that were asked when it went away wait for the timeout; nobody waits longer, however slow the machine is
/// by its own doing.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_stops_and_comes_back_empty() {
    let mut server = Server::start();
    let limits = Arc::new(shared(options(&server, Time::Server), WhenAway::Local).await);
    let load = Load::on(&limits, per_year(50));
    load.goes_on(200).await;
    server.kill();
    until("it is away", || limits.store().is_away()).await;
    load.goes_on(500).await;
    // Who was admitted last may be on the way to being counted.
    until("the limit is used up", || limits.store().stats().admitted >= 50).await;
    load.goes_on(200).await;
    let stats = limits.store().stats();
    assert!(stats.since.is_some_and(|since| since > 1_600_000_000_000));
    assert_eq!(stats.admitted, 50, "the replica alone has the whole limit");
    server.restart();
    until("it is back", || !limits.store().is_away()).await;
    load.goes_on(200).await;
    let (admitted, longest) = load.end().await;
    // Before, alone, and in a Redis that has forgotten everything: nothing beyond these three.
    assert_eq!(admitted, 150);
    assert!(longest < PATIENCE, "{longest:?}");
    assert_eq!(limits.store().stats().since, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_hangs_and_goes_on() {
    let server = Server::start();
    let limits = Arc::new(shared(quick(&server), WhenAway::Refuse).await);
    let load = Load::on(&limits, per_year(1_000_000));
    load.goes_on(200).await;
    server.pause();
    until("it is away", || limits.store().is_away()).await;
    let admitted = load.admitted.load(Ordering::Relaxed);
    load.goes_on(2_000).await;
    assert_eq!(load.admitted.load(Ordering::Relaxed), admitted, "nothing passes while it hangs");
    assert!(limits.store().stats().refused >= 1_900);
    server.resume();
    until("it is back", || !limits.store().is_away()).await;
    load.goes_on(200).await;
    let (admitted, longest) = load.end().await;
    assert!(longest < PATIENCE, "{longest:?}");
    // What was charged while nobody listened is taken back, so the server has counted what was admitted.
    let counted = async {
        loop {
            let Ok(permit) = ask(&limits, "k", &[per_year(1_000_000)], 0, 0).await else {
                tokio::task::yield_now().await;
                continue;
            };
            let used = 1_000_000 - permit.standing().requests.unwrap().remaining;
            permit.cancel(Moment(0));
            limits.store().redis().flush().await;
            if used == admitted + 1 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), counted).await.expect("it counts what was admitted");
    let stats = limits.store().redis().stats();
    assert!(stats.late > 0 && stats.lost == 0, "{stats:?}");
}

/// It has forgotten nothing: what it had counted before still counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_hangs_remembers() {
    let server = Server::start();
    let limits = Arc::new(shared(quick(&server), WhenAway::Local).await);
    let load = Load::on(&limits, per_year(50));
    load.goes_on(200).await;
    server.pause();
    until("it is away", || limits.store().is_away()).await;
    load.goes_on(500).await;
    server.resume();
    until("both are used up", || load.admitted.load(Ordering::Relaxed) >= 100).await;
    until("it is back", || !limits.store().is_away()).await;
    load.goes_on(200).await;
    let (admitted, longest) = load.end().await;
    assert_eq!(admitted, 100, "once in Redis, once alone");
    assert!(longest < PATIENCE, "{longest:?}");
}

#[tokio::test]
async fn a_replica_alone_has_its_part() {
    let mut server = Server::start();
    let limits = shared(quick(&server), WhenAway::Local).await;
    let others = [replica(quick(&server)).await, replica(quick(&server)).await];
    limits.store().redis().renew().await;
    assert_eq!(limits.store().redis().stats().replicas, 3);
    server.kill();
    let rules = [per_year(10)];
    let mut permits = Vec::new();
    let refusal = loop {
        match ask(&limits, "k", &rules, 0, 0).await {
            Ok(permit) => permits.push(permit),
            Err(Denial::Refused(refusal)) => break refusal,
            Err(Denial::Away(away)) => panic!("{away}"),
        }
    };
    assert_eq!(permits.len(), 3);
    assert!(matches!(refusal.cause, Cause::Rule { rule, .. } if rule == rules[0]), "{refusal:?}");
    assert_eq!(limits.store().stats().admitted, 3);
    drop(others);
}

#[tokio::test]
async fn a_gateway_starts_without_redis() {
    let mut server = Server::start();
    server.kill();
    let limits = shared(quick(&server), WhenAway::Refuse).await;
    assert!(limits.store().is_away());
    let denial = ask(&limits, "k", &[per_year(1)], 0, 0).await.unwrap_err();
    assert!(matches!(denial, Denial::Away(_)));
    // A request without limits needs no Redis.
    drop(limits.admit(&Demand { layers: &[], tokens: 0 }, Moment(0)).await.unwrap());
    server.restart();
    limits.store().redis().ready().await;
    drop(ask(&limits, "k", &[per_year(1)], 0, 0).await.unwrap());
}

/// Redis loses its data; the requests that are being served are known there before anything new is admitted.
#[tokio::test]
async fn places_survive_a_server_that_forgets() {
    let mut server = Server::start();
    let limits = replica(quick(&server)).await;
    let rules = [Rule::concurrency(2)];
    let permits =
        (ask(&limits, "k", &rules, 0, 0).await.unwrap(), ask(&limits, "k", &rules, 0, 0).await.unwrap());
    server.kill();
    ask(&limits, "k", &rules, 0, 0).await.unwrap_err();
    server.restart();
    limits.store().ready().await;
    let denial = ask(&limits, "k", &rules, 0, 0).await.unwrap_err();
    assert!(matches!(denial, Denial::Refused(_)), "{denial:?}");
    drop(permits);
    limits.store().flush().await;
    drop(ask(&limits, "k", &rules, 0, 0).await.unwrap());
}

/// A caller that goes away while it is asked: its charge is taken back.
#[tokio::test]
async fn an_answer_that_nobody_waits_for_is_taken_back() {
    let server = Server::start();
    let limits = replica(options(&server, Time::Server)).await;
    let rules = [per_year(5), Rule::concurrency(5)];
    let layers = [Layer { scope: Scope::ApiKey, id: "k", rules: &rules }];
    server.pause();
    for _ in 0..5 {
        let demand = Demand { layers: &layers, tokens: 0 };
        let mut asking = Box::pin(limits.admit(&demand, Moment(0)));
        let polled = poll_fn(|context| Poll::Ready(asking.as_mut().poll(context))).await;
        assert!(polled.is_pending());
    }
    server.resume();
    until("all five are taken back", || limits.store().stats().late == 5).await;
    limits.store().flush().await;
    let permit = ask(&limits, "k", &rules, 0, 0).await.unwrap();
    assert_eq!(permit.standing().requests.unwrap().remaining, 4);
}

/// A queue that is full loses what comes next, and says so; a place at once comes back all the same.
#[tokio::test]
async fn settlements_that_do_not_fit_are_counted() {
    let mut server = Server::start();
    let narrow = Options { queue: 1, ..quick(&server) };
    let limits = replica(narrow).await;
    let rules = [Rule::concurrency(200)];
    let mut permits = Vec::new();
    for _ in 0..200 {
        permits.push(ask(&limits, "k", &rules, 0, 0).await.unwrap());
    }
    server.kill();
    ask(&limits, "k", &rules, 0, 0).await.unwrap_err();
    drop(permits);
    let stats = limits.store().stats();
    assert!(stats.lost > 0, "{stats:?}");
    server.restart();
    limits.store().ready().await;
    // None of them was renewed.
    let permit = ask(&limits, "k", &[Rule::concurrency(1)], 0, 0).await;
    drop(permit.unwrap());
}

/// Settling outside of any runtime, as a drop may.
#[test]
fn a_permit_can_be_dropped_anywhere() {
    let server = Server::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let limits = runtime.block_on(replica(options(&server, Time::Server)));
    let permit = runtime.block_on(ask(&limits, "k", &[Rule::concurrency(1)], 0, 0)).unwrap();
    drop(permit);
    runtime.block_on(limits.store().flush());
    let admission = runtime.block_on(limits.store().admit(
        &Demand {
            layers: &[Layer { scope: Scope::ApiKey, id: "k", rules: &[Rule::concurrency(1)] }],
            tokens: 0,
        },
        Moment(0),
    ));
    admission.unwrap();
}
