//! What every store of records does, whatever it is made of. Stores' tests take this folder in by its path.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod batches;
mod figures;
mod lists;
pub mod records;
mod search;
pub mod traces;

use tidegate_insight::Source;
use tidegate_records::{Reader, Sink};

/// A store that is empty at first. `sink` is called again when the sink before was dropped.
pub trait Place {
    fn sink(&self) -> Box<dyn Sink>;
    fn reader(&self) -> Box<dyn Reader>;
    fn source(&self) -> Box<dyn Source>;
}

/// Every case with a store of its own.
pub fn all<P: Place>(empty: impl Fn() -> P) {
    for (name, case) in [
        (
            "figures of days that are over",
            figures::days_that_are_over_are_what_adding_records_up_gives as fn(&dyn Place),
        ),
        ("every filter", lists::every_filter_gives_what_a_scan_gives_in_pages_of_any_size),
        ("rows and records", lists::rows_and_records_say_what_was_put_in),
        ("paging", lists::paging_is_complete_and_without_repeats_while_rows_come_in),
        ("a batch again", batches::a_batch_that_comes_again_changes_nothing),
        ("a clash", batches::a_clash_leaves_what_is_there_and_brings_no_bodies),
        ("twice in a batch", batches::an_id_twice_in_a_batch_is_one_record),
        ("figures", figures::figures_are_what_adding_records_up_gives),
        ("figures of batches that come again", figures::what_comes_again_is_counted_once),
        ("words", search::words_in_bodies_are_found_by_whom_they_belong_to),
        ("words that were taken out", search::what_was_taken_out_is_not_found),
        ("words of bodies that are gone", search::what_is_not_kept_any_more_is_not_found),
        ("words of a clash", search::bodies_of_a_clash_are_not_found),
        ("retention", batches::retention_drops_whole_days_and_what_comes_late_for_them),
    ] {
        println!("{name}");
        case(&empty());
    }
}
