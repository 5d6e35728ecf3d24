//! What an admission costs: `cargo run --release -p tidegate-limits --example limits_cost`.
//!
//! Each request has three layers with five rules: an API key (requests, tokens, concurrency), a workspace, a model. The
//! figures are of CPU time for asking and settling together, the least of several rounds, so that a busy machine
//! disturbs them little; and how many requests pass per second of wall clock with several threads.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::hint::black_box;
use std::ops::Range;
use std::thread;
use std::time::Instant;

use tidegate_core::Moment;
use tidegate_limits::{
    Algorithm, Demand, FairQueue, Layer, Limits, Memory, MemoryOptions, Offer, Period, QueueRules, Rule,
    Scope, Span, Window,
};

const REQUESTS: u64 = 1_000_000;
const ROUNDS: usize = 5;

fn main() {
    memory();
    for algorithm in [Algorithm::FixedOnTheClock, Algorithm::Moving, Algorithm::TokenBucket] {
        for keys in [1, 1_000, 100_000] {
            let case = Case::new(algorithm, keys);
            case.serve(0..4 * keys as u64);
            let rounds = (0..ROUNDS).map(|_| cpu_time(|| case.serve(0..REQUESTS)));
            let least = rounds.min().unwrap_or(0) / REQUESTS;
            println!("{algorithm:?}, {keys} keys: {least} ns of CPU a request");
        }
    }
    let case = Case::new(Algorithm::FixedOnTheClock, 100_000);
    case.serve(0..400_000);
    for threads in [1, 2, 8, 64] {
        let begin = Instant::now();
        thread::scope(|scope| {
            let (case, share) = (&case, REQUESTS / threads);
            (0..threads).for_each(|i| drop(scope.spawn(move || case.serve(share * i..share * (i + 1)))));
        });
        let rate = REQUESTS as f64 / begin.elapsed().as_micros() as f64;
        println!("{threads} threads, 100000 keys: {rate:.2} million a second");
    }
    queue();
}

fn memory() {
    for algorithm in [Algorithm::FixedOnTheClock, Algorithm::Moving] {
        let case = Case::new(algorithm, 100_000);
        let before = resident_bytes();
        case.serve(0..1_000_000);
        let keys = case.limits.store().stats().keys;
        let bytes = resident_bytes().saturating_sub(before) / keys.max(1) as u64;
        println!("{algorithm:?}: {keys} keys of three rules, {bytes} bytes each");
        // Kept, so that the next one cannot use its memory.
        std::mem::forget(case);
    }
}

/// A full queue: one push and one turn, for keys that take turns, and for newcomers that displace the heaviest.
fn queue() {
    let rules = QueueRules { max_len: 1_000, max_per_key: 1_000, max_wait_ms: 60_000 };
    for keys in [10, 1_000] {
        let mut queue = FairQueue::new(rules);
        (0..1_000).for_each(|i| drop(queue.push(i % keys, 1_000, (), 60_000, Moment(0))));
        let turns = cpu_time(|| {
            for i in 0..REQUESTS {
                black_box(queue.serve(Moment(0), |_, (), _| Offer::Take(())));
                drop(queue.push(i % keys, 1 + i % 2_000, (), 60_000, Moment(0)));
            }
        });
        let displacing =
            cpu_time(|| (0..100_000).for_each(|i| drop(queue.push(i + keys, 1, (), 60_000, Moment(0)))));
        let (turn, displacing) = (turns / REQUESTS, displacing / 100_000);
        println!(
            "queue of 1000, {keys} keys: {turn} ns for a turn and a push, {displacing} ns for a push into it full"
        );
    }
}

struct Case {
    limits: Limits,
    names: Vec<String>,
    own: [Rule; 3],
    workspace: [Rule; 1],
    model: [Rule; 1],
}

impl Case {
    fn new(algorithm: Algorithm, keys: usize) -> Self {
        let window = Window { span: Span::one(Period::Minute), algorithm };
        let (requests, tokens) = (Rule::requests(1 << 40, window), Rule::tokens(1 << 45, window));
        Self {
            limits: Limits::new(Memory::new(MemoryOptions { max_keys: 1_000_000, epoch_unix_ms: 0 })),
            names: (0..keys).map(|i| format!("ak-{i:032}")).collect(),
            own: [requests, tokens, Rule::concurrency(1 << 20)],
            workspace: [tokens],
            model: [requests],
        }
    }

    fn serve(&self, requests: Range<u64>) {
        for i in requests {
            // Visits keys in no order that a cache could like.
            let key = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize % self.names.len();
            let layers = [
                Layer { scope: Scope::ApiKey, id: &self.names[key], rules: &self.own },
                Layer { scope: Scope::Workspace, id: "workspace", rules: &self.workspace },
                Layer { scope: Scope::Model, id: "gpt-4o-mini", rules: &self.model },
            ];
            let now = Moment(i / 1_000);
            match self.limits.admit_now(&Demand { layers: &layers, tokens: 500 }, now) {
                Ok(permit) => black_box(permit).settle(321, now),
                Err(refusal) => println!("{refusal:?}"),
            }
        }
    }
}

fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

/// Nanoseconds that this thread spent on a processor.
fn cpu_time(work: impl FnOnce()) -> u64 {
    let spent = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0)
    };
    let before = spent();
    work();
    spent().saturating_sub(before)
}
