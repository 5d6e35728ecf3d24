//! Lists and charts over many records while more come in: `figures [records [directory [postgres address]]]`.
//!
//! Fills a store with records of the last 30 days, then asks for the list with any two filters and for every chart of the 30
//! days while a writer brings 500 records a second, and compares figures with what was written. Exits with 1 when an answer takes
//! longer than 200 ms or a figure is wrong.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for people to read")]

mod charts;
mod checks;
mod fill;
mod lists;
#[path = "../../../../crates/records/conformance/load.rs"]
mod load;
mod times;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fill::Maker;
use tidegate_core::{Clock, SystemClock, id};
use tidegate_insight::Source;
use tidegate_records::{Reader, Sink};
use tidegate_records_postgres::{PostgresOptions, PostgresReader, PostgresSink};
use tidegate_records_sqlite::{SqliteOptions, SqliteReader, SqliteSink};

const DAY: u64 = 86_400_000;
const DAYS: u64 = 30;
const BATCH: u64 = 1_000;
/// Records a second while questions are asked.
const RATE: u64 = 500;
/// How often the store does its housekeeping.
const TEND: Duration = Duration::from_secs(60);
/// How long records gather before they are written.
const GATHER: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(1_000_000, |count| count.parse().unwrap());
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let missed = if let Some(address) = arguments.next() {
        let server: tidegate_postgres::Server = address.parse().unwrap();
        let options =
            PostgresOptions { patience: PATIENCE, keep_rows_days: 0, ..PostgresOptions::new(server.clone()) };
        println!("PostgreSQL, {count} records");
        let reader = || PostgresReader::new(server.clone(), PATIENCE);
        measure(count, PostgresSink::new(options), reader(), reader())
    } else {
        let directory = directory.join(id::random("tidegate-figures-", 12));
        println!("SQLite, {count} records in {}", directory.display());
        let options = SqliteOptions { keep_rows_days: 0, ..SqliteOptions::new(&directory) };
        let sink = SqliteSink::open(options).unwrap();
        let missed = measure(count, sink, SqliteReader::new(&directory), SqliteReader::new(&directory));
        std::fs::remove_dir_all(directory).unwrap();
        missed
    };
    println!("\n{missed} missed or wrong");
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Gives how much missed the bar or was wrong.
fn measure(count: u64, mut sink: impl Sink, mut reader: impl Reader, mut source: impl Source) -> usize {
    let mut filled = Maker::new(1);
    let now = SystemClock::new().unix_ms();
    let from = now / DAY * DAY - (DAYS - 1) * DAY;
    let (began, step) = (Instant::now(), (now - from) * BATCH / count.max(1));
    for batch in 0..count / BATCH {
        filled.write(&mut sink, from + batch * step, BATCH);
    }
    sink.tend(now).unwrap();
    let took = began.elapsed();
    println!("filled in {took:?}, {:.1} us a record with making it", took.as_secs_f64() * 1e6 / count as f64);
    let (stop, mut written) = (AtomicBool::new(false), Maker::new(2));
    let missed = std::thread::scope(|scope| {
        let (stop, written) = (&stop, &mut written);
        scope.spawn(move || {
            let (clock, began) = (SystemClock::new(), Instant::now());
            let mut tended = Instant::now();
            while !stop.load(Ordering::Relaxed) {
                let due = began.elapsed().as_millis() as u64 * RATE / 1_000;
                // Behind after a pause of the machine, it catches up in batches as the pipe does.
                let batch = (due - written.made()).min(BATCH);
                written.write(&mut sink, clock.unix_ms(), batch);
                // The pipe's housekeeping.
                if tended.elapsed() >= TEND {
                    sink.tend(clock.unix_ms()).unwrap();
                    tended = Instant::now();
                }
                std::thread::park_timeout(GATHER);
            }
            println!("\n{} records were written meanwhile, in {:?}", written.made(), began.elapsed());
        });
        let to = now + DAY;
        let missed = lists::lists(&mut reader, from, to) + charts::charts(&mut source, from, to);
        stop.store(true, Ordering::Relaxed);
        missed
    });
    let to = SystemClock::new().unix_ms();
    missed + checks::checks(&mut source, from, to, &[filled.told, written.told])
}
