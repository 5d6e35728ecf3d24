//! Many threads at one budget: never a digit too much, and nearly all of it of use.

use std::future::ready;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use super::{Claim, Ledger, Options, Pool, PoolAway, SharedRefusal};
use crate::amount::Amount;
use crate::books::How;
use crate::budget::Reset;
use crate::desk::{Demand, Least, Refusal, Share};
use crate::journal::faulty::Disk;
use crate::journal::verify_files;
use crate::testing::{Chance, FakeClock, amount, block_on, budget, cost, demand, tiny, usd};

const THREADS: u64 = 64;

fn open(disk: &Disk) -> Ledger {
    let clock = Arc::new(FakeClock::default());
    Ledger::open_files(Box::new(disk.clone()), Options::default(), clock).unwrap().0
}

/// Sixty-four clients, each until its next request is refused while nobody else has anything reserved. With `least`
/// they are content with what is left.
fn spend_one_dollar(seed: u64, least: bool) -> Amount {
    let disk = Disk::default();
    let ledger = open(&disk);
    let wide = ledger.put(budget("wide", "1000", Reset::Never, &[])).unwrap();
    let one = ledger.put(budget("one", "1", Reset::Never, &["0.5", "0.8"])).unwrap();
    let both = [wide, one];
    let (spent, start) = (Mutex::new(Vec::new()), Barrier::new(THREADS as usize));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (ledger, both, spent, start) = (&ledger, &both, &spent, &start);
            scope.spawn(move || {
                let chance = &mut Chance(seed << 8 | thread);
                start.wait();
                loop {
                    let ceiling = 1 + chance.below(1_900);
                    let true_cost = chance.below(ceiling + 1);
                    let likely = Least { cost: tiny(1), tokens: 0 };
                    let asked = Demand { least: least.then_some(likely), ..demand(both, tiny(ceiling)) };
                    match ledger.reserve(&asked) {
                        Ok(reservation) => {
                            reservation.ready().wait().unwrap();
                            let granted = reservation.grant().usd;
                            let cost_now = Amount::usd(tiny(true_cost)).unwrap().min(granted);
                            let standing = ledger.standing(one).unwrap();
                            assert!(standing.settled + standing.reserved <= amount("1"));
                            spent.lock().unwrap().push(cost_now);
                            reservation.settle(&cost(cost_now.money().unwrap()), How::Success);
                        }
                        Err(Refusal::Exceeded(exceeded)) if exceeded.standing.reserved.is_zero() => break,
                        Err(Refusal::Exceeded(_)) => thread::yield_now(),
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
    });
    let standing = ledger.standing(one).unwrap();
    let spent: Amount = spent.into_inner().unwrap().into_iter().sum();
    assert_eq!(standing.settled, spent, "to the last digit");
    assert!(standing.reserved.is_zero() && standing.settled <= amount("1"));
    assert_eq!(ledger.standing(wide).unwrap().settled, standing.settled);
    assert_eq!((ledger.stats().over, ledger.stats().violations), (0, 0));
    ledger.close();
    let report = verify_files(&disk).unwrap();
    assert_eq!(report.books.open.len() + report.books.held.len(), 0);
    standing.settled
}

#[test]
fn sixty_four_clients_never_spend_more_than_a_dollar_and_can_spend_nearly_all_of_it() {
    for seed in 0..3 {
        let settled = spend_one_dollar(seed, false);
        assert!(settled >= amount("0.98"), "{settled}");
        let settled = spend_one_dollar(seed, true);
        assert!(settled >= amount("0.99999"), "content with the rest, they leave nothing: {settled}");
    }
}

#[test]
fn a_refusal_by_one_budget_leaves_the_others_untouched() {
    let disk = Disk::default();
    let ledger = open(&disk);
    let shared = ledger.put(budget("shared", "1", Reset::Never, &[])).unwrap();
    let own: Vec<_> = (0..THREADS)
        .map(|i| ledger.put(budget(&format!("own-{i}"), "1", Reset::Never, &[])).unwrap())
        .collect();
    thread::scope(|scope| {
        for own in &own {
            let ledger = &ledger;
            scope.spawn(move || {
                let mut settled = 0;
                for _ in 0..100 {
                    if let Ok(reservation) = ledger.reserve(&demand(&[*own, shared], usd("0.01"))) {
                        reservation.settle(&cost(usd("0.01")), How::Success);
                        settled += 1;
                    }
                }
                let standing = ledger.standing(*own).unwrap();
                assert_eq!(standing.settled, Amount::usd(tiny(settled * 1_000)).unwrap());
                assert!(standing.reserved.is_zero());
            });
        }
    });
    assert_eq!(ledger.standing(shared).unwrap().settled, amount("1"));
}

/// What a database would hold: how much of the one period was claimed.
struct Table(Mutex<Amount>);

impl Pool for Table {
    fn claim(&self, claim: &Claim) -> impl Future<Output = Result<Amount, PoolAway>> + Send {
        let mut claimed = self.0.lock().unwrap();
        let left = claim.budget.limit.amount() - *claimed;
        let slice = if left < claim.least { Amount::ZERO } else { left.min(claim.want) };
        *claimed += slice;
        ready(Ok(slice))
    }

    fn give_back(&self, _: &Claim, rest: Amount) -> impl Future<Output = Result<(), PoolAway>> + Send {
        *self.0.lock().unwrap() -= rest;
        ready(Ok(()))
    }
}

#[test]
fn three_replicas_share_a_dollar_by_slices() {
    let table = Table(Mutex::default());
    let disks = [Disk::default(), Disk::default(), Disk::default()];
    let replicas = disks.each_ref().map(|disk| {
        let options = Options { share: Share::Slices, ..Options::default() };
        let clock = Arc::new(FakeClock::default());
        let ledger = Ledger::open_files(Box::new(disk.clone()), options, clock).unwrap().0;
        let id = ledger.put(budget("one", "1", Reset::Never, &["0.5"])).unwrap();
        (ledger, id)
    });
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let ((ledger, id), table) = (&replicas[thread as usize % 3], &table);
            scope.spawn(move || {
                let chance = &mut Chance(thread);
                loop {
                    let ceiling = 1 + chance.below(900);
                    match block_on(ledger.reserve_shared(&demand(&[*id], tiny(ceiling)), table)) {
                        Ok(reservation) => {
                            block_on(reservation.ready()).unwrap();
                            reservation.settle(&cost(tiny(chance.below(ceiling + 1))), How::Success);
                        }
                        Err(SharedRefusal::Refused(Refusal::Exceeded(e)))
                            if e.standing.reserved.is_zero() =>
                        {
                            break;
                        }
                        Err(_) => thread::yield_now(),
                    }
                }
            });
        }
    });
    let settled: Amount = replicas.iter().map(|(ledger, id)| ledger.standing(*id).unwrap().settled).sum();
    assert!(settled <= amount("1") && settled >= amount("0.97"), "{settled}");
    for (ledger, id) in &replicas {
        block_on(ledger.give_back(*id, &table)).unwrap();
        assert!(ledger.standing(*id).unwrap().free.is_zero(), "what went back is not here any more");
        ledger.close();
    }
    assert_eq!(*table.0.lock().unwrap(), settled, "everything else went back");
    disks.iter().for_each(|disk| assert!(verify_files(disk).is_ok()));
}
