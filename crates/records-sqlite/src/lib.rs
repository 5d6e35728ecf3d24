//! Records in SQLite: two files a day, `rows-YYYYMMDD.db` and `bodies-YYYYMMDD.db`.
//!
//! A day is a partition: retention deletes files and never rows, so a store that is cleaned up does not grow or stall. Records
//! stand in chunks as they came; what lists filter by stands beside them in blocks of packed columns, which take the place of
//! indexes: writing a record costs little, and a list looks at a few bytes of each. Bodies have a file of their own with a
//! retention of their own, and the words by which they are found. Names are numbers from a dictionary per day. Roll-ups for figures of many records are made of the
//! blocks, many at once; what they do not have yet is read from those.

mod columns;
mod combinations;
mod day;
mod figures;
mod files;
mod merge;
mod names;
mod pages;
mod reader;
mod rollups;
mod scan;
mod schema;
mod seen;
mod settled;
mod sink;
#[cfg(test)]
mod tests;
mod texts;
mod traces;
mod words;
mod write;

pub use reader::SqliteReader;
pub use sink::{SqliteOptions, SqliteSink};
pub use traces::SqliteBook;
