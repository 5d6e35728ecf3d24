//! The pipe when all is well, and its end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::support::*;
use crate::body::{Keep, Kind, RawBody};
use crate::{Pipe, RawBodies, RequestRecord, codec};

#[test]
fn every_record_of_every_thread_becomes_one_row() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5_000).for_each(|_| assert!(pipe.push(&small(&ids), None))));
        }
        for _ in 0..200 {
            assert!(pipe.stats().adds_up());
        }
    });
    let stats = pipe.close(Duration::from_secs(20));
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(
        (stats.accepted, stats.written, stats.dropped.total(), stats.journaled),
        (20_000, 20_000, 0, 0)
    );
    let rows = shelf.rows.lock().unwrap();
    assert_eq!(rows.len(), 20_000);
    assert!(rows.iter().all(|(id, (bytes, _))| codec::decode(bytes).unwrap().id == *id));
    assert!(stats.bursts > 0 && stats.longest_burst_us > 0);
    drop(rows);
    assert!(!pipe.push(&small(&ids), None));
    let stats = pipe.stats();
    assert_eq!((stats.dropped.shutdown, stats.adds_up()), (1, true));
}

#[test]
fn bodies_go_with_their_record_and_only_as_wanted() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    let mut options = options(&scratch.0);
    options.bodies.keep = Keep::Errors;
    let pipe = Pipe::start(options, Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    for i in 0..300u16 {
        let record = RequestRecord { status: if i % 3 == 0 { 500 } else { 200 }, ..small(&ids) };
        let mut body = RawBody::new("request", Kind::Json, 1_000);
        body.frame(&format!("{{\"id\":\"{}\"}}", record.id).into());
        pipe.push(&record, (i % 2 == 0).then(|| RawBodies::from_iter([body])));
    }
    pipe.close(Duration::from_secs(20));
    let rows = shelf.rows.lock().unwrap();
    let with: Vec<_> = rows.iter().filter_map(|(id, (_, bodies))| Some((id, bodies.as_ref()?))).collect();
    assert_eq!((rows.len(), with.len()), (300, 50));
    for (id, bodies) in with {
        assert_eq!(bodies.bodies[0].text().unwrap(), format!("{{\"id\":\"{id}\"}}"));
    }
}

#[test]
fn a_query_is_not_recorded() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    pipe.push(&RequestRecord { path: "/v1/x?key=secret".into(), ..small(&ids) }, None);
    pipe.close(Duration::from_secs(20));
    let rows = shelf.rows.lock().unwrap();
    assert_eq!(codec::decode(&rows.values().next().unwrap().0).unwrap().path, "/v1/x");
}

#[test]
fn who_reads_finds_what_was_pushed_before() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    let mut options = options(&scratch.0);
    // Longer than the test: only who waits brings them there.
    options.gather = Duration::from_secs(3_600);
    let pipe = Pipe::start(options, Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    assert!(pipe.caught_up(Duration::ZERO), "there is nothing to wait for");
    for rows in [1, 2, 700] {
        let missing = rows - shelf.rows.lock().unwrap().len();
        (0..missing).for_each(|_| assert!(pipe.push(&small(&ids), None)));
        assert!(pipe.caught_up(Duration::from_secs(60)));
        assert_eq!(shelf.rows.lock().unwrap().len(), rows);
    }
    // Nobody waits for a store that is away.
    shelf.away.store(true, Ordering::Relaxed);
    assert!(pipe.push(&small(&ids), None));
    let _ = pipe.caught_up(Duration::from_secs(60));
    assert!(pipe.push(&small(&ids), None));
    let _ = pipe.caught_up(Duration::from_secs(3_600));
    assert!(pipe.close(Duration::ZERO).adds_up());
}

#[test]
fn a_full_queue_drops_and_counts() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    shelf.away.store(true, Ordering::Relaxed);
    let mut options = options(&scratch.0);
    (options.queue_records, options.journal.most_bytes) = (100, 0);
    let pipe = Pipe::start(options, Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    let taken = (0..1_000).filter(|_| pipe.push(&small(&ids), None)).count();
    assert_eq!(taken, 100);
    let stats = pipe.stats();
    assert_eq!((stats.queued, stats.dropped.total(), stats.adds_up()), (100, 900, true));
    wait(&pipe, "the reason", |_| {
        pipe.push(&small(&ids), None);
        pipe.stats().dropped.journal_full > 0
    });
    // What was taken is kept, and arrives when the store is back.
    shelf.away.store(false, Ordering::Relaxed);
    wait(&pipe, "the rows", |stats| stats.written == 100);
    let stats = pipe.close(Duration::from_secs(20));
    assert_eq!((stats.written, stats.dropped.total(), stats.adds_up()), (100, stats.accepted - 100, true));
}

#[test]
fn bytes_bound_the_queue_too() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    shelf.away.store(true, Ordering::Relaxed);
    let mut options = options(&scratch.0);
    (options.queue_bytes, options.journal.most_bytes, options.bodies.keep) = (1 << 20, 0, Keep::All);
    let pipe = Pipe::start(options, Box::new(ShelfSink(shelf)), clock()).unwrap();
    for _ in 0..100 {
        let mut body = RawBody::new("request", Kind::Text, 100_000);
        body.frame(&vec![b'x'; 100_000].into());
        pipe.push(&small(&ids), Some(RawBodies::from_iter([body])));
        assert!(pipe.stats().queued_bytes <= 1 << 20);
    }
    assert_eq!(pipe.stats().queued, 10);
    let stats = pipe.close(Duration::from_millis(20));
    assert_eq!((stats.dropped.shutdown, stats.queued, stats.adds_up()), (10, 0, true));
}

#[test]
fn a_shutdown_journals_what_the_store_does_not_take() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    shelf.away.store(true, Ordering::Relaxed);
    let start = || Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    let pipe = start();
    (0..3_000).for_each(|_| assert!(pipe.push(&small(&ids), None)));
    let stats = pipe.close(Duration::ZERO);
    assert_eq!((stats.journaled, stats.queued, stats.adds_up()), (3_000, 0, true));
    shelf.away.store(false, Ordering::Relaxed);
    let pipe = start();
    let stats = wait(&pipe, "the rows", |stats| stats.journaled == 0 && stats.journal_bytes == 0);
    assert_eq!((stats.recovered, stats.written, stats.unclean_start), (3_000, 3_000, false));
    assert_eq!(shelf.rows.lock().unwrap().len(), 3_000);
    pipe.close(Duration::from_secs(20));
}

#[test]
fn one_process_at_a_time() {
    let scratch = Scratch::new();
    let start = || Pipe::start(options(&scratch.0), Box::new(ShelfSink(Arc::default())), clock());
    let pipe = start().unwrap();
    assert!(start().is_err());
    pipe.close(Duration::from_secs(20));
    start().unwrap().close(Duration::from_secs(20));
}
