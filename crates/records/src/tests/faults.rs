//! Stores that fail, refuse, forget and panic; disks that fill up.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::support::*;
use crate::Pipe;

#[test]
fn a_store_that_is_away_for_a_while_gets_everything_later() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    for round in 0..40 {
        shelf.away.store(round % 2 == 1, Ordering::Relaxed);
        (0..500).for_each(|_| assert!(pipe.push(&small(&ids), None)));
        wait(&pipe, "places", |stats| stats.queued == 0);
    }
    shelf.away.store(false, Ordering::Relaxed);
    let stats = wait(&pipe, "the rows", |stats| stats.written == 20_000 && stats.journal_bytes == 0);
    assert!(stats.spilled > 5_000 && stats.sink_failures > 0 && stats.sink_up, "{stats:?}");
    assert_eq!((stats.dropped.total(), stats.known, shelf.rows.lock().unwrap().len()), (0, 0, 20_000));
    pipe.close(Duration::from_secs(20));
}

#[test]
fn a_store_whose_answer_got_lost_has_each_record_once() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    shelf.forgetful.store(3, Ordering::Relaxed);
    let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    (0..10_000).for_each(|_| assert!(pipe.push(&small(&ids), None)));
    let stats = wait(&pipe, "the rows", |stats| stats.written + stats.known == 10_000);
    assert!(stats.known > 0, "{stats:?}");
    assert_eq!(shelf.rows.lock().unwrap().len(), 10_000);
    pipe.close(Duration::from_secs(20));
}

#[test]
fn a_record_that_is_refused_takes_no_other_with_it() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    let records: Vec<_> = (0..1_000).map(|_| small(&ids)).collect();
    shelf.refused.lock().unwrap().extend(records.iter().step_by(100).map(|record| record.id));
    let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    records.iter().for_each(|record| assert!(pipe.push(record, None)));
    let stats = pipe.close(Duration::from_secs(20));
    assert_eq!((stats.written, stats.dropped.refused, stats.adds_up()), (990, 10, true));
}

#[test]
fn another_record_under_the_same_id_is_a_counted_drop() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf)), clock()).unwrap();
    let record = small(&ids);
    pipe.push(&record, None);
    pipe.push(&record, None);
    pipe.push(&crate::RequestRecord { status: 500, ..record }, None);
    let stats = pipe.close(Duration::from_secs(20));
    assert_eq!((stats.written, stats.known, stats.dropped.clashed, stats.adds_up()), (1, 1, 1, true));
}

#[test]
fn a_store_that_panics_is_away() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    shelf.panics.store(true, Ordering::Relaxed);
    let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    (0..200).for_each(|_| assert!(pipe.push(&small(&ids), None)));
    wait(&pipe, "the journal", |stats| stats.journaled == 200);
    shelf.panics.store(false, Ordering::Relaxed);
    let stats = wait(&pipe, "the rows", |stats| stats.written == 200);
    assert_eq!((stats.dropped.total(), stats.queued), (0, 0));
    pipe.close(Duration::from_secs(20));
}

#[test]
fn a_writer_that_panics_ends_and_is_counted() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    shelf.away.store(true, Ordering::Relaxed);
    let disk = SmallDisk::new(10_000);
    disk.panics.store(true, Ordering::Relaxed);
    let sink = Box::new(ShelfSink(shelf));
    let pipe = Pipe::start_on(options(&scratch.0), sink, clock(), Box::new(disk)).unwrap();
    for _ in 0..200 {
        pipe.push(&small(&ids), None);
    }
    wait(&pipe, "the end", |stats| stats.dropped.shutdown > 0);
    assert!(!pipe.push(&small(&ids), None));
    let stats = pipe.close(Duration::from_secs(20));
    assert_eq!((stats.dropped.shutdown, stats.queued, stats.adds_up()), (201, 0, true), "{stats:?}");
}

#[test]
fn a_full_disk_loses_nothing_that_was_taken() {
    for (stuck, restarted) in [(false, false), (true, false), (false, true), (true, true)] {
        let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
        let disk = SmallDisk::new(20_000);
        disk.stuck.store(stuck, Ordering::Relaxed);
        shelf.away.store(true, Ordering::Relaxed);
        let mut options = options(&scratch.0);
        options.queue_records = 2_000;
        let sink = Box::new(ShelfSink(shelf.clone()));
        let pipe = Pipe::start_on(options.clone(), sink, clock(), Box::new(disk.clone())).unwrap();
        let mut taken = 0u64;
        wait(&pipe, "a full disk", |stats| {
            stats.dropped.journal_failed > 0 || stats.accepted > 100_000 || {
                pipe.push(&small(&ids), None);
                false
            }
        });
        taken += pipe.stats().accepted - pipe.stats().dropped.total();
        assert!(pipe.stats().journaled > 0 && pipe.stats().queued > 0, "{:?}", pipe.stats());
        // Room again, for the journal only.
        disk.left.store(1 << 30, Ordering::Relaxed);
        let stats = wait(&pipe, "the journal", |stats| stats.queued == 0);
        assert_eq!(stats.journaled, taken);
        let pipe = if restarted {
            pipe.close(Duration::from_secs(5));
            Pipe::start(options, Box::new(ShelfSink(shelf.clone())), clock()).unwrap()
        } else {
            pipe
        };
        shelf.away.store(false, Ordering::Relaxed);
        wait(&pipe, "the rows", |stats| stats.journaled == 0 && stats.journal_bytes == 0);
        assert_eq!(shelf.rows.lock().unwrap().len() as u64, taken, "stuck: {stuck}, restarted: {restarted}");
        pipe.close(Duration::from_secs(20));
    }
}
