//! `kill -9` at random moments under load: what was acknowledged is there afterwards, exactly once.
//!
//! The test binary runs itself as the process that is killed. One thread pushes numbered records, another notes in a file
//! how many of them are acknowledged; the store is away half of the time, so that records go both ways.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tidegate_core::{Clock, SystemClock, id};
use tidegate_insight::Source;
use tidegate_records::record::Span;
use tidegate_records::{
    Batch, Filter, IdSource, Keep, Kind, Options, Pipe, RawBodies, RawBody, Reader, RequestRecord, Search,
    Sink, SinkError, Written,
};
use tidegate_records_sqlite::{SqliteOptions, SqliteReader, SqliteSink};

const DIRECTORY: &str = "TIDEGATE_KILL_DIRECTORY";
const GENERATION: &str = "TIDEGATE_KILL_GENERATION";
const ROUNDS: u64 = 100;

/// Away every other few milliseconds.
struct Fickle(SqliteSink, Instant);

impl Sink for Fickle {
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError> {
        if self.1.elapsed().as_millis() / 4 % 2 == 1 {
            return Err(SinkError::Away("now and then".into()));
        }
        self.0.write(batch)
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.0.sync()
    }
}

fn options(directory: &Path) -> Options {
    let mut options = Options::new(directory.join("journal"));
    options.gather = Duration::from_micros(500);
    options.retry = Duration::from_millis(1);
    options.retry_most = Duration::from_millis(3);
    options.batch_records = 16;
    options.nice = 0;
    options.bodies.keep = Keep::All;
    options.journal.segment_bytes = 20_000;
    options.journal.sync = false;
    options
}

fn sink(directory: &Path) -> SqliteSink {
    SqliteSink::open(SqliteOptions { roll_records: 50, ..SqliteOptions::new(directory.join("store")) })
        .unwrap()
}

#[test]
fn child() {
    let (Some(directory), Some(generation)) = (std::env::var_os(DIRECTORY), std::env::var_os(GENERATION))
    else {
        return;
    };
    let (directory, generation) = (PathBuf::from(directory), generation.into_string().unwrap());
    let clock = SystemClock::new();
    let started = Box::new(Fickle(sink(&directory), Instant::now()));
    let pipe = Pipe::start(options(&directory), started, Arc::new(SystemClock::new())).unwrap();
    let acknowledged = File::create(directory.join(format!("acknowledged-{generation}"))).unwrap();
    let ids = IdSource::new(generation.parse().unwrap(), None);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                let stats = pipe.stats();
                assert!(stats.adds_up() && stats.dropped.total() == 0, "{stats:?}");
                acknowledged.write_all_at(&stats.safe().to_le_bytes(), 0).unwrap();
                std::thread::park_timeout(Duration::from_micros(100));
            }
        });
        for number in 0u64.. {
            while pipe.stats().queued > 500 {
                std::thread::park_timeout(Duration::from_micros(100));
            }
            let trace = format!("{generation}/{number}").into();
            let record = RequestRecord {
                id: ids.next(clock.unix_ms()).bits(),
                status: 200,
                provider: "openai".into(),
                span: Span { trace, ..Span::default() },
                ..RequestRecord::default()
            };
            let bodies = number.is_multiple_of(5).then(|| {
                let mut body = RawBody::new("request", Kind::Text, 100);
                body.frame(&format!("body {number}").into());
                RawBodies::from_iter([body])
            });
            assert!(pipe.push(&record, bodies));
        }
        ended.store(true, Ordering::Relaxed);
    });
}

/// Starts, kills after a random time, and gives the number of records that were acknowledged.
fn round(directory: &Path, generation: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(GENERATION, generation.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let file = directory.join(format!("acknowledged-{generation}"));
    let acknowledged =
        || fs::read(&file).ok().and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
    // Now and then during the start already, else at some moment under load.
    let patience = Instant::now() + Duration::from_secs(120);
    while id::draw() > 0.01 && acknowledged().unwrap_or(0) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
        assert!(Instant::now() < patience, "the child pushes");
        std::thread::park_timeout(Duration::from_millis(1));
    }
    std::thread::park_timeout(Duration::from_micros((id::draw() * 40_000.0) as u64));
    assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged().unwrap_or(0)
}

fn killed_many_times(name: &str) {
    let directory = std::env::temp_dir().join(id::random(name, 16));
    fs::create_dir_all(&directory).unwrap();
    let acknowledged: Vec<u64> = (0..ROUNDS).map(|generation| round(&directory, generation)).collect();

    let pipe =
        Pipe::start(options(&directory), Box::new(sink(&directory)), Arc::new(SystemClock::new())).unwrap();
    let patience = Instant::now() + Duration::from_secs(120);
    while pipe.stats().journal_bytes > 0 {
        assert!(Instant::now() < patience, "{:?}", pipe.stats());
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let stats = pipe.close(Duration::from_secs(20));
    assert!(stats.adds_up() && stats.dropped.total() == 0 && stats.unclean_start, "{stats:?}");

    let mut reader = SqliteReader::new(directory.join("store"));
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let page = reader.list(&Filter::default(), before, 1_000).unwrap();
        rows.extend(page.rows);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    // Roll-ups are what the records make, to the last one.
    let (first, last) = (rows[rows.len() - 1].id.day(), rows[0].id.day());
    let verified: Vec<_> = (first..=last).map(|day| reader.verify(day).unwrap()).collect();
    let counted: u64 = verified.iter().map(|day| day.records).sum();
    assert!(counted == rows.len() as u64 && verified.iter().all(|day| day.wrong == 0), "{verified:?}");
    let there: BTreeSet<&str> = rows.iter().map(|row| &*row.trace).collect();
    assert_eq!(there.len(), rows.len(), "no record twice");
    for (generation, acknowledged) in acknowledged.iter().enumerate() {
        for number in 0..*acknowledged {
            assert!(
                there.contains(&*format!("{generation}/{number}")),
                "{generation}/{number} of {acknowledged}"
            );
        }
    }
    for row in rows.iter().filter(|row| row.has_bodies).step_by(97) {
        let bodies = reader.get(row.id).unwrap().unwrap().bodies.unwrap();
        let number = row.trace.split_once('/').unwrap().1;
        assert_eq!(bodies.bodies[0].text().unwrap(), format!("body {number}"));
    }
    let with_bodies = rows.iter().filter(|row| row.has_bodies).count();
    assert!(
        with_bodies * 5 >= rows.len() && with_bodies * 4 <= rows.len(),
        "{with_bodies} of {}",
        rows.len()
    );
    // Each body is found by its words, once.
    let word = |text: &str| Filter { search: Search::parse(text).unwrap(), ..Filter::default() };
    assert_eq!(reader.count(&word("body"), u64::MAX), Ok(with_bodies as u64));
    let of_five = rows.iter().filter(|row| row.has_bodies && row.trace.ends_with("/5")).count() as u64;
    assert_eq!(reader.count(&word("5 body"), u64::MAX), Ok(of_five));
    let total: u64 = acknowledged.iter().sum();
    assert!(total > ROUNDS * 20 && rows.len() as u64 >= total, "{} rows, {total} acknowledged", rows.len());
    println!("{ROUNDS} kills, {total} records acknowledged, {} rows", rows.len());
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn what_was_acknowledged_survives_a_hundred_kills() {
    killed_many_times("tidegate-kill-a-");
}

#[test]
fn what_was_acknowledged_survives_a_hundred_more() {
    killed_many_times("tidegate-kill-b-");
}
