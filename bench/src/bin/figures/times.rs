//! How long answers took, against the bar.

use std::time::{Duration, Instant};

/// An answer is to be there within this time.
pub const BAR: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub struct Times {
    name: String,
    p50: Duration,
    p95: Duration,
    most: Duration,
    /// The median of the processor time of the thread that asked: what a busy machine does not make longer.
    cpu: Duration,
}

impl Times {
    pub fn of(name: String, rounds: usize, mut ask: impl FnMut()) -> Self {
        let (mut times, mut cpu): (Vec<Duration>, Vec<Duration>) = (0..rounds)
            .map(|_| {
                let (began, worked) = (Instant::now(), processor());
                ask();
                (began.elapsed(), processor().saturating_sub(worked))
            })
            .unzip();
        times.sort_unstable();
        cpu.sort_unstable();
        let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
        Self { name, p50: at(50), p95: at(95), most: at(100), cpu: cpu[cpu.len() / 2] }
    }
}

/// What this thread has had of processors.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}

/// Prints the worst, and gives how many missed the bar at their median or, by more than the machine's noise, at p95.
pub fn report(title: &str, mut all: Vec<Times>, worst: usize) -> usize {
    let missed = all.iter().filter(|times| times.p50 > BAR || times.p95 > BAR).count();
    let mut medians: Vec<Duration> = all.iter().map(|times| times.p50).collect();
    let mut tails: Vec<Duration> = all.iter().map(|times| times.p95).collect();
    medians.sort_unstable();
    tails.sort_unstable();
    let longest = all.iter().map(|times| times.cpu).max().unwrap_or_default();
    all.sort_by_key(|times| std::cmp::Reverse(times.p95));
    let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
    println!(
        "\n{title}: {} questions; of their p50 half are below {} ms and all below {} ms, of their p95 all below {} ms; {missed} miss {} ms; processor time of the asking thread at most {} ms",
        all.len(),
        ms(medians[medians.len() / 2]),
        ms(medians[medians.len() - 1]),
        ms(tails[tails.len() - 1]),
        BAR.as_millis(),
        ms(longest)
    );
    println!("| the slowest | p50 ms | p95 ms | max ms | processor ms |\n|---|---|---|---|---|");
    for Times { name, p50, p95, most, cpu } in all.iter().take(worst) {
        println!("| {name} | {} | {} | {} | {} |", ms(*p50), ms(*p95), ms(*most), ms(*cpu));
    }
    missed
}
