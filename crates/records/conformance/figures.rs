//! Figures of many records, against adding them up.

use std::ops::Range;

use tidegate_insight::{
    Amount, Block, Bucket, By, Cube, Dimension, Measure, Metric, Query, Reading, Scanned, Seen, Shape,
    Source, Sum, Verified, Wanted, Wants, answer,
};
use tidegate_records::{Between, Facts, Filter, ReadError, RequestRecord, StatusFilter, Written};

use super::Place;
use super::records::*;

/// A source without any cells: every answer is made by adding up.
struct Plain<'a>(&'a [RequestRecord]);

impl Source for Plain<'_> {
    fn scan(
        &mut self,
        filter: &Filter,
        wanted: Wanted<'_>,
        _: u64,
        each: &mut dyn FnMut(Seen<'_>),
    ) -> Result<Scanned, ReadError> {
        for record in self.0 {
            let facts = Facts::of(record);
            if filter.fits(&facts) {
                let key = wanted.group.map(|group| group.of(&facts)).unwrap_or_default();
                let user = if wanted.user { facts.user } else { "" };
                each(Seen { key: &key, user, measure: &Measure::of(&facts) });
            }
        }
        Ok(Scanned::default())
    }

    fn cells(
        &mut self,
        _: Cube,
        hours: Range<u32>,
        _: Reading,
        _: &mut dyn FnMut(&Block<'_>),
    ) -> Result<Vec<u32>, ReadError> {
        Ok((hours.start / 24..=hours.end / 24).collect())
    }

    fn verify(&mut self, _: u32) -> Result<Verified, ReadError> {
        Ok(Verified::default())
    }
}

fn query(from_ms: u64, to_ms: u64) -> Query {
    Query {
        from_ms,
        to_ms,
        until_now: false,
        bucket: Bucket::None,
        group: None,
        filter: Filter::default(),
        top: 3,
        rank: Metric::find("tokens").unwrap(),
        wants: Wants::ALL,
    }
}

fn filters() -> Vec<Filter> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let none = Filter::default;
    vec![
        none(),
        Filter { workspace: names(&["ws-a"]), organisation: names(&["org-1"]), ..none() },
        Filter {
            model: names(&["rare", "gpt-4o"]),
            status: Some(StatusFilter::Is(vec![200, 429])),
            ..none()
        },
        Filter { provider: names(&["unknown"]), ..none() },
        Filter { api_key: names(&["", "key-2"]), config: names(&["pc-1"]), ..none() },
        Filter { key_owner: names(&["ann"]), ..none() },
        Filter { user: names(&["user-7", "user-8"]), ..none() },
        Filter { cache: names(&["hit"]), api_key: names(&["key-1"]), ..none() },
        Filter { metadata: vec![("env".into(), "prod".into())], ..none() },
        Filter { trace: names(&["trace-3"]), ..none() },
        Filter { span: names(&["span-3", "span-4"]), ..none() },
        Filter { status: Some(StatusFilter::Is(Vec::new())), ..none() },
        Filter { total_tokens: Between { min: Some(300), max: None }, ..none() },
    ]
}

fn groups() -> [Option<Dimension>; 9] {
    [
        None,
        Some(Dimension::Model),
        Some(Dimension::Provider),
        Some(Dimension::ApiKey),
        Some(Dimension::User),
        Some(Dimension::Status),
        Some(Dimension::Cache),
        Some(Dimension::VirtualKey),
        Some(Dimension::Metadata("env".into())),
    ]
}

fn check(source: &mut dyn Source, records: &[RequestRecord]) {
    let (first, last) = (records[0].id().unix_ms(), records[records.len() - 1].id().unix_ms());
    let (mut asked, mut nothing) = (0, 0);
    for (at, filter) in filters().into_iter().enumerate() {
        // Each filter with some of the groups.
        for group in groups().into_iter().skip(at % 3).step_by(3) {
            // All of the time, and a part that begins and ends within hours.
            for (from_ms, to_ms, bucket) in [
                (0, last + DAY, Bucket::None),
                (first, last + 1, Bucket::Day),
                (first + DAY / 3 + 77, last - 5_000_001, Bucket::Hour),
                (first + DAY / 2 + 77, first + DAY, Bucket::FiveMinutes),
            ] {
                let users = asked % 3 == 0;
                let query = Query {
                    bucket,
                    group: group.clone(),
                    filter: filter.clone(),
                    wants: Wants::ALL.with_users(users),
                    ..query(from_ms, to_ms)
                };
                let got = answer(source, &query).unwrap();
                let want = answer(&mut Plain(records), &query).unwrap();
                assert!(got == want, "{query:?}");
                asked += 1;
                nothing += u64::from(want.groups.iter().all(|group| group.total.sum(Sum::Requests) == 0));
            }
        }
    }
    assert!(nothing * 4 < asked * 3, "many questions find something: {nothing} of {asked} do not");
}

pub fn figures_are_what_adding_records_up_gives(place: &dyn Place) {
    let ids = ids();
    let mut sink = place.sink();
    // Three days, a record every five minutes or so.
    let records: Vec<_> = (0..800).map(|i| record(&ids, NOW - 2 * DAY + i * 324_001, i)).collect();
    assert_eq!(write(&mut *sink, &records, &|_| None).new, 800);
    let mut source = place.source();
    check(&mut *source, &records);
    whole(&mut *source, &records);
    let days = NOW / DAY - 2..=NOW / DAY;
    let verified: Vec<Verified> = days.map(|day| source.verify(day as u32).unwrap()).collect();
    assert!(verified.iter().all(|day| day.wrong == 0 && day.records > 0 && day.cells > 0), "{verified:?}");
}

/// The whole, added up here: nothing of how answers are made is in it.
fn whole(source: &mut dyn Source, records: &[RequestRecord]) {
    let answer = answer(source, &query(0, u64::MAX / 2)).unwrap();
    let total = &answer.groups[0].total;
    let mut cost = 0u128;
    for record in records.iter().filter(|record| *record.cost.currency != *"EUR") {
        let amount: Result<rust_decimal::Decimal, _> = record.cost.amount.parse();
        let picos =
            amount.map(|amount| amount.trunc_with_scale(12) * rust_decimal::Decimal::from(10u64.pow(12)));
        cost += picos.map_or(0, |picos| picos.trunc().mantissa().unsigned_abs());
    }
    assert_eq!((total.sum(Sum::Requests), total.amount(Amount::Cost)), (records.len() as u64, cost));
    let mut latencies: Vec<u64> = records.iter().map(|record| record.timing.total_us).collect();
    latencies.sort_unstable();
    for percent in [50, 75, 90, 95, 99] {
        let want = latencies[(latencies.len() * percent).div_ceil(100) - 1] as f64;
        let got = total.shape(Shape::Latency).quantile(percent as f64 / 100.0).unwrap();
        assert!((got - want).abs() <= want * 0.01, "p{percent}: {got} for {want}");
    }
    let tokens: u64 =
        records.iter().filter_map(|record| record.usage.as_ref()).map(|usage| usage.output).sum();
    let attempts: usize = records.iter().map(|record| record.attempts.len()).sum();
    assert_eq!((total.sum(Sum::Output), total.sum(Sum::Attempts)), (tokens, attempts as u64));
}

/// Batches that are known, that clash, and an id that is twice in one.
pub fn what_comes_again_is_counted_once(place: &dyn Place) {
    let ids = ids();
    let mut sink = place.sink();
    let midnight = NOW / DAY * DAY;
    let records: Vec<_> = (0..300).map(|i| record(&ids, midnight - 150_000 + i * 1_000, i)).collect();
    assert_eq!(write(&mut *sink, &records[..200], &|_| None).new, 200);
    let some: Vec<_> = [&records[150..250], &records[225..250]].concat();
    assert_eq!(write(&mut *sink, &some, &|_| None), Written { new: 50, known: 75, ..Written::default() });
    drop(sink);
    let mut sink = place.sink();
    let mut other = records[..50].to_vec();
    other.iter_mut().for_each(|record| record.status = 599);
    assert_eq!(write(&mut *sink, &other, &|_| None).clashed, 50);
    assert_eq!(write(&mut *sink, &records, &|_| None).new, 50);
    let mut source = place.source();
    check(&mut *source, &records);
    for day in [midnight / DAY - 1, midnight / DAY] {
        let verified = source.verify(day as u32).unwrap();
        assert!(verified.wrong == 0 && verified.records > 0, "{verified:?}");
    }
}

/// Days that are over have cells of their own: the same figures before there are any, with them, after late records, and in a
/// process that comes after. By everything that there is to group by, with users told apart.
pub fn days_that_are_over_are_what_adding_records_up_gives(place: &dyn Place) {
    let ids = ids();
    let mut sink = place.sink();
    // Yesterday and the day before, and some of today; one in twenty comes late, told by somebody else.
    let start = NOW / DAY * DAY - 2 * DAY;
    let mut all: Vec<_> = (0..300).map(|i| record(&ids, start + i * 700_003, i)).collect();
    let (late, soon): (Vec<_>, Vec<_>) = all.iter().cloned().enumerate().partition(|(at, _)| at % 20 == 7);
    let [late, soon] =
        [late, soon].map(|records| records.into_iter().map(|(_, one)| one).collect::<Vec<_>>());
    let today = start + 2 * DAY;
    assert!(soon.iter().any(|record| record.id().unix_ms() >= today));
    let days = (start / DAY) as u32..(today / DAY) as u32 + 1;
    let hours = days.start * 24..days.end * 24;
    let mut source = place.source();
    let mut blocks_of = |cube, by_day| {
        let mut blocks = [0; 3];
        let reading = Reading { wants: Wants::ALL, by_day };
        let missing = source.cells(cube, hours.clone(), reading, &mut |block| {
            block.days().for_each(|day| blocks[(day - days.start) as usize] += 1);
        });
        assert_eq!(missing, Ok(Vec::new()), "{cube:?}");
        blocks
    };
    let whole = |records: &[RequestRecord]| {
        let mut source = place.source();
        over(&mut *source, records, start);
        days.clone().map(|day| source.verify(day).unwrap()).collect::<Vec<Verified>>()
    };
    for batch in soon.chunks(40) {
        write(&mut *sink, batch, &|_| None);
    }
    let before = whole(&soon);
    sink.tend(today).unwrap();
    let after = whole(&soon);
    assert!(before.iter().chain(&after).all(|day| day.wrong == 0), "{before:?} {after:?}");
    assert!(after[0].cells > before[0].cells && after[2].cells == before[2].cells, "{before:?} {after:?}");
    // Some of the metadata is longer than a column may take: a store that asks columns for users reads the records.
    for cube in Cube::all().filter(|cube| *cube != Cube::UsersBy(By::Metadata)) {
        assert_eq!(blocks_of(cube, true)[..2], [1, 1], "{cube:?}");
    }
    // Cells of hours are there as before.
    assert!(blocks_of(Cube::Callers, false)[0] > 1);
    for batch in late.chunks(7) {
        write(&mut *sink, batch, &|_| None);
    }
    let verified = whole(&all);
    assert!(verified.iter().all(|day| day.wrong == 0), "{verified:?}");
    drop(sink);
    let mut sink = place.sink();
    sink.tend(today).unwrap();
    let verified = whole(&all);
    assert!(verified.iter().all(|day| day.wrong == 0) && verified[0].cells > before[0].cells, "{verified:?}");
    assert_eq!(blocks_of(Cube::Callers, true)[..2], [1, 1]);
    // What retention takes away is in no figure.
    sink.tend(today + 28 * DAY).unwrap();
    all.retain(|record| record.id().unix_ms() >= start + DAY);
    let verified = whole(&all);
    assert!(verified.iter().all(|day| day.wrong == 0) && verified[0].records == 0, "{verified:?}");
}

fn over(source: &mut dyn Source, records: &[RequestRecord], start: u64) {
    let dimensions = [
        Dimension::Workspace,
        Dimension::Provider,
        Dimension::Model,
        Dimension::Route,
        Dimension::Status,
        Dimension::Cache,
        Dimension::ApiKey,
        Dimension::KeyOwner,
        Dimension::VirtualKey,
        Dimension::Config,
        Dimension::User,
        Dimension::Metadata("env".into()),
    ];
    let none = Filter::default;
    let filters = [
        none(),
        Filter { workspace: vec!["ws-a".into()], ..none() },
        Filter { metadata: vec![("env".into(), "prod".into())], ..none() },
    ];
    let mut at = 0;
    for group in std::iter::once(None).chain(dimensions.into_iter().map(Some)) {
        for filter in &filters {
            at += 1;
            // Whole days, or from an hour on.
            let from_ms = start + if at % 2 == 0 { 0 } else { DAY / 3 + 77 };
            let query = Query {
                until_now: true,
                bucket: [Bucket::Day, Bucket::None, Bucket::Hour][at % 3],
                group: group.clone(),
                filter: filter.clone(),
                wants: Wants::ALL.with_users(true),
                ..query(from_ms, start + 3 * DAY)
            };
            let got = answer(source, &query).unwrap();
            let want = answer(&mut Plain(records), &query).unwrap();
            assert!(got == want, "{query:?}");
        }
    }
}
