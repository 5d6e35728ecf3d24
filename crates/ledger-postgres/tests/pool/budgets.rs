//! What the tables say: amounts in force, periods, resets, holders.

use std::sync::Arc;

use tidegate_core::{Clock, SystemClock};
use tidegate_ledger::{Amount, Budget, Limit, Pool, Reset, Scope, Unit};
use tidegate_ledger_postgres::{Options, PoolError, Postgres};
use tokio::sync::Barrier;

use crate::server::Server;
use crate::world::{DAY, amount, budget, claim, claim_at, claimed, pool};

#[tokio::test]
async fn claims_end_where_the_budget_does() {
    let server = Server::start().await;
    let pool = pool(&server, "a").await;
    let budget = budget("k", "1", Reset::Never);
    assert_eq!(pool.claim(&claim(&budget, "0.1", "0.2")).await, Ok(Amount::ZERO), "nobody has set it up");
    pool.put(&budget, 1).await.unwrap();
    for (least, want, granted) in [
        ("0.1", "0.4", "0.4"),
        ("0.00000000000000000001", "0.00000000000000000001", "0.00000000000000000001"),
        ("0.5", "0.5", "0.5"),
        ("0.2", "0.3", "0"),
        ("0.05", "0.2", "0.09999999999999999999"),
        ("0.00000000000000000001", "1", "0"),
    ] {
        assert_eq!(pool.claim(&claim(&budget, least, want)).await, Ok(amount(granted)), "{least} to {want}");
    }
    pool.give_back(&claim(&budget, "0", "0"), amount("0.25")).await.unwrap();
    assert_eq!(claimed(&pool, &budget).await, amount("0.75"));
    assert_eq!(pool.claim(&claim(&budget, "0.3", "0.3")).await, Ok(Amount::ZERO));
    assert_eq!(pool.claim(&claim(&budget, "0.25", "0.3")).await, Ok(amount("0.25")));
}

/// Many replicas at the same moment, at the end of many budgets: the grants add up, to the last one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn claims_at_once_share_what_there_is() {
    const REPLICAS: usize = 8;
    let server = Server::start().await;
    let control = pool(&server, "control").await;
    let budgets: Vec<_> = (0..60).map(|i| budget(&format!("k{i}"), "0.006", Reset::Never)).collect();
    for budget in &budgets {
        control.put(budget, 1).await.unwrap();
    }
    let together = Arc::new(Barrier::new(REPLICAS));
    let mut replicas = Vec::new();
    for i in 0..REPLICAS {
        let pool = pool(&server, &format!("replica-{i}")).await;
        let (budgets, together) = (budgets.clone(), Arc::clone(&together));
        replicas.push(tokio::spawn(async move {
            let mut granted = Amount::ZERO;
            for budget in &budgets {
                together.wait().await;
                granted += pool.claim(&claim(budget, "0.002", "0.002")).await.unwrap();
            }
            granted
        }));
    }
    let mut sum = Amount::ZERO;
    for replica in replicas {
        sum += replica.await.unwrap();
    }
    assert_eq!(sum, amount("0.36"));
    for budget in &budgets {
        assert_eq!(claimed(&control, budget).await, amount("0.006"));
    }
}

#[tokio::test]
async fn the_highest_version_is_in_force() {
    let server = Server::start().await;
    let pool = pool(&server, "a").await;
    let (small, large) = (budget("k", "1", Reset::Never), budget("k", "3", Reset::Never));
    pool.put(&large, 2).await.unwrap();
    pool.put(&small, 1).await.unwrap();
    assert_eq!(pool.claim(&claim(&small, "1", "2")).await, Ok(amount("2")), "an older word changes nothing");
    pool.put(&small, 3).await.unwrap();
    assert_eq!(
        pool.claim(&claim(&large, "0.5", "0.5")).await,
        Ok(Amount::ZERO),
        "it was lowered below its use"
    );
    pool.remove(&small, 2).await.unwrap();
    pool.put(&large, 4).await.unwrap();
    assert_eq!(pool.claim(&claim(&large, "0.5", "0.5")).await, Ok(amount("0.5")));
    pool.remove(&large, 5).await.unwrap();
    pool.put(&large, 4).await.unwrap();
    assert_eq!(pool.claim(&claim(&large, "0.1", "0.1")).await, Ok(Amount::ZERO), "it is gone");
}

#[tokio::test]
async fn each_period_has_the_whole_budget() {
    let server = Server::start().await;
    let pool = pool(&server, "a").await;
    let budget = budget("k", "1", Reset::Daily);
    pool.put(&budget, 1).await.unwrap();
    let today = Reset::Daily.period(SystemClock::new().unix_ms()).start;
    for (start, granted) in
        [(today - DAY, "0"), (today, "1"), (today, "0"), (today + DAY, "1"), (today + DAY, "0")]
    {
        let claim = claim_at(&budget, start, "1", "1");
        assert_eq!(pool.claim(&claim).await, Ok(amount(granted)), "{start}");
    }
    assert_eq!(pool.outstanding(&budget).await.unwrap().len(), 2);
    assert_eq!(pool.prune(today + DAY + 1).await, Ok(1));
    assert_eq!(pool.outstanding(&budget).await.unwrap()[0].period_start, today + DAY);
}

#[tokio::test]
async fn a_reset_begins_anew_and_old_slices_do_not_count() {
    let server = Server::start().await;
    let (one, other) = (pool(&server, "a").await, pool(&server, "b").await);
    let budget = budget("k", "1", Reset::Never);
    one.put(&budget, 1).await.unwrap();
    let half = claim(&budget, "0.5", "0.5");
    one.claim(&half).await.unwrap();
    other.claim(&half).await.unwrap();
    one.reset(&budget, 7).await.unwrap();
    assert_eq!(one.claim(&half).await, Ok(amount("0.5")));
    one.reset(&budget, 7).await.unwrap();
    // What was claimed before cannot be given back to what came after.
    other.give_back(&half, amount("0.5")).await.unwrap();
    assert_eq!(claimed(&one, &budget).await, amount("0.5"));
    one.give_back(&half, amount("9")).await.unwrap();
    assert_eq!(claimed(&one, &budget).await, Amount::ZERO, "no more than it has");
    assert_eq!(one.claim(&claim(&budget, "1", "1")).await, Ok(amount("1")));
}

#[tokio::test]
async fn what_a_holder_left_can_be_resolved() {
    let server = Server::start().await;
    let (dead, alive) = (pool(&server, "dead").await, pool(&server, "alive").await);
    let budget = budget("k", "1", Reset::Never);
    dead.put(&budget, 1).await.unwrap();
    dead.claim(&claim(&budget, "1", "1")).await.unwrap();
    drop(dead);
    assert_eq!(alive.claim(&claim(&budget, "0.1", "0.1")).await, Ok(Amount::ZERO));
    let held = alive.outstanding(&budget).await.unwrap();
    assert_eq!((held[0].holder.as_str(), held[0].amount), ("dead", amount("1")));
    assert_eq!(alive.resolve(&budget, "nobody", 0, Amount::ZERO).await, Err(PoolError::NotThere));
    assert_eq!(alive.resolve(&budget, "dead", 0, amount("0.7")).await, Ok(amount("0.3")));
    assert_eq!(alive.resolve(&budget, "dead", 0, amount("0.7")).await, Ok(Amount::ZERO), "said twice");
    assert_eq!(alive.claim(&claim(&budget, "0.1", "1")).await, Ok(amount("0.3")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_start_together_and_an_older_program_stays_away() {
    let server = Server::start().await;
    let starts: Vec<_> = (0..6)
        .map(|i| tokio::spawn(Postgres::open(server.config(), Options::new(format!("replica-{i}")))))
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
    let client = server.client().await;
    client.execute("INSERT INTO tidegate_ledger_migrations VALUES (3)", &[]).await.unwrap();
    let error = Postgres::open(server.config(), Options::new("older")).await.unwrap_err();
    assert_eq!(error, PoolError::TooNew { found: 3, ours: 2 });
}

/// Six replicas use a budget up together and say so again and again: each threshold goes to one of them, when the sum has
/// reached it, and again after a reset.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_threshold_is_told_by_one_replica() {
    const REPLICAS: u32 = 6;
    let server = Server::start().await;
    let limit = Limit::new(Unit::Usd, amount("6"), Reset::Never, vec![amount("3"), amount("4.5")]).unwrap();
    let budget = Budget::new(Scope::ApiKey, "k", limit);
    let control = pool(&server, "control").await;
    control.put(&budget, 1).await.unwrap();
    for epoch in 1..3 {
        let together = Arc::new(Barrier::new(REPLICAS as usize));
        let replicas: Vec<_> = (0..REPLICAS)
            .map(|i| {
                let (budget, together) = (budget.clone(), Arc::clone(&together));
                let opening = Postgres::open(server.config(), Options::new(format!("replica-{i}")));
                tokio::spawn(async move {
                    let pool = opening.await.unwrap();
                    assert_eq!(pool.reached(&budget, 0, amount("9")).await, Ok(vec![]), "nothing is claimed");
                    together.wait().await;
                    assert_eq!(pool.claim(&claim(&budget, "1", "1")).await, Ok(amount("1")));
                    let mut told = Vec::new();
                    for used in ["0.4", "0.5", "0.9", "1", "1"] {
                        together.wait().await;
                        told.extend(pool.reached(&budget, 0, amount(used)).await.unwrap());
                    }
                    told
                })
            })
            .collect();
        let mut told = Vec::new();
        for replica in replicas {
            told.extend(replica.await.unwrap());
        }
        told.sort_by_key(|one| one.mark);
        let marks: Vec<_> = told.iter().map(|one| one.mark).collect();
        assert_eq!(marks, [amount("3"), amount("4.5"), amount("6")]);
        assert!(told.iter().all(|one| one.used >= one.mark && one.used <= amount("6")), "{told:?}");
        control.reset(&budget, epoch).await.unwrap();
    }
}
