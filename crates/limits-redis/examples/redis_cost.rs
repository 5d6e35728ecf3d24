//! What an admission over Redis costs: `cargo run --release -p tidegate-limits-redis --example redis_cost -- redis://127.0.0.1/`.
//!
//! Each request has three layers with five rules, as in the example of `tidegate-limits`: an API key (requests, tokens,
//! concurrency), a workspace, a model. The figures are for asking and settling together: CPU time of this process and of
//! the server, and how long an admission takes. The server should have nothing else to do.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_core::{Moment, Secret, SystemClock};
use tidegate_limits::{Algorithm, Demand, Layer, Limits, Period, Rule, Scope, Span, Window};
use tidegate_limits_redis::{Options, Redis};

const REQUESTS: usize = 40_000;
const KEYS: usize = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("give the address of a Redis server: redis://127.0.0.1/")?;
    let mut server = redis::Client::open(url.as_str())?.get_multiplexed_async_connection().await?;
    let options = Options { timeout: Duration::from_secs(5), ..Options::new(Secret::from(url)) };
    let limits = Arc::new(Limits::new(Redis::open(options, Arc::new(SystemClock::new())).await?));
    for algorithm in [Algorithm::FixedOnTheClock, Algorithm::Moving, Algorithm::TokenBucket] {
        for together in [1, 64] {
            serve(&limits, algorithm, together, REQUESTS / 10).await?;
            let before = (cpu_time(), cpu_of(&mut server).await?, Instant::now());
            let mut waits = serve(&limits, algorithm, together, REQUESTS).await?;
            let (ours, theirs) = (cpu_time() - before.0, cpu_of(&mut server).await? - before.1);
            let rate = REQUESTS as f64 / before.2.elapsed().as_secs_f64();
            waits.sort_unstable();
            let at = |part: usize| waits.get(waits.len() * part / 1_000).map_or(0, Duration::as_micros);
            let each = |time: Duration| time.as_micros() as f64 / REQUESTS as f64;
            println!(
                "{algorithm:?}, {together} at once: {:.1} µs of CPU here and {:.1} µs there; {rate:.0} a second; \
                 an admission takes {} µs (median), {} µs (99 %), {} µs (99.9 %)",
                each(ours),
                each(theirs),
                at(500),
                at(990),
                at(999),
            );
        }
    }
    Ok(())
}

/// How long each admission took.
async fn serve(
    limits: &Arc<Limits<Redis>>,
    algorithm: Algorithm,
    together: usize,
    requests: usize,
) -> Result<Vec<Duration>, Box<dyn Error>> {
    let tasks: Vec<_> = (0..together)
        .map(|task| {
            let limits = Arc::clone(limits);
            tokio::spawn(async move {
                let window = Window { span: Span::one(Period::Minute), algorithm };
                let (requests_a_minute, tokens) =
                    (Rule::requests(1 << 40, window), Rule::tokens(1 << 45, window));
                let own = [requests_a_minute, tokens, Rule::concurrency(1_000)];
                let mut waits = Vec::new();
                for i in 0..requests / together {
                    let key = format!("key-{}", (i * together + task) % KEYS);
                    let layers = [
                        Layer { scope: Scope::ApiKey, id: &key, rules: &own },
                        Layer { scope: Scope::Workspace, id: "w", rules: &own[..1] },
                        Layer { scope: Scope::Model, id: "m", rules: &own[..1] },
                    ];
                    let began = Instant::now();
                    let permit = limits.admit(&Demand { layers: &layers, tokens: 500 }, Moment(0)).await;
                    waits.push(began.elapsed());
                    permit.map_err(|denial| format!("{denial:?}"))?.settle(400, Moment(0));
                }
                Ok::<_, String>(waits)
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await??);
    }
    limits.store().flush().await;
    Ok(all)
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What the server has used so far, by its own account.
async fn cpu_of(server: &mut redis::aio::MultiplexedConnection) -> Result<Duration, Box<dyn Error>> {
    let text: String = redis::cmd("INFO").arg("cpu").query_async(server).await?;
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().parse::<f64>().ok()).unwrap_or(0.0)
    };
    Ok(Duration::from_secs_f64(of("used_cpu_user:") + of("used_cpu_sys:")))
}
