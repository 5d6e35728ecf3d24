//! Figures of many records: which there are, how they are made, and how stores keep them ready.
//!
//! [`Metric`] is the table of all figures. A [`Cell`] is what is known of some records together: exact counts and sums,
//! amounts to 10^-12 USD, sketches of latencies whose quantiles are off by half a percent at most. Stores keep cells by hour
//! and by what tells records apart (a [`Cube`]): the records of a batch, or of many, become one [`Block`] per cube, made by a
//! [`Gather`] from a store's numbers or by [`Cells`] from text, and small blocks are [`merged`]. [`answer`] reads cells where
//! a cube has what is asked for, and records where not; the store is a [`Source`]. No clock, no I/O.

mod answer;
mod block;
mod cell;
mod cells;
mod combination;
mod cube;
mod gather;
mod later;
mod measure;
mod metric;
mod page;
mod parts;
mod query;
mod sketch;
mod source;
mod table;
mod tally;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod varint;
mod wants;

pub use answer::answer;
pub use block::Block;
pub use cell::{Amount, Cell, Shape, Sum};
pub use cells::Cells;
pub use combination::{Combination, MOST_COMBINATIONS};
pub use cube::{By, Cube, Dimension, Names};
pub use gather::{Gather, Gathered, merged, merged_to_days};
pub use measure::{Cached, Measure, few_digits, is_usd, picos};
pub use metric::{Better, Kind, Metric, Unit, Value};
pub use page::page;
pub use query::{Answer, Bucket, Group, Query};
pub use sketch::{ALPHA, Sketch};
pub use source::{Reading, Scanned, Seen, Source, Verified, Wanted};
pub use wants::Wants;
