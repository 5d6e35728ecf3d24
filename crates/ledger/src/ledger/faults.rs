//! Disks that fail and crashes: nothing goes out that the disk could forget, and nothing that was acknowledged is gone.

use std::sync::Arc;
use std::time::Duration;

use super::tests::{Place, whole};
use super::{Ledger, NotWritten, Options, WhenDiskFails};
use crate::amount::Amount;
use crate::books::How;
use crate::budget::Reset;
use crate::desk::{BudgetId, Refusal};
use crate::journal::faulty::Disk;
use crate::journal::verify_files;
use crate::testing::{Chance, amount, budget, cost, demand, tiny, usd};

#[test]
fn a_disk_that_fails_lets_nothing_through_until_it_is_back() {
    let place = Place::default();
    let ledger = place.open_with(whole()).0;
    let id = ledger.put(budget("k", "1", Reset::Never, &[])).unwrap();
    let running = ledger.reserve(&demand(&[id], usd("0.1"))).unwrap();
    running.ready().wait().unwrap();
    place.disk.room(Some(10));
    let caught = ledger.reserve(&demand(&[id], usd("0.1"))).unwrap();
    assert_eq!(caught.ready().wait(), Err(NotWritten));
    caught.cancel();
    assert_eq!(ledger.reserve(&demand(&[id], usd("0.1"))).unwrap_err(), Refusal::Journal);
    let settled = running.settle(&cost(usd("0.1")), How::Success);
    assert!(ledger.stats().failing && ledger.stats().write_errors > 0 && ledger.stats().refused_journal == 1);
    place.disk.room(None);
    while ledger.stats().failing {
        std::thread::yield_now();
    }
    ledger.written(settled).wait().unwrap();
    ledger.reserve(&demand(&[id], usd("0.9"))).unwrap().ready().wait().unwrap();
    assert_eq!(verify_files(&place.disk).unwrap().books.open.len(), 1);
}

#[test]
fn or_it_lets_them_through_up_to_a_bound() {
    let place = Place::default();
    let options =
        Options { when_disk_fails: WhenDiskFails::Continue, most_waiting: 20, ..Options::default() };
    let ledger = place.open_with(options).0;
    let id = ledger.put(budget("k", "1", Reset::Never, &[])).unwrap();
    ledger.flush().wait().unwrap();
    place.disk.room(Some(0));
    let mut made = 0;
    let refusal = loop {
        match ledger.reserve(&demand(&[id], usd("0.01"))) {
            Ok(reservation) => {
                reservation.ready().wait().unwrap();
                reservation.settle(&cost(usd("0.01")), How::Success);
                made += 1;
            }
            Err(refusal) => break refusal,
        }
    };
    assert_eq!((refusal, made, ledger.stats().refused_busy), (Refusal::Busy, 10, 1));
    place.disk.room(None);
    ledger.close();
    assert_eq!(
        ledger.stats().unwritten + verify_files(&place.disk).unwrap().last,
        ledger.stats().waiting + verify_files(&place.disk).unwrap().last
    );
}

/// A schedule on one disk; gives what was acknowledged: how much was settled for good, and how much was sent.
fn schedule(place: &Place, seed: u64) -> Option<(Ledger, BudgetId, Amount, Amount)> {
    let chance = &mut Chance(seed);
    let options =
        Options { segment_bytes: 2_000, keep_segments: 2, retry: Duration::ZERO, ..Options::default() };
    let clock = Arc::new(place.clock.clone());
    let ledger = Ledger::open_files(Box::new(place.disk.clone()), options, clock).ok()?.0;
    let id = ledger.put(budget("k", "1", Reset::Never, &["0.5"])).ok()?;
    let (mut acknowledged, mut sent) = (Amount::ZERO, Amount::ZERO);
    let mut open = Vec::new();
    for _ in 0..40 {
        let ceiling = 1 + chance.below(4_000);
        if let Ok(reservation) = ledger.reserve(&demand(&[id], tiny(ceiling))) {
            if reservation.ready().wait().is_err() {
                reservation.cancel();
                continue;
            }
            let true_cost = tiny(chance.below(ceiling + 1));
            sent += Amount::usd(true_cost).unwrap();
            open.push((reservation, true_cost));
        }
        if chance.below(3) > 0 && !open.is_empty() {
            let (reservation, true_cost) = open.swap_remove(chance.below(open.len() as u64) as usize);
            let settled = reservation.settle(&cost(true_cost), How::Success);
            if chance.below(2) == 0 && ledger.written(settled).wait().is_ok() {
                acknowledged += Amount::usd(true_cost).unwrap();
            }
        }
    }
    // Nobody ends them: what is open stays open in the books.
    open.into_iter().for_each(|(reservation, _)| std::mem::forget(reservation));
    Some((ledger, id, acknowledged, sent))
}

/// Whatever is left on the disk: it can be read, holds what was acknowledged, and counts what was sent.
fn holds(left: &Disk, done: Option<&(Ledger, BudgetId, Amount, Amount)>, seed: &str) {
    let report = verify_files(left).unwrap_or_else(|error| panic!("{seed}: {error}"));
    let place = Place { disk: left.clone(), ..Place::default() };
    let (ledger, _) = place.open_with(Options::default());
    if let Some((_, id, acknowledged, sent)) = done {
        let Some(standing) = ledger.standing(*id) else {
            assert!(sent.is_zero(), "{seed}: sent before the budget was on record: {report:?}");
            return;
        };
        assert!(standing.settled >= *acknowledged, "{seed}: {standing:?}, {acknowledged} acknowledged");
        assert!(standing.settled + standing.held >= *sent, "{seed}: {standing:?}, {sent} sent");
        assert!(standing.settled + standing.held <= amount("1"), "{seed}: {standing:?}");
    }
    ledger.close();
    verify_files(left).unwrap();
}

#[test]
fn every_call_to_the_disk_may_fail_once_or_twice() {
    let calls = {
        let place = Place::default();
        schedule(&place, 7);
        place.disk.calls()
    };
    assert!(calls > 60, "{calls}");
    for call in 1..=calls {
        for second in [0, 1, 3] {
            let place = Place::default();
            place.disk.fail(call);
            place.disk.fail(call + second);
            let done = schedule(&place, 7);
            for keep in [0, 100, 100_000] {
                let left = place.disk.after_crash(keep);
                holds(&left, done.as_ref(), &format!("call {call}, {second}, keep {keep}"));
            }
        }
    }
}

#[test]
fn random_schedules_on_disks_that_fail_at_random() {
    for seed in 0..100 {
        let chance = &mut Chance(seed);
        let place = Place::default();
        for _ in 0..chance.below(6) {
            place.disk.fail(1 + chance.below(80));
        }
        let done = schedule(&place, seed);
        let keep = chance.below(2_000) as usize;
        holds(&place.disk.after_crash(keep), done.as_ref(), &format!("seed {seed}, keep {keep}"));
    }
}
