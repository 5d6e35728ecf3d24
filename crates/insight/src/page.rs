//! The documentation of the metrics, from their table.

use std::fmt::Write;

use crate::metric::Metric;

const HEAD: &str = "# Metrics

What `GET /v1/analytics/query` and the console can show, made from the table in `crates/insight/src/table.rs`. Requests are counted at the time at
which they began. Counts and sums are exact; percentiles are off by half a percent at most. What there is nothing to make it of is null, never 0.

| id | name | unit | kind | definition | at `/metrics` |
| --- | --- | --- | --- | --- | --- |
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
    page
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
