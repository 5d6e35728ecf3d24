//! Prints `docs/metrics.md`.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

fn main() {
    print!("{}", tidegate_insight::page());
}
