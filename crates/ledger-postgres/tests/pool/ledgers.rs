//! Whole ledgers, each with books of its own, over one pool.

use std::sync::Arc;

use tidegate_ledger::{
    Amount, Budget, BudgetId, Charge, Demand, How, Ledger, Options, Refusal, Reset, Share, SharedRefusal,
    verify,
};
use tidegate_ledger_postgres::Postgres;
use tidegate_pricing::Money;

use crate::server::Server;
use crate::world::{Chance, DAY, Directory, TestClock, amount, budget, claimed, pool, tiny};

const REPLICAS: u64 = 3;
const TASKS: u64 = 64;

struct Replica {
    ledger: Ledger,
    pool: Postgres,
    budget: BudgetId,
    directory: Directory,
}

impl Replica {
    async fn start(server: &Server, holder: &str, budget: &Budget, clock: Arc<TestClock>) -> Self {
        let pool = pool(server, holder).await;
        let directory = Directory::new();
        let options = Options { share: Share::Slices, ..Options::default() };
        let (ledger, _) = Ledger::open(directory.path(), options, clock).unwrap();
        let budget = ledger.put(budget.clone()).unwrap();
        Self { ledger, pool, budget, directory }
    }

    /// What one request cost in the end, or why it was refused.
    async fn request(&self, ceiling: u64, cost: u64) -> Result<Money, SharedRefusal> {
        let demand = Demand {
            budgets: &[self.budget],
            cost: Some(tiny(ceiling)),
            tokens: 0,
            least: None,
            request: "req",
            trace: "trace",
        };
        let reservation = self.ledger.reserve_shared(&demand, &self.pool).await?;
        reservation.ready().await.unwrap();
        tokio::task::yield_now().await;
        let cost = tiny(cost);
        reservation.settle(&Charge { cost: Some(cost), tokens: 0, estimated: false }, How::Success);
        Ok(cost)
    }

    /// Requests of random cost, until the budget is used up or there were so many. What they cost.
    async fn load(self: Arc<Self>, seed: u64, most: u64) -> Amount {
        let (chance, mut spent) = (&mut Chance(seed), Amount::ZERO);
        let mut turn = 0;
        while turn < most {
            let ceiling = 1 + chance.below(4_000);
            match self.request(ceiling, chance.below(ceiling + 1)).await {
                Ok(cost) => {
                    spent += Amount::usd(cost).unwrap();
                    turn += 1;
                }
                Err(SharedRefusal::Refused(Refusal::Exceeded(exceeded)))
                    if exceeded.standing.reserved.is_zero() =>
                {
                    break;
                }
                // What others have reserved may come back.
                Err(SharedRefusal::Refused(Refusal::Exceeded(_))) => tokio::task::yield_now().await,
                Err(refusal) => panic!("{refusal}"),
            }
        }
        spent
    }
}

async fn spent(tasks: Vec<tokio::task::JoinHandle<Amount>>) -> Amount {
    let mut sum = Amount::ZERO;
    for task in tasks {
        sum += task.await.unwrap();
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_replicas_use_a_budget_up_and_no_more() {
    let server = Server::start().await;
    let (budget, clock) = (budget("k", "1", Reset::Never), Arc::new(TestClock::new()));
    let mut replicas = Vec::new();
    for i in 0..REPLICAS {
        let holder = format!("replica-{i}");
        replicas.push(Arc::new(Replica::start(&server, &holder, &budget, Arc::clone(&clock)).await));
    }
    replicas[0].pool.put(&budget, 1).await.unwrap();
    let tasks = (0..TASKS)
        .map(|i| tokio::spawn(Arc::clone(&replicas[(i % REPLICAS) as usize]).load(i, u64::MAX)))
        .collect();
    let spent = spent(tasks).await;
    assert!(spent <= amount("1"), "{spent} of 1 was spent");
    assert!(spent >= amount("0.98"), "only {spent} of 1 could be used");
    println!("{spent} of 1 was used");
    for replica in &replicas {
        replica.ledger.give_back(replica.budget, &replica.pool).await.unwrap();
        replica.ledger.close();
        verify(replica.directory.path()).unwrap();
    }
    assert_eq!(claimed(&replicas[0].pool, &budget).await, spent, "everything else went back");
}

/// Replicas come and go without a word: what they had claimed is gone, and nothing is handed out twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_die_cannot_overspend() {
    let server = Server::start().await;
    let (budget, clock) = (budget("k", "1", Reset::Never), Arc::new(TestClock::new()));
    pool(&server, "control").await.put(&budget, 1).await.unwrap();
    let mut sum = Amount::ZERO;
    for life in 0..4 {
        let mut tasks = Vec::new();
        let mut replicas = Vec::new();
        for i in 0..REPLICAS {
            let holder = format!("replica-{i}-{life}");
            let replica = Arc::new(Replica::start(&server, &holder, &budget, Arc::clone(&clock)).await);
            let each = (0..TASKS / REPLICAS).map(|n| {
                let most = if life < 3 { 2 + n % 4 } else { u64::MAX };
                tokio::spawn(Arc::clone(&replica).load(life * 1_000 + i * 100 + n, most))
            });
            tasks.extend(each);
            replicas.push(replica);
        }
        sum += spent(tasks).await;
        assert!(sum <= amount("1"), "{sum} of 1 was spent");
        // Nothing is given back.
        drop(replicas);
    }
    let control = pool(&server, "control").await;
    let claimed = claimed(&control, &budget).await;
    assert!(claimed <= amount("1") && sum <= claimed, "{sum} spent, {claimed} claimed");
    assert!(sum >= amount("0.9"), "a replica that dies takes a slice with it: {sum}");
}

/// Books that are opened again go on with what is left in them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_day_has_a_new_budget() {
    let server = Server::start().await;
    let (budget, clock) = (budget("k", "0.1", Reset::Daily), Arc::new(TestClock::new()));
    let replica = Arc::new(Replica::start(&server, "a", &budget, Arc::clone(&clock)).await);
    replica.pool.put(&budget, 1).await.unwrap();
    for day in 1..=3 {
        let spent = Arc::clone(&replica).load(day, u64::MAX).await;
        assert!(spent <= amount("0.1") && spent >= amount("0.09"), "day {day}: {spent}");
        let periods = replica.pool.outstanding(&budget).await.unwrap();
        assert_eq!(periods.len() as u64, day);
        assert!(periods.iter().all(|period| period.amount <= amount("0.1")));
        clock.advance(DAY);
    }
}
