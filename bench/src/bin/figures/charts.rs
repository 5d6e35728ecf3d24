//! Every metric over 30 days, by everything that it can be grouped by: whole days, and days that begin at any hour.

use tidegate_insight::{Bucket, Dimension, Metric, Query, Source, Wants, answer};
use tidegate_records::Filter;

use crate::times::{Times, report};

const ROUNDS: usize = 3;

fn groups() -> Vec<(&'static str, Option<Dimension>)> {
    vec![
        ("", None),
        (" by workspace", Some(Dimension::Workspace)),
        (" by provider", Some(Dimension::Provider)),
        (" by model", Some(Dimension::Model)),
        (" by route", Some(Dimension::Route)),
        (" by status", Some(Dimension::Status)),
        (" by cache", Some(Dimension::Cache)),
        (" by key", Some(Dimension::ApiKey)),
        (" by owner", Some(Dimension::KeyOwner)),
        (" by virtual key", Some(Dimension::VirtualKey)),
        (" by config", Some(Dimension::Config)),
        (" by user", Some(Dimension::User)),
        (" by metadata", Some(Dimension::Metadata("team".into()))),
    ]
}

/// Gives how many missed the bar.
pub fn charts(source: &mut impl Source, from_ms: u64, to_ms: u64) -> usize {
    let mut times = Vec::new();
    let filter = || Filter {
        organisation: vec!["org".to_owned()],
        workspace: vec!["search".to_owned()],
        ..Filter::default()
    };
    let query = |metric, group| Query {
        from_ms,
        to_ms,
        until_now: true,
        bucket: Bucket::Day,
        group,
        filter: filter(),
        top: 10,
        rank: metric,
        wants: Wants::of([metric]),
    };
    for metric in Metric::all() {
        for (name, group) in groups() {
            let query = query(metric, group);
            times.push(Times::of(format!("{}{name}", metric.id), ROUNDS, || {
                drop(answer(source, &query).unwrap());
            }));
        }
    }
    // As the console asks: the 30 days until now.
    for id in ["requests", "cost", "latency_p95", "users"] {
        for (name, group) in groups() {
            let Some(metric) = Metric::find(id) else { continue };
            let from_ms = from_ms + 8 * 3_600_000 + 1_234_567;
            let query = Query { from_ms, ..query(metric, group) };
            times.push(Times::of(format!("from an hour on: {id}{name}"), ROUNDS, || {
                drop(answer(source, &query).unwrap());
            }));
        }
    }
    for hours in [Bucket::Hour, Bucket::None] {
        let query = Query { bucket: hours, ..query(&Metric::all()[0], None) };
        times.push(Times::of(format!("{hours:?}: {}", Metric::all()[0].id), ROUNDS, || {
            drop(answer(source, &query).unwrap());
        }));
    }
    report("Charts over 30 days", times, 16)
}
