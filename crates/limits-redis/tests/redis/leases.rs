//! Places at once: those of a replica that died run out, those of one that lives do not.

use std::time::Duration;

use tidegate_limits::Rule;
use tidegate_limits_redis::{Options, Time};

use crate::world::{ask, options, replica};
use tidegate_testkit::Redis as Server;

const LEASE: u64 = 30_000;

fn with_leases(server: &Server) -> Options {
    Options { lease: Duration::from_millis(LEASE), ..options(server, Time::Callers) }
}

#[tokio::test]
async fn what_a_dead_replica_held_comes_back() {
    let server = Server::start();
    let (dead, alive) = (replica(with_leases(&server)).await, replica(with_leases(&server)).await);
    let rules = [Rule::concurrency(2)];
    // A process that is killed settles nothing.
    std::mem::forget(ask(&dead, "k", &rules, 0, 0).await.unwrap());
    let _second = ask(&alive, "k", &rules, 0, 0).await.unwrap();
    ask(&alive, "k", &rules, 0, LEASE / 2).await.unwrap_err();
    alive.store().renew().await;
    ask(&alive, "k", &rules, 0, LEASE - 1).await.unwrap_err();
    let _third = ask(&alive, "k", &rules, 0, LEASE).await.unwrap();
    ask(&alive, "k", &rules, 0, LEASE).await.unwrap_err();
    drop(dead);
}

#[tokio::test]
async fn what_a_living_replica_holds_is_renewed() {
    let server = Server::start();
    let (one, other) = (replica(with_leases(&server)).await, replica(with_leases(&server)).await);
    let rules = [Rule::concurrency(1)];
    let permit = ask(&one, "k", &rules, 0, 0).await.unwrap();
    for turn in 1..10 {
        let now = turn * LEASE / 2;
        drop(ask(&one, "another", &rules, 0, now).await.unwrap());
        one.store().renew().await;
        ask(&other, "k", &rules, 0, now + LEASE / 4).await.unwrap_err();
    }
    drop(permit);
    one.store().flush().await;
    drop(ask(&other, "k", &rules, 0, 5 * LEASE).await.unwrap());
}

/// More than are renewed in one go.
#[tokio::test]
async fn every_place_is_renewed() {
    const MANY: u64 = 1_200;
    let server = Server::start();
    let (one, other) = (replica(with_leases(&server)).await, replica(with_leases(&server)).await);
    let rules = [Rule::concurrency(MANY)];
    let mut permits = Vec::new();
    for _ in 0..MANY {
        permits.push(ask(&one, "k", &rules, 0, 0).await.unwrap());
    }
    drop(ask(&one, "another", &rules, 0, LEASE - 1).await.unwrap());
    one.store().renew().await;
    ask(&other, "k", &rules, 0, LEASE + 1).await.unwrap_err();
    drop(permits);
    one.store().flush().await;
    drop(ask(&other, "k", &rules, 0, LEASE + 1).await.unwrap());
}
