//! Every metric over 30 days, by everything that it can be grouped by.

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
    ]
}

/// Gives how many missed the bar.
pub fn charts(source: &mut impl Source, from_ms: u64, to_ms: u64) -> usize {
    let (mut times, mut without) = (Vec::new(), Vec::new());
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
            let query = query(metric, group.clone());
            // Who else than users' own cube knows users: only the records do.
            let is_raw =
                query.wants.users && !matches!(group, None | Some(Dimension::Workspace | Dimension::User));
            let asked = Times::of(format!("{}{name}", metric.id), if is_raw { 1 } else { ROUNDS }, || {
                drop(answer(source, &query).unwrap());
            });
            if is_raw { &mut without } else { &mut times }.push(asked);
        }
    }
    for hours in [Bucket::Hour, Bucket::None] {
        let query = Query { bucket: hours, ..query(&Metric::all()[0], None) };
        times.push(Times::of(format!("{hours:?}: {}", Metric::all()[0].id), ROUNDS, || {
            drop(answer(source, &query).unwrap());
        }));
    }
    let team = query(&Metric::all()[0], Some(Dimension::Metadata("team".into())));
    without.push(Times::of("by a member of the metadata".into(), 1, || drop(answer(source, &team).unwrap())));
    let missed = report("Charts over 30 days", times, 12);
    report("Charts over 30 days that no roll-up has (no bar)", without, 5);
    missed
}
