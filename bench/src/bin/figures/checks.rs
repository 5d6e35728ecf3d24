//! Figures are what was written.

use tidegate_insight::{Amount, Bucket, Metric, Query, Shape, Source, Sum, Wants, answer};
use tidegate_records::Filter;

use crate::fill::Told;

const DAY: u64 = 86_400_000;

/// Gives how many are wrong.
pub fn checks(source: &mut impl Source, from_ms: u64, to_ms: u64, told: &[Told]) -> usize {
    let mut wrong = 0;
    let (mut records, mut cells) = (0, 0);
    for day in from_ms / DAY..=to_ms / DAY {
        let verified = source.verify(day as u32).unwrap();
        records += verified.records;
        cells += verified.cells;
        wrong += verified.wrong as usize;
    }
    println!("\n{records} records in {cells} cells: {wrong} cubes differ from adding up the records");
    let query = Query {
        from_ms,
        to_ms: (to_ms / DAY + 1) * DAY,
        until_now: true,
        bucket: Bucket::None,
        group: None,
        filter: Filter::default(),
        top: 10,
        rank: &Metric::all()[0],
        wants: Wants::ALL,
    };
    let answer = answer(source, &query).unwrap();
    let total = &answer.groups[0].total;
    let mut latencies: Vec<u32> = told.iter().flat_map(|told| told.latencies.iter().copied()).collect();
    latencies.sort_unstable();
    let got = (total.sum(Sum::Requests), total.sum(Sum::Prompt), total.amount(Amount::Cost));
    let want = (
        latencies.len() as u64,
        told.iter().map(|told| told.prompt_tokens).sum::<u64>(),
        told.iter().map(|told| told.cost).sum::<u128>(),
    );
    println!("requests, prompt tokens, cost in 10^-12 USD: {got:?}, written {want:?}");
    wrong += usize::from(got != want);
    for percent in [50, 75, 90, 95, 99] {
        let exact = f64::from(latencies[(latencies.len() * percent).div_ceil(100).max(1) - 1]);
        let sketched = total.shape(Shape::Latency).quantile(percent as f64 / 100.0).unwrap_or(0.0);
        let off = (sketched - exact).abs() / exact * 100.0;
        println!("p{percent}: {sketched:.0} us for {exact:.0} us, off by {off:.2} %");
        wrong += usize::from(off > 1.0);
    }
    wrong
}
