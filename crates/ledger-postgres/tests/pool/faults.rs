//! Connections break, the server stops, a backend hangs, callers go away: what was granted is what is on record.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tidegate_ledger::{Amount, Budget, Pool, Reset};
use tidegate_ledger_postgres::{Options, Postgres};

use crate::server::{Hanging, Server};
use crate::world::{Chance, amount, becomes, budget, claim, pool};

const TASKS: u64 = 16;
const ROUNDS: u64 = 40;

/// Claims and gives back at random; says what it has in the end.
async fn work(pool: Arc<Postgres>, budget: Budget, seed: u64, done: Arc<AtomicU64>) -> Amount {
    let (chance, mut mine) = (&mut Chance(seed), Amount::ZERO);
    for _ in 0..ROUNDS {
        let some = claim(&budget, "0.0001", &format!("0.{:04}", 1 + chance.below(40)));
        if chance.below(3) > 0 {
            mine += pool.claim(&some).await.unwrap_or(Amount::ZERO);
        } else {
            // Also on record when it says that the pool is away.
            let _ = pool.give_back(&some, mine).await;
            mine = Amount::ZERO;
        }
        done.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
    mine
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_granted_is_on_record_though_connections_break() {
    let server = Server::start().await;
    let budget = budget("k", "1", Reset::Never);
    let pools = [Arc::new(pool(&server, "a").await), Arc::new(pool(&server, "b").await)];
    pools[0].put(&budget, 1).await.unwrap();
    let done = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|i| {
            let pool = Arc::clone(&pools[i as usize % 2]);
            tokio::spawn(work(pool, budget.clone(), i, Arc::clone(&done)))
        })
        .collect();
    let breaker = tokio::spawn({
        let (client, done) = (server.client().await, Arc::clone(&done));
        async move {
            let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                          WHERE pid <> pg_backend_pid() AND query LIKE '%tidegate_ledger_%'";
            for next in (0..TASKS * ROUNDS).step_by(10) {
                while done.load(Ordering::Relaxed) < next {
                    tokio::task::yield_now().await;
                }
                client.query(others, &[]).await.unwrap();
            }
        }
    });
    let mut held = Amount::ZERO;
    for task in tasks {
        held += task.await.unwrap();
    }
    breaker.await.unwrap();
    assert!(held <= amount("1"));
    becomes(&pools[0], &budget, held).await;
    let again: u64 = pools.iter().map(|pool| pool.stats().again).sum();
    assert!(again > 0, "nothing was broken");
    // What is left can still be claimed, to the last digit.
    let rest = amount("1") - held;
    assert_eq!(pools[1].claim(&claim(&budget, "0.00000000000000000001", "1")).await, Ok(rest));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_stops_is_away_at_once_and_comes_back() {
    let mut server = Server::start().await;
    let budget = budget("k", "1", Reset::Never);
    let pool = Arc::new(pool(&server, "a").await);
    pool.put(&budget, 1).await.unwrap();
    let tenth = claim(&budget, "0.1", "0.1");
    let first = pool.claim(&tenth).await.unwrap();
    server.stop();
    let waiting = tokio::spawn({
        let (pool, tenth) = (Arc::clone(&pool), tenth.clone());
        async move { pool.claim(&tenth).await }
    });
    let away = async {
        while !pool.is_away() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), away).await.unwrap();
    // Nobody waits for a server that is known to be away.
    for _ in 0..1_000 {
        pool.claim(&tenth).await.unwrap_err();
    }
    // What goes back is put on record later.
    let giving = tokio::spawn({
        let (pool, tenth) = (Arc::clone(&pool), tenth.clone());
        async move { pool.give_back(&tenth, first).await }
    });
    server.restart().await;
    let second = waiting.await.unwrap().unwrap_or(Amount::ZERO);
    // Whether it waited long enough to hear of it or not.
    let _ = giving.await.unwrap();
    becomes(&pool, &budget, second).await;
    assert!(!pool.is_away());
    assert_eq!(pool.claim(&tenth).await, Ok(amount("0.1")));
}

/// The server does not answer; the operation is done on another connection. When the old one goes on, it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_comes_late_does_nothing() {
    let server = Server::start().await;
    let budget = budget("k", "1", Reset::Never);
    let options = Options {
        patience: Duration::from_millis(300),
        pause: Duration::from_millis(5),
        lines: 1,
        ..Options::new("a")
    };
    let pool = Postgres::open(server.config(), options).await.unwrap();
    pool.put(&budget, 1).await.unwrap();
    let tenth = claim(&budget, "0.1", "0.1");
    pool.claim(&tenth).await.unwrap();
    let client = server.client().await;
    let row = client
        .query_one("SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT tidegate_ledger_claim%'", &[])
        .await
        .unwrap();
    let backend: i32 = row.get(0);
    let hanging = Hanging::make(backend);
    pool.claim(&tenth).await.unwrap_err();
    // Done again elsewhere, and given back because nobody waited.
    let answered = async {
        while pool.claim(&tenth).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), answered).await.unwrap();
    becomes(&pool, &budget, amount("0.2")).await;
    drop(hanging);
    // It ends when it finds its connection closed: by then it has done what it was told.
    let gone = async {
        let there = "SELECT 1 FROM pg_stat_activity WHERE pid = $1";
        while !client.query(there, &[&backend]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), gone).await.unwrap();
    becomes(&pool, &budget, amount("0.2")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slice_that_nobody_waits_for_goes_back() {
    let server = Server::start().await;
    let budget = budget("k", "1", Reset::Never);
    let pool = pool(&server, "a").await;
    pool.put(&budget, 1).await.unwrap();
    let some = claim(&budget, "0.01", "0.01");
    for n in 0..60 {
        let given_up = tokio::time::timeout(Duration::from_micros(n * 50), pool.claim(&some)).await;
        if let Ok(granted) = given_up {
            pool.give_back(&some, granted.unwrap()).await.unwrap();
        }
    }
    becomes(&pool, &budget, Amount::ZERO).await;
    // The database has the last one before the line has heard so.
    let idle = async {
        while pool.stats().waiting > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), idle).await.unwrap();
}
