//! PostgreSQL as a store of records like any other, and what is particular to a server.

#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "../../../records/conformance/mod.rs"]
mod conformance;
mod relay;
mod server;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use conformance::records::{DAY, NOW, bodies, ids, record, write};
use relay::Relay;
use server::{Server, query};
use tidegate_core::SystemClock;
use tidegate_insight::Source;
use tidegate_postgres::Server as Address;
use tidegate_records::{
    Entry, Facts, Filter, IdSource, Options, Pipe, Reader, RequestRecord, Sink, SinkError, Written, codec,
};
use tidegate_records_postgres::{Node, PostgresOptions, PostgresReader, PostgresSink};

const PATIENCE: Duration = Duration::from_secs(90);

struct Database(Address);

impl conformance::Place for Database {
    fn sink(&self) -> Box<dyn Sink> {
        Box::new(sink(&self.0))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(PostgresReader::new(self.0.clone(), PATIENCE))
    }

    fn source(&self) -> Box<dyn Source> {
        Box::new(PostgresReader::new(self.0.clone(), PATIENCE))
    }
}

fn sink(config: &Address) -> PostgresSink {
    PostgresSink::new(PostgresOptions { patience: PATIENCE, ..PostgresOptions::new(config.clone()) })
}

fn count(config: &Address) -> u64 {
    PostgresReader::new(config.clone(), PATIENCE).count(&Filter::default(), u64::MAX).unwrap()
}

fn partitions(config: &Address, table: &str) -> usize {
    let sql = format!("SELECT inhrelid::REGCLASS FROM pg_inherits WHERE inhparent = '{table}'::REGCLASS");
    query(config, &sql).unwrap().len()
}

fn write_one(sink: &mut PostgresSink, record: &RequestRecord) -> Result<Written, SinkError> {
    let mut encoded = Vec::new();
    codec::encode(record, &mut encoded);
    sink.write(&[Entry { facts: Facts::of(record), encoded: &encoded, bodies: None }])
}

#[test]
fn it_is_a_store_like_any_other() {
    let server = Server::start();
    conformance::all(|| Database(server.database()));
}

#[test]
fn it_is_a_book_like_any_other() {
    let server = Server::start();
    conformance::traces::all(|| tidegate_records_postgres::PostgresBook::new(server.database(), PATIENCE));
}

#[test]
fn what_is_particular_to_a_server() {
    let mut server = Server::start();
    a_commit_whose_answer_was_lost_is_not_doubled(&server);
    gateways_share_a_database(&server);
    gateways_have_numbers_of_their_own(&server);
    retention_drops_partitions(&server);
    a_partition_that_somebody_dropped_is_made_anew(&server);
    a_database_without_tables_has_no_records(&server);
    roll_ups_are_merged_and_days_before_them_are_counted(&server);
    a_server_that_goes_away_comes_back(&mut server);
}

/// Through the pipe, with a connection that breaks after the server has committed, now and then.
fn a_commit_whose_answer_was_lost_is_not_doubled(server: &Server) {
    let direct = server.database();
    let relay = Relay::new(server.port());
    let through = format!("postgres://test@127.0.0.1:{}/{}", relay.port, direct.database().unwrap());
    let through = through.parse().unwrap();
    // The records are of a day long gone, which the pipe's housekeeping would not keep.
    let for_ever = PostgresOptions { keep_rows_days: 0, patience: PATIENCE, ..PostgresOptions::new(through) };
    let through = PostgresSink::new(for_ever);
    let directory = std::env::temp_dir().join(tidegate_core::id::random("tidegate-records-lost-", 12));
    let mut options = Options::new(&directory);
    (options.gather, options.retry) = (Duration::from_millis(1), Duration::from_millis(1));
    (options.batch_records, options.retry_most) = (100, Duration::from_millis(5));
    let pipe = Pipe::start(options, Box::new(through), Arc::new(SystemClock::new())).unwrap();
    let ids = ids();
    for i in 0..5_000 {
        if i % 500 == 250 {
            relay.lose.fetch_add(1, Ordering::Relaxed);
        }
        assert!(pipe.push(&record(&ids, NOW + i, i), None));
        if i % 100 == 0 {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
    let patience = Instant::now() + PATIENCE;
    while pipe.stats().queued + pipe.stats().journaled > 0 {
        assert!(Instant::now() < patience, "{:?}", pipe.stats());
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let stats = pipe.close(PATIENCE);
    assert!(stats.adds_up() && stats.dropped.total() == 0, "{stats:?}");
    assert!(stats.sink_failures > 0 && stats.known > 0, "answers were lost: {stats:?}");
    assert_eq!((stats.written + stats.known, count(&direct)), (5_000, 5_000), "{stats:?}");
    let _ = std::fs::remove_dir_all(directory);
}

/// They make tables and days at the same moment, and have the same batch now and then.
fn gateways_share_a_database(server: &Server) {
    let config = server.database();
    let shared = ids();
    let shared: Vec<_> = (0..300).map(|i| record(&shared, NOW + DAY + i, i)).collect();
    let written: Vec<Written> = std::thread::scope(|scope| {
        let gateways: Vec<_> = (0..4u16)
            .map(|node| {
                let (config, shared) = (&config, &shared);
                scope.spawn(move || {
                    let (mut sink, ids) = (sink(config), IdSource::new(10 + node, None));
                    let own: Vec<_> = (0..400).map(|i| record(&ids, NOW + i % 2 * DAY, i)).collect();
                    let first = write(&mut sink, &own, &|_| Some(bodies("b")));
                    let second = write(&mut sink, shared, &|_| None);
                    Written { new: first.new + second.new, known: second.known, ..first }
                })
            })
            .collect();
        gateways.into_iter().map(|gateway| gateway.join().unwrap()).collect()
    });
    let sum = |of: fn(&Written) -> u64| written.iter().map(of).sum::<u64>();
    assert_eq!((sum(|w| w.new), sum(|w| w.known), sum(|w| w.clashed)), (1_900, 900, 0));
    assert_eq!(count(&config), 1_900);
}

/// They start at the same moment; one that starts again, and again, never gets the number of one that still runs.
fn gateways_have_numbers_of_their_own(server: &Server) {
    let config = server.database();
    let take = || Node::take(config.clone(), PATIENCE).unwrap();
    let mut running: Vec<Node> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
        starting.into_iter().map(|node| node.join().unwrap()).collect()
    });
    let mut numbers: Vec<u16> = running.iter().map(Node::number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..8).collect::<Vec<_>>());
    // As if all the others had been taken, and the first eight long ago.
    query(&config, "UPDATE record_node SET seen = clock_timestamp() WHERE node > 8").unwrap();
    running.iter_mut().for_each(|node| node.renew().unwrap());
    let next: Vec<u16> = (0..3).map(|_| take().number()).collect();
    assert_eq!(next, [8, 9, 10], "those that renew are never the longest unused");
    query(&config, "DROP TABLE record_node").unwrap();
    running[0].renew().unwrap();
    assert!(Node::take(server.config("no_such_database"), PATIENCE).is_err());
}

fn retention_drops_partitions(server: &Server) {
    let (config, ids) = (server.database(), ids());
    let mut sink = sink(&config);
    for day in (0..40).rev() {
        let records: Vec<_> = (0..5).map(|i| record(&ids, NOW - day * DAY + i, i)).collect();
        assert_eq!(write(&mut sink, &records, &|_| Some(bodies("b"))).new, 5);
    }
    assert_eq!((partitions(&config, "request_record"), partitions(&config, "request_body")), (40, 40));
    sink.tend(NOW).unwrap();
    // With tomorrow's, which is made ahead.
    assert_eq!((partitions(&config, "request_record"), partitions(&config, "request_body")), (31, 15));
    assert_eq!(count(&config), 150);
}

fn a_partition_that_somebody_dropped_is_made_anew(server: &Server) {
    let (config, ids) = (server.database(), ids());
    let mut sink = sink(&config);
    assert_eq!(write_one(&mut sink, &record(&ids, NOW, 1)).unwrap().new, 1);
    query(&config, &format!("DROP TABLE request_record_{}", NOW / DAY)).unwrap();
    let next = record(&ids, NOW, 2);
    assert!(matches!(write_one(&mut sink, &next), Err(SinkError::Away(_))));
    assert_eq!(write_one(&mut sink, &next).unwrap().new, 1);
    query(&config, "DROP TABLE request_record, request_body").unwrap();
    assert!(matches!(write_one(&mut sink, &next), Err(SinkError::Away(_))));
    assert_eq!(write_one(&mut sink, &next).unwrap().new, 1);
}

fn a_database_without_tables_has_no_records(server: &Server) {
    let mut reader = PostgresReader::new(server.database(), PATIENCE);
    assert_eq!(reader.list(&Filter::default(), None, 10).unwrap().rows.len(), 0);
    assert_eq!(reader.count(&Filter::default(), 10), Ok(0));
    assert_eq!(reader.get(ids().next(NOW)), Ok(None));
    let mut nowhere = PostgresReader::new(server.config("no_such_database"), PATIENCE);
    assert!(nowhere.count(&Filter::default(), 10).is_err());
}

/// Many small rows become few in the housekeeping of several gateways at once; records of a time before roll-ups are counted
/// one by one.
fn roll_ups_are_merged_and_days_before_them_are_counted(server: &Server) {
    let (config, ids) = (server.database(), ids());
    let mut sink = sink(&config);
    let records: Vec<_> = (0..200).map(|i| record(&ids, NOW + i, i)).collect();
    records.iter().for_each(|record| assert_eq!(write_one(&mut sink, record).unwrap().new, 1));
    let rows = || query(&config, "SELECT count(*) FROM request_rollup").unwrap()[0].parse::<u64>().unwrap();
    let verified = || PostgresReader::new(config.clone(), PATIENCE).verify((NOW / DAY) as u32).unwrap();
    assert_eq!((rows(), verified().wrong, verified().records), (800, 0, 200));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| PostgresSink::new(PostgresOptions::new(config.clone())).tend(NOW).unwrap());
        }
    });
    assert!(rows() < 60, "{}", rows());
    assert_eq!((verified().wrong, verified().records), (0, 200));
    // As a program without roll-ups left it.
    query(&config, "DROP TABLE request_rollup, request_rollup_since, request_rollup_settled").unwrap();
    let mut later = PostgresSink::new(PostgresOptions::new(config.clone()));
    assert_eq!(write_one(&mut later, &record(&ids, NOW + 3 * DAY, 1)).unwrap().new, 1);
    let mut reader = PostgresReader::new(config.clone(), PATIENCE);
    let day = (NOW / DAY) as u32;
    let hours = day * 24..(day + 4) * 24;
    let mut blocks = 0;
    let missing = reader
        .cells(tidegate_insight::Cube::Users, hours, tidegate_insight::Reading::ALL, &mut |_| blocks += 1)
        .unwrap();
    assert!(missing.contains(&day) && !missing.contains(&(day + 3)) && blocks == 1, "{missing:?} {blocks}");
}

fn a_server_that_goes_away_comes_back(server: &mut Server) {
    let (config, ids) = (server.database(), ids());
    let (mut sink, mut reader) = (sink(&config), PostgresReader::new(config.clone(), PATIENCE));
    let records: Vec<_> = (0..3).map(|i| record(&ids, NOW, i)).collect();
    assert_eq!(write_one(&mut sink, &records[0]).unwrap().new, 1);
    assert_eq!(reader.count(&Filter::default(), 10), Ok(1));
    server.stop();
    assert!(matches!(write_one(&mut sink, &records[1]), Err(SinkError::Away(_))));
    assert!(reader.count(&Filter::default(), 10).is_err());
    server.start_again();
    assert_eq!(write_one(&mut sink, &records[1]).unwrap().new, 1);
    // A connection that broke while nobody looked.
    assert_eq!(reader.count(&Filter::default(), 10), Ok(2));
    server.stop();
    server.start_again();
    assert_eq!(reader.count(&Filter::default(), 10), Ok(2));
    assert_eq!(
        write_one(&mut sink, &records[1]).or_else(|_| write_one(&mut sink, &records[1])).unwrap().known,
        1
    );
}
