//! What a reservation costs: `cargo run --release -p tidegate-ledger --example ledger_cost [directory]`.
//!
//! Each request has three budgets: an API key, a workspace (money), a workspace (tokens). The figures are the time that
//! `reserve`, `settle` take together on the thread that asks, the least of several rounds; how many pass per second of
//! wall clock with several threads while the journal is written to a real disk; and what waiting for the disk costs.
#![expect(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "its output is what it is for")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tidegate_core::SystemClock;
use tidegate_ledger::{
    Amount, Budget, BudgetId, Charge, Demand, How, Ledger, Limit, Options, Refusal, Reset, Scope, Stake, Unit,
};
use tidegate_pricing::Money;

const BURST: u64 = 10_000;
const ROUNDS: usize = 9;

struct Case {
    ledger: Ledger,
    budgets: Vec<[BudgetId; 3]>,
}

impl Case {
    fn new(directory: &Path, keys: usize, stake: Stake) -> Self {
        let _ = std::fs::remove_dir_all(directory);
        let options = Options { stake, most_waiting: 1 << 20, ..Options::default() };
        let (ledger, _) = Ledger::open(directory, options, Arc::new(SystemClock::new())).unwrap();
        let budget = |scope, id: String, unit| {
            let limit = Limit::new(unit, Amount::MOST_PER_BUDGET, Reset::Monthly, Vec::new()).unwrap();
            ledger.put(Budget::new(scope, id, limit)).unwrap()
        };
        let workspace = budget(Scope::Workspace, "w".to_owned(), Unit::Usd);
        let tokens = budget(Scope::Workspace, "w".to_owned(), Unit::Tokens);
        let key = |i| [budget(Scope::ApiKey, format!("k{i}"), Unit::Usd), workspace, tokens];
        let budgets = (0..keys).map(key).collect();
        ledger.flush().wait().unwrap();
        Self { ledger, budgets }
    }

    /// Serves requests; gives back how many times the journal was too far behind to take one.
    fn serve(&self, from: u64, count: u64, wait: bool) -> u64 {
        let (ceiling, cost): (Money, Money) = ("0.0125".parse().unwrap(), "0.0042".parse().unwrap());
        let charge = Charge { cost: Some(cost), tokens: 700, estimated: false };
        let mut busy = 0;
        for i in from..from + count {
            // Some way through the keys in no order.
            let at = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % self.budgets.len();
            let demand = Demand {
                budgets: &self.budgets[at],
                cost: Some(ceiling),
                tokens: 2_000,
                least: None,
                request: "req_01J9ZK6Q3W8V5B7N4M2X",
                trace: "4bf92f3577b34da6a3ce929d0e0e4736",
            };
            let reservation = loop {
                match self.ledger.reserve(&demand) {
                    Ok(reservation) => break reservation,
                    Err(Refusal::Busy) => {
                        busy += 1;
                        thread::yield_now();
                    }
                    Err(other) => panic!("{other}"),
                }
            };
            if wait {
                reservation.ready().wait().unwrap();
            }
            reservation.settle(&charge, How::Success);
        }
        busy
    }
}

fn directory() -> PathBuf {
    std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("tidegate-ledger-cost"), PathBuf::from)
}

fn main() {
    let directory = directory();
    for keys in [1, 1_000, 100_000] {
        let case = Case::new(&directory, keys, Stake::default());
        let round = |i: usize| {
            let begin = Instant::now();
            case.serve(i as u64 * BURST, BURST, false);
            let spent = begin.elapsed();
            case.ledger.flush().wait().unwrap();
            spent
        };
        let least = (0..ROUNDS).map(round).min().unwrap_or_default();
        println!(
            "{keys} keys: {} ns for a reservation and its settlement",
            least.as_nanos() / u128::from(BURST)
        );
    }
    for (word, wait, stake, count) in [
        ("ahead of the disk", false, Stake::default(), 400_000),
        ("each waiting for the disk", true, Stake { ahead: 0, doubt: 0 }, 20_000),
    ] {
        for threads in [1, 8, 64] {
            let case = Case::new(&directory, 1_000, stake);
            let begin = Instant::now();
            let share = count / threads;
            thread::scope(|scope| {
                for i in 0..threads {
                    let case = &case;
                    scope.spawn(move || case.serve(i * share, share, wait));
                }
            });
            case.ledger.flush().wait().unwrap();
            let spent = begin.elapsed().max(Duration::from_nanos(1));
            let per_second = (share * threads) as f64 / spent.as_secs_f64();
            println!("{threads} threads, {word}: {per_second:.0} requests a second, all on disk");
        }
    }
    let _ = std::fs::remove_dir_all(&directory);
}
