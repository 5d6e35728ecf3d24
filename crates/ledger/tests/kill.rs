//! A process that is killed while eight threads spend, two hundred times: the journal opens and is proved, nothing is
//! spent twice, and no settlement that was acknowledged is gone.
//!
//! The test binary starts itself again as the process that is killed. What the upstream counts is a file that every
//! request appends a line to, in one write, before anything is settled: the kernel keeps it whatever happens to us.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tidegate_core::SystemClock;
use tidegate_ledger::{
    Amount, Budget, BudgetId, Charge, Demand, How, Ledger, Limit, Options, Reset, Scope, Unit, verify,
};
use tidegate_pricing::Money;

const KILLS: u64 = 200;
const THREADS: u64 = 8;
const DIRECTORY: &str = "TIDEGATE_LEDGER_KILL_TEST";

struct Place(PathBuf);

impl Place {
    fn books(&self) -> PathBuf {
        self.0.join("books")
    }

    fn append(&self, name: &str) -> File {
        OpenOptions::new().create(true).append(true).open(self.0.join(name)).unwrap()
    }

    fn open(&self) -> (Ledger, BudgetId) {
        let options = Options { segment_bytes: 200_000, keep_segments: 3, ..Options::default() };
        let (ledger, _) = Ledger::open(&self.books(), options, Arc::new(SystemClock::new())).unwrap();
        let amount = "1".parse().unwrap();
        let limit = Limit::new(Unit::Usd, amount, Reset::Never, vec!["0.5".parse().unwrap()]).unwrap();
        let id = ledger.put(Budget::new(Scope::ApiKey, "k", limit)).unwrap();
        (ledger, id)
    }

    fn size(&self, name: &str) -> u64 {
        fs::metadata(self.0.join(name)).map_or(0, |about| about.len())
    }

    /// Lines of a request's name and what it cost.
    fn lines(&self, name: &str) -> BTreeMap<String, Amount> {
        let text = fs::read_to_string(self.0.join(name)).unwrap_or_default();
        let pair = |line: &str| {
            let (name, cost) = line.split_once(' ').unwrap();
            (name.to_owned(), cost.parse().unwrap())
        };
        text.lines().map(pair).collect()
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// So many ten-millionths of a USD.
fn usd(count: u64) -> Money {
    format!("{}.{:07}", count / 10_000_000, count % 10_000_000).parse().unwrap()
}

/// The process that is killed. Does nothing when it is run as one of the tests.
#[test]
fn spends_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let place = Place(directory.into());
    let (ledger, id) = place.open();
    let start = std::process::id();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (ledger, mut upstream, mut acknowledged) =
                (&ledger, place.append("upstream"), place.append("acknowledged"));
            scope.spawn(move || {
                let chance = &mut Chance(u64::from(start) << 8 | thread);
                for i in 0.. {
                    let ceiling = 1 + chance.below(10_000);
                    let name = format!("{start}-{thread}-{i}");
                    let demand = Demand {
                        budgets: &[id],
                        cost: Some(usd(ceiling)),
                        tokens: 0,
                        least: None,
                        request: &name,
                        trace: "",
                    };
                    let Ok(reservation) = ledger.reserve(&demand) else {
                        thread::yield_now();
                        continue;
                    };
                    reservation.ready().wait().unwrap();
                    let cost = usd(chance.below(ceiling + 1) / 10);
                    let line = format!("{name} {cost}\n");
                    upstream.write_all(line.as_bytes()).unwrap();
                    let charge = Charge { cost: Some(cost), tokens: 0, estimated: false };
                    let settled = reservation.settle(&charge, How::Success);
                    if chance.below(4) == 0 {
                        ledger.written(settled).wait().unwrap();
                        acknowledged.write_all(line.as_bytes()).unwrap();
                    }
                }
            });
        }
    });
}

/// Kills it so long after its start, or after its first request: a machine that is busy may take longer to start than that.
fn run_and_kill(place: &Place, after: Duration, at_work: bool) {
    let before = place.size("upstream");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "spends_until_it_is_killed", "--nocapture"])
        .env(DIRECTORY, &place.0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while at_work && place.size("upstream") == before && Instant::now() < deadline {
        assert_eq!(child.try_wait().unwrap(), None, "it spends until it is killed");
        thread::park_timeout(Duration::from_micros(300));
    }
    // Not asleep: a random point, without a timer's grain.
    let start = Instant::now();
    while start.elapsed() < after {
        assert_eq!(child.try_wait().unwrap(), None, "it spends until it is killed");
        thread::park_timeout(Duration::from_micros(300));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What is there after a kill: first as it was left, then as a start makes it, then with everything resolved by what the
/// upstream counted. `known` are the requests that were looked at before.
fn look(place: &Place, known: &mut BTreeSet<String>) {
    let one: Amount = "1".parse().unwrap();
    let upstream = place.lines("upstream");
    let spent: Amount = upstream.values().copied().sum();
    let books = verify(&place.books()).unwrap().books;
    let periods = books.budgets.values().flat_map(|shelf| shelf.periods.values());
    let free: Amount = periods.map(|period| period.balances.free).sum();
    assert!(spent + free <= one, "{spent} spent, {free} free");

    let (ledger, id) = place.open();
    let found = ledger.standing(id).unwrap();
    assert!(spent <= found.settled + found.held, "{spent} spent: {found:?}");
    assert!(found.settled + found.held <= one, "{found:?}");
    let held = ledger.held();
    let names: BTreeSet<&str> = held.iter().map(|(_, open)| &*open.request).collect();
    let of_known = |name: &&String| known.contains(*name);
    let mut least: Amount = upstream.iter().filter(|(name, _)| of_known(name)).map(|(_, cost)| *cost).sum();
    for (name, cost) in place.lines("acknowledged").into_iter().filter(|(name, _)| !known.contains(name)) {
        assert!(!names.contains(name.as_str()), "{name} was acknowledged, and is open");
        least += cost;
    }
    assert!(found.settled >= least, "{least} was acknowledged: {found:?}");

    let charge = |cost: Amount| Charge { cost: Some(cost.money().unwrap()), tokens: 0, estimated: false };
    let by_name = held.iter().filter(|(_, open)| !open.request.is_empty());
    for (number, open) in by_name {
        let cost = upstream.get(&*open.request).copied().unwrap_or_default();
        ledger.resolve(*number, &charge(cost)).unwrap();
    }
    // What the upstream counted and the journal never heard of went out ahead of the disk.
    let unseen = spent - ledger.standing(id).unwrap().settled;
    assert!(!unseen.is_negative(), "settled more than the upstream counted");
    match held.iter().find(|(_, open)| open.request.is_empty()) {
        Some((number, open)) => {
            assert!(unseen <= open.parts[0].amount, "{unseen} went out unseen");
            ledger.resolve(*number, &charge(unseen)).unwrap();
        }
        None => assert!(unseen.is_zero(), "{unseen} went out unseen"),
    }
    known.extend(upstream.into_keys());
    let after = ledger.standing(id).unwrap();
    assert_eq!((after.settled, after.free), (spent, one - spent), "to the last digit");
    ledger.close();
    verify(&place.books()).unwrap();
}

#[test]
fn two_hundred_kills_spend_nothing_twice_and_lose_nothing() {
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ledger-kill-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    let place = Place(directory);
    let (chance, mut known) = (&mut Chance(7), BTreeSet::new());
    for kill in 0..KILLS {
        run_and_kill(&place, Duration::from_micros(chance.below(36_000)), kill % 2 == 1);
        if place.books().exists() {
            look(&place, &mut known);
        }
    }
    let acknowledged = place.lines("acknowledged").len();
    println!("{} requests, {acknowledged} acknowledged", known.len());
    assert!(known.len() > 1_000 && acknowledged > 100, "{} {acknowledged}", known.len());
    fs::remove_dir_all(&place.0).unwrap();
}
