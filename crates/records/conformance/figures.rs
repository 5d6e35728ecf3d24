//! Figures of many records, against adding them up.

use std::ops::Range;

use tidegate_insight::{
    Amount, Block, Bucket, Cube, Dimension, Measure, Metric, Query, Scanned, Seen, Shape, Source, Sum,
    Verified, Wanted, Wants, answer,
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
        wants: Wants { shapes: true, users: false },
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
                    wants: Wants { shapes: true, users },
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
