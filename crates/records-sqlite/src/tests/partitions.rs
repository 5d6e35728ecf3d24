//! Days as files: idempotence, retention, faults of the file system.

use std::fs;

use tidegate_insight::Source;
use tidegate_records::{Facts, Filter, Reader, Sink, SinkError, Written};

use super::support::*;

#[test]
fn a_day_is_two_files_and_retention_deletes_them() {
    let (scratch, ids) = (Scratch::new(), ids());
    let mut sink = scratch.sink();
    for day in 0..40 {
        let records: Vec<_> = (0..20).map(|i| record(&ids, NOW - (39 - day) * DAY + i, i)).collect();
        write(&mut sink, &records, &|_| Some(bodies("b")));
    }
    let of = |what: &str| scratch.files().iter().filter(|name| name.starts_with(what)).count();
    assert_eq!((of("rows"), of("bodies")), (40, 40));
    sink.tend(NOW).unwrap();
    assert_eq!((of("rows"), of("bodies")), (30, 14));
    sink.tend(NOW + 100 * DAY).unwrap();
    assert_eq!(scratch.files(), Vec::<String>::new());
}

#[test]
fn quiet_hours_leave_no_block_per_record() {
    let (scratch, ids) = (Scratch::new(), ids());
    let mut sink = scratch.sink();
    let records: Vec<_> = (0..1_500).map(|i| record(&ids, NOW + i, i)).collect();
    for record in &records {
        write(&mut sink, std::slice::from_ref(record), &|_| None);
    }
    let connection = rusqlite::Connection::open(scratch.0.join(&scratch.files()[0])).unwrap();
    let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let (blocks, within) = (ask("select count(*) from block"), ask("select sum(count) from block"));
    assert!(blocks < 32, "{blocks}");
    assert_eq!(within, 1_500);
    // After a restart the tiers are counted anew.
    drop(sink);
    let mut sink = scratch.sink();
    for i in 0..64 {
        write(&mut sink, &[record(&ids, NOW + 2_000 + i, i)], &|_| None);
    }
    assert!(ask("select count(*) from block") < 36);
    let filter = Filter { provider: vec!["openai".into()], ..Filter::default() };
    let fitting = records.iter().filter(|record| filter.fits(&Facts::of(record))).count() + 22;
    assert_eq!(list(&mut scratch.reader(), &filter, 100).len(), fitting);
}

#[test]
fn a_reader_in_the_middle_of_a_list_holds_nothing_up() {
    let (scratch, ids) = (Scratch::new(), ids());
    let mut sink = scratch.sink();
    let records: Vec<_> = (0..3_000).map(|i| record(&ids, NOW + i, i)).collect();
    records[..1_000].chunks(10).for_each(|batch| {
        write(&mut sink, batch, &|_| None);
    });
    let connection = rusqlite::Connection::open(scratch.0.join(&scratch.files()[0])).unwrap();
    let mut statement = connection.prepare("select records from chunk").unwrap();
    let mut rows = statement.query([]).unwrap();
    rows.next().unwrap();
    assert_eq!(write(&mut sink, &records[1_000..], &|_| None).new, 2_000);
    sink.sync().unwrap();
    let mut seen = 1;
    while rows.next().unwrap().is_some() {
        seen += 1;
    }
    assert_eq!(seen, 100);
}

#[test]
fn the_files_of_a_newer_binary_are_read_and_written() {
    let (scratch, ids) = (Scratch::new(), ids());
    let mut sink = scratch.sink();
    let records: Vec<_> = (0..200).map(|i| record(&ids, NOW + i, i)).collect();
    write(&mut sink, &records[..100], &|_| Some(bodies("b")));
    drop(sink);
    for file in scratch.files() {
        let table = if file.starts_with("rows") { "block" } else { "body" };
        let connection = rusqlite::Connection::open(scratch.0.join(file)).unwrap();
        let change = format!(
            "alter table {table} add column later integer not null default 7; pragma user_version = 6;"
        );
        connection.execute_batch(&change).unwrap();
    }
    let mut sink = scratch.sink();
    assert_eq!(
        write(&mut sink, &records, &|_| Some(bodies("b"))),
        Written { new: 100, known: 100, ..Written::default() }
    );
    assert_eq!(list(&mut scratch.reader(), &Filter::default(), 50).len(), 200);
    assert!(scratch.reader().get(records[150].id()).unwrap().unwrap().bodies.is_some());
}

#[test]
fn a_day_that_an_unreleased_build_began_goes_on() {
    let (scratch, ids) = (Scratch::new(), ids());
    let mut sink = scratch.sink();
    let records: Vec<_> = (0..20).map(|i| record(&ids, NOW + i, i)).collect();
    write(&mut sink, &records, &|_| Some(bodies("b")));
    drop(sink);
    for file in scratch.files() {
        let connection = rusqlite::Connection::open(scratch.0.join(&file)).unwrap();
        let tables = if file.starts_with("rows") {
            "drop table rolled; create table place(id integer primary key);"
        } else {
            "drop table body; create table body(id integer primary key, bodies blob not null);"
        };
        connection.execute_batch(&format!("{tables} pragma user_version = 3;")).unwrap();
    }
    assert_eq!(list(&mut scratch.reader(), &Filter::default(), 50).len(), 0);
    let mut sink = scratch.sink();
    assert_eq!(write(&mut sink, &records, &|_| Some(bodies("b"))).new, 20);
    assert_eq!(list(&mut scratch.reader(), &Filter::default(), 50).len(), 20);
    assert!(scratch.reader().get(records[3].id()).unwrap().unwrap().bodies.is_some());
}

#[test]
fn one_writer_at_a_time_and_readers_without_a_directory() {
    let scratch = Scratch::new();
    let sink = scratch.sink();
    assert!(crate::SqliteSink::open(crate::SqliteOptions::new(&scratch.0)).is_err());
    drop(sink);
    scratch.sink();
    let mut reader = crate::SqliteReader::new(scratch.0.join("nowhere"));
    assert_eq!(reader.list(&Filter::default(), None, 10).unwrap().rows.len(), 0);
    assert_eq!(reader.count(&Filter::default(), 10), Ok(0));
}

#[test]
fn a_file_that_is_no_database_is_the_stores_fault_and_passes() {
    let (scratch, ids) = (Scratch::new(), ids());
    let mut sink = scratch.sink();
    let records: Vec<_> = (0..10).map(|i| record(&ids, NOW, i)).collect();
    write(&mut sink, &records, &|_| None);
    let path = scratch.0.join(scratch.files().remove(0));
    drop(sink);
    let good = fs::read(&path).unwrap();
    fs::write(&path, vec![b'x'; 8_192]).unwrap();
    let mut sink = scratch.sink();
    let mut encoded = Vec::new();
    tidegate_records::codec::encode(&records[0], &mut encoded);
    let entry = tidegate_records::Entry { facts: Facts::of(&records[0]), encoded: &encoded, bodies: None };
    assert!(matches!(sink.write(std::slice::from_ref(&entry)), Err(SinkError::Away(_))));
    assert!(scratch.reader().count(&Filter::default(), 10).is_err());
    fs::write(&path, good).unwrap();
    assert_eq!(sink.write(std::slice::from_ref(&entry)).unwrap().known, 1);
}

/// Cells come from rows for what is rolled up and from blocks for what is not: both together are the records, at any moment.
#[test]
fn figures_are_whole_before_and_after_they_are_rolled_up() {
    let (scratch, ids) = (Scratch::new(), ids());
    let mut sink = scratch.sink();
    let records: Vec<_> = (0..250).map(|i| record(&ids, NOW + i, i)).collect();
    let day = records[0].id().day();
    let connection =
        |scratch: &Scratch| rusqlite::Connection::open(scratch.0.join(&scratch.files()[0])).unwrap();
    let rolled = |scratch: &Scratch| {
        let sql = "select coalesce(sum(records), 0) from rollup where cube = 1";
        connection(scratch).query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let whole = |scratch: &Scratch, records| {
        let verified = scratch.reader().verify(day).unwrap();
        assert_eq!((verified.records, verified.wrong), (records, 0));
    };
    for (batch, want) in records.chunks(30).zip([0, 0, 0, 120, 120, 120, 120, 240, 240]) {
        write(&mut sink, batch, &|_| None);
        assert_eq!(rolled(&scratch), want);
        whole(&scratch, u64::from(batch[0].id().unix_ms() as u32 - NOW as u32) + batch.len() as u64);
    }
    // When the day is over, the rest; also of a day that an earlier process left.
    drop(sink);
    let mut sink = scratch.sink();
    sink.tend(NOW).unwrap();
    assert_eq!(rolled(&scratch), 240);
    sink.tend(NOW + DAY).unwrap();
    assert_eq!(rolled(&scratch), 250);
    whole(&scratch, 250);
    let late: Vec<_> = (0..5).map(|i| record(&ids, NOW + 1_000 + i, i)).collect();
    write(&mut sink, &late, &|_| None);
    whole(&scratch, 255);
    sink.tend(NOW + DAY).unwrap();
    assert_eq!(rolled(&scratch), 255);
    whole(&scratch, 255);
    // What is counted wrongly is seen.
    let wrong = "update rollup set cells = (select cells from rollup where cube = 1 limit 1) where cube = 1";
    connection(&scratch).execute(wrong, []).unwrap();
    assert_eq!(scratch.reader().verify(day).unwrap().wrong, 1);
}

/// A batch a moment, all day long: a question opens some dozens of rows.
#[test]
fn small_rollups_become_large_ones() {
    let (scratch, ids) = (Scratch::new(), ids());
    let mut sink = scratch.sink();
    let records: Vec<_> = (0..11_000).map(|i| record(&ids, NOW + i, i)).collect();
    records.chunks(100).for_each(|batch| {
        write(&mut sink, batch, &|_| None);
    });
    let connection = rusqlite::Connection::open(scratch.0.join(&scratch.files()[0])).unwrap();
    let rows: i64 = connection.query_row("select count(*) from rollup", [], |row| row.get(0)).unwrap();
    assert!(rows < 3 * 4 * 8, "{rows}");
    let whole = scratch.reader().verify(records[0].id().day()).unwrap();
    assert_eq!((whole.records, whole.wrong), (11_000, 0));
}
