//! The documentation of the metrics, from their table.

use std::fmt::Write;

use crate::metric::Metric;

const HEAD: &str = "# Metrics

What `GET /v1/analytics/query` and the console can show, made from the table in `crates/insight/src/table.rs`. Requests are counted at the time at
which they began. Counts and sums are exact; percentiles are off by half a percent at most. What there is nothing to make it of is null, never 0.

| id | name | unit | kind | definition | at `/metrics` |
| --- | --- | --- | --- | --- | --- |
";

const TAIL: &str = r"
## Which requests

Figures are of the requests that a query's filters leave: those of `GET /v1/logs`, in every answer below `/v1/analytics`, in lists and in exports.
Some of them ask for what does not stand in the record itself:

| filter | which requests |
| --- | --- |
| `weighted_feedback_min`, `weighted_feedback_max` | whose trace has a mark with a value times weight within both, -10 to 10, given since the time began; graphs of feedback count only such marks. More than 5,000 such traces are refused |
| `span_id` | whose own span has one of these ids; requests that were written before this filter was there are not found by it |
| `prompt_slug` | none: this version has no prompts. The answer has its shape and nothing in it, and so has `/v1/analytics/groups/prompt` |

`user` in a group is the `_user` of the metadata; feedback in the groups of models and of metadata is that of their requests' traces.
";

/// `docs/metrics.md`.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for Metric { id, name, unit, kind, definition, prometheus, .. } in Metric::all() {
        let exposed = prometheus.map(|name| format!("`{name}`")).unwrap_or_default();
        // Writing to text does not fail.
        let _ = writeln!(
            page,
            "| `{id}` | {name} | {} | {} | {definition} | {exposed} |",
            unit.text(),
            kind.text()
        );
    }
    page + TAIL
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_of_this_table() {
        let kept = include_str!("../../../docs/metrics.md");
        assert!(
            kept == super::page(),
            "cargo run -p tidegate-insight --example metrics_page > docs/metrics.md"
        );
    }
}
