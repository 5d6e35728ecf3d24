//! Lists and charts over many records while more come in: `figures [records [directory [postgres address]]]`.
//!
//! Fills a store with records of the last 30 days, then asks for lists with two filters and for charts of the 30 days while a
//! writer brings 500 records a second, and prints how long that took.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for people to read")]

#[path = "../../../crates/records/conformance/load.rs"]
mod load;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use load::Names;
use tidegate_core::{Clock, SystemClock, id};
use tidegate_insight::{Bucket, Dimension, Metric, Query, Source, Wants, answer};
use tidegate_records::{Entry, Facts, Filter, IdSource, Reader, Sink, StatusFilter, codec};
use tidegate_records_postgres::{PostgresOptions, PostgresReader, PostgresSink};
use tidegate_records_sqlite::{SqliteOptions, SqliteReader, SqliteSink};

const DAY: u64 = 86_400_000;
const DAYS: u64 = 30;
const BATCH: u64 = 1_000;
const ROUNDS: usize = 30;
/// Records a second while questions are asked.
const RATE: u64 = 500;
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(1_000_000, |count| count.parse().unwrap());
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    if let Some(address) = arguments.next() {
        let server: tidegate_postgres::Server = address.parse().unwrap();
        let options =
            PostgresOptions { patience: PATIENCE, keep_rows_days: 0, ..PostgresOptions::new(server.clone()) };
        println!("PostgreSQL, {count} records");
        let sink = PostgresSink::new(options);
        measure(
            count,
            sink,
            PostgresReader::new(server.clone(), PATIENCE),
            PostgresReader::new(server, PATIENCE),
        );
        return;
    }
    let directory = directory.join(id::random("tidegate-figures-", 12));
    println!("SQLite, {count} records in {}", directory.display());
    let sink =
        SqliteSink::open(SqliteOptions { keep_rows_days: 0, ..SqliteOptions::new(&directory) }).unwrap();
    measure(count, sink, SqliteReader::new(&directory), SqliteReader::new(&directory));
    std::fs::remove_dir_all(directory).unwrap();
}

fn measure(count: u64, mut sink: impl Sink, mut reader: impl Reader, mut source: impl Source) {
    let (names, ids) = (Names::new(), IdSource::new(1, None));
    let now = SystemClock::new().unix_ms();
    let from = now / DAY * DAY - (DAYS - 1) * DAY;
    let began = Instant::now();
    let step = (now - from) * BATCH / count.max(1);
    for batch in 0..count / BATCH {
        write(&mut sink, &names, &ids, from + batch * step, batch * BATCH, BATCH);
    }
    sink.tend(now).unwrap();
    println!(
        "filled in {:?}, {:.1} us a record with making it",
        began.elapsed(),
        began.elapsed().as_secs_f64() * 1e6 / count as f64
    );
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (stop, names) = (&stop, &names);
        scope.spawn(move || {
            let (ids, clock, began) = (IdSource::new(2, None), SystemClock::new(), Instant::now());
            let mut written = 0;
            while !stop.load(Ordering::Relaxed) {
                let due = began.elapsed().as_millis() as u64 * RATE / 1_000;
                write(&mut sink, names, &ids, clock.unix_ms(), written, due - written);
                written = due;
                std::thread::park_timeout(Duration::from_millis(100));
            }
            println!("{written} records were written meanwhile");
        });
        questions(&mut reader, &mut source, from);
        stop.store(true, Ordering::Relaxed);
    });
}

fn write(sink: &mut impl Sink, names: &Names, ids: &IdSource, unix_ms: u64, first: u64, count: u64) {
    let encoded: Vec<Vec<u8>> = (first..first + count)
        .map(|i| {
            let mut bytes = Vec::new();
            codec::encode(&names.record(ids, unix_ms + i % 997, i as usize), &mut bytes);
            bytes
        })
        .collect();
    let entry = |encoded| Entry { facts: Facts::read(encoded).unwrap(), encoded, bodies: None };
    let entries: Vec<Entry<'_>> = encoded.iter().map(|encoded| entry(encoded)).collect();
    if !entries.is_empty() {
        sink.write(&entries).unwrap();
    }
}

fn questions(reader: &mut impl Reader, source: &mut impl Source, from_ms: u64) {
    let names = |name: &str| vec![name.to_owned()];
    let workspace = || Filter { organisation: names("org"), workspace: names("search"), ..Filter::default() };
    let errors = Some(StatusFilter::Range(500, 599));
    for (name, filter) in [
        ("model and status", Filter { model: names("model-9"), status: errors.clone(), ..workspace() }),
        ("user and provider", Filter { user: names("user-31"), provider: names("gemini"), ..workspace() }),
        (
            "key and status that never meet",
            Filter { api_key: names("key-7"), status: Some(StatusFilter::Is(vec![446])), ..workspace() },
        ),
    ] {
        timed(&format!("list by {name}"), || drop(reader.list(&filter, None, 50).unwrap()));
    }
    let to_ms = SystemClock::new().unix_ms();
    let shapes = Wants { shapes: true, users: false };
    let users = Wants { shapes: false, users: true };
    let query = |bucket, group, wants, filter| Query {
        from_ms,
        to_ms,
        until_now: true,
        bucket,
        group,
        filter,
        top: 10,
        rank: &Metric::all()[0],
        wants,
    };
    for (name, query) in [
        ("requests by the hour", query(Bucket::Hour, None, Wants::default(), workspace())),
        ("requests by the day", query(Bucket::Day, None, Wants::default(), workspace())),
        ("latency by the hour", query(Bucket::Hour, None, shapes, workspace())),
        ("latency by model and day", query(Bucket::Day, Some(Dimension::Model), shapes, workspace())),
        ("cost by key and day", query(Bucket::Day, Some(Dimension::ApiKey), Wants::default(), workspace())),
        (
            "errors by status and day",
            query(
                Bucket::Day,
                Some(Dimension::Status),
                Wants::default(),
                Filter { status: errors.clone(), ..workspace() },
            ),
        ),
        ("users by the day", query(Bucket::Day, None, users, workspace())),
        ("top users", query(Bucket::None, Some(Dimension::User), Wants::default(), workspace())),
        (
            "of one user, by the day, without a roll-up",
            query(
                Bucket::Day,
                None,
                shapes,
                Filter { user: names("user-31"), model: names("model-9"), ..workspace() },
            ),
        ),
        ("users by the hour, without a roll-up", query(Bucket::Hour, None, users, workspace())),
    ] {
        timed(&format!("30 days: {name}"), || {
            answer(source, &query).unwrap();
        });
    }
    let team = Query {
        from_ms: to_ms - DAY,
        ..query(Bucket::Hour, Some(Dimension::Metadata("team".into())), Wants::default(), workspace())
    };
    timed("a day: by metadata and hour, without a roll-up", || drop(answer(source, &team).unwrap()));
}

fn timed(name: &str, mut ask: impl FnMut()) {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            ask();
            began.elapsed()
        })
        .collect();
    let first = times[0];
    times.sort_unstable();
    println!("{name}: p50 {:?}, p95 {:?}, the first {first:?}", times[ROUNDS / 2], times[ROUNDS * 95 / 100]);
}
