//! Records in SQLite: two files a day, `rows-YYYYMMDD.db` and `bodies-YYYYMMDD.db`.
//!
//! A day is a partition: retention deletes files and never rows, so a store that is cleaned up does not grow or stall. Records
//! stand in chunks as they came; what lists filter by stands beside them in blocks of packed columns, which take the place of
//! indexes: writing a record costs little, and a list looks at a few bytes of each. Bodies have a file of their own with a
//! retention of their own. Names are numbers from a dictionary per day.

mod columns;
mod day;
mod files;
mod merge;
mod names;
mod pages;
mod reader;
mod scan;
mod schema;
mod sink;
#[cfg(test)]
mod tests;
mod traces;
mod write;

pub use reader::SqliteReader;
pub use sink::{SqliteOptions, SqliteSink};
pub use traces::SqliteBook;
