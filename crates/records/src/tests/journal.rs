//! The journal's files under damage.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::support::*;
use crate::journal::{Journal, JournalError, RealDisk};
use crate::options::JournalOptions;
use crate::{IdSource, Pipe};

fn journal_options(scratch: &Scratch) -> JournalOptions {
    JournalOptions { directory: scratch.0.clone(), most_bytes: 100_000, segment_bytes: 2_000, sync: true }
}

fn open(options: &JournalOptions) -> (Journal, crate::journal::Found) {
    Journal::open(options.clone(), Box::new(RealDisk)).unwrap()
}

fn drain(journal: &mut Journal) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while !journal.is_empty() {
        all.extend(journal.oldest().unwrap().payloads);
        journal.forget_oldest().unwrap();
    }
    all
}

#[test]
fn entries_come_back_in_order_and_within_the_bound() {
    let scratch = Scratch::new();
    let options = journal_options(&scratch);
    let (mut journal, found) = open(&options);
    assert_eq!(found, crate::journal::Found::default());
    let mut written = Vec::new();
    for i in 0u32.. {
        let payload = vec![i as u8; (i % 300) as usize];
        match journal.append([payload.as_slice(), b"second"]) {
            Ok(count) => assert_eq!(count, 2),
            Err(JournalError::Full) => break,
            Err(JournalError::Io(error)) => panic!("{error}"),
        }
        written.extend([payload, b"second".to_vec()]);
    }
    let on_disk = |name: fs::DirEntry| name.metadata().unwrap().len();
    let bytes: u64 = fs::read_dir(&scratch.0).unwrap().map(|entry| on_disk(entry.unwrap())).sum();
    assert!(bytes == journal.bytes() && bytes <= 100_000 && bytes > 99_000, "{bytes}");
    drop(journal);
    let (mut journal, found) = open(&options);
    assert_eq!((found.entries, found.damaged, found.torn, found.unclean), (written.len() as u64, 0, 0, true));
    assert_eq!(drain(&mut journal), written);
    assert_eq!(journal.bytes(), 0);
    journal.append([b"after".as_slice()]).unwrap();
    journal.close();
    let (mut journal, found) = open(&options);
    assert_eq!((found.entries, found.unclean), (1, false));
    assert_eq!(drain(&mut journal), [b"after"]);
}

/// Journals 200 records through a pipe whose store is away, and gives the segments.
fn journaled(scratch: &Scratch, shelf: &Arc<Shelf>, ids: &IdSource) -> Vec<std::path::PathBuf> {
    shelf.away.store(true, Ordering::Relaxed);
    let mut options = options(&scratch.0);
    (options.journal.segment_bytes, options.batch_records) = (2_000, 10);
    let pipe = Pipe::start(options, Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    (0..200).for_each(|_| assert!(pipe.push(&small(ids), None)));
    let stats = pipe.close(Duration::from_secs(5));
    assert_eq!(stats.journaled, 200, "{stats:?}");
    shelf.away.store(false, Ordering::Relaxed);
    let files = fs::read_dir(&scratch.0).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "journal")).collect();
    files.sort();
    assert!(files.len() > 3);
    files
}

#[test]
fn damage_costs_what_it_hit_and_is_counted_to_the_record() {
    for case in 0..12usize {
        let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
        let files = journaled(&scratch, &shelf, &ids);
        let file = &files[case % (files.len() - 1)];
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() * (case + 1) / 14;
        match case % 4 {
            0 => bytes[middle] ^= 1 << (case % 8),
            1 => bytes[middle..middle + 100].fill(0),
            2 => bytes.truncate(middle),
            _ => bytes.clear(),
        }
        fs::write(file, bytes).unwrap();
        let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
        let stats = wait(&pipe, "the rest", |stats| stats.journaled == 0 && stats.journal_bytes == 0);
        assert!(stats.dropped.damaged > 0, "case {case}: {stats:?}");
        assert_eq!(stats.written + stats.dropped.damaged, 200, "case {case}: {stats:?}");
        assert_eq!(shelf.rows.lock().unwrap().len() as u64, stats.written);
        pipe.close(Duration::from_secs(5));
    }
}

#[test]
fn damage_to_the_last_entry_is_not_taken_for_a_torn_end() {
    let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
    let last = journaled(&scratch, &shelf, &ids).pop().unwrap();
    let mut bytes = fs::read(&last).unwrap();
    *bytes.last_mut().unwrap() ^= 4;
    fs::write(&last, bytes).unwrap();
    let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
    let stats = wait(&pipe, "the rest", |stats| stats.journaled == 0 && stats.journal_bytes == 0);
    assert_eq!((stats.written, stats.dropped.damaged, stats.torn), (199, 1, 0), "{stats:?}");
    pipe.close(Duration::from_secs(5));
}

#[test]
fn a_torn_end_costs_only_what_was_never_acknowledged() {
    for cut in [1, 5, 19, 20, 21, 40] {
        let (scratch, shelf, ids) = (Scratch::new(), Arc::new(Shelf::default()), ids());
        let files = journaled(&scratch, &shelf, &ids);
        let (last, mut bytes) = (files.last().unwrap(), fs::read(files.last().unwrap()).unwrap());
        let again = bytes.clone();
        // The beginning of an entry behind the others, as a kill leaves it.
        bytes.extend_from_slice(&again[..cut]);
        fs::write(last, bytes).unwrap();
        let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf.clone())), clock()).unwrap();
        let stats = wait(&pipe, "the rest", |stats| stats.journaled == 0 && stats.journal_bytes == 0);
        assert_eq!((stats.written, stats.torn, stats.dropped.total()), (200, 1, 0), "cut {cut}: {stats:?}");
        pipe.close(Duration::from_secs(5));
    }
}

#[test]
fn entries_that_are_no_records_are_counted() {
    let (scratch, shelf) = (Scratch::new(), Arc::new(Shelf::default()));
    let (mut journal, _) = open(&journal_options(&scratch));
    journal
        .append([b"".as_slice(), b"\x02\x09\x09", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"])
        .unwrap();
    drop(journal);
    let pipe = Pipe::start(options(&scratch.0), Box::new(ShelfSink(shelf)), clock()).unwrap();
    let stats = wait(&pipe, "the end", |stats| stats.journaled == 0);
    assert_eq!((stats.recovered, stats.dropped.unreadable), (3, 3));
    pipe.close(Duration::from_secs(5));
}
