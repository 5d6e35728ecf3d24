//! Several replicas over one server: no limit lets one too many through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_core::Moment;
use tidegate_limits::{Algorithm, Demand, Layer, Limits, Period, Rule, Scope};
use tidegate_limits_redis::{Redis, Time};

use crate::world::{ALGORITHMS, ask, options, per, replica, rpm, until};
use tidegate_testkit::Redis as Server;

const REPLICAS: usize = 3;
const TASKS: usize = 48;

async fn replicas(server: &Server, time: Time) -> Arc<Vec<Limits<Redis>>> {
    let mut all = Vec::new();
    for _ in 0..REPLICAS {
        all.push(replica(options(server, time)).await);
    }
    Arc::new(all)
}

/// Runs `work` in all tasks, each with a number, and adds up.
async fn together<F: Future<Output = u64> + Send + 'static>(work: impl Fn(usize) -> F) -> u64 {
    let tasks: Vec<_> = (0..TASKS).map(|i| tokio::spawn(work(i))).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap();
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_the_amount_and_no_partial_charge() {
    let server = Server::start();
    for (time, algorithm) in ALGORITHMS.into_iter().map(|algorithm| (Time::Callers, algorithm)) {
        let replicas = replicas(&server, time).await;
        // Each key can take more than its share of the workspace.
        let minute = per(1, Period::Minute, algorithm);
        let (own, shared) = ([rpm(30, algorithm)], [rpm(600, algorithm), Rule::tokens(18_000, minute)]);
        let all = Arc::clone(&replicas);
        let admitted = together(move |i| {
            let replicas = Arc::clone(&all);
            async move {
                let key = format!("key-{i}");
                let layers = [
                    Layer { scope: Scope::ApiKey, id: &key, rules: &own },
                    Layer { scope: Scope::Workspace, id: "w", rules: &shared },
                ];
                let demand = Demand { layers: &layers, tokens: 10 };
                let mut admitted = 0;
                for turn in 0..60 {
                    if let Ok(permit) = replicas[(i + turn) % REPLICAS].admit(&demand, Moment(0)).await {
                        admitted += 1;
                        permit.settle(30, Moment(0));
                    }
                }
                admitted
            }
        })
        .await;
        assert_eq!(admitted, 600, "{algorithm:?}");
        // What the workspace refused was not charged to the keys.
        let left = together(move |i| {
            let replicas = Arc::clone(&replicas);
            async move {
                let mut left = 0;
                for _ in 0..60 {
                    left += u64::from(ask(&replicas[0], &format!("key-{i}"), &own, 0, 0).await.is_ok());
                }
                left
            }
        })
        .await;
        assert_eq!(admitted + left, TASKS as u64 * 30, "{algorithm:?}");
        // The next algorithm begins anew.
        drop(server_is_emptied(&server).await);
    }
}

async fn server_is_emptied(server: &Server) -> redis::RedisResult<()> {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHALL").exec_async(&mut connection).await
}

/// With the server's own time: whatever windows it was in, no stretch of a minute holds more than the amount.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_servers_time_counts() {
    let server = Server::start();
    let replicas = replicas(&server, Time::Server).await;
    let rules = [rpm(100, Algorithm::Moving)];
    let admitted = together(move |i| {
        let replicas = Arc::clone(&replicas);
        async move {
            let mut admitted = 0;
            for turn in 0..20 {
                // What callers say of the time does not matter.
                let now = (i * 1_000_000_007 + turn) as u64;
                admitted += u64::from(ask(&replicas[i % REPLICAS], "k", &rules, 0, now).await.is_ok());
            }
            admitted
        }
    })
    .await;
    assert_eq!(admitted, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn never_more_at_once_than_allowed() {
    let server = Server::start();
    let replicas = replicas(&server, Time::Server).await;
    let (running, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let rules = [Rule::concurrency(8)];
    let (all, at_most) = (Arc::clone(&replicas), Arc::clone(&most));
    let admitted = together(move |i| {
        let (replicas, running, most) = (Arc::clone(&all), Arc::clone(&running), Arc::clone(&at_most));
        async move {
            let mut admitted = 0;
            for _ in 0..40 {
                let Ok(permit) = ask(&replicas[i % REPLICAS], "k", &rules, 0, 0).await else { continue };
                admitted += 1;
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                running.fetch_sub(1, Ordering::SeqCst);
                drop(permit);
            }
            admitted
        }
    })
    .await;
    assert!(admitted >= 8);
    assert!((2..=8).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    for replica in replicas.iter() {
        replica.store().flush().await;
    }
    let mut permits = Vec::new();
    while let Ok(permit) = ask(&replicas[0], "k", &rules, 0, 0).await {
        permits.push(permit);
    }
    assert_eq!(permits.len(), 8, "every place came back");
}

#[tokio::test]
async fn replicas_hear_of_each_other() {
    let server = Server::start();
    let replicas = replicas(&server, Time::Server).await;
    replicas[0].store().renew().await;
    assert_eq!(replicas[0].store().stats().replicas, 3);
    until("the last one heard of all", || replicas[2].store().stats().replicas == 3).await;
}

#[tokio::test]
async fn replicas_that_start_together_hear_of_each_other_by_themselves() {
    let server = Server::start();
    let replicas = replicas(&server, Time::Server).await;
    let hear_of_all = || replicas.iter().all(|replica| replica.store().stats().replicas == 3);
    until("all heard of all", hear_of_all).await;
}

#[tokio::test]
async fn a_server_that_forgot_the_replicas_makes_none_believe_to_be_alone() {
    let mut server = Server::start();
    let replicas = replicas(&server, Time::Server).await;
    for replica in replicas.iter() {
        replica.store().renew().await;
        assert_eq!(replica.store().stats().replicas, 3);
    }
    server.kill();
    for replica in replicas.iter() {
        // Finds out that the connection is broken.
        replica.store().renew().await;
    }
    until("all noticed", || replicas.iter().all(|replica| replica.store().is_away())).await;
    server.restart();
    replicas[0].store().ready().await;
    assert_eq!(replicas[0].store().stats().replicas, 3);
}
