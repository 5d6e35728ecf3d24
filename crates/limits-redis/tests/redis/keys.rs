//! What stands in Redis: nothing of clients, nothing that stays.

use tidegate_core::Moment;
use tidegate_limits::{Demand, Layer, Rule, Scope};
use tidegate_limits_redis::{Changes, Redis, Time};

use crate::world::{ALGORITHMS, clock, options, replica, rpm};
use tidegate_testkit::Redis as Server;

#[tokio::test]
async fn every_key_runs_out_and_shows_nothing_of_clients() {
    let server = Server::start();
    let limits = replica(options(&server, Time::Server)).await;
    let mut rules = ALGORITHMS.map(|algorithm| rpm(5, algorithm)).to_vec();
    rules.push(Rule::concurrency(3));
    let layers = [
        Layer { scope: Scope::User, id: "alice@example.org", rules: &rules },
        Layer { scope: Scope::Ip, id: "192.0.2.1", rules: &rules },
    ];
    let permit = limits.admit(&Demand { layers: &layers, tokens: 7 }, Moment(0)).await.unwrap();
    Changes::of(limits.store()).publish(5).await.unwrap();
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    assert_eq!(keys.len(), 14, "{keys:?}");
    for key in &keys {
        assert!(key.starts_with("{tidegate}:") && !key.contains("alice") && !key.contains("192"), "{key}");
        let left: i64 = redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap();
        assert!(left > 0, "{key} stays");
    }
    drop(permit);
    limits.store().flush().await;
    for key in &keys {
        let left: i64 = redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap();
        assert_ne!(left, -1, "{key} stays");
    }
}

/// Counted by the server: one script per admission, and one per settlement that changes something.
#[tokio::test]
async fn an_admission_is_one_round_trip() {
    let server = Server::start();
    let limits = replica(options(&server, Time::Server)).await;
    let rules = [rpm(1_000, ALGORITHMS[0]), rpm(1_000, ALGORITHMS[3]), Rule::concurrency(100)];
    let layers = [
        Layer { scope: Scope::ApiKey, id: "k", rules: &rules },
        Layer { scope: Scope::Workspace, id: "w", rules: &rules[..2] },
    ];
    let demand = Demand { layers: &layers, tokens: 0 };
    let calls = async || {
        let client = redis::Client::open(server.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let text: String = redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await.unwrap();
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
            line.map_or(0, |line| line.split(',').next().unwrap().parse::<u64>().unwrap())
        };
        of("evalsha") + of("eval")
    };
    let before = calls().await;
    let mut permits = Vec::new();
    for _ in 0..50 {
        permits.push(limits.admit(&demand, Moment(0)).await.unwrap());
    }
    assert_eq!(calls().await - before, 50);
    drop(permits);
    limits.store().flush().await;
    assert_eq!(calls().await - before, 100);
}

/// Whatever `SCRIPT FLUSH` throws away is sent again.
#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_told_them() {
    let server = Server::start();
    let limits = replica(options(&server, Time::Server)).await;
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let rules = [Rule::concurrency(1)];
    for _ in 0..3 {
        redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut connection).await.unwrap();
        let permit = crate::world::ask(&limits, "k", &rules, 0, 0).await.unwrap();
        redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut connection).await.unwrap();
        drop(permit);
        limits.store().flush().await;
    }
    assert_eq!(limits.store().stats().switches, 0);
}

#[tokio::test]
async fn options_that_cannot_be_used_are_told_without_the_password() {
    let server = Server::start();
    let mut wrong = options(&server, Time::Server);
    wrong.url = "http://user:hunter2@host/".into();
    let error = Redis::open(wrong.clone(), clock()).await.unwrap_err();
    assert_eq!(error.field, "url");
    assert!(!format!("{error} {wrong:?}").contains("hunter2"));
    let wrong =
        tidegate_limits_redis::Options { prefix: "a{b}".to_owned(), ..options(&server, Time::Server) };
    assert_eq!(Redis::open(wrong, clock()).await.unwrap_err().field, "prefix");
}
