//! Batches that come again, that clash, and that come too late.

use tidegate_records::{Filter, RequestRecord, Written};

use super::Place;
use super::records::*;

pub fn a_batch_that_comes_again_changes_nothing(place: &dyn Place) {
    let ids = ids();
    let mut sink = place.sink();
    // Around midnight: one batch, two days.
    let midnight = NOW / DAY * DAY;
    let records: Vec<_> = (0..500).map(|i| record(&ids, midnight - 250 + i, i)).collect();
    let with = |record: &tidegate_records::RequestRecord| Some(bodies(&record.id.to_string()));
    assert_eq!(write(&mut *sink, &records, &with), Written { new: 500, ..Written::default() });
    assert_eq!(write(&mut *sink, &records, &with), Written { known: 500, ..Written::default() });
    drop(sink);
    let mut sink = place.sink();
    assert_eq!(write(&mut *sink, &records, &with), Written { known: 500, ..Written::default() });
    let mut other = records[..10].to_vec();
    other.iter_mut().for_each(|record| record.status = 599);
    assert_eq!(write(&mut *sink, &other, &with), Written { clashed: 10, ..Written::default() });
    let mut reader = place.reader();
    assert_eq!(reader.count(&Filter::default(), u64::MAX), Ok(500));
    assert_eq!(reader.get(records[0].id()).unwrap().unwrap().record, records[0]);
}

pub fn a_clash_leaves_what_is_there_and_brings_no_bodies(place: &dyn Place) {
    let ids = ids();
    let mut sink = place.sink();
    let records: Vec<_> = (0..20).map(|i| record(&ids, NOW + i, i)).collect();
    write(&mut *sink, &records, &|_| None);
    let other: Vec<_> =
        records.iter().map(|record| RequestRecord { status: 599, ..record.clone() }).collect();
    let written = write(&mut *sink, &other, &|_| Some(bodies("of the other")));
    assert_eq!(written, Written { clashed: 20, ..Written::default() });
    let mut reader = place.reader();
    for record in &records {
        let found = reader.get(record.id()).unwrap().unwrap();
        assert_eq!((&found.record, found.bodies), (record, None));
    }
}

pub fn an_id_twice_in_a_batch_is_one_record(place: &dyn Place) {
    let ids = ids();
    let mut sink = place.sink();
    let first = record(&ids, NOW, 1);
    let other = RequestRecord { status: 599, ..first.clone() };
    let written = write(&mut *sink, &[first.clone(), first.clone(), other], &|_| None);
    assert_eq!(written, Written { new: 1, known: 1, clashed: 1, ..Written::default() });
    let mut reader = place.reader();
    assert_eq!(reader.count(&Filter::default(), 10), Ok(1));
    assert_eq!(reader.get(first.id()).unwrap().unwrap().record, first);
}

pub fn retention_drops_whole_days_and_what_comes_late_for_them(place: &dyn Place) {
    let ids = ids();
    let mut sink = place.sink();
    let days: Vec<Vec<_>> =
        (0..40).map(|day| (0..20).map(|i| record(&ids, NOW - (39 - day) * DAY + i, i)).collect()).collect();
    for day in &days {
        write(&mut *sink, day, &|_| Some(bodies("b")));
    }
    let mut reader = place.reader();
    assert_eq!(reader.count(&Filter::default(), u64::MAX), Ok(800));
    sink.tend(NOW).unwrap();
    assert_eq!(reader.count(&Filter::default(), u64::MAX), Ok(600));
    assert_eq!(list(&mut *reader, &Filter::default(), 100).len(), 600);
    // The first day that is kept, without its bodies; the last that is not.
    assert!(reader.get(days[10][0].id()).unwrap().unwrap().bodies.is_none());
    assert!(reader.get(days[26][0].id()).unwrap().unwrap().bodies.is_some());
    assert_eq!(reader.get(days[9][0].id()), Ok(None));
    assert_eq!(write(&mut *sink, &days[9], &|_| None), Written { expired: 20, ..Written::default() });
    assert_eq!(write(&mut *sink, &days[10], &|_| Some(bodies("late"))).known, 20);
    let late: Vec<_> = (0..20).map(|i| record(&ids, NOW - 20 * DAY + 100 + i, i)).collect();
    let late: Vec<_> = late
        .into_iter()
        .map(|mut record| {
            record.id =
                tidegate_records::RecordId::first_of(NOW - 20 * DAY + 500).bits() + (record.id & 0xfffff);
            record
        })
        .collect();
    assert_eq!(write(&mut *sink, &late, &|_| Some(bodies("late"))).new, 20);
    sink.tend(NOW + 100 * DAY).unwrap();
    // A clock that is set back brings no day back.
    sink.tend(NOW).unwrap();
    assert_eq!(write(&mut *sink, &days[39], &|_| None).expired, 20);
}
