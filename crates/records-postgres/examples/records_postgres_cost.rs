//! What records cost in PostgreSQL, on the gateway's side and in lists:
//! `cargo run --profile quick -p tidegate-records-postgres --example records_postgres_cost "host=localhost user=me dbname=empty"`.
//! Writes a million records into the database.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for people to read")]

#[path = "../../records/conformance/load.rs"]
mod load;

use std::sync::Arc;
use std::time::{Duration, Instant};

use load::Names;
use tidegate_core::{Clock, SystemClock, id};
use tidegate_postgres::Server;
use tidegate_records::{Between, Filter, IdSource, Options, Pipe, Reader, StatusFilter};
use tidegate_records_postgres::{PostgresOptions, PostgresReader, PostgresSink};

fn main() {
    let server: Server = std::env::args().nth(1).unwrap_or_default().parse().unwrap();
    let (names, ids, clock) = (Names::new(), IdSource::new(1, None), SystemClock::new());
    let directory = std::env::temp_dir().join(id::random("tidegate-cost-", 12));
    let sink = PostgresSink::new(PostgresOptions::new(server.clone()));
    let pipe = Pipe::start(Options::new(&directory), Box::new(sink), Arc::new(SystemClock::new())).unwrap();
    const COUNT: usize = 250_000;
    for round in 0..4 {
        let (began, cpu) = (Instant::now(), pipe.stats().cpu_us);
        for i in 0..COUNT {
            while pipe.stats().queued >= 7_900 {
                std::thread::park_timeout(Duration::from_micros(200));
            }
            pipe.push(&names.record(&ids, clock.unix_ms(), round * COUNT + i), None);
        }
        while pipe.stats().queued > 0 {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        println!(
            "PostgreSQL, {} rows in: {:.0} records/s, {:.1} us of processor per record on the writer's thread",
            (round + 1) * COUNT,
            COUNT as f64 / began.elapsed().as_secs_f64(),
            (pipe.stats().cpu_us - cpu) as f64 / COUNT as f64
        );
    }
    let stats = pipe.close(Duration::from_secs(10));
    assert!(stats.adds_up() && stats.dropped.total() == 0, "{stats:?}");
    let mut reader = PostgresReader::new(server, Duration::from_secs(60));
    let none = Filter::default();
    let one = |name: &str| vec![name.to_owned()];
    for (name, filter) in [
        ("no filter", none.clone()),
        (
            "user and status",
            Filter { user: one("user-31"), status: Some(StatusFilter::Is(vec![500])), ..none.clone() },
        ),
        ("provider and model", Filter { provider: one("gemini"), model: one("model-9"), ..none.clone() }),
        (
            "model and status that never meet",
            Filter { model: one("model-9"), status: Some(StatusFilter::Is(vec![429])), ..none.clone() },
        ),
        (
            "metadata and cost that never meet",
            Filter {
                metadata: vec![("team".into(), "search".into())],
                cost: Between { min: Some(1.into()), max: None },
                ..none.clone()
            },
        ),
        ("trace", Filter { trace: one("none"), ..none.clone() }),
    ] {
        let began = Instant::now();
        let rows = reader.list(&filter, None, 50).unwrap().rows.len();
        println!("list by {name}: {:?} for {rows} rows", began.elapsed());
    }
    let _ = std::fs::remove_dir_all(directory);
}
