//! What records cost: `cargo run --profile quick -p tidegate-records-sqlite --example records_sqlite_cost [directory [batch [gather in ms]]]`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for people to read")]

#[path = "../../records/conformance/load.rs"]
mod load;

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use load::Names;
use tidegate_core::{Clock, SystemClock, id};
use tidegate_records::{
    Batch, Between, Entry, Facts, Filter, IdSource, Options, Pipe, Reader, Sink, SinkError, StatusFilter,
    Written, codec,
};
use tidegate_records_sqlite::{SqliteOptions, SqliteReader, SqliteSink};

/// Takes everything at once: what is measured beside it is the pushing.
struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError> {
        Ok(Written { new: batch.len() as u64, ..Written::default() })
    }
}

fn main() {
    let directory = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = directory.join(id::random("tidegate-cost-", 12));
    let (names, ids, clock) = (Names::new(), IdSource::new(1, None), SystemClock::new());
    pushing(&directory, &names, &ids, &clock);
    storing(&directory, &names, &ids, &clock);
    month(&directory, &names, &clock);
    for rate in [20, 2_000, 10_000] {
        steady(&directory, &names, &ids, &clock, rate, false);
    }
    steady(&directory, &names, &ids, &clock, 10_000, true);
    fs::remove_dir_all(directory).unwrap();
}

/// Nanoseconds per call: the least of many short runs, because other work on the machine only ever adds.
fn least(mut call: impl FnMut(usize)) -> u128 {
    const COUNT: usize = 100;
    let one = |run: usize| {
        let began = Instant::now();
        (0..COUNT).for_each(|i| call(run * COUNT + i));
        began.elapsed().as_nanos() / COUNT as u128
    };
    (0..500).map(one).min().unwrap_or(0)
}

fn pushing(directory: &Path, names: &Names, ids: &IdSource, clock: &SystemClock) {
    let now = clock.unix_ms();
    let (record, mut bytes) = (names.record(ids, now, 1), Vec::new());
    codec::encode(&record, &mut bytes);
    println!("encoded record: {} bytes", bytes.len());
    println!("build and free: {} ns", least(|i| drop(black_box(names.record(ids, now, i)))));
    let mut out = Vec::new();
    let encode = least(|_| {
        out.clear();
        codec::encode(black_box(&record), &mut out);
    });
    println!("encode: {encode} ns");
    println!(
        "read the facts, on the writer's thread: {} ns; the whole record: {} ns",
        least(|_| drop(black_box(Facts::read(&bytes).unwrap()))),
        least(|_| drop(black_box(codec::decode(&bytes).unwrap())))
    );
    let mut options = Options::new(directory.join("nowhere"));
    options.queue_records = 1 << 20;
    let pipe = Pipe::start(options, Box::new(Nowhere), Arc::new(SystemClock::new())).unwrap();
    let push = least(|_| assert!(pipe.push(&record, None)));
    println!("push of a record that is there: {push} ns");
    let all = least(|i| assert!(pipe.push(&names.record(ids, now, i), None)));
    println!("build, push and free: {all} ns");
    pipe.close(Duration::from_secs(10));
}

fn storing(directory: &Path, names: &Names, ids: &IdSource, clock: &SystemClock) {
    let path = directory.join("stored");
    let batch = std::env::args().nth(2).and_then(|batch| batch.parse().ok());
    let mut options = Options::new(directory.join("storing"));
    options.batch_records = batch.unwrap_or(options.batch_records);
    options.queue_records = 16_000;
    let sink = SqliteSink::open(SqliteOptions::new(&path)).unwrap();
    let pipe = Pipe::start(options, Box::new(sink), Arc::new(SystemClock::new())).unwrap();
    let mut total = 0;
    for round in 0..4 {
        const COUNT: usize = 250_000;
        let (began, cpu) = (Instant::now(), pipe.stats().cpu_us);
        for i in 0..COUNT {
            while pipe.stats().queued >= 7_900 {
                std::thread::park_timeout(Duration::from_micros(200));
            }
            pipe.push(&names.record(ids, clock.unix_ms(), round * COUNT + i), None);
        }
        while pipe.stats().queued > 0 {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        total += COUNT;
        let (stats, seconds) = (pipe.stats(), began.elapsed().as_secs_f64());
        println!(
            "SQLite, {total} rows in: {:.0} records/s, {:.1} us of processor per record, longest burst {} us ({} us of processor), spilled {}",
            COUNT as f64 / seconds,
            (stats.cpu_us - cpu) as f64 / COUNT as f64,
            stats.longest_burst_us,
            stats.longest_cpu_us,
            stats.spilled
        );
    }
    let stats = pipe.close(Duration::from_secs(10));
    assert!(stats.adds_up() && stats.written == total as u64, "{stats:?}");
    let bytes: u64 = fs::read_dir(&path)
        .unwrap()
        .map(|file| file.unwrap())
        .filter(|file| file.file_name().to_string_lossy().ends_with(".db"))
        .map(|file| file.metadata().unwrap().len())
        .sum();
    println!("SQLite: {} bytes per record with indexes", bytes / total as u64);
    reading(&path);
}

fn reading(path: &Path) {
    let mut reader = SqliteReader::new(path);
    let none = Filter::default();
    let user = || vec!["user-31".to_owned()];
    for (name, filter) in [
        ("no filter", none.clone()),
        ("user", Filter { user: user(), ..none.clone() }),
        ("status", Filter { status: Some(StatusFilter::Range(500, 599)), ..none.clone() }),
        (
            "user and status",
            Filter { user: user(), status: Some(StatusFilter::Is(vec![500])), ..none.clone() },
        ),
        (
            "provider and model",
            Filter { provider: vec!["gemini".into()], model: vec!["model-9".into()], ..none.clone() },
        ),
        (
            "model and status that never meet",
            Filter {
                model: vec!["model-9".into()],
                status: Some(StatusFilter::Is(vec![429])),
                ..none.clone()
            },
        ),
        (
            "metadata and cost that never meet",
            Filter {
                metadata: vec![("team".into(), "search".into())],
                cost: Between { min: Some(1.into()), max: None },
                ..none.clone()
            },
        ),
        ("trace", Filter { trace: vec!["none".into()], ..none.clone() }),
    ] {
        let began = Instant::now();
        let rows = reader.list(&filter, None, 50).unwrap().rows.len();
        let listed = began.elapsed();
        let began = Instant::now();
        let count = reader.count(&filter, u64::MAX).unwrap();
        println!("list by {name}: {listed:?} for {rows} rows; exact count {count} in {:?}", began.elapsed());
    }
}

/// A million records of 30 days.
fn month(directory: &Path, names: &Names, clock: &SystemClock) {
    const DAY: u64 = 86_400_000;
    let path = directory.join("month");
    let (mut sink, ids) = (SqliteSink::open(SqliteOptions::new(&path)).unwrap(), IdSource::new(2, None));
    let (start, mut i) = (clock.unix_ms() / DAY * DAY - 30 * DAY, 0);
    for day in 0..30 {
        for batch in 0..33 {
            let unix_ms = start + day * DAY + batch * 60_000;
            let encoded: Vec<Vec<u8>> = (0..1_010)
                .map(|_| {
                    i += 1;
                    let mut bytes = Vec::new();
                    codec::encode(&names.record(&ids, unix_ms, i), &mut bytes);
                    bytes
                })
                .collect();
            let entry = |encoded| Entry { facts: Facts::read(encoded).unwrap(), encoded, bodies: None };
            sink.write(&encoded.iter().map(|encoded| entry(encoded)).collect::<Vec<_>>()).unwrap();
        }
    }
    println!("{i} records in 30 days, read for the first time, then again:");
    reading(&path);
    reading(&path);
}

/// Away for the first half of the time.
struct Late(SqliteSink, Instant);

impl Sink for Late {
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError> {
        if self.1.elapsed() < Duration::from_secs(1) * SECONDS / 2 {
            return Err(SinkError::Away("on purpose".into()));
        }
        self.0.write(batch)
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.0.sync()
    }
}

const SECONDS: u32 = 10;

/// A steady load below what the store can take: what a record costs, and how long the writer holds a core at a time. `late`:
/// with half of the records going through the journal.
fn steady(directory: &Path, names: &Names, ids: &IdSource, clock: &SystemClock, rate: u32, late: bool) {
    let sink = SqliteSink::open(SqliteOptions::new(directory.join(format!("steady-{rate}-{late}")))).unwrap();
    let began = Instant::now();
    let sink: Box<dyn Sink> = if late { Box::new(Late(sink, began)) } else { Box::new(sink) };
    let mut options = Options::new(directory.join("steady-journal"));
    let gather = std::env::args().nth(3).and_then(|ms| ms.parse().ok());
    options.gather = gather.map_or(options.gather, Duration::from_millis);
    let pipe = Pipe::start(options, sink, Arc::new(SystemClock::new())).unwrap();
    let (mut slowest, mut half) = (Duration::ZERO, 0);
    for i in 0..rate * SECONDS {
        if i == rate * SECONDS / 2 {
            half = pipe.stats().cpu_us;
        }
        let record = names.record(ids, clock.unix_ms(), i as usize);
        let at = Instant::now();
        pipe.push(&record, None);
        slowest = slowest.max(at.elapsed());
        while began.elapsed() < Duration::from_secs(1) * i / rate {
            std::thread::park_timeout(Duration::from_micros(100));
        }
    }
    let patience = Instant::now() + Duration::from_secs(20);
    while pipe.stats().queued + pipe.stats().journaled > 0 && Instant::now() < patience {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let stats = pipe.close(Duration::from_secs(10));
    assert!(stats.adds_up() && stats.written == u64::from(rate * SECONDS), "{stats:?}");
    println!(
        "{rate}/s for {SECONDS} s: {:.1} us of processor per record on the writer's thread, {:.1} in the first half, when names are new; {} bursts of {} us, longest {} us; {} records by the journal; slowest push {slowest:?}",
        stats.cpu_us as f64 / stats.written as f64,
        half as f64 / (stats.written / 2) as f64,
        stats.bursts,
        stats.cpu_us / stats.bursts.max(1),
        stats.longest_cpu_us,
        stats.spilled,
    );
}
