//! Journals that were cut off or changed: reported with the place, never believed, never a panic.

use std::sync::Arc;

use super::faulty::Disk;
use super::{ReadError, verify_files};
use crate::books::{Broken, How};
use crate::budget::Reset;
use crate::ledger::{Ledger, OpenError, Options};
use crate::testing::{FakeClock, budget, cost, demand, tiny, usd};

fn options() -> Options {
    Options { segment_bytes: 3_000, keep_segments: 100, ..Options::default() }
}

fn open(disk: &Disk) -> Result<Ledger, OpenError> {
    let clock = Arc::new(FakeClock::default());
    Ledger::open_files(Box::new(disk.clone()), options(), clock).map(|(ledger, _)| ledger)
}

/// Several segments; the last of some lines, without a stop.
fn journal() -> Disk {
    let disk = Disk::default();
    let ledger = open(&disk).unwrap();
    let id = ledger.put(budget("k", "1", Reset::Never, &["0.01"])).unwrap();
    for i in 0..40 {
        let reservation = ledger.reserve(&demand(&[id], tiny(100))).unwrap();
        let settled = reservation.settle(&cost(tiny(i)), How::Success);
        ledger.written(settled).wait().unwrap();
    }
    disk.after_crash(0)
}

fn last(files: &std::collections::BTreeMap<String, Vec<u8>>) -> String {
    files.keys().next_back().unwrap().clone()
}

#[test]
fn a_journal_is_proved_and_says_what_is_in_it() {
    let disk = journal();
    let report = verify_files(&disk).unwrap();
    assert!(report.segments > 3, "{}", report.segments);
    assert_eq!((report.torn, report.entries), (0, report.last));
    let text = report.to_string();
    assert!(text.contains("api key 'k': 0.0078 of 1 USD settled, 0 reserved, 0 held, 0.9922 free"), "{text}");
}

#[test]
fn a_torn_end_is_cut_off_wherever_it_is() {
    let disk = journal();
    let whole = verify_files(&disk).unwrap();
    let mut length = 0;
    disk.changed(|files| length = files[&last(files)].len());
    let (mut torn, mut lost) = (0, 0);
    for cut in 0..length {
        let left = disk.changed(|files| {
            let name = last(files);
            files.get_mut(&name).unwrap().truncate(cut);
        });
        let report = verify_files(&left).unwrap();
        torn += usize::from(report.torn > 0);
        lost += usize::from(report.last < whole.last);
        if cut % 50 == 0 {
            open(&left).unwrap().close();
            assert_eq!(verify_files(&left).unwrap().torn, 0, "the next start leaves a whole journal");
        }
        let zeros = left.changed(|files| {
            let name = last(files);
            files.get_mut(&name).unwrap().extend([0; 40]);
        });
        assert!(verify_files(&zeros).is_ok(), "a tail of zeros is a torn end too");
    }
    assert!(torn > 100 && lost > 100, "{torn} {lost} of {length}");
}

#[test]
fn a_changed_bit_anywhere_before_the_last_line_is_found() {
    let disk = journal();
    let whole = verify_files(&disk).unwrap();
    let mut places = Vec::new();
    disk.changed(|files| {
        let end = last(files);
        for (name, text) in files.iter() {
            let lines = if *name == end { text[..text.len() - 1].rfind_line() } else { text.len() };
            places.extend((0..lines).step_by(5).map(|at| (name.clone(), at)));
        }
    });
    assert!(places.len() > 1_500, "{}", places.len());
    for (i, (name, at)) in places.into_iter().enumerate() {
        let changed = disk.changed(|files| files.get_mut(&name).unwrap()[at] ^= 1 << (i % 8));
        let error = match verify_files(&changed) {
            Err(error) => error,
            Ok(report) => {
                // Hex digits may be written large: the line still says the same.
                assert_eq!(report.books, whole.books, "{name} {at}");
                continue;
            }
        };
        let (ReadError::Damaged(place) | ReadError::Violation { place, .. }) = &error else {
            panic!("{error}");
        };
        assert!(place.file <= name, "{error} for {name} {at}");
        if i % 100 == 0 {
            assert!(matches!(open(&changed), Err(OpenError::Read(_))), "it is not opened either");
        }
    }
}

trait RfindLine {
    fn rfind_line(&self) -> usize;
}

impl RfindLine for [u8] {
    /// Where the last line begins.
    fn rfind_line(&self) -> usize {
        self.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
    }
}

#[test]
fn a_segment_or_a_line_that_is_missing_is_found() {
    let disk = journal();
    let mut names = Vec::new();
    disk.changed(|files| names.extend(files.keys().cloned()));
    for name in &names[1..names.len() - 1] {
        let changed = disk.changed(|files| drop(files.remove(name)));
        assert!(matches!(verify_files(&changed), Err(ReadError::Damaged(_) | ReadError::Violation { .. })));
    }
    let older = disk.changed(|files| drop(files.remove(&names[0])));
    assert!(verify_files(&older).is_ok(), "the snapshot of the second stands for the first");
    let changed = disk.changed(|files| {
        let text = files.get_mut(&names[1]).unwrap();
        let lines: Vec<Vec<u8>> = text.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        *text =
            lines.iter().enumerate().filter(|(i, _)| *i != 3).flat_map(|(_, line)| line.clone()).collect();
    });
    let error = verify_files(&changed).unwrap_err();
    let ReadError::Violation { violation, .. } = error else { panic!("{error}") };
    assert_eq!(violation.rule, Broken::Order);
}

#[test]
fn a_line_with_a_right_checksum_and_wrong_books_is_found() {
    let disk = journal();
    for (from, to) in [
        (r#""t":"settled","a":"0.000"#, r#""t":"settled","a":"0.001"#),
        (r#""f":"reserved","t":"free""#, r#""f":"settled","t":"free""#),
        (r#""settle":{"id":"#, r#""settle":{"id":9"#),
    ] {
        let changed = disk.changed(|files| {
            let name = files.keys().nth(1).unwrap().clone();
            let text = String::from_utf8(files[&name].clone()).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let line = lines.iter_mut().skip(2).find(|line| line.contains(from) && !line.contains("carry"));
            let Some(line) = line else { panic!("{from}: {text}") };
            let payload = line[17..].replacen(from, to, 1);
            *line = format!("{:08x}{:08x} {payload}", payload.len(), crc32fast::hash(payload.as_bytes()));
            files.insert(name, (lines.join("\n") + "\n").into_bytes());
        });
        let error = verify_files(&changed).unwrap_err();
        assert!(matches!(error, ReadError::Violation { .. }), "{to}: {error}");
        assert!(error.to_string().starts_with("segment-"), "{error}");
    }
}

#[test]
fn old_segments_go_and_the_journal_stays_small() {
    let disk = Disk::default();
    let clock = Arc::new(FakeClock::default());
    let small = Options { segment_bytes: 3_000, keep_segments: 2, ..Options::default() };
    let ledger = Ledger::open_files(Box::new(disk.clone()), small, clock).unwrap().0;
    let id = ledger.put(budget("k", "1000", Reset::Never, &[])).unwrap();
    for _ in 0..300 {
        let reservation = ledger.reserve(&demand(&[id], usd("0.01"))).unwrap();
        ledger.written(reservation.settle(&cost(usd("0.01")), How::Success)).wait().unwrap();
    }
    ledger.close();
    let mut bytes = 0;
    disk.changed(|files| bytes = files.values().map(Vec::len).sum());
    assert!(bytes < 15_000, "{bytes}");
    let report = verify_files(&disk).unwrap();
    assert!(report.segments == 2 && report.last > 600 && report.entries < 100, "{report:?}");
}
