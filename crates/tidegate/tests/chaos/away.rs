//! Redis and PostgreSQL stop, come back, and stand still, under load.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_ledger::Amount;
use tidegate_store::Scope;
use tidegate_store::audit::By;
use tidegate_store::entity::Limits;
use tidegate_testkit::Server;
use tidegate_testkit::client;

use crate::books::Sums;
use crate::crowd::{Crowd, PATIENCE, Tally, question};
use crate::fleet::{Fleet, REPLICAS};
use crate::recorded;
use crate::tenant::usd;
use crate::till::Till;

/// Requests that a window takes.
const LIMIT: u64 = 100;
const WINDOW: Duration = Duration::from_secs(2);
/// How long a server is away.
const AWAY: Duration = Duration::from_secs(4);

fn limit() -> Limits {
    let rates = vec![json!({"type": "requests", "unit": "2seconds", "value": LIMIT})];
    Limits { rates, ..Limits::default() }
}

/// What was asked and answered within a time.
fn served_within(tally: &Tally, from: Instant, to: Instant) -> u64 {
    let answers = tally.answers.lock().unwrap();
    answers.iter().filter(|answer| answer.asked >= from && answer.received <= to).count() as u64
}

/// Stops Redis for a while, starts it, pauses it for a while, lets it go on. Gives the times in which nobody could ask it.
async fn redis_comes_and_goes(fleet: &mut Fleet) -> [(Instant, Instant); 2] {
    let patience = Instant::now() + PATIENCE;
    for node in &fleet.nodes {
        while node.metric("tidegate_limits_replicas").await < REPLICAS as u64 {
            assert!(Instant::now() < patience, "replicas hear of each other");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    tokio::time::sleep(WINDOW).await;
    fleet.redis.kill();
    let killed = Instant::now();
    tokio::time::sleep(AWAY).await;
    let back = Instant::now();
    fleet.redis.restart();
    tokio::time::sleep(WINDOW).await;
    fleet.redis.pause();
    let paused = Instant::now();
    tokio::time::sleep(AWAY).await;
    let resumed = Instant::now();
    fleet.redis.resume();
    tokio::time::sleep(WINDOW).await;
    [(killed, back), (paused, resumed)]
}

/// Every request that was answered has its record; and every 200 was the upstream's.
async fn assert_complete(fleet: &mut Fleet, tally: &Tally, upstream: &Server<Till>) {
    assert_eq!(tally.broken.load(Ordering::SeqCst), 0, "no gateway was touched");
    let statuses = tally.statuses.lock().unwrap().clone();
    let recorded = recorded::complete(fleet, tally, statuses.values().sum()).await;
    assert_eq!(recorded, statuses);
    assert_eq!(tally.of(200), upstream.handler().served());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_nobody_is_served_uncounted_where_that_is_wanted() {
    let upstream = Server::start(Till::new(Duration::from_millis(20))).await;
    let mut fleet = Fleet::start(&upstream, limit(), &[("TIDEGATE_REDIS_WHEN_AWAY", "refuse")]).await;
    let began = Instant::now();
    let crowd = Crowd::start(&fleet.addresses(), &fleet.key);
    let away = redis_comes_and_goes(&mut fleet).await;
    let tally = crowd.stop().await;
    let windows = began.elapsed().as_millis() as u64 / WINDOW.as_millis() as u64 + 2;
    for (from, to) in away {
        assert_eq!(served_within(&tally, from, to), 0, "{:?}", tally.statuses);
    }
    // A Redis that lost everything lets one window be used twice.
    println!("redis, refuse: {} in {windows} windows, {:?}", tally.of(200), tally.statuses.lock().unwrap());
    assert!(tally.of(200) <= (windows + 1) * LIMIT);
    assert!(tally.of(503) > 0 && tally.of(200) >= LIMIT);
    assert_complete(&mut fleet, &tally, &upstream).await;
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_each_replica_admits_its_share() {
    let upstream = Server::start(Till::new(Duration::from_millis(20))).await;
    let mut fleet = Fleet::start(&upstream, limit(), &[("TIDEGATE_REDIS_WHEN_AWAY", "local")]).await;
    let began = Instant::now();
    let crowd = Crowd::start(&fleet.addresses(), &fleet.key);
    let away = redis_comes_and_goes(&mut fleet).await;
    let tally = crowd.stop().await;
    let windows = began.elapsed().as_millis() as u64 / WINDOW.as_millis() as u64 + 2;
    let within = away.map(|(from, to)| served_within(&tally, from, to));
    println!(
        "redis, local: {} in {windows} windows, {within:?} while away, {:?}",
        tally.of(200),
        tally.statuses.lock().unwrap()
    );
    // The windows that a time touches, with a share for each replica: a third of the limit, rounded down.
    let touched = AWAY.as_millis() as u64 / WINDOW.as_millis() as u64 + 1;
    let shares = LIMIT / REPLICAS as u64 * REPLICAS as u64;
    assert!(within.iter().all(|within| *within > 0 && *within <= touched * shares), "{within:?}");
    // Windows in which it goes or comes can be used twice, and once more where it came back empty.
    assert!(tally.of(200) <= (windows + 5) * LIMIT);
    assert_eq!(tally.of(503), 0);
    assert_complete(&mut fleet, &tally, &upstream).await;
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_postgresql_no_budget_is_exceeded_and_keys_are_believed() {
    let upstream = Server::start(Till::new(Duration::from_millis(300))).await;
    let mut fleet = Fleet::start(&upstream, usd(&json!(1)), &[]).await;
    let workspace = fleet.stored.home.workspace.unwrap();
    let (free, free_key) = fleet.tenant.key(workspace, "free", Limits::default()).await;
    let patience = Instant::now() + PATIENCE;
    // What is asked beside the crowd, by status.
    let mut beside = BTreeMap::<u16, u64>::new();
    let mut note = |status| {
        *beside.entry(status).or_default() += 1;
        status
    };
    for node in 0..REPLICAS {
        while note(ask(&fleet, node, &free_key).await) != 200 {
            assert!(Instant::now() < patience, "the new key is known");
        }
    }
    let crowd = Crowd::start(&fleet.addresses(), &fleet.key);
    let began = Instant::now();
    for round in 0..2 {
        tokio::time::sleep(WINDOW).await;
        if round == 0 {
            fleet.postgres.stop()
        } else {
            fleet.postgres.pause()
        }
        let away = Instant::now();
        while away.elapsed() < AWAY {
            for node in 0..REPLICAS {
                assert_eq!(note(ask(&fleet, node, &free_key).await), 200, "believed from memory");
            }
        }
        if round == 0 { fleet.postgres.restart() } else { fleet.postgres.resume() }
    }
    println!("postgresql: away twice within {:?}", began.elapsed());
    crowd.tally.wait_until_used_up(&upstream).await;
    let tally = crowd.stop().await;
    // The database is listened to again.
    let scope = Scope::Organisation(free.home.organisation);
    fleet.tenant.store.revoke_key(&By::system(), &scope, free.id).await.unwrap();
    let revoked = Instant::now();
    for node in 0..REPLICAS {
        loop {
            let status = note(ask(&fleet, node, &free_key).await);
            if status == 401 {
                break;
            }
            assert!(revoked.elapsed() < Duration::from_secs(5), "node {node} still says {status}");
        }
    }
    println!("postgresql: revoked everywhere within {:?}", revoked.elapsed());
    let statuses = tally.statuses.lock().unwrap().clone();
    assert!(statuses.keys().all(|status| [200, 412, 503].contains(status)), "{statuses:?}");
    assert_eq!(tally.broken.load(Ordering::SeqCst), 0);
    // What was asked meanwhile waited on the disks of the gateways. Who is nobody, with a key that is not known yet or no
    // longer good, leaves no record.
    let mut answered = beside.clone();
    answered.remove(&401);
    statuses.iter().for_each(|(status, count)| *answered.entry(*status).or_default() += count);
    let recorded = recorded::complete(&mut fleet, &tally, answered.values().sum()).await;
    assert_eq!(recorded, answered);
    fleet.stop().await;
    let (taken, sums) = (upstream.handler().taken(), Sums::of(&fleet.nodes));
    println!(
        "postgresql: {taken} taken, books: {sums:?}, {recorded:?} on record, {beside:?} of them beside the crowd"
    );
    let own = beside[&200];
    assert_eq!(recorded[&200], upstream.handler().served(), "each that was served, once");
    assert_eq!(tally.of(200) + own, upstream.handler().served());
    assert_eq!((sums.held, sums.open), (Amount::ZERO, 0), "no gateway was touched");
    assert!(sums.settled <= "1".parse().unwrap() && sums.settled >= "0.9".parse().unwrap(), "{sums:?}");
    // What the key without a budget used is on top: a request of it costs less than this.
    let most: Amount = (0..own).map(|_| "0.0006".parse::<Amount>().unwrap()).sum();
    assert!(sums.settled < taken && taken < sums.settled + most);
}

async fn ask(fleet: &Fleet, node: usize, key: &str) -> u16 {
    let bearer = format!("Bearer {key}");
    let url = fleet.nodes[node].url("/v1/chat/completions");
    client::post(&url, &[("authorization", bearer.as_str())], &question()).await.status
}
