//! Lists, counts and single records, against a plain scan of what was put in.

use super::Place;
use tidegate_records::{Between, Facts, Filter, RecordId, StatusFilter};

use super::records::*;

fn filters() -> Vec<Filter> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let between = |min: Option<&str>, max: Option<&str>| Between {
        min: min.map(|min| min.parse().unwrap()),
        max: max.map(|max| max.parse().unwrap()),
    };
    let none = Filter::default();
    let statuses = [
        None,
        Some(StatusFilter::Is(vec![200])),
        Some(StatusFilter::Is(vec![429, 404])),
        Some(StatusFilter::Is(vec![])),
        Some(StatusFilter::Range(400, 599)),
        Some(StatusFilter::Range(0, 299)),
    ];
    let mut filters = Vec::new();
    for status in statuses {
        for other in [
            none.clone(),
            Filter { provider: names(&["openai"]), ..none.clone() },
            Filter { provider: names(&["openai", "anthropic", "unknown"]), ..none.clone() },
            Filter { provider: names(&["unknown"]), ..none.clone() },
            Filter {
                model: names(&["rare", "o9", "rare"]),
                provider: names(&["openai", "anthropic"]),
                ..none.clone()
            },
            Filter { user: (0..80).map(|i| format!("user-{}", i % 49)).collect(), ..none.clone() },
            Filter { model: names(&["rare"]), workspace: names(&["ws-a"]), ..none.clone() },
            Filter { api_key: names(&["key-2"]), ..none.clone() },
            Filter { api_key: names(&["", "key-3"]), ..none.clone() },
            Filter { virtual_key: names(&["vk-1", "vk-2"]), ..none.clone() },
            Filter { user: names(&["user-7"]), ..none.clone() },
            Filter { trace: names(&["trace-3"]), ..none.clone() },
            Filter { trace: names(&["", "trace-3"]), ..none.clone() },
            Filter { span: names(&["span-4", "span-9"]), ..none.clone() },
            Filter { span: names(&["", "span-4"]), model: names(&["rare"]), ..none.clone() },
            Filter { session: names(&["session-4"]), ..none.clone() },
            Filter { session: names(&["", "session-1"]), model: names(&["rare"]), ..none.clone() },
            Filter { in_session: true, ..none.clone() },
            Filter { in_session: true, session: names(&["", "session-2"]), ..none.clone() },
            Filter { key_owner: names(&["ann"]), config: names(&["", "pc-2"]), ..none.clone() },
            Filter { organisation: names(&["org-2"]), workspace: names(&["ws-a"]), ..none.clone() },
            Filter { cache: names(&["hit"]), model: names(&["rare"]), ..none.clone() },
            Filter { metadata: vec![pair("env", "prod")], ..none.clone() },
            Filter { metadata: vec![pair("n", "4"), pair("env", "test")], ..none.clone() },
            Filter { metadata: vec![pair("env", "none")], ..none.clone() },
            Filter { metadata: vec![pair("a=b", "c")], ..none.clone() },
            Filter { metadata: vec![pair("a", "b=c"), pair("long", &"x".repeat(9_000))], ..none.clone() },
            Filter { metadata: vec![pair("nul\0", "%\u{1}")], ..none.clone() },
            Filter { trace: vec![format!("nul\0{}", "long".repeat(3_000))], ..none.clone() },
            Filter { cost: between(Some("0.0012"), Some("0.0020")), ..none.clone() },
            Filter { cost: between(None, Some("0.00000000000000001")), ..none.clone() },
            Filter { cost: between(Some("-1"), Some("0")), ..none.clone() },
            Filter { cost: between(Some("0.0095"), None), provider: names(&["openai"]), ..none.clone() },
            Filter { cost: between(Some("99999999999"), None), ..none.clone() },
            Filter { prompt_tokens: Between { min: Some(100), max: Some(120) }, ..none.clone() },
            Filter { completion_tokens: Between { min: None, max: Some(2) }, ..none.clone() },
            Filter { total_tokens: Between { min: Some(2_000), max: None }, ..none.clone() },
            Filter { from_ms: Some(NOW - DAY), to_ms: Some(NOW + 500), ..none.clone() },
            Filter { from_ms: Some(NOW + 100), to_ms: Some(NOW + 100), ..none.clone() },
            Filter { to_ms: Some(NOW - 2 * DAY + 77), user: names(&["user-3"]), ..none.clone() },
        ] {
            filters.push(Filter { status: status.clone(), ..other });
        }
    }
    filters
}

pub fn every_filter_gives_what_a_scan_gives_in_pages_of_any_size(place: &dyn Place) {
    let ids = ids();
    let mut sink = place.sink();
    let mut records = Vec::new();
    for day in [2, 1, 0] {
        let start = records.len() as u64;
        records.extend((0..1_000).map(|i| record(&ids, NOW - day * DAY + i, start + i)));
    }
    assert_eq!(write(&mut *sink, &records, &|_| None).new, 3_000);
    let mut reader = place.reader();
    let mut empty = 0;
    for filter in filters() {
        let mut wanted: Vec<_> = records.iter().filter(|record| filter.fits(&Facts::of(record))).collect();
        wanted.reverse();
        empty += usize::from(wanted.is_empty());
        // The small pages for some: a store on a server takes its time for each.
        for limit in if wanted.len() % 5 == 1 { &[1_000, 37][..] } else { &[1_000][..] } {
            let rows = list(&mut *reader, &filter, *limit);
            assert!(
                rows.iter().map(|row| row.id.bits()).eq(wanted.iter().map(|record| record.id)),
                "{filter:?}"
            );
        }
        let count = wanted.len() as u64;
        assert_eq!(reader.count(&filter, u64::MAX), Ok(count), "{filter:?}");
        assert_eq!(reader.count(&filter, 5), Ok(count.min(5)));
    }
    assert!(empty < 80, "most filters find something: {empty}");
}

pub fn rows_and_records_say_what_was_put_in(place: &dyn Place) {
    let ids = ids();
    let mut sink = place.sink();
    let records: Vec<_> = (0..200).map(|i| record(&ids, NOW + i, i)).collect();
    let with = |record: &tidegate_records::RequestRecord| {
        (record.id.is_multiple_of(2) || record.status != 200).then(|| bodies(&record.id.to_string()))
    };
    write(&mut *sink, &records, &with);
    let mut reader = place.reader();
    let rows = list(&mut *reader, &Filter::default(), 1_000);
    for (row, record) in rows.iter().zip(records.iter().rev()) {
        let usage = record.usage.as_ref();
        assert_eq!(row.id.bits(), record.id);
        assert_eq!((&*row.cost, &*row.currency), (&*record.cost.amount, &*record.cost.currency));
        assert_eq!(
            (row.status, row.stream, row.unpriced),
            (record.status, record.stream, record.cost.unpriced)
        );
        assert_eq!((row.total_us, row.ttft_us), (record.timing.total_us, record.timing.ttft_us));
        assert_eq!(row.input_tokens, usage.map(tidegate_core::Usage::prompt));
        assert_eq!(
            (row.output_tokens, row.cached_tokens),
            (usage.map(|u| u.output), usage.and_then(|u| u.cache_read))
        );
        assert_eq!(
            [
                &row.workspace,
                &row.api_key,
                &row.user,
                &row.provider,
                &row.virtual_key,
                &row.model,
                &row.trace
            ],
            [
                &*record.who.workspace,
                &*record.who.api_key,
                &*record.who.user,
                &*record.provider,
                &*record.virtual_key,
                &*record.model,
                &*record.span.trace
            ]
        );
        let found = reader.get(row.id).unwrap().unwrap();
        assert_eq!((&found.record, found.bodies.clone()), (record, with(record)));
        assert_eq!(row.has_bodies, found.bodies.is_some());
    }
    assert_eq!(rows.len(), 200);
    let page = reader.records(&Filter::default(), Some(records[150].id()), 70).unwrap();
    assert!(page.rows.iter().eq(records[80..150].iter().rev()));
    assert_eq!(page.next, Some(records[80].id()));
    assert_eq!(reader.get(RecordId::first_of(NOW + 5 * DAY)), Ok(None));
    assert_eq!(reader.get(RecordId::first_of(NOW)), Ok(None));
}

pub fn paging_is_complete_and_without_repeats_while_rows_come_in(place: &dyn Place) {
    let ids = ids();
    let mut sink = place.sink();
    // Two days, and late ones among them: long requests end after short ones that began later.
    let early: Vec<_> = (0..4_000).map(|i| record(&ids, NOW - (1 - i / 2_000) * DAY + i, i)).collect();
    write(&mut *sink, &early, &|_| None);
    std::thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let ids = &ids;
        let writer = scope.spawn(move || {
            let late = tidegate_records::IdSource::new(2, None);
            let mut written = 0;
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                let new: Vec<_> = (0..50).map(|i| record(ids, NOW + 10_000 + written, i)).collect();
                let old: Vec<_> = (0..50).map(|i| record(&late, NOW - DAY + written * 3 + i, i)).collect();
                written += write(&mut *sink, &new, &|_| None).new + write(&mut *sink, &old, &|_| None).new;
            }
            written
        });
        let mut reader = place.reader();
        for filter in [Filter::default(), Filter { provider: vec!["openai".into()], ..Filter::default() }] {
            for limit in [50, 333] {
                let mut seen: Vec<_> =
                    list(&mut *reader, &filter, limit).iter().map(|row| row.id.bits()).collect();
                assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "in order, so none twice");
                seen.reverse();
                let missing = early.iter().filter(|record| {
                    filter.fits(&Facts::of(record)) && seen.binary_search(&record.id).is_err()
                });
                assert_eq!(missing.count(), 0);
            }
        }
        stop.send(()).unwrap();
        let written = writer.join().unwrap();
        assert!(written > 100, "rows came in: {written}");
        assert_eq!(reader.count(&Filter::default(), u64::MAX), Ok(4_000 + written));
    });
}
