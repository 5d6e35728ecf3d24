//! Records in SQLite: two files a day, `rows-YYYYMMDD.db` and `bodies-YYYYMMDD.db`.
//!
//! A day is a partition: retention deletes files and never rows, so a store that is cleaned up does not grow or stall. Lists
//! read narrow rows and their indexes; the full record stands in a table beside them, bodies in a file of their own with a
//! retention of their own. Names are numbers from a dictionary per day.

mod day;
mod files;
mod query;
mod reader;
mod schema;
mod sink;
#[cfg(test)]
mod tests;

pub use reader::SqliteReader;
pub use sink::{SqliteOptions, SqliteSink};
