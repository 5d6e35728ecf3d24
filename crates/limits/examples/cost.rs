//! What an admission costs: `cargo run --release -p tidegate-limits --example cost`.
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
    Algorithm, Demand, Layer, Limits, Memory, MemoryOptions, Period, Rule, Scope, Span, Window,
};

const REQUESTS: u64 = 1_000_000;
const ROUNDS: usize = 5;

fn main() {
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
    for threads in [1, 2, 8, 64] {
        let begin = Instant::now();
        thread::scope(|scope| {
            let (case, share) = (&case, REQUESTS / threads);
            (0..threads).for_each(|i| drop(scope.spawn(move || case.serve(share * i..share * (i + 1)))));
        });
        let rate = REQUESTS as f64 / begin.elapsed().as_micros() as f64;
        println!("{threads} threads, 100000 keys: {rate:.2} million a second");
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
