//! Reservations, periods, alerts and starts, over a disk in memory and a clock that is moved.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{AfterCrash, Alert, ChangeError, Ledger, Opened, Options, Unheard};
use crate::amount::Amount;
use crate::books::How;
use crate::budget::{Reset, Scope};
use crate::desk::{BudgetId, Charge, Demand, Least, Refusal, Stake};
use crate::journal::faulty::Disk;
use crate::journal::verify_files;
use crate::testing::{DAY, FakeClock, amount, budget, cost, demand, tiny, tokens, usd};

pub(super) type Heard = Arc<Mutex<Vec<Alert>>>;

/// One place with a disk, a clock and an ear, in which ledgers are opened one after the other.
#[derive(Default)]
pub(super) struct Place {
    pub(super) disk: Disk,
    pub(super) clock: FakeClock,
    pub(super) heard: Heard,
}

impl Place {
    pub(super) fn open_with(&self, options: Options) -> (Ledger, Opened) {
        let heard = Arc::clone(&self.heard);
        let on_alert: super::OnAlert =
            Box::new(move |alert: &Alert| heard.lock().unwrap().push(alert.clone()));
        let options = Options { on_alert: Some(on_alert), retry: Duration::from_millis(1), ..options };
        Ledger::open_files(Box::new(self.disk.clone()), options, Arc::new(self.clock.clone())).unwrap()
    }

    fn open(&self) -> Ledger {
        self.open_with(Options::default()).0
    }

    /// What a start finds after the power went, with everything that was not synced gone.
    fn crashed(&self) -> Self {
        let (disk, heard) = (self.disk.after_crash(0), Arc::clone(&self.heard));
        Self { disk, clock: self.clock.clone(), heard }
    }

    fn marks(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|alert| alert.mark.to_string()).collect()
    }
}

/// Settled, reserved, held and free.
fn stands(ledger: &Ledger, id: BudgetId) -> [String; 4] {
    let standing = ledger.standing(id).unwrap();
    [standing.settled, standing.reserved, standing.held, standing.free].map(|amount| amount.to_string())
}

pub(super) fn whole() -> Options {
    Options { stake: Stake { ahead: 0, doubt: 0 }, ..Options::default() }
}

#[test]
fn every_way_to_end_takes_the_same_path() {
    let place = Place::default();
    let ledger = place.open_with(whole()).0;
    let id = ledger.put(budget("k", "10", Reset::Never, &[])).unwrap();
    let reserve = || ledger.reserve(&demand(&[id], usd("1"))).unwrap();
    reserve().settle(&cost(usd("0.25")), How::Success);
    assert_eq!(stands(&ledger, id), ["0.25", "0", "0", "9.75"]);
    reserve().cancel();
    reserve().settle(&cost(usd("0")), How::Error);
    drop(reserve());
    assert_eq!(stands(&ledger, id), ["0.25", "0", "0", "9.75"]);
    let mut noted = reserve();
    noted.note(cost(usd("0.5")));
    noted.note(cost(usd("0.75")));
    assert_eq!(stands(&ledger, id), ["0.25", "1", "0", "8.75"]);
    drop(noted);
    assert_eq!(stands(&ledger, id), ["1", "0", "0", "9"]);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut reservation = reserve();
        reservation.note(cost(usd("0.5")));
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(stands(&ledger, id), ["1.5", "0", "0", "8.5"]);
    let unknown = Charge { cost: None, ..Charge::NOTHING };
    reserve().settle(&unknown, How::Success);
    assert_eq!(stands(&ledger, id), ["2.5", "0", "0", "7.5"], "what nobody knows is not free");
    let stats = ledger.stats();
    assert_eq!((stats.reserved, stats.settled, stats.dropped, stats.unpriced), (7, 7, 3, 1));
}

#[test]
fn what_was_sent_and_never_heard_of_costs_what_the_policy_says() {
    let place = Place::default();
    let ledger = place.open_with(Options { unheard: Unheard::Ceiling, ..whole() }).0;
    let money = ledger.put(budget("k", "10", Reset::Never, &[])).unwrap();
    let counted = ledger.put(tokens("w", 1_000, Reset::Never)).unwrap();
    let both = [money, counted];
    let asked = Demand { tokens: 70, ..demand(&both, usd("1")) };
    drop(ledger.reserve(&asked).unwrap());
    let mut sent = ledger.reserve(&asked).unwrap();
    sent.sent();
    drop(sent);
    assert_eq!(stands(&ledger, money), ["1", "0", "0", "9"]);
    assert_eq!(stands(&ledger, counted), ["70", "0", "0", "930"]);
}

#[test]
fn a_cost_above_the_ceiling_is_recorded_as_it_is() {
    let place = Place::default();
    let ledger = place.open_with(whole()).0;
    let id = ledger.put(budget("k", "1", Reset::Daily, &[])).unwrap();
    let reservation = ledger.reserve(&demand(&[id], usd("0.9"))).unwrap();
    assert!(reservation.settle(&cost(usd("1.2")), How::Success).over);
    assert_eq!(stands(&ledger, id), ["1.2", "0", "0", "-0.2"]);
    assert_eq!(ledger.stats().over, 1);
    assert!(ledger.standing(id).unwrap().is_exhausted());
    let refusal = ledger.reserve(&demand(&[id], usd("0"))).unwrap_err();
    assert_eq!(refusal.to_string(), "Usage limit exceeded for api key 'k'");
    place.clock.set(DAY);
    assert_eq!(stands(&ledger, id), ["0", "0", "0", "1"], "the excess stays in its period");
    ledger.close();
    verify_files(&place.disk).unwrap();
}

#[test]
fn what_took_place_is_paid_for_however_little_is_left() {
    let place = Place::default();
    let ledger = place.open();
    let money = ledger.put(budget("k", "1", Reset::Never, &["0.8"])).unwrap();
    let counted = ledger.put(tokens("w", 100, Reset::Never)).unwrap();
    let gone = ledger.put(budget("gone", "1", Reset::Never, &[])).unwrap();
    ledger.remove(gone).unwrap();
    let all = [money, gone, counted, money];
    let charge = Charge { tokens: 70, ..cost(usd("0.6")) };
    let asked = Demand { tokens: 1_000, ..demand(&all, usd("50")) };
    assert!(ledger.charge(&asked, &charge, How::Success).is_some_and(|settled| settled.over));
    assert_eq!(stands(&ledger, money), ["0.6", "0", "0", "0.4"]);
    let settled = ledger.charge(&asked, &charge, How::Success).unwrap();
    ledger.written(settled).wait().unwrap();
    assert_eq!(stands(&ledger, money), ["1.2", "0", "0", "-0.2"]);
    assert_eq!(stands(&ledger, counted), ["140", "0", "0", "-40"]);
    ledger.charge(&asked, &Charge { cost: None, ..Charge::NOTHING }, How::Success);
    assert_eq!(
        stands(&ledger, money),
        ["1.2", "0", "0", "-0.2"],
        "nothing was set aside for what nobody knows"
    );
    ledger.close();
    assert!(ledger.charge(&asked, &charge, How::Success).is_none());
    assert_eq!(place.marks(), ["0.8", "1", "100"]);
    verify_files(&place.disk).unwrap();
}

#[test]
fn the_rest_of_a_budget_is_of_use_to_who_can_be_content_with_it() {
    let place = Place::default();
    let ledger = place.open();
    let id = ledger.put(budget("k", "1", Reset::Never, &[])).unwrap();
    let running = ledger.reserve(&demand(&[id], usd("0.7"))).unwrap();
    let one = [id];
    let large = demand(&one, usd("0.5"));
    let Refusal::Exceeded(exceeded) = ledger.reserve(&large).unwrap_err() else { panic!() };
    assert!(exceeded.may_pass());
    let likely = |text| Some(Least { cost: usd(text), tokens: 0 });
    assert!(ledger.reserve(&Demand { least: likely("0.31"), ..large }).is_err());
    let lowered = ledger.reserve(&Demand { least: likely("0.1"), ..large }).unwrap();
    assert_eq!((lowered.grant().usd, lowered.grant().lowered), (amount("0.3"), true));
    assert!(ledger.reserve(&Demand { least: likely("0"), ..large }).is_err(), "never a grant of nothing");
    lowered.settle(&cost(usd("0.3")), How::Success);
    running.settle(&cost(usd("0.7")), How::Success);
    assert_eq!(stands(&ledger, id), ["1", "0", "0", "0"]);
    assert!(matches!(ledger.reserve(&demand(&[BudgetId(9)], usd("0"))), Err(Refusal::NoSuchBudget(_))));
}

#[test]
fn small_requests_go_out_ahead_of_the_disk_and_large_ones_wait_for_it() {
    let place = Place::default();
    let ledger = place.open_with(Options { gather: Duration::from_secs(3_600), ..Options::default() }).0;
    let id = ledger.put(budget("k", "100", Reset::Never, &[])).unwrap();
    ledger.flush().wait().unwrap();
    let small: Vec<_> = (0..11).map(|_| ledger.reserve(&demand(&[id], usd("0.01"))).unwrap()).collect();
    // A thousandth of the budget is ten of them; the eleventh is one too many until they are written.
    assert!(small[..10].iter().all(super::Reservation::is_ready));
    small[10].ready().wait().unwrap();
    let large = ledger.reserve(&demand(&[id], usd("5"))).unwrap();
    large.ready().wait().unwrap();
    assert_eq!(ledger.stats().waited, 2);
    // All of it is there for the asking.
    let rest = ledger.reserve(&demand(&[id], usd("94.89"))).unwrap();
    rest.ready().wait().unwrap();
    assert_eq!(stands(&ledger, id), ["0", "100", "0", "0"]);
}

#[test]
fn a_period_begins_anew_and_old_reservations_end_where_they_began() {
    let place = Place::default();
    let ledger = place.open();
    let id = ledger.put(budget("k", "1", Reset::Daily, &["0.5"])).unwrap();
    let yesterday = ledger.reserve(&demand(&[id], usd("0.9"))).unwrap();
    assert!(ledger.reserve(&demand(&[id], usd("0.2"))).is_err());
    place.clock.set(DAY - 1);
    assert!(ledger.reserve(&demand(&[id], usd("0.2"))).is_err());
    place.clock.set(DAY);
    let today = ledger.reserve(&demand(&[id], usd("1"))).unwrap();
    yesterday.settle(&cost(usd("0.9")), How::Success);
    assert_eq!(stands(&ledger, id), ["0", "1", "0", "0"]);
    assert_eq!(ledger.standing(id).unwrap().end, 2 * DAY);
    // A clock that is set back stands still.
    place.clock.set(0);
    assert_eq!(stands(&ledger, id), ["0", "1", "0", "0"]);
    today.settle(&cost(usd("0.6")), How::Success);
    ledger.reset(id).unwrap();
    assert_eq!(stands(&ledger, id), ["0", "0", "0", "1"]);
    ledger.reserve(&demand(&[id], usd("0.6"))).unwrap().settle(&cost(usd("0.6")), How::Success);
    ledger.close();
    assert_eq!(place.marks(), ["0.5", "0.5"], "once before the reset, once after it");
    verify_files(&place.disk).unwrap();
}

#[test]
fn a_threshold_is_heard_of_once_in_a_period_whatever_happens() {
    let place = Place::default();
    let ledger = place.open_with(whole()).0;
    let id = ledger.put(budget("k", "1", Reset::Daily, &["0.5", "0.8"])).unwrap();
    let spend = |ledger: &Ledger, text: &str| {
        let reservation = ledger.reserve(&demand(&[id], usd(text))).unwrap();
        ledger.written(reservation.settle(&cost(usd(text)), How::Success)).wait().unwrap();
    };
    spend(&ledger, "0.49");
    spend(&ledger, "0.01");
    spend(&ledger, "0.1");
    ledger.close();
    assert_eq!(place.marks(), ["0.5"]);
    let ledger = place.open_with(whole()).0;
    spend(&ledger, "0.3");
    ledger.close();
    let ledger = place.open_with(whole()).0;
    spend(&ledger, "0.1");
    ledger.close();
    assert_eq!(place.marks(), ["0.5", "0.8", "1"]);
    assert!(place.heard.lock().unwrap()[2].exhausted);
    // More money: what usage has not reached any more can be reached again.
    let ledger = place.open_with(whole()).0;
    assert_eq!(ledger.put(budget("k", "2", Reset::Daily, &["0.8", "1.5"])), Ok(id));
    spend(&ledger, "0.6");
    spend(&ledger, "0.4");
    place.clock.set(DAY);
    spend(&ledger, "0.8");
    ledger.close();
    assert_eq!(place.marks(), ["0.5", "0.8", "1", "1.5", "2", "0.8"]);
    verify_files(&place.disk).unwrap();
}

#[test]
fn an_event_that_was_on_record_and_not_handed_over_is_handed_over_at_the_next_start() {
    let place = Place::default();
    let (disk, left) = (place.disk.clone(), Arc::new(Mutex::new(None)));
    let at_the_crash = Arc::clone(&left);
    // The power goes while the receiver is at it.
    let on_alert: super::OnAlert =
        Box::new(move |_: &Alert| *at_the_crash.lock().unwrap() = Some(disk.after_crash(0)));
    let options = Options { on_alert: Some(on_alert), ..whole() };
    let clock = Arc::new(place.clock.clone());
    let ledger = Ledger::open_files(Box::new(place.disk.clone()), options, clock).unwrap().0;
    let id = ledger.put(budget("k", "1", Reset::Never, &["0.5"])).unwrap();
    let reservation = ledger.reserve(&demand(&[id], usd("0.6"))).unwrap();
    reservation.settle(&cost(usd("0.6")), How::Success);
    ledger.close();
    let again = Place { disk: left.lock().unwrap().take().unwrap(), ..Place::default() };
    again.open().close();
    assert_eq!(again.marks(), ["0.5"]);
    again.open().close();
    assert_eq!(again.marks(), ["0.5"]);
}

#[test]
fn what_a_crash_leaves_open_is_held_settled_or_given_back() {
    for (policy, stands_after) in [
        (AfterCrash::Hold, ["0.1", "0", "0.3", "0.6"]),
        (AfterCrash::Settle, ["0.4", "0", "0", "0.6"]),
        (AfterCrash::Release, ["0.1", "0", "0", "0.9"]),
    ] {
        let place = Place::default();
        let ledger = place.open_with(whole()).0;
        let id = ledger.put(budget("k", "1", Reset::Never, &[])).unwrap();
        let done = ledger.reserve(&demand(&[id], usd("0.2"))).unwrap();
        ledger.written(done.settle(&cost(usd("0.1")), How::Success)).wait().unwrap();
        let left = ledger.reserve(&demand(&[id], usd("0.3"))).unwrap();
        left.ready().wait().unwrap();
        let after = place.crashed();
        let (again, opened) = after.open_with(Options { after_crash: policy, ..whole() });
        assert_eq!(stands(&again, id), stands_after, "{policy:?}");
        assert_eq!((opened.unfinished.len(), opened.in_doubt.len()), (1, 0));
        assert_eq!((opened.unfinished[0].0, &*opened.unfinished[0].1.request), (left.id(), "req"));
        if policy == AfterCrash::Hold {
            again.resolve(left.id(), &cost(usd("0.25"))).unwrap();
            assert_eq!(stands(&again, id), ["0.35", "0", "0", "0.65"]);
            assert_eq!(again.resolve(left.id(), &Charge::NOTHING), Err(ChangeError::NotThere));
        }
        again.close();
        verify_files(&after.disk).unwrap();
    }
}

#[test]
fn what_may_have_gone_out_ahead_of_the_disk_is_held_until_a_two_hundredth_is_in_doubt() {
    let mut place = Place::default();
    let ledger = place.open();
    let id = ledger.put(budget("k", "1", Reset::Never, &[])).unwrap();
    ledger.flush().wait().unwrap();
    for crash in 1..=20 {
        place = place.crashed();
        let (ledger, opened) = place.open_with(Options::default());
        assert_eq!(opened.in_doubt.len(), usize::from(crash <= 5), "{crash}");
        let held = Amount::usd(tiny(100 * crash.min(5))).unwrap();
        assert_eq!(ledger.standing(id).unwrap().held, held);
        ledger.flush().wait().unwrap();
        // Not closed: that would leave nothing in doubt.
        std::mem::forget(ledger);
    }
    place = place.crashed();
    let ledger = place.open();
    for (held, _) in ledger.held() {
        ledger.resolve(held, &Charge::NOTHING).unwrap();
    }
    assert_eq!(stands(&ledger, id), ["0", "0", "0", "1"]);
    ledger.close();
    let (ledger, opened) = place.open_with(Options::default());
    assert!(opened.in_doubt.is_empty() && ledger.held().is_empty(), "a stop leaves nothing in doubt");
}

#[test]
fn budgets_are_changed_found_and_removed() {
    let place = Place::default();
    let ledger = place.open();
    let id = ledger.put(budget("k", "1", Reset::Never, &[])).unwrap();
    let daily = ledger.put(budget("k", "5", Reset::Daily, &[])).unwrap();
    assert_eq!(ledger.find(Scope::ApiKey, "k"), [id, daily]);
    let open = ledger.reserve(&demand(&[id], usd("0.8"))).unwrap();
    assert_eq!(ledger.put(budget("k", "0.5", Reset::Never, &[])), Ok(id));
    assert_eq!(stands(&ledger, id), ["0", "0.8", "0", "-0.3"]);
    assert_eq!(ledger.put(budget("k", "2", Reset::Never, &[])), Ok(id));
    assert_eq!(stands(&ledger, id), ["0", "0.8", "0", "1.2"]);
    ledger.remove(id).unwrap();
    assert_eq!(ledger.remove(id), Err(ChangeError::NotThere));
    assert!(matches!(ledger.reserve(&demand(&[id], usd("0"))), Err(Refusal::NoSuchBudget(_))));
    assert_eq!(ledger.find(Scope::ApiKey, "k"), [daily]);
    open.settle(&cost(usd("0.8")), How::Success);
    assert_ne!(ledger.put(budget("k", "1", Reset::Never, &[])), Ok(id), "a new one, with nothing used");
    ledger.close();
    assert_eq!(verify_files(&place.disk).unwrap().books.budgets.len(), 2);
    assert_eq!(place.open().find(Scope::ApiKey, "k").len(), 2);
}
